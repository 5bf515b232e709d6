#define _GNU_SOURCE
#include "../common/peer_libev.h"
#include "../common/sockets.h"
#include "echo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct connection {
  ev_io reading, writing;
  char *rest; /* what the kernel has not taken yet */
  size_t rest_length, rest_sent;
} connection;

static struct ev_loop *loop;
static ev_io listening;
static char buffer[READ_SIZE];

static void close_connection(connection *self) {
  ev_io_stop(loop, &self->reading);
  ev_io_stop(loop, &self->writing);
  close(self->reading.fd);
  free(self->rest);
  free(self);
  echo_closed();
}

/* The number of bytes that the kernel has taken, which may be none; -1 if the peer is gone. */
static ssize_t send_some(int fd, const char *data, size_t length) {
  ssize_t count = send(fd, data, length, MSG_NOSIGNAL);
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : count;
}

static void on_writable(struct ev_loop *on, ev_io *watcher, int events) {
  (void)on;
  (void)events;
  connection *self = watcher->data;
  size_t length = self->rest_length - self->rest_sent;
  ssize_t count = send_some(watcher->fd, self->rest + self->rest_sent, length);
  if (count < 0) {
    close_connection(self);
    return;
  }
  self->rest_sent += (size_t)count;
  if (self->rest_sent == self->rest_length) {
    free(self->rest);
    self->rest = NULL;
    ev_io_stop(loop, &self->writing);
    ev_io_start(loop, &self->reading);
  }
}

static void keep_rest(connection *self, const char *data, size_t length) {
  self->rest = malloc(length);
  CHECK(self->rest != NULL);
  memcpy(self->rest, data, length);
  self->rest_length = length;
  self->rest_sent = 0;
  ev_io_stop(loop, &self->reading);
  ev_io_start(loop, &self->writing);
  echo_must_wait();
}

static void on_readable(struct ev_loop *on, ev_io *watcher, int events) {
  (void)on;
  (void)events;
  connection *self = watcher->data;
  ssize_t count = read(watcher->fd, buffer, sizeof buffer);
  if (count <= 0) {
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      close_connection(self);
    }
    return;
  }
  echo_received((size_t)count);
  ssize_t sent = send_some(watcher->fd, buffer, (size_t)count);
  if (sent < 0) {
    close_connection(self);
  } else if (sent < count) {
    keep_rest(self, buffer + sent, (size_t)(count - sent));
  }
}

static void on_connection(struct ev_loop *on, ev_io *watcher, int events) {
  (void)on;
  (void)events;
  int fd;
  while ((fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    connection *self = allocate(1, sizeof *self);
    ev_io_init(&self->reading, on_readable, fd, EV_READ);
    ev_io_init(&self->writing, on_writable, fd, EV_WRITE);
    self->reading.data = self->writing.data = self;
    ev_io_start(loop, &self->reading);
    echo_opened();
  }
  CHECK(errno == EAGAIN);
}

int peer_open(void) {
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
