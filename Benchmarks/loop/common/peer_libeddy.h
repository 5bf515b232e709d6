/* The loop of the programs on libeddy, and how they check a result. */
#ifndef PEER_LIBEDDY_H
#define PEER_LIBEDDY_H

#include <eddy.h>

#include "bench.h"

#define CHECK_EDDY(call)                                                                           \
  do {                                                                                             \
    int eddy_result = (int)(call);                                                                 \
    if (eddy_result < 0) {                                                                         \
      die("%s:%d: %s: %s", __FILE__, __LINE__, #call, eddy_error_message(eddy_result));            \
    }                                                                                              \
  } while (0)

static inline eddy_loop *make_loop(void) {
  eddy_loop *loop;
  CHECK_EDDY(eddy_loop_create(NULL, &loop));
  return loop;
}

/* Runs what is left, which must be close callbacks only, and destroys the loop. */
static inline void end_loop(eddy_loop *loop) {
  CHECK_EDDY(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE));
  CHECK_EDDY(eddy_loop_destroy(loop));
}

#endif
