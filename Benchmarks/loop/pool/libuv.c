#include "../common/peer_libuv.h"
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>

static uv_loop_t loop;
static uv_work_t *works;

static void on_work(uv_work_t *work) {
  pool_work((int)(work - works));
}

static void on_done(uv_work_t *work, int status) {
  CHECK(status == 0);
  pool_done((int)(work - works));
}

void peer_open(int threads, int slots) {
  char text[16];
  snprintf(text, sizeof text, "%d", threads);
  CHECK_UV(uv_os_setenv("UV_THREADPOOL_SIZE", text));
  CHECK_UV(uv_loop_init(&loop));
  works = allocate((size_t)slots, sizeof *works);
}

void peer_submit(int slot) {
  CHECK_UV(uv_queue_work(&loop, &works[slot], on_work, on_done));
}

void peer_run(void) {
  CHECK_UV(uv_run(&loop, UV_RUN_DEFAULT));
}

void peer_close(void) {
  end_loop(&loop);
  free(works);
}
