#include "../common/peer_libeddy.h"
#include "memory.h"

static void on_timer(eddy_timer *timer, void *context) {
  (void)timer;
  (void)context;
  die("a timer of an hour has fired");
}

static void on_ready(eddy_watcher *watcher, int events, void *context) {
  (void)watcher;
  (void)events;
  (void)context;
  die("an idle descriptor is ready");
}

static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  (void)stream;
  (void)data;
  (void)length;
  (void)context;
  die("an idle stream was read");
}

void loop_turn(void *loop) {
  CHECK_EDDY(eddy_loop_run(loop, EDDY_RUN_NOWAIT));
}

void *loop_make(void) {
  eddy_loop *loop = make_loop();
  loop_turn(loop);
  return loop;
}

void timer_make(void *loop) {
  eddy_timer *timer;
  CHECK_EDDY(eddy_timer_create(loop, on_timer, NULL, &timer));
  CHECK_EDDY(eddy_timer_start(timer, 3600 * EDDY_SECOND, 0));
}

void watcher_make(void *loop, int fd) {
  eddy_watcher *watcher;
  CHECK_EDDY(eddy_watcher_create(loop, fd, on_ready, NULL, &watcher));
  CHECK_EDDY(eddy_watcher_start(watcher, EDDY_READABLE));
}

void stream_make(void *loop, int fd) {
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.on_read = on_read;
  eddy_stream *stream;
  CHECK_EDDY(eddy_stream_open(loop, fd, &config, &stream));
  CHECK_EDDY(eddy_stream_read_start(stream));
}
