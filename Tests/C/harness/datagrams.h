/*
 * datagrams.h: a UDP socket with what it has seen, for the tests of UDP.
 *
 * The test program has a sendto(2) and sendmmsg(2) of its own, which stand before the C library's,
 * also for libeddy, so that a test can have the kernel without room.
 */
#ifndef HARNESS_DATAGRAMS_H
#define HARNESS_DATAGRAMS_H

#include <stddef.h>

#include <eddy.h>

enum { KEPT_DATAGRAMS = 256, KEPT_BYTES = 32 };

typedef struct udp_end {
  eddy_loop *loop;
  eddy_udp *udp;
  eddy_udp_config config;
  eddy_address address;
  size_t received; /* datagrams */
  size_t calls, largest_call;
  char texts[KEPT_DATAGRAMS][KEPT_BYTES]; /* the first bytes of the first datagrams, as strings */
  size_t lengths[KEPT_DATAGRAMS];
  int truncated[KEPT_DATAGRAMS];
  eddy_address peer; /* of the last datagram */
  int errors, error;
  int writables, closed;
  void (*on_receive)(struct udp_end *end); /* called after each call that brought datagrams */
  void (*on_error)(struct udp_end *end);
  void (*on_writable)(struct udp_end *end);
  struct udp_end *other; /* for those functions */
} udp_end;

/* An end without a socket, whose configuration notes what comes. */
void udp_end_init(udp_end *end, eddy_loop *loop);

/* Opens it, which must work, and starts to receive. */
void udp_end_open(udp_end *end, const char *address);

/* Both at once. */
void udp_end_make(udp_end *end, eddy_loop *loop, const char *address);

/* Sends a string, which must be taken; a null peer stands for the connected one. */
void udp_end_send(udp_end *end, const char *text, const eddy_address *peer);

void udp_end_close(udp_end *end);

/* Runs the loop until `end` has received `count` datagrams. */
void udp_end_await(udp_end *end, size_t count);

/* Runs the loop until what was sent before is sure to have come, if it comes at all. */
void udp_settle(eddy_loop *loop);

/* What the kernel shall say to the next datagrams: it takes `count` of them (single ones, or of a
 * sendmmsg), and then says `error`, once. */
void udp_refuse_after(size_t count, int error);

/* Calls of sendmmsg so far. */
int udp_batches_sent(void);

#endif
