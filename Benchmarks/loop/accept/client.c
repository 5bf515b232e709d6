/*
 * accept-client PORT CONNECTIONS MODE: connects until CONNECTIONS connections have come and gone,
 * IN_FLIGHT of them at a time. MODE 1 waits for the server's end; 2 ends its own side first. It
 * closes with a reset, when the server has closed already, so that no port stays in TIME-WAIT.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/bench.h"
#include "../common/sockets.h"

enum { IN_FLIGHT = 64, SERVER_ENDS = 1, CLIENT_ENDS = 2 };

static int epoll, port, mode;
static long to_open;

static void open_one(void) {
  int fd = connect_to_loopback(port, SOCK_NONBLOCK);
  struct epoll_event event = {
      .events = mode == CLIENT_ENDS ? EPOLLOUT : EPOLLIN | EPOLLRDHUP, .data.fd = fd};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
  to_open--;
}

/* 1 when the connection is over. */
static int step(const struct epoll_event *event) {
  int fd = event->data.fd;
  if (event->events & EPOLLOUT) { /* connected */
    CHECK(shutdown(fd, SHUT_WR) == 0);
    struct epoll_event next = {.events = EPOLLIN, .data.fd = fd};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &next) == 0);
    return 0;
  }
  char byte;
  ssize_t count = recv(fd, &byte, 1, 0);
  if (count < 0 && errno == EAGAIN) {
    return 0;
  }
  CHECK(count == 0);
  close_with_reset(fd);
  return 1;
}

int main(int argc, char **argv) {
  port = (int)argument(argc, argv, 1, "port");
  long connections = argument(argc, argv, 2, "connections"), over = 0;
  mode = (int)argument(argc, argv, 3, "mode");
  CHECK(mode == SERVER_ENDS || mode == CLIENT_ENDS);
  pin_to_processor(0);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  CHECK(epoll >= 0);
  to_open = connections;
  while (to_open > 0 && connections - to_open < IN_FLIGHT) {
    open_one();
  }
  while (over < connections) {
    struct epoll_event events[IN_FLIGHT];
    int ready = epoll_wait(epoll, events, IN_FLIGHT, -1);
    CHECK(ready > 0);
    for (int i = 0; i < ready; i++) {
      if (step(&events[i])) {
        over++;
        if (to_open > 0) {
          open_one();
        }
      }
    }
  }
  return 0;
}
