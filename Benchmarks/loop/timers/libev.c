#include "../common/peer_libev.h"
#include "timers.h"

#include <stdlib.h>

static struct ev_loop *loop;
static ev_timer *timers;
static size_t timer_count;

static void on_timer(struct ev_loop *on, ev_timer *timer, int events) {
  (void)on;
  (void)timer;
  (void)events;
  timer_fired();
}

void peer_open(size_t count) {
  loop = make_loop();
  timer_count = count;
  timers = allocate(count, sizeof *timers);
  for (size_t i = 0; i < count; i++) {
    ev_init(&timers[i], on_timer);
  }
}

void peer_update_now(void) {
  ev_now_update(loop);
}

void peer_start(const uint32_t *delays, size_t count) {
  for (size_t i = 0; i < count; i++) {
    ev_timer_set(&timers[i], delays[i] * 1e-3, 0);
    ev_timer_start(loop, &timers[i]);
  }
}

void peer_run(void) {
  ev_run(loop, 0);
}

void peer_begin_restarts(uint32_t delay) {
  for (size_t i = 0; i < timer_count; i++) {
    ev_timer_set(&timers[i], 0, delay * 1e-3);
    ev_timer_again(loop, &timers[i]);
  }
}

void peer_restart(const uint32_t *order, size_t count) {
  for (size_t i = 0; i < count; i++) {
    ev_timer_again(loop, &timers[order[i]]);
  }
}

void peer_close(void) {
  for (size_t i = 0; i < timer_count; i++) {
    ev_timer_stop(loop, &timers[i]);
  }
  free(timers);
  ev_loop_destroy(loop);
}
