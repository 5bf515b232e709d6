#include "../common/peer_libeddy.h"
#include "timers.h"

#include <stdlib.h>

static eddy_loop *loop;
static eddy_timer **timers;
static size_t timer_count;
static uint64_t restart_delay; /* nanoseconds */

static void on_timer(eddy_timer *timer, void *context) {
  (void)timer;
  (void)context;
  timer_fired();
}

void peer_open(size_t count) {
  loop = make_loop();
  timer_count = count;
  timers = allocate(count, sizeof *timers);
  for (size_t i = 0; i < count; i++) {
    CHECK_EDDY(eddy_timer_create(loop, on_timer, NULL, &timers[i]));
  }
}

void peer_update_now(void) {
  CHECK_EDDY(eddy_loop_update_now(loop));
}

void peer_start(const uint32_t *delays, size_t count) {
  for (size_t i = 0; i < count; i++) {
    CHECK_EDDY(eddy_timer_start(timers[i], delays[i] * EDDY_MILLISECOND, 0));
  }
}

void peer_run(void) {
  CHECK_EDDY(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE));
}

void peer_begin_restarts(uint32_t delay) {
  restart_delay = delay * EDDY_MILLISECOND;
  for (size_t i = 0; i < timer_count; i++) {
    CHECK_EDDY(eddy_timer_start(timers[i], restart_delay, 0));
  }
}

void peer_restart(const uint32_t *order, size_t count) {
  for (size_t i = 0; i < count; i++) {
    CHECK_EDDY(eddy_timer_start(timers[order[i]], restart_delay, 0));
  }
}

void peer_close(void) {
  for (size_t i = 0; i < timer_count; i++) {
    CHECK_EDDY(eddy_timer_close(timers[i], NULL));
  }
  end_loop(loop);
  free(timers);
}
