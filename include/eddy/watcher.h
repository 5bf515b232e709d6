/*
 * eddy/watcher.h: readiness of any descriptor that poll(2) accepts.
 */
#ifndef EDDY_WATCHER_H
#define EDDY_WATCHER_H

#include "base.h"

EDDY_BEGIN_DECLS

/** Watches one descriptor. It never closes it. */
typedef struct eddy_watcher eddy_watcher;

/** What to watch for, and what happened. Errors and hang-ups count as both. */
enum {
  EDDY_READABLE = 1, /**< read(2) or accept(2) will not block */
  EDDY_WRITABLE = 2  /**< write(2) or connect(2) will not block */
};

/**
 * Called while the descriptor is ready (level-triggered).
 *
 * @param events EDDY_READABLE, EDDY_WRITABLE or both.
 */
typedef void (*eddy_watcher_cb)(eddy_watcher *watcher, int events, void *context);

/**
 * Creates a watcher, stopped.
 *
 * @param fd an open descriptor. It must stay open until the watcher is stopped
 *           or closed: stop first, then close the descriptor.
 * @return 0; EDDY_EINVAL; EDDY_EBADF if fd is not open; EDDY_ENOMEM. Since 0.1.
 */
int eddy_watcher_create(
    eddy_loop *loop, int fd, eddy_watcher_cb callback, void *context, eddy_watcher **out_watcher);

/**
 * Starts watching, or changes what is watched.
 *
 * @param events EDDY_READABLE, EDDY_WRITABLE or both.
 * @return 0; EDDY_EINVAL; EDDY_EBADF if the descriptor is no longer open; EDDY_EALREADY when
 * closing. Since 0.1.
 */
int eddy_watcher_start(eddy_watcher *watcher, int events);

/** Stops watching. @return 0; EDDY_EINVAL. Since 0.1. */
int eddy_watcher_stop(eddy_watcher *watcher);

/** Stops and frees a watcher. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1. */
int eddy_watcher_close(eddy_watcher *watcher, eddy_close_cb callback);

EDDY_END_DECLS

#endif
