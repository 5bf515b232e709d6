/*
 * eddy/timer.h: one-shot and repeating timers on the loop's monotonic clock.
 */
#ifndef EDDY_TIMER_H
#define EDDY_TIMER_H

#include "base.h"

EDDY_BEGIN_DECLS

/** A timer. */
typedef struct eddy_timer eddy_timer;

/** Called when the time has come; never early, by the loop's clock. */
typedef void (*eddy_timer_cb)(eddy_timer *timer, void *context);

/**
 * Creates a timer, stopped.
 *
 * @param callback  required.
 * @param out_timer receives the timer, to be given back by eddy_timer_close.
 * @return 0; EDDY_EINVAL; EDDY_ENOMEM. Since 0.1.
 */
int eddy_timer_create(
    eddy_loop *loop, eddy_timer_cb callback, void *context, eddy_timer **out_timer);

/**
 * Starts a timer, or starts it anew if it runs. To start a running one anew for a later time, as
 * idle timeouts do with each event, takes O(1); otherwise it takes O(log n) of the running timers.
 * Timers that are due at the same nanosecond are called in the order in which they were started for
 * it.
 *
 * @param delay  nanoseconds from eddy_loop_now to the first callback; 0: when the loop next
 *               comes to its timers, after the events of a turn. What a timer's callback starts
 *               waits for the next turn.
 * @param repeat nanoseconds between further callbacks; 0: no others. Where the
 *               loop was held up longer than that, callbacks are skipped, not bunched.
 * @return 0; EDDY_EINVAL (also for more than about 146 years); EDDY_EALREADY when closing.
 * Since 0.1.
 */
int eddy_timer_start(eddy_timer *timer, uint64_t delay, uint64_t repeat);

/** Stops a timer; one that is stopped stays so. @return 0; EDDY_EINVAL. Since 0.1. */
int eddy_timer_stop(eddy_timer *timer);

/** 1 if the timer is running, else 0; EDDY_EINVAL. Since 0.1. */
int eddy_timer_active(const eddy_timer *timer);

/**
 * When the timer is due, on the clock of eddy_loop_now; EDDY_NEVER if it is stopped. 0 for null.
 * Since 0.2.
 */
uint64_t eddy_timer_due(const eddy_timer *timer);

/** Stops and frees a timer. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1. */
int eddy_timer_close(eddy_timer *timer, eddy_close_cb callback);

EDDY_END_DECLS

#endif
