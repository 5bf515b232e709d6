#include "../common/peer_libuv.h"
#include "timers.h"

#include <stdlib.h>

static uv_loop_t loop;
static uv_timer_t *timers;
static size_t timer_count;

static void on_timer(uv_timer_t *timer) {
  (void)timer;
  timer_fired();
}

void peer_open(size_t count) {
  CHECK_UV(uv_loop_init(&loop));
  timer_count = count;
  timers = allocate(count, sizeof *timers);
  for (size_t i = 0; i < count; i++) {
    CHECK_UV(uv_timer_init(&loop, &timers[i]));
  }
}

void peer_update_now(void) {
  uv_update_time(&loop);
}

void peer_start(const uint32_t *delays, size_t count) {
  for (size_t i = 0; i < count; i++) {
    CHECK_UV(uv_timer_start(&timers[i], on_timer, delays[i], 0));
  }
}

void peer_run(void) {
  CHECK_UV(uv_run(&loop, UV_RUN_DEFAULT));
}

void peer_begin_restarts(uint32_t delay) {
  for (size_t i = 0; i < timer_count; i++) {
    CHECK_UV(uv_timer_start(&timers[i], on_timer, delay, delay));
  }
}

void peer_restart(const uint32_t *order, size_t count) {
  for (size_t i = 0; i < count; i++) {
    CHECK_UV(uv_timer_again(&timers[order[i]]));
  }
}

void peer_close(void) {
  for (size_t i = 0; i < timer_count; i++) {
    uv_close((uv_handle_t *)&timers[i], NULL);
  }
  end_loop(&loop);
  free(timers);
}
