/* eddy/stream.h: opening, reading, ending and closing. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

/* Arguments. */

static void null_handles_are_invalid(void) {
  char buffer[128];
  CHECK_EQ(eddy_stream_read_start(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_read_stop(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_write(NULL, "x", 1), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_queued(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_shutdown(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_fd(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_peer(NULL, buffer, sizeof buffer), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_close(NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_reset(NULL, NULL), EDDY_EINVAL);
}

static void bad_arguments_are_invalid_and_leave_the_descriptor_open(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  int fds[2];
  make_socket_pair(fds);
  CHECK_EQ(eddy_stream_open(NULL, fds[0], &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_open(loop, fds[0], NULL, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, NULL), EDDY_EINVAL);
  config.write_high_mark = 1000;
  config.write_low_mark = 1000; /* must be below the high mark */
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &stream), EDDY_EINVAL);
  config.write_low_mark = 999;
  config.size = 0;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &stream), EDDY_EINVAL);
  CHECK(fcntl(fds[0], F_GETFD) >= 0);
  config.size = sizeof config;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &stream), 0);
  CHECK_EQ(eddy_stream_close(stream, NULL), 0);
  end_loop(loop);
}

static void an_older_configuration_is_taken(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  int fds[2];
  make_socket_pair(fds);
  config.size = offsetof(eddy_stream_config, write_low_mark);
  config.write_low_mark = SIZE_MAX; /* beyond `size`: not read */
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &stream), 0);
  CHECK_EQ(eddy_stream_close(stream, NULL), 0);
  end_loop(loop);
}

static void a_descriptor_that_is_not_open_is_bad(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  CHECK_EQ(eddy_stream_open(loop, -1, &config, &stream), EDDY_EBADF);
  CHECK_EQ(eddy_stream_open(loop, 100000, &config, &stream), EDDY_EBADF);
  end_loop(loop);
}

static void the_descriptor_becomes_non_blocking_and_close_on_exec(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  endpoint_open(&end, loop, fds[0]);
  CHECK_EQ(eddy_stream_fd(end.stream), fds[0]);
  CHECK((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(fds[0], F_GETFD) & FD_CLOEXEC) != 0);
  endpoint_close(&end);
  end_loop(loop);
  CHECK(fcntl(fds[0], F_GETFD) < 0);
}

static void a_tcp_stream_does_not_wait_to_fill_segments(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port), value = 0;
  socklen_t size = sizeof value;
  endpoint end;
  endpoint_open(&end, loop, connect_plain(port));
  CHECK(getsockopt(eddy_stream_fd(end.stream), IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0);
  CHECK(value != 0);
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

/* Reading. */

/* Turns the loop until `end` has got `length` bytes, or the test is over its limit. */
static void await_bytes(endpoint *end, size_t length) {
  while (end->received < length) {
    CHECK_EQ(eddy_loop_run(end->loop, EDDY_RUN_ONCE), 1);
  }
}

static void bytes_arrive(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  endpoint_pair(ends, loop);
  endpoint_write(&ends[0], "one ");
  endpoint_write(&ends[1], "back");
  endpoint_write(&ends[0], "two");
  await_bytes(&ends[1], 7);
  await_bytes(&ends[0], 4);
  CHECK_STR(ends[1].text, "one two");
  CHECK_STR(ends[0].text, "back");
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
  CHECK_EQ(ends[0].closed + ends[1].closed, 2);
}

static void reading_needs_a_callback(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  int fds[2];
  make_socket_pair(fds);
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &stream), 0);
  CHECK_EQ(eddy_stream_read_start(stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_close(stream, NULL), 0);
  end_loop(loop);
}

static void a_stream_that_does_not_read_keeps_nothing_alive(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2];
  make_socket_pair(fds);
  endpoint_open(&end, loop, fds[0]);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0); /* harmless */
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_stream_read_stop(end.stream), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK(write(fds[1], "x", 1) == 1);
  run_for(loop, 5 * EDDY_MILLISECOND);
  CHECK_EQ(end.received, 0);
  endpoint_close(&end);
  end_loop(loop);
}

static void stop_reading(endpoint *end) {
  CHECK_EQ(eddy_stream_read_stop(end->stream), 0);
}

