/*
 * latency.h: exact percentiles of the times from submit to result.
 */
#ifndef CLIENT_LATENCY_H
#define CLIENT_LATENCY_H

#include "ledger.h"

/** Nanoseconds; all 0 when no result came. */
struct latency {
  uint32_t count;
  uint64_t least;
  uint64_t p50;
  uint64_t p90;
  uint64_t p99;
  uint64_t most;
};

/** Over the jobs that got their own result. Nearest rank: each value is one that occurred. */
struct latency latency_of(const struct ledger *ledger);

#endif
