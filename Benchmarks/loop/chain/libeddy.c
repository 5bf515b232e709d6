#include "../common/peer_libeddy.h"
#include "chain.h"

#include <stdlib.h>

static eddy_loop *loop;
static eddy_watcher **watchers;
static int watcher_count;

static void on_readable(eddy_watcher *watcher, int events, void *context) {
  (void)watcher;
  (void)events;
  chain_readable((int)(intptr_t)context);
}

void peer_open(const int *descriptors, int count) {
  loop = make_loop();
  watcher_count = count;
  watchers = allocate((size_t)count, sizeof *watchers);
  for (int i = 0; i < count; i++) {
    void *context = (void *)(intptr_t)i;
    CHECK_EDDY(eddy_watcher_create(loop, descriptors[i], on_readable, context, &watchers[i]));
    CHECK_EDDY(eddy_watcher_start(watchers[i], EDDY_READABLE));
  }
}

void peer_run(void) {
  CHECK_EDDY(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE));
}

void peer_stop(void) {
  CHECK_EDDY(eddy_loop_stop(loop));
}

void peer_close(void) {
  for (int i = 0; i < watcher_count; i++) {
    CHECK_EDDY(eddy_watcher_close(watchers[i], NULL));
  }
  end_loop(loop);
  free(watchers);
}
