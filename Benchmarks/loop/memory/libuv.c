#include "../common/peer_libuv.h"
#include "memory.h"

static void on_timer(uv_timer_t *timer) {
  (void)timer;
  die("a timer of an hour has fired");
}

static void on_ready(uv_poll_t *watcher, int status, int events) {
  (void)watcher;
  (void)status;
  (void)events;
  die("an idle descriptor is ready");
}

static void lend_buffer(uv_handle_t *handle, size_t suggested_size, uv_buf_t *out_buffer) {
  (void)handle;
  (void)suggested_size;
  (void)out_buffer;
  die("an idle stream is ready");
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *data) {
  (void)stream;
  (void)count;
  (void)data;
  die("an idle stream was read");
}

void loop_turn(void *loop) {
  uv_run(loop, UV_RUN_NOWAIT);
}

void *loop_make(void) {
  uv_loop_t *loop = allocate(1, sizeof *loop);
  CHECK_UV(uv_loop_init(loop));
  loop_turn(loop);
  return loop;
}

void timer_make(void *loop) {
  uv_timer_t *timer = allocate(1, sizeof *timer);
  CHECK_UV(uv_timer_init(loop, timer));
  CHECK_UV(uv_timer_start(timer, on_timer, 3600000, 0));
}

void watcher_make(void *loop, int fd) {
  uv_poll_t *watcher = allocate(1, sizeof *watcher);
  CHECK_UV(uv_poll_init(loop, watcher, fd));
  CHECK_UV(uv_poll_start(watcher, UV_READABLE, on_ready));
}

void stream_make(void *loop, int fd) {
  uv_tcp_t *stream = allocate(1, sizeof *stream);
  CHECK_UV(uv_tcp_init(loop, stream));
  CHECK_UV(uv_tcp_open(stream, fd));
  CHECK_UV(uv_read_start((uv_stream_t *)stream, lend_buffer, on_read));
}
