/*
 * clock.h: the monotonic clock, read anew at each call.
 *
 * eddy_loop_now is read once a turn; a latency that begins and ends inside long
 * turns wants a finer one.
 */
#ifndef CLIENT_CLOCK_H
#define CLIENT_CLOCK_H

#include <stdint.h>

#define NANOSECONDS_PER_SECOND 1e9
#define NANOSECONDS_PER_MILLISECOND 1e6

/** Nanoseconds of CLOCK_MONOTONIC (clock_gettime(2)). */
uint64_t clock_now(void);

/** Seconds as nanoseconds; seconds >= 0. */
uint64_t clock_nanoseconds(double seconds);

#endif
