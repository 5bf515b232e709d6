#include "../common/peer_libuv.h"
#include "chain.h"

#include <stdlib.h>

static uv_loop_t loop;
static uv_poll_t *watchers;
static int watcher_count;

static void on_readable(uv_poll_t *watcher, int status, int events) {
  (void)events;
  CHECK(status == 0);
  chain_readable((int)(watcher - watchers));
}

void peer_open(const int *descriptors, int count) {
  CHECK_UV(uv_loop_init(&loop));
  watcher_count = count;
  watchers = allocate((size_t)count, sizeof *watchers);
  for (int i = 0; i < count; i++) {
    CHECK_UV(uv_poll_init(&loop, &watchers[i], descriptors[i]));
    CHECK_UV(uv_poll_start(&watchers[i], UV_READABLE, on_readable));
  }
}

void peer_run(void) {
  uv_run(&loop, UV_RUN_DEFAULT);
}

void peer_stop(void) {
  uv_stop(&loop);
}

void peer_close(void) {
  for (int i = 0; i < watcher_count; i++) {
    uv_close((uv_handle_t *)&watchers[i], NULL);
  }
  end_loop(&loop);
  free(watchers);
}