static void a_pause_in_the_callback_holds_though_more_has_come(void) {
  enum { LENGTH = 150000 }; /* more than the loop's buffer holds */
  static uint8_t bytes[LENGTH];
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  size_t paused_at;
  endpoint_pair(ends, loop);
  fill_pattern(bytes, LENGTH, 0);
  ends[1].checks_pattern = 1;
  ends[1].on_read = stop_reading;
  CHECK(eddy_stream_write(ends[0].stream, bytes, LENGTH) >= 0);
  await_bytes(&ends[1], 1);
  run_for(loop, 10 * EDDY_MILLISECOND);
  paused_at = ends[1].received;
  CHECK(paused_at > 0 && paused_at <= 65536);
  ends[1].on_read = NULL;
  CHECK_EQ(eddy_stream_read_start(ends[1].stream), 0);
  await_bytes(&ends[1], LENGTH);
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
}

static void the_read_buffer_has_the_configured_size(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  static uint8_t bytes[9000];
  eddy_loop *loop;
  endpoint end;
  int fds[2];
  config.read_buffer_size = 4096;
  CHECK_EQ(eddy_loop_create(&config, &loop), 0);
  make_socket_pair(fds);
  CHECK(write(fds[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes);
  endpoint_open(&end, loop, fds[0]);
  end.on_read = stop_reading;
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.received, 4096);
  endpoint_close(&end);
  end_loop(loop);
}

/* Ends. */

static void an_end_is_told_once_and_writing_goes_on(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  char back[8];
  int fds[2];
  make_socket_pair(fds);
  endpoint_open(&end, loop, fds[0]);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  CHECK(write(fds[1], "last", 4) == 4);
  CHECK(shutdown(fds[1], SHUT_WR) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0); /* nothing keeps it alive any more */
  CHECK_STR(end.text, "last");
  CHECK_EQ(end.ends, 1);
  CHECK_EQ(end.end_status, EDDY_EOF);
  CHECK_EQ(eddy_stream_read_start(end.stream), EDDY_EOF);
  endpoint_write(&end, "answer");
  read_fully(fds[1], back, 6);
  CHECK(memcmp(back, "answer", 6) == 0);
  endpoint_close(&end);
  end_loop(loop);
}

static void a_half_close_ends_this_side_only(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  endpoint_pair(ends, loop);
  endpoint_write(&ends[0], "request");
  CHECK_EQ(eddy_stream_shutdown(ends[0].stream), 0);
  CHECK_EQ(eddy_stream_shutdown(ends[0].stream), EDDY_EALREADY);
  CHECK_EQ(eddy_stream_write(ends[0].stream, "x", 1), EDDY_EPIPE);
  while (ends[1].ends == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_STR(ends[1].text, "request");
  CHECK_EQ(ends[1].end_status, EDDY_EOF);
  CHECK_EQ(ends[0].ends, 0);
  endpoint_write(&ends[1], "answer");
  await_bytes(&ends[0], 6);
  CHECK_STR(ends[0].text, "answer");
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
}

static void a_reset_reaches_the_peer_as_a_reset(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port);
  endpoint near, far;
  endpoint_open(&near, loop, connect_plain(port));
  endpoint_open(&far, loop, accept(listener, NULL, NULL));
  CHECK_EQ(eddy_stream_read_start(far.stream), 0);
  CHECK_EQ(eddy_stream_reset(near.stream, endpoint_closed), 0);
  CHECK_EQ(near.closed, 0);
  CHECK_EQ(eddy_stream_reset(near.stream, endpoint_closed), EDDY_EALREADY);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(near.closed, 1);
  CHECK_EQ(far.ends, 1);
  CHECK_EQ(far.end_status, EDDY_ECONNRESET);
  CHECK(eddy_stream_write(far.stream, "x", 1) < 0);
  endpoint_close(&far);
  end_loop(loop);
  close(listener);
}

static void a_close_reaches_the_peer_as_an_end(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port);
  endpoint near, far;
  endpoint_open(&near, loop, connect_plain(port));
  endpoint_open(&far, loop, accept(listener, NULL, NULL));
  CHECK_EQ(eddy_stream_read_start(far.stream), 0);
  endpoint_close(&near);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(far.end_status, EDDY_EOF);
  endpoint_close(&far);
  end_loop(loop);
  close(listener);
}

