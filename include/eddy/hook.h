/*
 * eddy/hook.h: callbacks that belong to the turns of the loop, not to an event.
 *
 * They let a program do something once a turn, for example write out what all the callbacks of the
 * turn have produced, or let another library's loop take part in this one.
 */
#ifndef EDDY_HOOK_H
#define EDDY_HOOK_H

#include "base.h"

EDDY_BEGIN_DECLS

/** A callback of the loop's turns. */
typedef struct eddy_hook eddy_hook;

/** When a hook is called. */
enum {
  /**
   * In each turn just before the loop looks for events, whether it will block for them or not. What
   * the hook starts, stops or posts counts in the same turn. It does not keep the loop alive.
   */
  EDDY_HOOK_BEFORE_BLOCKING = 1,
  /** In each turn just after that, before any other callback. It does not keep the loop alive. */
  EDDY_HOOK_AFTER_BLOCKING = 2,
  /**
   * In each turn in which no event was waiting to be handled. While an idle hook is started the
   * loop does not block, and is kept alive: stop it when there is no more to do.
   */
  EDDY_HOOK_IDLE = 3
};

/**
 * The callback of a hook. Hooks of one kind are called in the order in which they were started.
 *
 * @param hook    the hook.
 * @param context the pointer that the hook was created with.
 */
typedef void (*eddy_hook_cb)(eddy_hook *hook, void *context);

/**
 * Creates a hook, stopped.
 *
 * @param loop     the loop.
 * @param kind     one of EDDY_HOOK_….
 * @param callback required.
 * @param context  passed to the callbacks.
 * @param out_hook receives the hook, to be given back by eddy_hook_close.
 * @return 0; EDDY_EINVAL; EDDY_ENOMEM. Since 0.2.
 */
int eddy_hook_create(
    eddy_loop *loop, int kind, eddy_hook_cb callback, void *context, eddy_hook **out_hook);

/**
 * Starts a hook; one that is started stays so. A hook that another hook of the same kind starts is
 * called from the next turn on.
 *
 * @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.2.
 */
int eddy_hook_start(eddy_hook *hook);

/** Stops a hook; one that is stopped stays so. @return 0; EDDY_EINVAL. Since 0.2. */
int eddy_hook_stop(eddy_hook *hook);

/** Stops and frees a hook. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.2. */
int eddy_hook_close(eddy_hook *hook, eddy_close_cb callback);

EDDY_END_DECLS

#endif
