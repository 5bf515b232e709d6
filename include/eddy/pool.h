/*
 * eddy/pool.h: a pool of threads for work that would hold the loop up.
 */
#ifndef EDDY_POOL_H
#define EDDY_POOL_H

#include "base.h"

EDDY_BEGIN_DECLS

/** A work pool: threads that run functions, and report to one loop. A loop may have several. */
typedef struct eddy_pool eddy_pool;

/** A work that was submitted, from eddy_pool_submit_work until its completion is called. */
typedef struct eddy_work eddy_work;

/** The work. Runs on one of the pool's threads, with every signal blocked. */
typedef void (*eddy_work_cb)(void *context);

/**
 * The completion. Runs on the loop's thread, exactly once for each accepted submit.
 *
 * @param status 0 when the work has run; EDDY_ECANCELED when it never ran,
 *               because it was cancelled, or the pool closed, first.
 */
typedef void (*eddy_done_cb)(int status, void *context);

/** What eddy_pool_create may be told. A zero means the default. */
typedef struct eddy_pool_config {
  size_t size;
  /** Number of threads, at most 1,024. Default: 4. */
  size_t threads;
  /** The most works that wait for a thread. Default: 1,024. */
  size_t queue_capacity;
} eddy_pool_config;

/** An eddy_pool_config with every default. */
#define EDDY_POOL_CONFIG_INIT                                                                      \
  { sizeof(eddy_pool_config), 0, 0 }

/**
 * Creates a pool and starts its threads.
 *
 * @param config null for the defaults.
 * @return 0; EDDY_EINVAL; EDDY_ENOMEM; EDDY_EAGAIN if the system gives no more threads. Since 0.1.
 */
int eddy_pool_create(eddy_loop *loop, const eddy_pool_config *config, eddy_pool **out_pool);

/**
 * Queues work. While it waits or runs it keeps the loop alive.
 *
 * @param work required.
 * @param done may be null.
 * @return 0; EDDY_EAGAIN if the queue is full, and then nothing was taken;
 * EDDY_EALREADY when closing; EDDY_EINVAL; EDDY_ENOMEM. Since 0.1.
 */
int eddy_pool_submit(eddy_pool *pool, eddy_work_cb work, eddy_done_cb done, void *context);

/**
 * The same, for a work that may be cancelled.
 *
 * @param pool     the pool.
 * @param work     required.
 * @param done     may be null, but then nothing tells when *out_work is no longer valid.
 * @param context  passed to both.
 * @param out_work receives the work: valid until `done` is called, or the close callback of the
 * pool.
 * @return as eddy_pool_submit. Since 0.2.
 */
int eddy_pool_submit_work(
    eddy_pool *pool, eddy_work_cb work, eddy_done_cb done, void *context, eddy_work **out_work);

/**
 * Cancels a work that no thread has begun. Its completion is then called with EDDY_ECANCELED, from
 * the loop, and its place in the queue is free at once.
 *
 * @return 0; EDDY_EBUSY if it runs or has run, and then nothing changes; EDDY_EALREADY if it was
 * cancelled before; EDDY_EINVAL. Since 0.2.
 */
int eddy_work_cancel(eddy_work *work);

/** Number of works that wait for a thread; EDDY_EINVAL. Since 0.1. */
int eddy_pool_waiting(const eddy_pool *pool);

/**
 * Closes a pool without blocking: what waits is completed as EDDY_ECANCELED,
 * what runs runs to its end, then the close callback comes.
 *
 * @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1.
 */
int eddy_pool_close(eddy_pool *pool, eddy_close_cb callback, void *context);

EDDY_END_DECLS

#endif
