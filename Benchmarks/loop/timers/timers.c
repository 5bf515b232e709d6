/*
 * timers-PEER start COUNT WINDOW_MS      CPU time to start a timer, and for it to fire
 * timers-PEER restart COUNT RESTARTS     CPU time to start a running timer anew
 */
#include "timers.h"

#include <stdlib.h>
#include <string.h>

#include "../common/bench.h"

/* What an idle deadline usually is; long enough for none to fire while they are started anew. */
enum { IDLE_DEADLINE_MS = 60000 };

static size_t fired;

void timer_fired(void) {
  fired++;
}

static void start_and_fire(size_t count, uint32_t window) {
  uint32_t *delays = allocate(count, sizeof *delays), random = 1;
  for (size_t i = 0; i < count; i++) {
    delays[i] = 1 + next_random(&random) % window;
  }
  peer_open(count);
  peer_update_now();
  uint64_t before = cpu_now();
  peer_start(delays, count);
  uint64_t started = cpu_now();
  peer_run();
  uint64_t after = cpu_now();
  CHECK(fired == count);
  report("start_ns", (double)(started - before) / (double)count);
  report("fire_ns", (double)(after - started) / (double)count);
  report("total_ns", (double)(after - before) / (double)count);
  free(delays);
}

/* The clock is read again when each timer has been started anew once: a turn of the loop, in which
 * every connection had a request. The order is another one each time. */
static void restart(size_t count, size_t restarts) {
  CHECK(restarts % count == 0);
  size_t turns = restarts / count;
  uint32_t *order = allocate(restarts, sizeof *order), random = 1;
  for (size_t turn = 0; turn < turns; turn++) {
    uint32_t *part = order + turn * count;
    for (size_t i = 0; i < count; i++) { /* shuffled "inside out" */
      size_t j = next_random(&random) % (i + 1);
      part[i] = part[j];
      part[j] = (uint32_t)i;
    }
  }
  peer_open(count);
  peer_update_now();
  peer_begin_restarts(IDLE_DEADLINE_MS);
  uint64_t before = cpu_now();
  for (size_t turn = 0; turn < turns; turn++) {
    peer_update_now();
    peer_restart(order + turn * count, count);
  }
  uint64_t spent = cpu_now() - before;
  CHECK(fired == 0);
  report("restart_ns", (double)spent / (double)restarts);
  free(order);
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  size_t count = (size_t)argument(argc, argv, 2, "number of timers");
  if (strcmp(argv[1], "start") == 0) {
    start_and_fire(count, (uint32_t)argument(argc, argv, 3, "window in milliseconds"));
  } else if (strcmp(argv[1], "restart") == 0) {
    restart(count, (size_t)argument(argc, argv, 3, "number of restarts"));
  } else {
    die("'%s' is neither start nor restart", argv[1]);
  }
  peer_close();
  return 0;
}
