/*
 * eddy/metrics.h: what a loop has done, and which callback holds it up.
 */
#ifndef EDDY_METRICS_H
#define EDDY_METRICS_H

#include "base.h"

EDDY_BEGIN_DECLS

/** What a loop has done since it was created. */
typedef struct eddy_loop_metrics {
  size_t size;
  /** Times that the loop has looked for events. */
  uint64_t turns;
  /** Callbacks of handles that it has run: each kind of EDDY_CALLBACK_… but posts. */
  uint64_t events;
  /** Posted callbacks that it has run. */
  uint64_t posts;
  /** Times that a post or stop from outside of its callbacks has woken it. */
  uint64_t wakes;
  /** Nanoseconds that the longest callback took. 0 unless eddy_loop_watch_callbacks is on. */
  uint64_t longest_callback;
} eddy_loop_metrics;

/** An eddy_loop_metrics to be filled in. */
#define EDDY_LOOP_METRICS_INIT                                                                     \
  { sizeof(eddy_loop_metrics), 0, 0, 0, 0, 0 }

/**
 * Reads the counters.
 *
 * @param loop        the loop.
 * @param out_metrics initialised with EDDY_LOOP_METRICS_INIT; receives the counters that its size
 *                    has room for.
 * @return 0; EDDY_EINVAL. Since 0.2.
 */
int eddy_loop_read_metrics(const eddy_loop *loop, eddy_loop_metrics *out_metrics);

/** Which of a handle's callbacks it was. */
enum {
  EDDY_CALLBACK_TIMER = 1,       /**< eddy_timer_cb */
  EDDY_CALLBACK_WATCHER = 2,     /**< eddy_watcher_cb */
  EDDY_CALLBACK_SIGNAL = 3,      /**< eddy_signal_cb */
  EDDY_CALLBACK_POST = 4,        /**< eddy_post_cb */
  EDDY_CALLBACK_ACCEPT = 5,      /**< eddy_accept_cb, eddy_listener_error_cb */
  EDDY_CALLBACK_CONNECT = 6,     /**< eddy_stream_connect_cb */
  EDDY_CALLBACK_READ = 7,        /**< eddy_stream_read_cb */
  EDDY_CALLBACK_WRITE = 8,       /**< eddy_stream_drain_cb, eddy_write_cb */
  EDDY_CALLBACK_IDLE_STREAM = 9, /**< eddy_stream_idle_cb */
  EDDY_CALLBACK_DATAGRAM = 10,   /**< the callbacks of eddy_udp */
  EDDY_CALLBACK_DONE = 11,       /**< eddy_done_cb */
  EDDY_CALLBACK_EXIT = 12,       /**< eddy_exit_cb */
  EDDY_CALLBACK_LOOKUP = 13,     /**< eddy_lookup_cb */
  EDDY_CALLBACK_FILE = 14,       /**< eddy_file_watcher_cb */
  EDDY_CALLBACK_HOOK = 15,       /**< eddy_hook_cb */
  EDDY_CALLBACK_CLOSE = 16       /**< eddy_close_cb */
};

/** A callback that held the loop up. */
typedef struct eddy_slow_callback {
  size_t size;
  /** One of EDDY_CALLBACK_…. */
  int kind;
  /** The callback's address: dladdr(3), or a debugger, names the function. */
  void *function;
  /** The context that it was given. The handle, and so the context, may be gone. */
  void *context;
  /** Nanoseconds that it took. */
  uint64_t duration;
} eddy_slow_callback;

/**
 * Called right after a callback that took too long.
 *
 * @param slow    valid until the function returns.
 * @param context the pointer that eddy_loop_watch_callbacks was given.
 */
typedef void (*eddy_slow_callback_cb)(const eddy_slow_callback *slow, void *context);

/**
 * Measures each callback from here on, which costs two readings of the clock for each.
 *
 * @param loop      the loop.
 * @param threshold nanoseconds: `callback` is told of what takes longer. 0 turns measuring off.
 * @param callback  may be null: then only eddy_loop_metrics.longest_callback is kept.
 * @param context   passed to the callback.
 * @return 0; EDDY_EINVAL. Since 0.2.
 */
int eddy_loop_watch_callbacks(
    eddy_loop *loop, uint64_t threshold, eddy_slow_callback_cb callback, void *context);

EDDY_END_DECLS

#endif
