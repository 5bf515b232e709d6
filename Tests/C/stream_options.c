/* eddy/stream.h: what a stream may be told of its socket, and when it has been idle for too long.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK(getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

/* A stream over one end of a new TCP connection. */
static int open_tcp(endpoint *end, eddy_loop *loop, eddy_stream_config *config) {
  int port, listener = listen_plain(8, &port), peer;
  CHECK_EQ(eddy_stream_open(loop, connect_plain(port), config, &end->stream), 0);
  peer = accept(listener, NULL, NULL);
  CHECK(peer >= 0);
  close(listener);
  return peer;
}

static void never_idle(eddy_stream *stream, void *context) {
  (void)stream, (void)context;
  CHECK(0);
}

static void configurations_that_contradict_themselves_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  int fds[2];
  make_socket_pair(fds);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.idle_timeout = 1; /* without on_idle */
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), EDDY_EINVAL);
  config.idle_timeout = ((uint64_t)1 << 62) + 1; /* nanoseconds: more than 146 years */
  config.on_idle = never_idle;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), EDDY_EINVAL);
  config = endpoint_config(&end);
  config.connect_timeout = EDDY_NEVER;
  CHECK_EQ(eddy_stream_connect(loop, "127.0.0.1:9", &config, &end.stream), EDDY_EINVAL);
  config = endpoint_config(&end);
  config.write_high_mark = config.write_low_mark = 9;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), EDDY_EINVAL);
  config = endpoint_config(&end);
  config.keep_alive = 32768 * EDDY_SECOND; /* more than the kernel takes */
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), EDDY_EINVAL);
  config = endpoint_config(&end);
  config.attempt_delay = 9 * EDDY_MILLISECOND;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), EDDY_EINVAL);
  config = endpoint_config(&end);
  config.accepted = 1;
  CHECK_EQ(eddy_stream_open(loop, -1, &config, &end.stream), EDDY_EBADF);
  CHECK(fcntl(fds[0], F_GETFD) >= 0); /* still the caller's */
  end_loop(loop);
}

static void a_configuration_of_version_0_1_still_holds(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  int fds[2];
  make_socket_pair(fds);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.size = offsetof(eddy_stream_config, idle_timeout);
  config.idle_timeout = 1; /* out of its size */
  config.accepted = 1;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), 0);
  CHECK((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0); /* not taken for `accepted` */
  CHECK_EQ(eddy_stream_set_idle_timeout(end.stream, 1), EDDY_EINVAL);
  endpoint_close(&end);
  end_loop(loop);
}

/* Delay and keep-alive. */

static void small_writes_are_sent_at_once_unless_they_may_be_delayed(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  open_tcp(&end, loop, &config);
  CHECK_EQ(option(eddy_stream_fd(end.stream), IPPROTO_TCP, TCP_NODELAY), 1);
  endpoint_close(&end);
  config.delay_writes = 1;
  open_tcp(&end, loop, &config);
  CHECK_EQ(option(eddy_stream_fd(end.stream), IPPROTO_TCP, TCP_NODELAY), 0);
  endpoint_close(&end);
  end_loop(loop);
}

static void options_hold_for_what_was_accepted(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  int port, listener = listen_plain(8, &port), on = 1, fd;
  endpoint end;
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.accepted = 1;
  CHECK(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  CHECK(connect_plain(port) >= 0);
  fd = accept(listener, NULL, NULL);
  CHECK_EQ(eddy_stream_open(loop, fd, &config, &end.stream), 0);
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0); /* it is taken as it is */
  CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  endpoint_write(&end, "works");
  endpoint_close(&end);
  config.delay_writes = 1;
  config.keep_alive = 5 * EDDY_SECOND;
  CHECK(connect_plain(port) >= 0);
  fd = accept(listener, NULL, NULL);
  CHECK_EQ(eddy_stream_open(loop, fd, &config, &end.stream), 0);
  CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

static void keep_alive_can_be_set_and_ended(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  int fd;
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  open_tcp(&end, loop, &config);
  fd = eddy_stream_fd(end.stream);
  CHECK_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  CHECK_EQ(eddy_stream_set_keep_alive(NULL, 0), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, 32768 * EDDY_SECOND), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, UINT64_MAX), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, 45 * EDDY_SECOND + 1), 0);
  CHECK_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 46);
  CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 4);
  CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, 32767 * EDDY_SECOND), 0);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, 0), 0);
  CHECK_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  endpoint_close(&end);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, EDDY_SECOND), EDDY_EALREADY);
  end_loop(loop);
}

static void keep_alive_is_tcps_alone(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  int fds[2];
  make_socket_pair(fds);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.keep_alive = EDDY_SECOND; /* does nothing here */
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), 0);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, EDDY_SECOND), EDDY_ENOTSUP);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, 0), EDDY_ENOTSUP);
  endpoint_close(&end);
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[0]);
  CHECK_EQ(eddy_stream_set_keep_alive(end.stream, EDDY_SECOND), EDDY_ENOTSUP);
  endpoint_close(&end);
  end_loop(loop);
}

