#include "acceptor.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void note_accept(eddy_listener *listener, int fd, void *context) {
  acceptor *acceptor = context;
  CHECK(listener == acceptor->listener);
  CHECK_EQ(acceptor->closed, 0);
  CHECK(fd >= 0);
  acceptor->accepted++;
  acceptor->last_fd = fd;
  if (acceptor->on_accept != NULL) {
    acceptor->on_accept(acceptor, fd);
  }
}

static void note_error(eddy_listener *listener, int error, void *context) {
  acceptor *acceptor = context;
  CHECK(listener == acceptor->listener);
  CHECK_EQ(acceptor->closed, 0);
  CHECK(error < 0);
  acceptor->errors++;
  acceptor->last_error = error;
}

static void count_closed(void *context) {
  ((acceptor *)context)->closed++;
}

void acceptor_open(acceptor *acceptor, eddy_loop *loop) {
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  char address[128];
  memset(acceptor, 0, sizeof *acceptor);
  acceptor->loop = loop;
  acceptor->last_fd = -1;
  config.context = acceptor;
  config.on_accept = note_accept;
  config.on_error = note_error;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &acceptor->listener), 0);
  CHECK(eddy_listener_address(acceptor->listener, address, sizeof address) > 0);
  acceptor->port = atoi(strrchr(address, ':') + 1);
}

void acceptor_await(acceptor *acceptor, int count) {
  while (acceptor->accepted < count) {
    CHECK(eddy_loop_run(acceptor->loop, EDDY_RUN_ONCE) >= 0);
  }
}

void acceptor_close(acceptor *acceptor) {
  CHECK_EQ(eddy_listener_close(acceptor->listener, count_closed), 0);
  CHECK_EQ(acceptor->closed, 0);
}
