/*
 * No loop at all: a thread in epoll_wait(2) on one eventfd(2), which is the least that a thread
 * can do that must also wait for other descriptors. One post at a time, so for the latency only.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../common/bench.h"
#include "posts.h"

static int epoll, event, stopped;
static struct {
  post_callback callback;
  void *context;
} posted; /* ordered by the write and read of `event` */

void peer_open(void) {
  event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  CHECK(event >= 0 && epoll >= 0);
  struct epoll_event readable = {.events = EPOLLIN};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &readable) == 0);
}

void peer_post(post_callback callback, void *context) {
  posted.callback = callback;
  posted.context = context;
  uint64_t one = 1;
  CHECK(write(event, &one, sizeof one) == sizeof one);
}

void peer_run(void) {
  while (!stopped) {
    struct epoll_event ready;
    CHECK(epoll_wait(epoll, &ready, 1, -1) == 1);
    uint64_t count;
    CHECK(read(event, &count, sizeof count) == sizeof count && count == 1);
    posted.callback(posted.context);
  }
}

void peer_stop(void) {
  stopped = 1;
}

void peer_close(void) {
  CHECK(close(event) == 0 && close(epoll) == 0);
}
