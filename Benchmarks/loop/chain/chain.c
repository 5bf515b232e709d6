/* chain-PEER PAIRS ACTIVE PASSES: CPU time an event. */
#include "chain.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../common/bench.h"

static int pairs, active;
static int *readers, *writers; /* the two ends of each pair */
static long passes_left;
static int writes_left; /* of this pass */
static int in_flight;   /* bytes that are written and not yet read */
static uint64_t events;

static void send_byte(int index) {
  CHECK(write(writers[index], "e", 1) == 1);
  in_flight++;
}

static void begin_pass(void) {
  writes_left = pairs;
  for (int i = 0; i < active; i++) {
    send_byte((int)((long)i * pairs / active));
  }
}

void chain_readable(int index) {
  char byte;
  CHECK(read(readers[index], &byte, 1) == 1);
  events++;
  in_flight--;
  if (writes_left > 0) {
    writes_left--;
    send_byte(index + 1 < pairs ? index + 1 : 0);
  } else if (in_flight == 0) {
    if (--passes_left > 0) {
      begin_pass();
    } else {
      peer_stop();
    }
  }
}

int main(int argc, char **argv) {
  pairs = (int)argument(argc, argv, 1, "pairs");
  active = (int)argument(argc, argv, 2, "active pairs");
  long passes = argument(argc, argv, 3, "passes");
  CHECK(active <= pairs);
  need_descriptors(2L * pairs + 64);
  readers = allocate((size_t)pairs, sizeof *readers);
  writers = allocate((size_t)pairs, sizeof *writers);
  for (int i = 0; i < pairs; i++) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    readers[i] = ends[0];
    writers[i] = ends[1];
  }
  peer_open(readers, pairs);

  /* A pass to warm up: the kernel's and the loop's tables have grown by then. */
  passes_left = 1;
  begin_pass();
  peer_run();
  events = 0;

  passes_left = passes;
  begin_pass();
  uint64_t before = cpu_now();
  peer_run();
  uint64_t spent = cpu_now() - before;

  CHECK(events == (uint64_t)passes * (uint64_t)(pairs + active) && in_flight == 0);
  report("cpu_ns", (double)spent / (double)events);
  peer_close();
  return 0;
}
