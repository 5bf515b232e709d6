#include "latency.h"

#include <stdlib.h>

static int compare(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left;
  uint64_t b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

/* The least value that at least so many hundredths of all do not exceed. */
static uint64_t percentile(const uint64_t *sorted, uint32_t count, uint32_t hundredths) {
  uint64_t rank = ((uint64_t)count * hundredths + 99) / 100;
  return sorted[rank > 0 ? rank - 1 : 0];
}

struct latency latency_of(const struct ledger *ledger) {
  struct latency latency = {0};
  uint64_t *values = allocate(ledger->count, sizeof *values);
  for (uint32_t i = 0; i < ledger->count; i++) {
    const struct job *job = &ledger->jobs[i];
    if (job->outcome == OUTCOME_RECEIVED) {
      values[latency.count++] = job->received_at - job->submitted_at;
    }
  }
  if (latency.count > 0) {
    qsort(values, latency.count, sizeof *values, compare);
    latency.least = values[0];
    latency.p50 = percentile(values, latency.count, 50);
    latency.p90 = percentile(values, latency.count, 90);
    latency.p99 = percentile(values, latency.count, 99);
    latency.most = values[latency.count - 1];
  }
  free(values);
  return latency;
}
