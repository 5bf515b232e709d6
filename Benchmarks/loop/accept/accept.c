/*
 * accept-PEER close|end CONNECTIONS: CPU time a connection in the server.
 */
#include "accept.h"

#include <string.h>

#include "../common/bench.h"
#include "../common/sockets.h"

static long connections, closed;
static uint64_t cpu_after;

void connection_closed(void) {
  if (++closed == connections) {
    cpu_after = cpu_now();
    peer_stop();
  }
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  int reads_the_end = strcmp(argv[1], "end") == 0;
  CHECK(reads_the_end || strcmp(argv[1], "close") == 0);
  connections = argument(argc, argv, 2, "connections");
  int port = peer_open(reads_the_end);
  client_start(argv[0], "accept-client", (long[]){port, connections, reads_the_end + 1}, 3);
  pin_to_processor(0);
  uint64_t cpu_before = cpu_now();
  peer_run();
  client_wait(); /* it has seen the end of each connection */
  CHECK(closed == connections);
  report("cpu_ns", (double)(cpu_after - cpu_before) / (double)connections);
  peer_close();
  return 0;
}
