#define _POSIX_C_SOURCE 200809L

#include "clock.h"

#include <time.h>

uint64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * (uint64_t)NANOSECONDS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t clock_nanoseconds(double seconds) {
  return (uint64_t)(seconds * NANOSECONDS_PER_SECOND);
}
