/*
 * eddy/loop.h: the event loop.
 *
 * One loop belongs to one thread: the one that runs it. Programs that want
 * more cores run more processes, or a loop on each of several threads.
 */
#ifndef EDDY_LOOP_H
#define EDDY_LOOP_H

#include "base.h"

EDDY_BEGIN_DECLS

/** How long eddy_loop_run runs. */
enum {
  /** Until no handle waits for anything, or eddy_loop_stop. */
  EDDY_RUN_UNTIL_IDLE = 0,
  /**
   * One turn: block until something happens, run its callbacks, return. At once if nothing is
   * alive.
   */
  EDDY_RUN_ONCE = 1,
  /** One turn that does not block. */
  EDDY_RUN_NOWAIT = 2,
  /** Until eddy_loop_stop, even if nothing waits: other threads may yet post. */
  EDDY_RUN_UNTIL_STOPPED = 3
};

/** What eddy_loop_create may be told. A zero means the default. */
typedef struct eddy_loop_config {
  size_t size;
  /**
   * The most posted callbacks that one turn runs before it looks at
   * descriptors and timers again. Default 1,024.
   */
  size_t post_batch;
  /**
   * Size of the buffer that all the loop's streams read into, in bytes; at
   * least 4,096. Default 65,536.
   */
  size_t read_buffer_size;
} eddy_loop_config;

/** An eddy_loop_config with every default. */
#define EDDY_LOOP_CONFIG_INIT                                                                      \
  { sizeof(eddy_loop_config), 0, 0 }

/**
 * Creates a loop. The thread that first runs it becomes the loop's thread.
 *
 * @param config   null for the defaults.
 * @param out_loop receives the loop; it belongs to the caller.
 * @return 0; EDDY_EINVAL; EDDY_ENOMEM; EDDY_EMFILE; EDDY_ENFILE; EDDY_ENOTSUP where epoll(7) is
 * missing.
 *
 * Any thread. Since 0.1.
 */
int eddy_loop_create(const eddy_loop_config *config, eddy_loop **out_loop);

/**
 * Frees a loop. Callbacks that were posted and have not run yet run first, those that
 * they post too, and so do close callbacks that are due.
 *
 * @return 0; EDDY_EBUSY while the loop runs, or while a handle of it (a timer, a watcher, a
 * stream: whatever has an eddy_…_close) has not been closed; EDDY_EINVAL for null.
 *
 * The loop's thread, or any thread once the loop no longer runs. Since 0.1.
 */
int eddy_loop_destroy(eddy_loop *loop);

/**
 * Runs the loop on the calling thread.
 *
 * @param mode one of EDDY_RUN_….
 * @return 1 if something still keeps the loop alive, else 0; EDDY_EINVAL for
 * another mode, EDDY_EBUSY if it runs already (on this thread or another), EDDY_EFORKED in a child
 * of fork(2) without eddy_loop_fork.
 *
 * Since 0.1.
 */
int eddy_loop_run(eddy_loop *loop, int mode);

/**
 * Makes eddy_loop_run return at the end of the turn. A stop that comes before
 * the run is kept: the next eddy_loop_run returns after one turn that does not block.
 *
 * Any thread. @return 0, EDDY_EINVAL. Since 0.1.
 */
int eddy_loop_stop(eddy_loop *loop);

/** 1 if something keeps the loop alive, else 0; EDDY_EINVAL. Since 0.1. */
int eddy_loop_alive(const eddy_loop *loop);

/**
 * The loop's clock: monotonic (clock_gettime(2), CLOCK_MONOTONIC), in
 * nanoseconds. It is read when a turn first needs it, for this call or for a timer, and then stands
 * still until the loop has looked for events again; likewise between two runs. 0 for a null loop.
 * Since 0.1.
 */
uint64_t eddy_loop_now(const eddy_loop *loop);

/**
 * Reads the clock again, after a callback that took long; timers that are
 * started from here on count from it. @return 0, EDDY_EINVAL. Since 0.1.
 */
int eddy_loop_update_now(eddy_loop *loop);

/**
 * The callback of eddy_loop_post.
 *
 * @param context the pointer that was posted.
 */
typedef void (*eddy_post_cb)(void *context);

/**
 * Queues a callback for the loop's thread, and wakes the loop if it blocks.
 * Callbacks posted by one thread run in the order in which it posted them;
 * however many wait, the loop is woken once. A post that waits keeps the loop alive.
 *
 * @return 0; EDDY_EINVAL; EDDY_ENOMEM.
 *
 * Any thread, as long as the loop has not been destroyed: it must not be destroyed
 * before the call has returned, even if the callback has run by then (join the
 * thread first). Not from a signal handler (it allocates: see signal-safety(7); use
 * eddy/signal.h). Since 0.1.
 */
int eddy_loop_post(eddy_loop *loop, eddy_post_cb callback, void *context);

/**
 * Nanoseconds until the loop has something to do without an event: 0 when it has now, EDDY_NEVER
 * when it waits for events alone.
 *
 * With eddy_loop_fd it lets a host's own loop drive this one: wait until the descriptor is readable
 * or that time is over, then eddy_loop_run(loop, EDDY_RUN_NOWAIT), as often as this gives 0. Ask
 * again after each call that starts, stops or closes a handle: handles that a host's callback
 * started are waited for only once the loop has run a turn, and until then this gives 0.
 *
 * @return 0 for a null loop. Since 0.2.
 */
uint64_t eddy_loop_timeout(const eddy_loop *loop);

/**
 * A descriptor that is readable, by poll(2) or epoll(7), when the loop has an event to handle. It
 * stays the loop's: wait for it, and nothing else. eddy_loop_fork replaces it.
 *
 * It is libev's epoll descriptor, which libev itself does not tell: it is found among the open
 * descriptors of the process once, by what it watches (proc(5), "/proc/pid/fdinfo").
 *
 * @return the descriptor; EDDY_ENOTSUP where /proc is not mounted, and from eddy_loop_fork to the
 * end of the next turn; EDDY_EINVAL. Since 0.2.
 */
int eddy_loop_fd(eddy_loop *loop);

/**
 * Makes a loop usable in a child that fork(2) has made.
 *
 * What a program that forks may do:
 *  - The parent goes on as if nothing had happened, whatever the child does with the loop, short of
 *    using it without this call.
 *  - A child that only calls execve(2) or _exit(2) needs nothing: every descriptor of libeddy is
 *    close-on-exec, and the child has no reason to close them.
 *  - A child that wants to use the loop calls this first. Timers, watchers, signals, streams,
 *    listeners and UDP sockets then go on in the child, too; their descriptors are shared with the
 *    parent (fork(2)), so that each of them should be closed on one side. Posts that wait run on
 *    both sides.
 *  - A child gets no other threads: a loop with an open pool, process, lookup or file watcher
 *    cannot be used in a child. Close them before the fork.
 *  - Without this call eddy_loop_run fails in the child with EDDY_EFORKED.
 *  - fork in a callback is allowed; the child leaves by _exit(2) or execve(2), or returns from the
 *    callback after this call.
 *
 * @return 0; EDDY_EBUSY for a handle that cannot be used in a child, or if another thread ran the
 * loop at the fork; EDDY_EMFILE; EDDY_ENFILE; EDDY_EINVAL. The child's only thread. Since 0.2.
 */
int eddy_loop_fork(eddy_loop *loop);

EDDY_END_DECLS

#endif
