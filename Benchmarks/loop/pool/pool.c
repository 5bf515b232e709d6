/* pool-PEER THREADS WINDOW WORKS: wall and CPU time a work, WINDOW of them being under way. */
#include "pool.h"

#include <stdlib.h>

#include "../common/bench.h"

/* A cache line each: the threads write to neighbours. */
typedef struct slot {
  _Alignas(64) long runs;
  long completions;
} slot;

static slot *slots;
static long left, completed;

void pool_work(int index) {
  slots[index].runs++;
}

static void submit(int index) {
  left--;
  peer_submit(index);
}

void pool_done(int index) {
  completed++;
  slots[index].completions++;
  CHECK(slots[index].runs == slots[index].completions);
  if (left > 0) {
    submit(index);
  }
}

int main(int argc, char **argv) {
  int threads = (int)argument(argc, argv, 1, "threads");
  int window = (int)argument(argc, argv, 2, "window");
  long works = argument(argc, argv, 3, "works");
  CHECK(works >= window);
  slots = aligned_alloc(64, (size_t)window * sizeof *slots);
  CHECK(slots != NULL);
  for (int i = 0; i < window; i++) {
    slots[i] = (slot){0};
  }
  peer_open(threads, window);

  left = works;
  uint64_t cpu_before = cpu_now(), before = wall_now();
  for (int i = 0; i < window; i++) {
    submit(i);
  }
  peer_run();
  uint64_t spent = wall_now() - before, cpu_spent = cpu_now() - cpu_before;

  CHECK(completed == works && left == 0);
  report("wall_ns", (double)spent / (double)works);
  report("cpu_ns", (double)cpu_spent / (double)works);
  peer_close();
  free(slots);
  return 0;
}
