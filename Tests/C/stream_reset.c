/* eddy/stream.h with a peer that resets the connection, at every point of an exchange. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/acceptor.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

enum { MESSAGE = 48 }; /* bytes of the exchange */

/* Closes with a reset (SO_LINGER of 0, socket(7)). */
static void reset_plain(int fd) {
  struct linger at_once = {1, 0};
  CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  close(fd);
}

static void send_pattern(int fd, size_t length) {
  uint8_t bytes[MESSAGE];
  fill_pattern(bytes, length, 0);
  CHECK(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
}

/* A plain client, and the server's end of its connection, which does not read yet. */
static int connect_endpoint(acceptor *acceptor, endpoint *end) {
  int client = connect_plain(acceptor->port);
  acceptor_await(acceptor, acceptor->accepted + 1);
  endpoint_open(end, acceptor->loop, acceptor->last_fd);
  end->checks_pattern = 1;
  return client;
}

static void await_bytes(endpoint *end, size_t count) {
  while (end->received < count) {
    CHECK(eddy_loop_run(end->loop, EDDY_RUN_ONCE) >= 0);
    CHECK_EQ(end->ends, 0);
  }
}

static void await_end(endpoint *end) {
  while (end->ends == 0) {
    CHECK(eddy_loop_run(end->loop, EDDY_RUN_ONCE) >= 0);
  }
}

/* Nothing more comes of it, and it can be closed as ever. */
static void check_over(endpoint *end) {
  CHECK_EQ(eddy_stream_read_start(end->stream), EDDY_EOF);
  CHECK_EQ(eddy_stream_queued(end->stream), 0);
  endpoint_close(end);
  CHECK(eddy_loop_run(end->loop, EDDY_RUN_NOWAIT) >= 0);
  CHECK_EQ(end->closed, 1);
  CHECK_EQ(end->ends, 1);
}

typedef void (*exchange)(acceptor *acceptor, size_t read_so_far);

/* Runs an exchange for each number of bytes that may have been read when the reset comes. */
static void at_every_point(exchange exchange) {
  eddy_loop *loop = make_loop();
  acceptor acceptor;
  size_t read_so_far;
  int descriptors;
  acceptor_open(&acceptor, loop);
  run_for(loop, EDDY_MILLISECOND);
  descriptors = count_descriptors();
  for (read_so_far = 0; read_so_far <= MESSAGE; read_so_far++) {
    exchange(&acceptor, read_so_far);
    CHECK_EQ(count_descriptors(), descriptors);
  }
  CHECK_EQ(acceptor.errors, 0);
  acceptor_close(&acceptor);
  end_loop(loop);
}

static void reset_after_bytes(acceptor *acceptor, size_t read_so_far) {
  endpoint end;
  int client = connect_endpoint(acceptor, &end);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  send_pattern(client, read_so_far);
  await_bytes(&end, read_so_far);
  reset_plain(client);
  await_end(&end);
  CHECK_EQ(end.end_status, EDDY_ECONNRESET);
  CHECK_EQ(end.received, read_so_far);
  check_over(&end);
}

static void a_reset_is_told_however_much_was_read(void) {
  at_every_point(reset_after_bytes);
}

/* What the kernel holds when the reset comes, it may drop; what it hands out is in order. */
static void reset_with_bytes_unread(acceptor *acceptor, size_t read_so_far) {
  endpoint end;
  int client = connect_endpoint(acceptor, &end);
  send_pattern(client, read_so_far);
  reset_plain(client);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  await_end(&end);
  CHECK_EQ(end.end_status, EDDY_ECONNRESET);
  CHECK(end.received <= read_so_far);
  check_over(&end);
}

static void a_reset_before_reading_is_told(void) {
  at_every_point(reset_with_bytes_unread);
}

static void echo(endpoint *end) {
  CHECK(eddy_stream_write(end->stream, end->text, 1) >= 0);
}

/* The server has answered, and the client has read nothing of it. */
static void reset_with_answers_unread(acceptor *acceptor, size_t read_so_far) {
  endpoint end;
  int client = connect_endpoint(acceptor, &end);
  end.on_read = echo;
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  send_pattern(client, read_so_far);
  await_bytes(&end, read_so_far);
  close(client); /* with bytes unread, that is a reset (RFC 2525, section 2.17) */
  await_end(&end);
  CHECK_EQ(end.end_status, read_so_far == 0 ? EDDY_EOF : EDDY_ECONNRESET);
  check_over(&end);
}

static void a_peer_that_leaves_answers_unread_is_told(void) {
  at_every_point(reset_with_answers_unread);
}

/* The queue is full when the reset comes: the drain callback tells. */
static void reset_with_a_queue(acceptor *acceptor, size_t read_so_far) {
  static const uint8_t zeros[65536];
  endpoint end;
  ptrdiff_t result;
  int client = connect_endpoint(acceptor, &end);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  send_pattern(client, read_so_far);
  await_bytes(&end, read_so_far);
  do {
    result = eddy_stream_write(end.stream, zeros, sizeof zeros);
  } while (result >= 0 && result < (ptrdiff_t)sizeof zeros);
  CHECK(result > 0);
  reset_plain(client);
  while (end.ends == 0 || end.drains == 0) {
    CHECK(eddy_loop_run(end.loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK(end.end_status == EDDY_ECONNRESET || end.drain_status == EDDY_ECONNRESET);
  CHECK(end.drain_status == EDDY_ECONNRESET || end.drain_status == EDDY_EPIPE);
  result = eddy_stream_write(end.stream, "x", 1);
  CHECK(result == EDDY_ECONNRESET || result == EDDY_EPIPE);
  CHECK_EQ(end.drains, 1);
  check_over(&end);
}

static void a_reset_drops_the_queue_and_is_told(void) {
  at_every_point(reset_with_a_queue);
}

static void reset_while_paused(acceptor *acceptor, size_t read_so_far) {
  endpoint end;
  ptrdiff_t result;
  int client = connect_endpoint(acceptor, &end);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  send_pattern(client, read_so_far);
  await_bytes(&end, read_so_far);
  CHECK_EQ(eddy_stream_read_stop(end.stream), 0);
  reset_plain(client);
  CHECK(eddy_loop_run(end.loop, EDDY_RUN_NOWAIT) >= 0);
  CHECK_EQ(end.ends, 0); /* nobody asked */
  result = eddy_stream_write(end.stream, "x", 1);
  CHECK(result == EDDY_ECONNRESET || result == EDDY_EPIPE);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  await_end(&end);
  check_over(&end);
}

static void a_reset_while_paused_is_told_by_the_next_call(void) {
  at_every_point(reset_while_paused);
}

static void reset_after_shutdown(acceptor *acceptor, size_t read_so_far) {
  endpoint end;
  int client = connect_endpoint(acceptor, &end);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  send_pattern(client, read_so_far);
  await_bytes(&end, read_so_far);
  CHECK_EQ(eddy_stream_shutdown(end.stream), 0);
  reset_plain(client);
  await_end(&end);
  CHECK_EQ(end.end_status, EDDY_ECONNRESET);
  check_over(&end);
}

static void a_reset_after_a_half_close_is_told(void) {
  at_every_point(reset_after_shutdown);
}

/* The connection may be gone before it is accepted, or before it is made a stream. */
static void a_reset_before_accept_is_told_by_the_stream(void) {
  eddy_loop *loop = make_loop();
  acceptor acceptor;
  endpoint end;
  acceptor_open(&acceptor, loop);
  reset_plain(connect_plain(acceptor.port));
  acceptor_await(&acceptor, 1); /* Linux hands it out all the same */
  endpoint_open(&end, loop, acceptor.last_fd);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  await_end(&end);
  CHECK_EQ(end.end_status, EDDY_ECONNRESET);
  check_over(&end);
  acceptor_close(&acceptor);
  end_loop(loop);
}

/* A peer that resets in answer to the handshake's end, and one whose listener goes meanwhile. */
static void a_reset_of_a_client_is_told(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  char address[64];
  int port, listening = listen_plain(1, &port), accepted;
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  CHECK_EQ(eddy_stream_connect(loop, address, &config, &end.stream), 0);
  accepted = accept(listening, NULL, NULL);
  CHECK(accepted >= 0);
  reset_plain(accepted);
  close(listening);
  while (end.connects == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  if (end.connect_status == 0) { /* it was connected, and is not any more */
    CHECK_EQ(eddy_stream_read_start(end.stream), 0);
    await_end(&end);
    CHECK_EQ(end.end_status, EDDY_ECONNRESET);
  } else {
    CHECK_EQ(end.connect_status, EDDY_ECONNRESET);
  }
  endpoint_close(&end);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_reset_is_told_however_much_was_read),
    TAP_TEST(a_reset_before_reading_is_told),
    TAP_TEST(a_peer_that_leaves_answers_unread_is_told),
    TAP_TEST(a_reset_drops_the_queue_and_is_told),
    TAP_TEST(a_reset_while_paused_is_told_by_the_next_call),
    TAP_TEST(a_reset_after_a_half_close_is_told),
    TAP_TEST(a_reset_before_accept_is_told_by_the_stream),
    TAP_TEST(a_reset_of_a_client_is_told),
};
TAP_MAIN(tests)
