#include "../common/peer_libev.h"
#include "chain.h"

#include <stdlib.h>

static struct ev_loop *loop;
static ev_io *watchers;
static int watcher_count;

static void on_readable(struct ev_loop *on, ev_io *watcher, int events) {
  (void)on;
  (void)events;
  chain_readable((int)(watcher - watchers));
}

void peer_open(const int *descriptors, int count) {
  loop = make_loop();
  watcher_count = count;
  watchers = allocate((size_t)count, sizeof *watchers);
  for (int i = 0; i < count; i++) {
    ev_io_init(&watchers[i], on_readable, descriptors[i], EV_READ);
    ev_io_start(loop, &watchers[i]);
  }
}

void peer_run(void) {
  ev_run(loop, 0);
}

void peer_stop(void) {
  ev_break(loop, EVBREAK_ALL);
}

void peer_close(void) {
  for (int i = 0; i < watcher_count; i++) {
    ev_io_stop(loop, &watchers[i]);
  }
  free(watchers);
  ev_loop_destroy(loop);
}
