/*
 * posts-PEER rate THREADS POSTS      wall and CPU time a post, POSTS in all; CPU time of all
 * threads posts-PEER latency SAMPLES         from the post to the callback, the loop being idle
 * before
 */
#include "posts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/bench.h"

static long expected, received;

typedef struct poster {
  pthread_t thread;
  long posts;
  long received; /* on the loop's thread */
} poster;

static poster *posters;
static pthread_barrier_t all_ready;

static void count_post(void *context) {
  poster *from = context;
  from->received++;
  if (++received == expected) {
    peer_stop();
  }
}

static void *post_many(void *argument) {
  poster *self = argument;
  pthread_barrier_wait(&all_ready);
  for (long i = 0; i < self->posts; i++) {
    peer_post(count_post, self);
  }
  return NULL;
}

static void measure_rate(int threads, long posts) {
  CHECK(posts % threads == 0);
  expected = posts;
  posters = allocate((size_t)threads, sizeof *posters);
  CHECK(pthread_barrier_init(&all_ready, NULL, (unsigned)threads + 1) == 0);
  for (int i = 0; i < threads; i++) {
    posters[i].posts = posts / threads;
    CHECK(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]) == 0);
  }
  uint64_t cpu_before = cpu_now(), before = wall_now();
  pthread_barrier_wait(&all_ready);
  peer_run();
  uint64_t spent = wall_now() - before, cpu_spent = cpu_now() - cpu_before;
  for (int i = 0; i < threads; i++) {
    CHECK(pthread_join(posters[i].thread, NULL) == 0);
    CHECK(posters[i].received == posters[i].posts);
  }
  CHECK(received == posts);
  report("wall_ns", (double)spent / (double)posts);
  report("cpu_ns", (double)cpu_spent / (double)posts);
  free(posters);
}

/* Long enough for the loop's thread to have gone to sleep again. */
enum { PAUSE_NS = 100000 };

static double *latencies; /* nanoseconds */
static long sample_count;
static _Atomic long samples_taken;
static uint64_t posted_at;

static void take_sample(void *context) {
  (void)context;
  uint64_t now = wall_now();
  long i = atomic_load_explicit(&samples_taken, memory_order_relaxed);
  latencies[i] = (double)(now - posted_at);
  if (i + 1 == sample_count) {
    peer_stop();
  }
  atomic_store_explicit(&samples_taken, i + 1, memory_order_release);
}

static void *post_now_and_then(void *argument) {
  (void)argument;
  pin_to_processor(1);
  const struct timespec pause = {.tv_nsec = PAUSE_NS};
  for (long i = 0; i < sample_count; i++) {
    do {
      nanosleep(&pause, NULL);
    } while (atomic_load_explicit(&samples_taken, memory_order_acquire) != i);
    posted_at = wall_now();
    peer_post(take_sample, NULL);
  }
  return NULL;
}

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static void measure_latency(long samples) {
  sample_count = samples;
  latencies = allocate((size_t)samples, sizeof *latencies);
  pthread_t poster;
  CHECK(pthread_create(&poster, NULL, post_now_and_then, NULL) == 0);
  pin_to_processor(0);
  peer_run();
  CHECK(pthread_join(poster, NULL) == 0);
  CHECK(samples_taken == samples);
  qsort(latencies, (size_t)samples, sizeof *latencies, compare);
  report("p50_ns", latencies[samples / 2]);
  report("p99_ns", latencies[samples * 99 / 100]);
  free(latencies);
}

int main(int argc, char **argv) {
  peer_open();
  if (argc == 4 && strcmp(argv[1], "rate") == 0) {
    measure_rate((int)argument(argc, argv, 2, "threads"), argument(argc, argv, 3, "posts"));
  } else if (argc == 3 && strcmp(argv[1], "latency") == 0) {
    measure_latency(argument(argc, argv, 2, "samples"));
  } else {
    die("wrong arguments; posts.c has the right ones");
  }
  peer_close();
  return 0;
}