/* Closing. */

static void a_closed_stream_refuses_everything(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  endpoint_pair(ends, loop);
  endpoint_write(&ends[1], "unread");
  endpoint_close(&ends[0]);
  CHECK_EQ(eddy_stream_close(ends[0].stream, NULL), EDDY_EALREADY);
  CHECK_EQ(eddy_stream_reset(ends[0].stream, NULL), EDDY_EALREADY);
  CHECK_EQ(eddy_stream_read_start(ends[0].stream), EDDY_EALREADY);
  CHECK_EQ(eddy_stream_write(ends[0].stream, "x", 1), EDDY_EALREADY);
  CHECK_EQ(eddy_stream_shutdown(ends[0].stream), EDDY_EALREADY);
  run_for(loop, 5 * EDDY_MILLISECOND);
  CHECK_EQ(ends[0].closed, 1);
  CHECK_EQ(ends[0].received, 0);
  endpoint_close(&ends[1]);
  end_loop(loop);
}

static void close_self(endpoint *end) {
  endpoint_close(end);
}

static void a_stream_may_close_itself_in_its_read_callback(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  endpoint_pair(ends, loop);
  ends[1].on_read = close_self;
  endpoint_write(&ends[0], "goodbye");
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(ends[1].closed, 1);
  CHECK_EQ(ends[0].ends, 1);
  endpoint_close(&ends[0]);
  end_loop(loop);
}

static endpoint *victims[2];

static void close_both(endpoint *end) {
  (void)end;
  endpoint_close(victims[0]);
  endpoint_close(victims[1]);
}

static void of_two_that_are_readable_the_first_may_close_both(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  endpoint_pair(ends, loop);
  victims[0] = &ends[0];
  victims[1] = &ends[1];
  ends[0].on_read = ends[1].on_read = close_both;
  endpoint_write(&ends[0], "x");
  endpoint_write(&ends[1], "y");
  end_loop(loop);
  CHECK_EQ(ends[0].received + ends[1].received, 1);
  CHECK_EQ(ends[0].closed + ends[1].closed, 2);
}

static void many_streams_leave_no_descriptor(void) {
  eddy_loop *loop = make_loop();
  int before = count_descriptors(), round;
  for (round = 0; round < 200; round++) {
    endpoint ends[2];
    endpoint_pair(ends, loop);
    endpoint_write(&ends[0], "x");
    endpoint_close(&ends[0]);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(ends[1].ends, 1);
    endpoint_close(&ends[1]);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  }
  CHECK_EQ(count_descriptors(), before);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(null_handles_are_invalid),
    TAP_TEST(bad_arguments_are_invalid_and_leave_the_descriptor_open),
    TAP_TEST(an_older_configuration_is_taken),
    TAP_TEST(a_descriptor_that_is_not_open_is_bad),
    TAP_TEST(the_descriptor_becomes_non_blocking_and_close_on_exec),
    TAP_TEST(a_tcp_stream_does_not_wait_to_fill_segments),
    TAP_TEST(bytes_arrive),
    TAP_TEST(reading_needs_a_callback),
    TAP_TEST(a_stream_that_does_not_read_keeps_nothing_alive),
    TAP_TEST(a_pause_in_the_callback_holds_though_more_has_come),
    TAP_TEST(the_read_buffer_has_the_configured_size),
    TAP_TEST(an_end_is_told_once_and_writing_goes_on),
    TAP_TEST(a_half_close_ends_this_side_only),
    TAP_TEST(a_reset_reaches_the_peer_as_a_reset),
    TAP_TEST(a_close_reaches_the_peer_as_an_end),
    TAP_TEST(a_closed_stream_refuses_everything),
    TAP_TEST(a_stream_may_close_itself_in_its_read_callback),
    TAP_TEST(of_two_that_are_readable_the_first_may_close_both),
    TAP_TEST(many_streams_leave_no_descriptor),
};
TAP_MAIN(tests)
