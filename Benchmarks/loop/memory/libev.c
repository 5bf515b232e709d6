#include "../common/peer_libev.h"
#include "memory.h"

/* As echo/libev.c has it. */
typedef struct connection {
  ev_io reading, writing;
  char *rest;
  size_t rest_length, rest_sent;
} connection;

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events) {
  (void)loop;
  (void)timer;
  (void)events;
  die("a timer of an hour has fired");
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events) {
  (void)loop;
  (void)watcher;
  (void)events;
  die("an idle descriptor is ready");
}

void loop_turn(void *loop) {
  ev_run(loop, EVRUN_NOWAIT);
}

void *loop_make(void) {
  struct ev_loop *loop = make_loop();
  loop_turn(loop);
  return loop;
}

void timer_make(void *loop) {
  ev_timer *timer = allocate(1, sizeof *timer);
  ev_timer_init(timer, on_timer, 3600, 0);
  ev_timer_start(loop, timer);
}

void watcher_make(void *loop, int fd) {
  ev_io *watcher = allocate(1, sizeof *watcher);
  ev_io_init(watcher, on_ready, fd, EV_READ);
  ev_io_start(loop, watcher);
}

void stream_make(void *loop, int fd) {
  connection *self = allocate(1, sizeof *self);
  ev_io_init(&self->reading, on_ready, fd, EV_READ);
  ev_io_init(&self->writing, on_ready, fd, EV_WRITE);
  ev_io_start(loop, &self->reading);
}
