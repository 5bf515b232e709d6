#include "../common/peer_libev.h"
#include "queue.h"

static struct ev_loop *loop;
static ev_async wake;
static queue posts;

static void on_wake(struct ev_loop *on, ev_async *watcher, int events) {
  (void)on;
  (void)watcher;
  (void)events;
  queue_run(&posts);
}

void peer_open(void) {
  loop = make_loop();
  queue_init(&posts);
  ev_async_init(&wake, on_wake);
  ev_async_start(loop, &wake);
}

void peer_post(post_callback callback, void *context) {
  if (queue_push(&posts, callback, context)) {
    ev_async_send(loop, &wake);
  }
}

void peer_run(void) {
  ev_run(loop, 0);
}

void peer_stop(void) {
  ev_break(loop, EVBREAK_ALL);
}

void peer_close(void) {
  ev_async_stop(loop, &wake);
  ev_loop_destroy(loop);
  queue_destroy(&posts);
}