static void a_connection_that_was_made_has_the_options(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  char address[64];
  int port, listener = listen_plain(8, &port), by_name, fd;
  endpoint end;
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  for (by_name = 0; by_name < 2; by_name++) {
    endpoint_init(&end, loop);
    config = endpoint_config(&end);
    config.delay_writes = 1;
    config.keep_alive = 7 * EDDY_SECOND;
    if (by_name) {
      CHECK_EQ(eddy_stream_connect_host(loop, "127.0.0.1", port, &config, &end.stream), 0);
    } else {
      CHECK_EQ(eddy_stream_connect(loop, address, &config, &end.stream), 0);
    }
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(end.connect_status, 0);
    fd = eddy_stream_fd(end.stream);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7);
    endpoint_close(&end);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  }
  end_loop(loop);
  close(listener);
}

/* This side's address. */

static void the_address_of_this_side_is_told(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  char local[128], expected[64];
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  endpoint end;
  int length, peer;
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  peer = open_tcp(&end, loop, &config);
  CHECK(getpeername(peer, (struct sockaddr *)&address, &size) == 0);
  length = snprintf(expected, sizeof expected, "127.0.0.1:%d", ntohs(address.sin_port));
  CHECK_EQ(eddy_stream_local(end.stream, local, sizeof local), length);
  CHECK_STR(local, expected);
  CHECK_EQ(eddy_stream_local(end.stream, local, (size_t)length), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_local(end.stream, NULL, 128), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_local(NULL, local, sizeof local), EDDY_EINVAL);
  endpoint_close(&end);
  CHECK_EQ(eddy_stream_local(end.stream, local, sizeof local), EDDY_ENOTCONN);
  end_loop(loop);
}

static void a_pipe_has_no_address(void) {
  eddy_loop *loop = make_loop();
  char local[128];
  endpoint end;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[0]);
  CHECK_EQ(eddy_stream_local(end.stream, local, sizeof local), EDDY_ENOTCONN);
  endpoint_close(&end);
  end_loop(loop);
}

/* Idle deadlines. */

enum { TIMEOUT = 40 * 1000 * 1000 }; /* nanoseconds */

static uint64_t idle_times[10];
static int idles;

static void note_idle(eddy_stream *stream, void *context) {
  endpoint *end = context;
  CHECK(stream == end->stream);
  CHECK_EQ(end->closed, 0);
  CHECK(idles < 10);
  idle_times[idles++] = clock_now();
}

static uint64_t opened_at;

static int open_timed(endpoint *end, eddy_loop *loop, uint64_t timeout, eddy_stream_idle_cb idle) {
  eddy_stream_config config;
  int fds[2];
  make_socket_pair(fds);
  endpoint_init(end, loop);
  config = endpoint_config(end);
  config.idle_timeout = timeout;
  config.on_idle = idle;
  leave_at_rest(loop, TIMEOUT); /* the time counts from the opening */
  opened_at = clock_now();
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end->stream), 0);
  return fds[1];
}

static void run_until_idle(eddy_loop *loop, int wanted) {
  while (idles < wanted) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
}

static void a_silent_stream_is_told_again_and_again(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_timed(&end, loop, TIMEOUT, note_idle);
  CHECK_EQ(eddy_loop_alive(loop), 1); /* though it does not read */
  run_until_idle(loop, 3);
  CHECK(idle_times[0] - opened_at >= TIMEOUT);
  CHECK(idle_times[1] - idle_times[0] >= TIMEOUT - EDDY_MILLISECOND); /* the callback came late */
  CHECK(idle_times[2] - opened_at >= 3ULL * TIMEOUT);
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(idles, 3);
  close(peer);
}

