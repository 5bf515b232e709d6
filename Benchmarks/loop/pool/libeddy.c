#include "../common/peer_libeddy.h"
#include "pool.h"

static eddy_loop *loop;
static eddy_pool *pool;

static void on_work(void *context) {
  pool_work((int)(intptr_t)context);
}

static void on_done(int status, void *context) {
  CHECK(status == 0);
  pool_done((int)(intptr_t)context);
}

void peer_open(int threads, int slots) {
  loop = make_loop();
  eddy_pool_config config = EDDY_POOL_CONFIG_INIT;
  config.threads = (size_t)threads;
  config.queue_capacity = (size_t)slots;
  CHECK_EDDY(eddy_pool_create(loop, &config, &pool));
}

void peer_submit(int slot) {
  CHECK_EDDY(eddy_pool_submit(pool, on_work, on_done, (void *)(intptr_t)slot));
}

void peer_run(void) {
  CHECK_EDDY(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE));
}

void peer_close(void) {
  CHECK_EDDY(eddy_pool_close(pool, NULL, NULL));
  end_loop(loop);
}
