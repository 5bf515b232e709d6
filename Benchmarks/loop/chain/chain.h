/*
 * chain.h: libevent's classic benchmark (its bench.c). A byte that arrives at one socket pair is
 * read and another one written to the next pair, until as many bytes have been written as there
 * are pairs. One such pass begins with `active` bytes on pairs that are evenly spaced; pass
 * follows pass without the loop being left. Watchers are started once, outside the timing.
 */
#ifndef CHAIN_H
#define CHAIN_H

/* Called by a peer when pair number `index` is readable: reads, writes to the next pair. */
void chain_readable(int index);

/* What each peer implements. */

/* Makes a loop and a started watcher for each of the descriptors. */
void peer_open(const int *descriptors, int count);

/* Runs the loop until peer_stop. */
void peer_run(void);

/* Called within chain_readable, when the last byte of the last pass has been read. */
void peer_stop(void);

void peer_close(void);

#endif