static void bytes_that_come_put_it_off(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  uint64_t last = 0;
  int peer = open_timed(&end, loop, TIMEOUT, note_idle), round;
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  for (round = 0; round < 5; round++) {
    run_for(loop, TIMEOUT / 2);
    if (idles > 0) {
      tap_skip("the machine is too slow to keep a stream from being idle");
    }
    last = clock_now();
    CHECK(write(peer, "x", 1) == 1);
  }
  run_until_idle(loop, 1);
  CHECK_EQ(end.received, 5);
  CHECK(idle_times[0] - last >= TIMEOUT);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

/* As a host's callback writes, between the turns that the host gives the loop. */
static void bytes_that_go_outside_of_a_turn_put_it_off(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_timed(&end, loop, TIMEOUT, note_idle);
  uint64_t last;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  leave_at_rest(loop, TIMEOUT / 2);
  last = clock_now();
  endpoint_write(&end, "x");
  CHECK_EQ(idles, 0);
  run_until_idle(loop, 1);
  CHECK(idle_times[0] - last >= TIMEOUT);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void check_writes_put_it_off(int buffers) {
  eddy_loop *loop = make_loop();
  endpoint end;
  eddy_buffer buffer = {"x", 1};
  uint64_t last = 0;
  int peer = open_timed(&end, loop, TIMEOUT, note_idle), round;
  for (round = 0; round < 5; round++) {
    run_for(loop, TIMEOUT / 2);
    if (idles > 0) {
      tap_skip("the machine is too slow to keep a stream from being idle");
    }
    last = clock_now();
    if (buffers) {
      CHECK_EQ(eddy_stream_writev(end.stream, &buffer, 1), 0);
    } else {
      endpoint_write(&end, "x");
    }
  }
  run_until_idle(loop, 1);
  CHECK(idle_times[0] - last >= TIMEOUT);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void bytes_that_go_put_it_off(void) {
  check_writes_put_it_off(0);
}

static void vectors_that_go_put_it_off(void) {
  check_writes_put_it_off(1);
}

/* A peer that takes nothing is as silent as one that sends nothing. */
static void bytes_that_only_wait_do_not_put_it_off(void) {
  static uint8_t big[1 << 20];
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_timed(&end, loop, TIMEOUT, note_idle);
  uint64_t start = clock_now();
  CHECK(eddy_stream_write(end.stream, big, sizeof big) > 0);
  run_for(loop, TIMEOUT / 2);
  CHECK(eddy_stream_write(end.stream, "x", 1) > 0); /* queued behind the rest */
  run_until_idle(loop, 1);
  CHECK(idle_times[0] - start < 10ULL * TIMEOUT);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void close_when_idle(eddy_stream *stream, void *context) {
  note_idle(stream, context);
  endpoint_close(context);
}

static void an_idle_stream_may_be_closed_in_its_callback(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_timed(&end, loop, EDDY_MILLISECOND, close_when_idle);
  char byte;
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(idles, 1);
  CHECK_EQ(end.closed, 1);
  CHECK(read(peer, &byte, 1) == 0);
  end_loop(loop);
  close(peer);
}

static void the_timeout_can_be_changed_and_ended(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  uint64_t start;
  int peer = open_timed(&end, loop, 3600 * EDDY_SECOND, note_idle);
  CHECK_EQ(eddy_stream_set_idle_timeout(NULL, 1), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_set_idle_timeout(end.stream, UINT64_MAX), EDDY_EINVAL);
  start = clock_now();
  CHECK_EQ(eddy_stream_set_idle_timeout(end.stream, TIMEOUT), 0);
  run_until_idle(loop, 1);
  CHECK(idle_times[0] - start >= TIMEOUT);
  CHECK_EQ(eddy_stream_set_idle_timeout(end.stream, 0), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  run_for(loop, 2 * TIMEOUT);
  CHECK_EQ(idles, 1);
  endpoint_write(&end, "x");
  CHECK_EQ(eddy_stream_set_idle_timeout(end.stream, 1), 0);
  run_until_idle(loop, 2);
  endpoint_close(&end);
  CHECK_EQ(eddy_stream_set_idle_timeout(end.stream, 1), EDDY_EALREADY);
  end_loop(loop);
  close(peer);
}

static void without_a_callback_there_is_no_timeout(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_timed(&end, loop, 0, NULL);
  CHECK_EQ(eddy_stream_set_idle_timeout(end.stream, 1), EDDY_EINVAL);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void the_time_counts_from_the_connection_on(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  char address[64];
  int port, listener = listen_plain(8, &port);
  uint64_t connected;
  endpoint end;
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.idle_timeout = TIMEOUT;
  config.on_idle = note_idle;
  CHECK_EQ(eddy_stream_connect(loop, address, &config, &end.stream), 0);
  sleep_ns(TIMEOUT); /* the loop is busy */
  connected = clock_now();
  while (end.connects == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_EQ(end.connect_status, 0);
  CHECK_EQ(idles, 0);
  run_until_idle(loop, 1);
  CHECK(idle_times[0] - connected >= TIMEOUT);
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

static const tap_test tests[] = {
    TAP_TEST(configurations_that_contradict_themselves_are_invalid),
    TAP_TEST(a_configuration_of_version_0_1_still_holds),
    TAP_TEST(small_writes_are_sent_at_once_unless_they_may_be_delayed),
    TAP_TEST(options_hold_for_what_was_accepted),
    TAP_TEST(keep_alive_can_be_set_and_ended),
    TAP_TEST(keep_alive_is_tcps_alone),
    TAP_TEST(a_connection_that_was_made_has_the_options),
    TAP_TEST(the_address_of_this_side_is_told),
    TAP_TEST(a_pipe_has_no_address),
    TAP_TEST(a_silent_stream_is_told_again_and_again),
    TAP_TEST(bytes_that_come_put_it_off),
    TAP_TEST(bytes_that_go_put_it_off),
    TAP_TEST(bytes_that_go_outside_of_a_turn_put_it_off),
    TAP_TEST(vectors_that_go_put_it_off),
    TAP_TEST(bytes_that_only_wait_do_not_put_it_off),
    TAP_TEST(an_idle_stream_may_be_closed_in_its_callback),
    TAP_TEST(the_timeout_can_be_changed_and_ended),
    TAP_TEST(without_a_callback_there_is_no_timeout),
    TAP_TEST(the_time_counts_from_the_connection_on),
};
TAP_MAIN(tests)
