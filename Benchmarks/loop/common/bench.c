#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

noreturn void die(const char *format, ...) {
  const char *meaning = errno != 0 ? strerror(errno) : NULL;
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: ", program_invocation_short_name);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  if (meaning != NULL) {
    fprintf(stderr, " (errno: %s)", meaning);
  }
  fputc('\n', stderr);
  exit(1);
}

static uint64_t clock_in_nanoseconds(clockid_t clock) {
  struct timespec time;
  CHECK(clock_gettime(clock, &time) == 0);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t cpu_now(void) {
  return clock_in_nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t wall_now(void) {
  return clock_in_nanoseconds(CLOCK_MONOTONIC);
}

void report(const char *metric, double value) {
  CHECK(printf("%s %.2f\n", metric, value) > 0 && fflush(stdout) == 0);
}

long argument(int argc, char **argv, int index, const char *name) {
  if (index >= argc) {
    die("argument %d is missing: %s", index, name);
  }
  char *end;
  long value = strtol(argv[index], &end, 10);
  if (*end != '\0' || value < 1) {
    die("%s must be a whole number from 1 up, not '%s'", name, argv[index]);
  }
  return value;
}

void need_descriptors(long count) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  if (limit.rlim_cur >= (rlim_t)count) {
    return;
  }
  if (limit.rlim_max < (rlim_t)count) {
    die("%ld descriptors are needed; the hard limit is %ld", count, (long)limit.rlim_max);
  }
  limit.rlim_cur = (rlim_t)count;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

void pin_to_processor(int n) {
  cpu_set_t allowed, chosen;
  CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  int count = CPU_COUNT(&allowed);
  if (count < 2) {
    return;
  }
  n %= count;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &allowed) && n-- == 0) {
      CPU_ZERO(&chosen);
      CPU_SET(cpu, &chosen);
      CHECK(sched_setaffinity(0, sizeof chosen, &chosen) == 0);
      return;
    }
  }
}

uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  CHECK(memory != NULL);
  return memory;
}
