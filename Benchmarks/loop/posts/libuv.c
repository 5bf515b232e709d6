#include "../common/peer_libuv.h"
#include "queue.h"

static uv_loop_t loop;
static uv_async_t wake;
static queue posts;

static void on_wake(uv_async_t *handle) {
  (void)handle;
  queue_run(&posts);
}

void peer_open(void) {
  CHECK_UV(uv_loop_init(&loop));
  queue_init(&posts);
  CHECK_UV(uv_async_init(&loop, &wake, on_wake));
}

void peer_post(post_callback callback, void *context) {
  if (queue_push(&posts, callback, context)) {
    CHECK_UV(uv_async_send(&wake));
  }
}

void peer_run(void) {
  uv_run(&loop, UV_RUN_DEFAULT);
}

void peer_stop(void) {
  uv_stop(&loop);
}

void peer_close(void) {
  uv_close((uv_handle_t *)&wake, NULL);
  end_loop(&loop);
  queue_destroy(&posts);
}
