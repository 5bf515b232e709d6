/*
 * bench.h: what every benchmark program shares: checks that fail loudly, clocks, random numbers,
 * results as lines "metric value" on the standard output.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* Says what is wrong, with errno's meaning if it is set, and exits with 1. */
noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the program unless `condition` holds: a figure is worth nothing if the work was not done. */
#define CHECK(condition)                                                                           \
  ((condition) ? (void)0 : die("%s:%d: expected: %s", __FILE__, __LINE__, #condition))

/* CPU time (user and system) of all threads of this process so far, in nanoseconds. It is the sum
 * that getrusage(2) rounds to microseconds. */
uint64_t cpu_now(void);

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t wall_now(void);

/* Prints one result. */
void report(const char *metric, double value);

/* The program's argument number `index` (from 1), a whole number from 1 up; `name` is for the
 * message if it is missing. */
long argument(int argc, char **argv, int index, const char *name);

/* Raises the soft limit of open descriptors; ends the program if the hard one is too low. */
void need_descriptors(long count);

/* Binds the calling thread to the n-th of the processors that this process may use, if it may
 * use more than one. Without it the scheduler's choice, one core or two, decides what a wake-up
 * of the other side costs, and figures fall into two groups. */
void pin_to_processor(int n);

/* The next of a fixed sequence of pseudo-random numbers (xorshift32), so that all peers get the
 * same ones. `state` begins with anything but 0. */
uint32_t next_random(uint32_t *state);

/* Allocates zeroed memory, or ends the program. */
void *allocate(size_t count, size_t size);

#endif
