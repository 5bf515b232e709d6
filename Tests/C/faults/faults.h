/*
 * faults.h: system calls that fail when a test says so.
 *
 * faults.c defines functions of libc in the test program itself. The linker resolves the calls of
 * a static libeddy to them, and the dynamic linker, which looks into the program first, those of a
 * shared libeddy and of libev. Without a fault that was set they pass the call on.
 *
 * It is linked with the programs called faults_*, and no others. The calls of the test itself are
 * counted and fail like the library's.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stddef.h>

typedef enum fault_call {
  FAULT_ACCEPT4,
  FAULT_BIND,
  FAULT_CONNECT,
  FAULT_EPOLL_CTL,
  FAULT_EPOLL_WAIT,
  FAULT_EVENTFD,
  FAULT_FCNTL,
  FAULT_GETSOCKNAME,
  FAULT_LISTEN,
  FAULT_MALLOC,
  FAULT_PIPE2,
  FAULT_PTHREAD_CREATE,
  FAULT_READ,
  FAULT_REALLOC,
  FAULT_SEND,
  FAULT_SENDFILE,
  FAULT_SENDMSG,
  FAULT_SETSOCKOPT,
  FAULT_SOCKET,
  FAULT_WRITEV,
  FAULT_CALLS /* their number */
} fault_call;

/* The nth call from here on (1: the next) fails with `error`, an errno(3) value, and no other. */
void fault_nth(fault_call call, int nth, int error);

/* Every call from here on fails with `error`. */
void fault_each(fault_call call, int error);

/* Of each two calls one fails with `error`: the next, the one after the next but one, … */
void fault_every_other(fault_call call, int error);

/* FAULT_READ, FAULT_SEND, FAULT_SENDFILE, FAULT_SENDMSG, FAULT_WRITEV: at most `bytes` are taken at
 * once. */
void fault_short(fault_call call, size_t bytes);

/* Ends every fault, and counts from 0 again. */
void fault_none(void);

/* How many calls there were, and how many of them were made to fail or to be short. */
int fault_count(fault_call call);
int fault_hits(fault_call call);

/* The name of a call, for messages. */
const char *fault_name(fault_call call);

/* Skips the test where malloc and realloc are not ours to make fail. */
void require_own_malloc(void);

#endif
