/*
 * random.h: numbers that a seed repeats. Not for secrets.
 */
#ifndef CLIENT_RANDOM_H
#define CLIENT_RANDOM_H

#include <stdint.h>

/** A generator; its whole state is one number (SplitMix64, Steele, Lea and Flood, 2014). */
struct random_source {
  uint64_t state;
};

/** The next 64 bits. */
uint64_t random_next(struct random_source *source);

/** A number from 0 to bound - 1; bound > 0. The bias is below bound / 2^64. */
uint64_t random_below(struct random_source *source, uint64_t bound);

/** A number from 0 up to, but never, 1. */
double random_unit(struct random_source *source);

/** 64 bits that no seed repeats, from the system (getrandom(2)), or the clock if that fails. */
uint64_t random_from_system(void);

#endif
