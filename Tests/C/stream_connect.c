/* eddy/stream.h: addresses and connecting, over TCP and Unix sockets. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static int try_connect(eddy_loop *loop, const char *address) {
  endpoint end;
  eddy_stream_config config;
  int result;
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  result = eddy_stream_connect(loop, address, &config, &end.stream);
  if (result == 0) {
    CHECK_EQ(eddy_stream_close(end.stream, NULL), 0);
  }
  return result;
}

static void connect_to(endpoint *end, eddy_loop *loop, const char *address, uint64_t timeout) {
  eddy_stream_config config;
  endpoint_init(end, loop);
  config = endpoint_config(end);
  config.connect_timeout = timeout;
  CHECK_EQ(eddy_stream_connect(loop, address, &config, &end->stream), 0);
  CHECK_EQ(end->connects, 0); /* always from the loop */
}

static void connect_to_port(endpoint *end, eddy_loop *loop, int port, uint64_t timeout) {
  char address[64];
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  connect_to(end, loop, address, timeout);
}

/* Arguments. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  CHECK_EQ(eddy_stream_connect(loop, "127.0.0.1:9", &config, &stream), EDDY_EINVAL);
  {
    endpoint end;
    endpoint_init(&end, loop);
    config = endpoint_config(&end);
  }
  CHECK_EQ(eddy_stream_connect(NULL, "127.0.0.1:9", &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect(loop, NULL, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect(loop, "127.0.0.1:9", NULL, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect(loop, "127.0.0.1:9", &config, NULL), EDDY_EINVAL);
  end_loop(loop);
}

static void what_is_no_address_is_refused(void) {
  static const char *const wrong[] = {
      "",
      "127.0.0.1",
      "127.0.0.1:",
      ":80",
      "127.0.0.1:65536",
      "127.0.0.1:-1",
      "127.0.0.1:80x",
      "127.0.0.1: 80",
      " 127.0.0.1:80",
      "127.0.0.1:99999999999999999999",
      "127.0.0:80",
      "256.0.0.1:80",
      "localhost:80", /* names are not resolved here: it would block */
      "::1:80",
      "[::1]",
      "[::1]:",
      "[::1:80",
      "[127.0.0.1]:80",
      "[]:80",
      "unix:",
      "/run/x.sock"};
  eddy_loop *loop = make_loop();
  char long_path[300] = "unix:/";
  size_t index;
  for (index = 0; index < sizeof wrong / sizeof *wrong; index++) {
    int result = try_connect(loop, wrong[index]);
    if (result != EDDY_EADDRFORMAT) {
      tap_fail(__FILE__, __LINE__, "\"%s\" gives %d", wrong[index], result);
    }
  }
  memset(long_path + 6, 'x', sizeof long_path - 7);
  long_path[sizeof long_path - 1] = 0;
  index = (size_t)-try_connect(loop, long_path);
  CHECK(index == (size_t)-EDDY_EADDRFORMAT || index == (size_t)-EDDY_ENAMETOOLONG);
  end_loop(loop);
}

/* Connecting. */

static void connecting_tells_that_it_is_connected(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port);
  endpoint near, far;
  connect_to_port(&near, loop, port, 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(near.connects, 1);
  CHECK_EQ(near.connect_status, 0);
  endpoint_open(&far, loop, accept(listener, NULL, NULL));
  CHECK_EQ(eddy_stream_read_start(far.stream), 0);
  endpoint_write(&near, "hello");
  endpoint_close(&near);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(far.text, "hello");
  endpoint_close(&far);
  end_loop(loop);
  close(listener);
}

static void before_it_is_connected_a_stream_is_not_connected(void) {
  eddy_loop *loop = make_loop();
  char buffer[128];
  int port, listener = listen_plain(8, &port);
  endpoint end;
  connect_to_port(&end, loop, port, 0);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), EDDY_ENOTCONN);
  CHECK_EQ(eddy_stream_read_start(end.stream), EDDY_ENOTCONN);
  CHECK_EQ(eddy_stream_shutdown(end.stream), EDDY_ENOTCONN);
  CHECK_EQ(eddy_stream_queued(end.stream), 0);
  CHECK(eddy_stream_fd(end.stream) >= 0);
  endpoint_close(&end);
  CHECK_EQ(eddy_stream_peer(end.stream, buffer, sizeof buffer), EDDY_ENOTCONN);
  end_loop(loop);
  CHECK_EQ(end.connects, 0); /* closed first: the outcome is not told */
  close(listener);
}

