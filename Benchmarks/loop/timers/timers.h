/*
 * timers.h: many timers that are started and fire, and running ones that are started anew, as the
 * idle deadline of a connection is with each request. Handles are made outside the timing.
 */
#ifndef TIMERS_H
#define TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* Called by a peer for each timer that fires. */
void timer_fired(void);

/* What each peer implements. */

/* Makes a loop, and `count` timers that are not started. */
void peer_open(size_t count);

/* Reads the clock again: what is started from here on counts from it. */
void peer_update_now(void);

/* Starts timer i with delays[i] milliseconds, the unit that all peers can tell apart; once. */
void peer_start(const uint32_t *delays, size_t count);

/* Runs the loop until no timer runs. */
void peer_run(void);

/* Starts each of the timers, all of which are running, with `delay` milliseconds. */
void peer_begin_restarts(uint32_t delay);

/* Starts the timers of `order` anew with the delay of peer_begin_restarts, in the way in which
 * the library would have it. */
void peer_restart(const uint32_t *order, size_t count);

/* Stops all that run, and closes them. */
void peer_close(void);

#endif
