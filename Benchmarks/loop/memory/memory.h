/* memory.h: bytes of heap that one loop, timer, watcher and stream take, each of them in use. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* What each peer implements. Whoever uses the library allocates what its interface has the caller
 * allocate, one by one, as for connections that come one by one. */

/* Makes a loop and has it turn once without blocking. */
void *loop_make(void);

/* Makes a timer, and starts it with an hour. */
void timer_make(void *loop);

/* Makes a watcher of the descriptor, which is never ready to read, and starts it. */
void watcher_make(void *loop, int fd);

/* Makes a stream over a connected TCP socket, and starts to read. Where the library has no
 * streams, what the echo server of this benchmark has a connection. */
void stream_make(void *loop, int fd);

/* Turns once without blocking, so that what is deferred to the turn is allocated too. */
void loop_turn(void *loop);

#endif
