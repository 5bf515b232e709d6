/*
 * echo.h: a server that sends back what it reads. Each peer reads up to 64 KiB into one buffer
 * that all its connections share, writes at once, and, if the kernel does not take all of it,
 * keeps a copy of the rest and reads no more until that is written.
 */
#ifndef ECHO_H
#define ECHO_H

#include <stddef.h>

/* The same as libeddy's default and what libuv suggests. */
enum { READ_SIZE = 65536 };

/* Called by a peer for each connection that it has accepted. */
void echo_opened(void);

/* ... for bytes that it has read. */
void echo_received(size_t length);

/* ... when the kernel has not taken all of a write, and it waits until it does. */
void echo_must_wait(void);

/* ... when the client has ended a connection, just before the peer closes it. Calls peer_stop
 * for the last one. */
void echo_closed(void);

/* What each peer implements. */

/* Makes a loop and listens on 127.0.0.1, with TCP_NODELAY. Returns the port. */
int peer_open(void);

/* Runs the loop until peer_stop. */
void peer_run(void);

void peer_stop(void);

void peer_close(void);

#endif
