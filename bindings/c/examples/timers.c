/*
 * timers: a clock that ticks, and a moment when it stops.
 *
 *   cc timers.c $(pkg-config --cflags --libs eddy) -o timers
 *   ./timers
 *
 * It shows a repeating and a one-shot timer, and a loop that ends by itself
 * when nothing keeps it alive.
 */
#include <eddy.h>

#include <stdio.h>

#define TICK (250 * EDDY_MILLISECOND)
/* Halfway between two ticks, so that it is clear how many there are. */
#define END (4 * TICK + TICK / 2)

struct clock {
  eddy_loop *loop;
  eddy_timer *tick;
  eddy_timer *end;
  uint64_t began_at;
  int ticks;
};

static void on_tick(eddy_timer *timer, void *context) {
  struct clock *clock = context;
  uint64_t passed = eddy_loop_now(clock->loop) - clock->began_at;
  (void)timer;
  clock->ticks++;
  printf("tick %d after %llu ms\n", clock->ticks, (unsigned long long)(passed / EDDY_MILLISECOND));
}

/* The last callback of the timer: after it returns, the handle is gone. */
static void on_tick_closed(void *context) {
  struct clock *clock = context;
  printf("the ticking has ended after %d ticks\n", clock->ticks);
}

/* A callback may close any handle, its own included. */
static void on_end(eddy_timer *timer, void *context) {
  struct clock *clock = context;
  eddy_timer_close(clock->tick, on_tick_closed);
  eddy_timer_close(timer, NULL);
}

int main(void) {
  struct clock clock = {NULL, NULL, NULL, 0, 0};
  int error = eddy_loop_create(NULL, &clock.loop);
  if (error == 0) {
    error = eddy_timer_create(clock.loop, on_tick, &clock, &clock.tick);
  }
  if (error == 0) {
    error = eddy_timer_create(clock.loop, on_end, &clock, &clock.end);
  }
  if (error == 0) {
    clock.began_at = eddy_loop_now(clock.loop);
    eddy_timer_start(clock.tick, TICK, TICK);
    eddy_timer_start(clock.end, END, 0);
    error = eddy_loop_run(clock.loop, EDDY_RUN_UNTIL_IDLE);
  }
  if (error == 0) {
    error = eddy_loop_destroy(clock.loop);
  }
  if (error < 0) {
    fprintf(stderr, "timers: %s\n", eddy_error_message(error));
    return 1;
  }
  return 0;
}