/* A port that was free a moment ago. */
static int unused_port(void) {
  int port, listener = listen_plain(1, &port);
  close(listener);
  return port;
}

static void a_port_that_nobody_listens_on_refuses(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  connect_to_port(&end, loop, unused_port(), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.connects, 1);
  CHECK_EQ(end.connect_status, EDDY_ECONNREFUSED);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), EDDY_ENOTCONN); /* it can only be closed */
  CHECK_EQ(eddy_stream_read_start(end.stream), EDDY_ENOTCONN);
  endpoint_close(&end);
  end_loop(loop);
}

static void a_peer_that_does_not_answer_is_given_up(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(0, &port);
  endpoint fill[4], end;
  uint64_t start;
  int index;
  for (index = 0; index < 4; index++) { /* a full backlog: further SYNs are dropped (tcp(7)) */
    connect_to_port(&fill[index], loop, port, 0);
  }
  run_for(loop, 50 * EDDY_MILLISECOND);
  leave_at_rest(loop, 110 * EDDY_MILLISECOND); /* the time counts from the call */
  start = clock_now();
  connect_to_port(&end, loop, port, 100 * EDDY_MILLISECOND);
  while (end.connects == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK_EQ(end.connect_status, EDDY_ETIMEDOUT);
  CHECK(clock_now() - start >= 100 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), EDDY_ENOTCONN);
  endpoint_close(&end);
  for (index = 0; index < 4; index++) {
    endpoint_close(&fill[index]);
  }
  end_loop(loop);
  close(listener);
}

static void close_self(endpoint *end) {
  endpoint_close(end);
}

static void a_stream_may_close_itself_in_its_connect_callback(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port);
  endpoint good, bad;
  connect_to_port(&good, loop, port, 0);
  connect_to_port(&bad, loop, unused_port(), 0);
  good.on_connect = bad.on_connect = close_self;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(good.closed, 1);
  CHECK_EQ(bad.closed, 1);
  end_loop(loop);
  close(listener);
}

static void write_and_read(endpoint *end) {
  endpoint_write(end, "first");
  CHECK_EQ(eddy_stream_read_start(end->stream), 0);
}

static void the_connect_callback_may_write_and_read(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port), peer;
  char text[5];
  endpoint end;
  connect_to_port(&end, loop, port, 0);
  end.on_connect = write_and_read;
  while (end.connects == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  peer = accept(listener, NULL, NULL);
  read_fully(peer, text, sizeof text);
  CHECK(memcmp(text, "first", 5) == 0);
  close(peer);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.end_status, EDDY_EOF);
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

/* Unix sockets. */

static int listen_unix(const char *path, int backlog) {
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, path);
  CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(fd, backlog) == 0);
  return fd;
}

static void connecting_to_a_unix_socket_tells_it_from_the_loop(void) {
  eddy_loop *loop = make_loop();
  int listener = listen_unix("x.sock", 8);
  endpoint near, far;
  connect_to(&near, loop, "unix:x.sock", 0);
  CHECK_EQ(eddy_stream_write(near.stream, "x", 1), EDDY_ENOTCONN); /* not until it is told */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(near.connects, 1);
  CHECK_EQ(near.connect_status, 0);
  endpoint_open(&far, loop, accept(listener, NULL, NULL));
  CHECK_EQ(eddy_stream_read_start(far.stream), 0);
  endpoint_write(&near, "by path");
  endpoint_close(&near);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(far.text, "by path");
  endpoint_close(&far);
  end_loop(loop);
  close(listener);
}

