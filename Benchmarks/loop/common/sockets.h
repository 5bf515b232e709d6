/* sockets.h: TCP over loopback, for programs that use no library for it, and their client. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The longest queue of connections that nobody has accepted yet; the same for all peers. */
enum { BACKLOG = 4096 };

/* A non-blocking socket that listens on 127.0.0.1. TCP_NODELAY is set on it, and so, on Linux, on
 * what it accepts. */
int listen_on_loopback(void);

/* The port of a listening socket. */
int port_of(int listening);

/* A TCP socket that is connecting to `port` of 127.0.0.1, with TCP_NODELAY: blocking, and then it
 * is connected, or non-blocking, and then it may not be yet. */
int connect_to_loopback(int port, int flags);

/* Closes a socket with a reset, after which neither side keeps it in TIME-WAIT: many thousands of
 * those would use up the ports. */
void close_with_reset(int fd);

/* Starts the program `name` of the folder of `own_path`; its arguments are numbers. If it fails, at
 * any time, this program ends with 1. */
void client_start(const char *own_path, const char *name, const long *arguments, size_t count);

/* Waits until it has ended well. */
void client_wait(void);

#endif
