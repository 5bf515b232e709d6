/*
 * echo-client PORT CONNECTIONS BYTES MESSAGES [RECEIVE_BUFFER]: the load of all echo servers. Each
 * connection has one message under way, and sends the next when the whole of it has come back,
 * unchanged.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/bench.h"
#include "../common/sockets.h"

enum { EVENTS = 128 };

typedef struct connection {
  int fd;
  int awaits_writability;
  long messages_left;
  size_t sent, received; /* of the message that is under way */
} connection;

static int epoll;
static size_t message_size;
static char *message, *buffer;
static long open_connections;

static void watch(connection *connection, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  CHECK(epoll_ctl(epoll, operation, connection->fd, &event) == 0);
}

static void send_rest(connection *self) {
  while (self->sent < message_size) {
    ssize_t count = send(self->fd, message + self->sent, message_size - self->sent, MSG_NOSIGNAL);
    if (count < 0) {
      CHECK(errno == EAGAIN || errno == EINTR);
      break;
    }
    self->sent += (size_t)count;
  }
  int must_wait = self->sent < message_size;
  if (must_wait != self->awaits_writability) {
    watch(self, EPOLL_CTL_MOD, must_wait ? EPOLLIN | EPOLLOUT : EPOLLIN);
    self->awaits_writability = must_wait;
  }
}

static void receive(connection *self) {
  ssize_t count = recv(self->fd, buffer, message_size - self->received, 0);
  if (count < 0) {
    CHECK(errno == EAGAIN || errno == EINTR);
    return;
  }
  if (count == 0) {
    die("the server has ended a connection");
  }
  CHECK(self->received + (size_t)count <= self->sent);
  CHECK(memcmp(buffer, message + self->received, (size_t)count) == 0);
  self->received += (size_t)count;
  if (self->received < message_size) {
    return;
  }
  if (--self->messages_left > 0) {
    self->sent = self->received = 0;
    send_rest(self);
  } else {
    CHECK(close(self->fd) == 0);
    open_connections--;
  }
}

int main(int argc, char **argv) {
  int port = (int)argument(argc, argv, 1, "port");
  long count = argument(argc, argv, 2, "connections");
  message_size = (size_t)argument(argc, argv, 3, "bytes");
  long messages = argument(argc, argv, 4, "messages");
  int receive_buffer = argc > 5 ? (int)argument(argc, argv, 5, "receive buffer") : 0;
  CHECK(messages % count == 0);
  need_descriptors(count + 64);
  pin_to_processor(0);
  message = allocate(1, message_size);
  buffer = allocate(1, message_size);
  uint32_t random = 1;
  for (size_t i = 0; i < message_size; i++) {
    message[i] = (char)next_random(&random);
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  CHECK(epoll >= 0);
  connection *all = allocate((size_t)count, sizeof *all);
  for (long i = 0; i < count; i++) {
    all[i].fd = connect_to_loopback(port, 0);
    if (receive_buffer > 0) {
      CHECK(
          setsockopt(all[i].fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer) ==
          0);
    }
    CHECK(fcntl(all[i].fd, F_SETFL, O_NONBLOCK) == 0);
    all[i].messages_left = messages / count;
    watch(&all[i], EPOLL_CTL_ADD, EPOLLIN);
  }
  open_connections = count;
  for (long i = 0; i < count; i++) {
    send_rest(&all[i]);
  }
  while (open_connections > 0) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    CHECK(ready > 0);
    for (int i = 0; i < ready; i++) {
      connection *connection = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) {
        send_rest(connection);
      }
      if (events[i].events & ~(uint32_t)EPOLLOUT) {
        receive(connection);
      }
    }
  }
  return 0;
}
