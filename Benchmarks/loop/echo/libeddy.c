#include "../common/peer_libeddy.h"
#include "../common/sockets.h"
#include "echo.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static eddy_loop *loop;
static eddy_listener *listener;

static void close_connection(eddy_stream *stream) {
  CHECK_EDDY(eddy_stream_close(stream, NULL));
  echo_closed();
}

static void on_drain(eddy_stream *stream, int status, void *context) {
  (void)context;
  if (status == 0) {
    CHECK_EDDY(eddy_stream_read_start(stream));
  } else {
    close_connection(stream);
  }
}

static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  (void)context;
  if (length < 0) {
    close_connection(stream);
    return;
  }
  echo_received((size_t)length);
  ptrdiff_t queued = eddy_stream_write(stream, data, (size_t)length);
  if (queued > 0) {
    CHECK_EDDY(eddy_stream_read_stop(stream));
    echo_must_wait();
  } else if (queued < 0) {
    close_connection(stream);
  }
}

static void on_accept(eddy_listener *from, int fd, void *context) {
  (void)from;
  (void)context;
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.on_read = on_read;
  config.accepted = 1;
  config.on_drain = on_drain;
  eddy_stream *stream;
  CHECK_EDDY(eddy_stream_open(loop, fd, &config, &stream));
  CHECK_EDDY(eddy_stream_read_start(stream));
  echo_opened();
}

int peer_open(void) {
  loop = make_loop();
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  config.on_accept = on_accept;
  config.backlog = BACKLOG;
  CHECK_EDDY(eddy_listener_create(loop, "127.0.0.1:0", &config, &listener));
  char address[128];
  CHECK_EDDY(eddy_listener_address(listener, address, sizeof address));
  return atoi(strrchr(address, ':') + 1);
}

void peer_run(void) {
  CHECK_EDDY(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED));
}

void peer_stop(void) {
  CHECK_EDDY(eddy_loop_stop(loop));
}

void peer_close(void) {
  CHECK_EDDY(eddy_listener_close(listener, NULL));
  end_loop(loop);
}
