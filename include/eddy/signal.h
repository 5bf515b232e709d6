/*
 * eddy/signal.h: signals as callbacks on the loop.
 */
#ifndef EDDY_SIGNAL_H
#define EDDY_SIGNAL_H

#include "base.h"

EDDY_BEGIN_DECLS

/** Watches one signal. */
typedef struct eddy_signal eddy_signal;

/** Called on the loop's thread; several arrivals of one signal may be one call. */
typedef void (*eddy_signal_cb)(eddy_signal *watcher, int signal_number, void *context);

/**
 * Creates a signal watcher, stopped. A started one does not keep the loop alive:
 * a program that only waits to be told to end has nothing left to do.
 *
 * @return 0; EDDY_EINVAL; EDDY_ENOMEM. Since 0.1.
 */
int eddy_signal_create(
    eddy_loop *loop, eddy_signal_cb callback, void *context, eddy_signal **out_signal);

/**
 * Takes the signal over: from here until the last watcher of it stops, its
 * disposition is libeddy's (sigaction(2)); afterwards it is the default again.
 *
 * @return 0; EDDY_EINVAL for a number that is no signal, or one that cannot be
 * caught; EDDY_EBUSY if another loop of this process watches it (a signal
 * belongs to one loop); EDDY_EALREADY when started or closing; EDDY_EMFILE, EDDY_ENFILE. Since 0.1.
 */
int eddy_signal_start(eddy_signal *watcher, int signal_number);

/** Stops watching. @return 0; EDDY_EINVAL. Since 0.1. */
int eddy_signal_stop(eddy_signal *watcher);

/** Stops and frees a watcher. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1. */
int eddy_signal_close(eddy_signal *watcher, eddy_close_cb callback);

EDDY_END_DECLS

#endif
