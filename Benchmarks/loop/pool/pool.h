/*
 * pool.h: work that runs on a pool of threads and completes on the loop's thread. The work itself
 * is next to nothing, so that what is measured is the way there and back.
 */
#ifndef POOL_H
#define POOL_H

/* The work of a slot, on one of the pool's threads. */
void pool_work(int slot);

/* The completion, on the loop's thread; it submits again while there is more to do. */
void pool_done(int slot);

/* What each peer implements. */

/* Makes a loop, a pool of `threads`, and as many slots as works can be under way. */
void peer_open(int threads, int slots);

void peer_submit(int slot);

/* Runs the loop until nothing is under way. */
void peer_run(void);

void peer_close(void);

#endif
