/* memory-PEER COUNT: bytes of heap, by mallinfo2(3), chunk headers included. */
#include "memory.h"

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/bench.h"
#include "../common/sockets.h"

enum { LOOPS = 20 };

/* Small blocks, and large ones that malloc maps. */
static double heap_in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return (double)info.uordblks + (double)info.hblkhd;
}

static int accept_one(int listening) {
  int fd = accept(listening, NULL, NULL);
  CHECK(fd >= 0);
  return fd;
}

int main(int argc, char **argv) {
  long count = argument(argc, argv, 1, "count");
  need_descriptors(4 * count + LOOPS * 16 + 64);
  loop_make(); /* what the library allocates once only is not a loop's */
  double before = heap_in_use();
  for (int i = 0; i < LOOPS; i++) {
    loop_make();
  }
  report("loop_bytes", (heap_in_use() - before) / LOOPS);

  void *loop = loop_make();
  before = heap_in_use();
  for (long i = 0; i < count; i++) {
    timer_make(loop);
  }
  loop_turn(loop);
  report("timer_bytes", (heap_in_use() - before) / (double)count);

  loop = loop_make();
  before = heap_in_use();
  for (long i = 0; i < count; i++) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    watcher_make(loop, ends[0]);
  }
  loop_turn(loop);
  report("watcher_bytes", (heap_in_use() - before) / (double)count);

  loop = loop_make();
  int listening = listen_on_loopback(), port = port_of(listening);
  before = heap_in_use();
  for (long i = 0; i < count; i++) {
    connect_to_loopback(port, 0);
    stream_make(loop, accept_one(listening));
  }
  loop_turn(loop);
  report("stream_bytes", (heap_in_use() - before) / (double)count);
  return 0;
}
