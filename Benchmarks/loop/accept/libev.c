#define _GNU_SOURCE
#include "../common/peer_libev.h"
#include "../common/sockets.h"
#include "accept.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct connection {
  ev_io reading;
} connection;

static struct ev_loop *loop;
static ev_io listening;
static int reads_end;
static char buffer[65536];

static void on_readable(struct ev_loop *on, ev_io *watcher, int events) {
  (void)on;
  (void)events;
  ssize_t count = read(watcher->fd, buffer, sizeof buffer);
  if (count < 0 && errno == EAGAIN) {
    return;
  }
  CHECK(count == 0);
  ev_io_stop(loop, watcher);
  close(watcher->fd);
  free(watcher->data);
  connection_closed();
}

static void read_from(int fd) {
  connection *self = malloc(sizeof *self);
  CHECK(self != NULL);
  ev_io_init(&self->reading, on_readable, fd, EV_READ);
  self->reading.data = self;
  ev_io_start(loop, &self->reading);
}

static void on_connection(struct ev_loop *on, ev_io *watcher, int events) {
  (void)on;
  (void)events;
  int fd;
  while ((fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    if (reads_end) {
      read_from(fd);
    } else {
      close(fd);
      connection_closed();
    }
  }
  CHECK(errno == EAGAIN);
}

int peer_open(int reads_the_end) {
  reads_end = reads_the_end;
  loop = make_loop();
  int fd = listen_on_loopback();
  ev_io_init(&listening, on_connection, fd, EV_READ);
  ev_io_start(loop, &listening);
  return port_of(fd);
}

void peer_run(void) {
  ev_run(loop, 0);
}

void peer_stop(void) {
  ev_break(loop, EVBREAK_ALL);
}

void peer_close(void) {
  ev_io_stop(loop, &listening);
  close(listening.fd);
  ev_loop_destroy(loop);
}
