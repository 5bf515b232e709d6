/* The loop of the programs on libuv, and how they check a result. */
#ifndef PEER_LIBUV_H
#define PEER_LIBUV_H

#include <uv.h>

#include "bench.h"

#define CHECK_UV(call)                                                                             \
  do {                                                                                             \
    int uv_result = (call);                                                                        \
    if (uv_result < 0) {                                                                           \
      die("%s:%d: %s: %s", __FILE__, __LINE__, #call, uv_strerror(uv_result));                     \
    }                                                                                              \
  } while (0)

/* Runs what is left, which must be close callbacks only, and closes the loop. */
static inline void end_loop(uv_loop_t *loop) {
  CHECK_UV(uv_run(loop, UV_RUN_DEFAULT));
  CHECK_UV(uv_loop_close(loop));
}

#endif
