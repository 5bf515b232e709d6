#include "../common/peer_libeddy.h"
#include "posts.h"

static eddy_loop *loop;

void peer_open(void) {
  loop = make_loop();
}

void peer_post(post_callback callback, void *context) {
  CHECK_EDDY(eddy_loop_post(loop, callback, context));
}

void peer_run(void) {
  CHECK_EDDY(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED));
}

void peer_stop(void) {
  CHECK_EDDY(eddy_loop_stop(loop));
}

void peer_close(void) {
  end_loop(loop);
}
