/* The loop of the programs on raw libev: epoll, as libeddy's own. */
#ifndef PEER_LIBEV_H
#define PEER_LIBEV_H

#include <ev.h>

#include "bench.h"

static inline struct ev_loop *make_loop(void) {
  struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
  CHECK(loop != NULL);
  return loop;
}

#endif