static void a_unix_socket_that_is_not_there_fails_from_the_loop(void) {
  eddy_loop *loop = make_loop();
  endpoint missing, dead;
  close(listen_unix("dead.sock", 1));
  connect_to(&missing, loop, "unix:missing.sock", 0);
  connect_to(&dead, loop, "unix:dead.sock", 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(missing.connect_status, EDDY_ENOENT);
  CHECK_EQ(dead.connect_status, EDDY_ECONNREFUSED);
  endpoint_close(&missing);
  endpoint_close(&dead);
  end_loop(loop);
}

static void a_unix_socket_with_a_full_backlog_fails_from_the_loop(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  int listener = listen_unix("full.sock", 0); /* room for one */
  connect_to(&ends[0], loop, "unix:full.sock", 0);
  connect_to(&ends[1], loop, "unix:full.sock", 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(ends[0].connect_status, 0);
  CHECK_EQ(ends[1].connect_status, EDDY_EAGAIN);
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
  close(listener);
}

static void closing_while_an_outcome_is_due_drops_it(void) {
  eddy_loop *loop = make_loop();
  int listener = listen_unix("x.sock", 8), round;
  for (round = 0; round < 20; round++) {
    endpoint first, second;
    connect_to(&first, loop, "unix:x.sock", 0);
    connect_to(&second, loop, "unix:missing.sock", 0);
    endpoint_close(&first);
    endpoint_close(&second);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(first.connects + second.connects, 0);
    CHECK_EQ(first.closed + second.closed, 2);
    close(accept(listener, NULL, NULL));
  }
  end_loop(loop);
  close(listener);
}

static endpoint *victim;

static void close_victim(endpoint *end) {
  (void)end;
  if (victim->closed == 0 && victim->connects == 0) {
    CHECK_EQ(eddy_stream_close(victim->stream, endpoint_closed), 0);
  }
}

static void of_two_outcomes_the_first_may_close_the_second(void) {
  eddy_loop *loop = make_loop();
  endpoint first, second;
  connect_to(&first, loop, "unix:a.sock", 0);
  connect_to(&second, loop, "unix:b.sock", 0);
  first.on_connect = close_victim;
  victim = &second;
  second.on_connect = close_self;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(first.connects, 1);
  CHECK_EQ(second.closed, 1);
  endpoint_close(&first);
  end_loop(loop);
}

/* The peer's address. */

static void the_peer_of_a_tcp_stream_is_told(void) {
  eddy_loop *loop = make_loop();
  char text[128], expected[64], small[8];
  int port, listener = listen_plain(8, &port), length;
  endpoint end;
  endpoint_open(&end, loop, connect_plain(port));
  length = snprintf(expected, sizeof expected, "127.0.0.1:%d", port);
  CHECK_EQ(eddy_stream_peer(end.stream, text, sizeof text), length);
  CHECK_STR(text, expected);
  CHECK_EQ(eddy_stream_peer(end.stream, text, (size_t)length + 1), length);
  CHECK_EQ(eddy_stream_peer(end.stream, text, (size_t)length), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_peer(end.stream, small, sizeof small), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_peer(end.stream, NULL, 128), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_peer(end.stream, text, 0), EDDY_EINVAL);
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

static void the_peer_of_a_unix_stream_is_told(void) {
  eddy_loop *loop = make_loop();
  int listener = listen_unix("x.sock", 8);
  char text[128];
  endpoint end;
  connect_to(&end, loop, "unix:x.sock", 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_stream_peer(end.stream, text, sizeof text), 11);
  CHECK_STR(text, "unix:x.sock");
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

static void a_pipe_has_no_peer(void) {
  eddy_loop *loop = make_loop();
  char text[128];
  endpoint end;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[0]);
  CHECK_EQ(eddy_stream_peer(end.stream, text, sizeof text), EDDY_ENOTCONN);
  endpoint_close(&end);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(what_is_no_address_is_refused),
    TAP_TEST(connecting_tells_that_it_is_connected),
    TAP_TEST(before_it_is_connected_a_stream_is_not_connected),
    TAP_TEST(a_port_that_nobody_listens_on_refuses),
    TAP_TEST(a_peer_that_does_not_answer_is_given_up),
    TAP_TEST(a_stream_may_close_itself_in_its_connect_callback),
    TAP_TEST(the_connect_callback_may_write_and_read),
    TAP_TEST(connecting_to_a_unix_socket_tells_it_from_the_loop),
    TAP_TEST(a_unix_socket_that_is_not_there_fails_from_the_loop),
    TAP_TEST(a_unix_socket_with_a_full_backlog_fails_from_the_loop),
    TAP_TEST(closing_while_an_outcome_is_due_drops_it),
    TAP_TEST(of_two_outcomes_the_first_may_close_the_second),
    TAP_TEST(the_peer_of_a_tcp_stream_is_told),
    TAP_TEST(the_peer_of_a_unix_stream_is_told),
    TAP_TEST(a_pipe_has_no_peer),
};
TAP_MAIN(tests)
