/*
 * echo-PEER CONNECTIONS BYTES MESSAGES [RECEIVE_BUFFER]: CPU time a message in the server, from
 * when all connections are open until they are closed; and how often it had to wait until it could
 * write. MESSAGES is of all connections together. RECEIVE_BUFFER is the client's (SO_RCVBUF): a
 * small one makes the server wait, which it never has to in the benchmark.
 */
#include "echo.h"

#include "../common/bench.h"
#include "../common/sockets.h"

static long connections, opened, closed, waits;
static uint64_t bytes_received, cpu_before, cpu_after;

void echo_opened(void) {
  if (++opened == connections) {
    cpu_before = cpu_now();
  }
}

void echo_received(size_t length) {
  bytes_received += length;
}

void echo_must_wait(void) {
  waits++;
}

void echo_closed(void) {
  if (++closed == connections) {
    cpu_after = cpu_now();
    peer_stop();
  }
}

int main(int argc, char **argv) {
  connections = argument(argc, argv, 1, "connections");
  long bytes = argument(argc, argv, 2, "bytes");
  long messages = argument(argc, argv, 3, "messages");
  long receive_buffer = argc > 4 ? argument(argc, argv, 4, "receive buffer") : 0;
  need_descriptors(connections + 64);
  int port = peer_open();
  client_start(
      argv[0], "echo-client", (long[]){port, connections, bytes, messages, receive_buffer},
      argc > 4 ? 5 : 4);
  pin_to_processor(0);
  peer_run();
  client_wait(); /* it has checked what came back */
  CHECK(opened == connections && closed == connections);
  CHECK(bytes_received == (uint64_t)bytes * (uint64_t)messages);
  report("cpu_ns", (double)(cpu_after - cpu_before) / (double)messages);
  report("waits", (double)waits);
  peer_close();
  return 0;
}
