/* eddy/stream.h: connecting to a host by its name. The race of its addresses is tested in
 * Tests/EddyCoreTests/ConnectionRaceTests.swift. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static int start(endpoint *end, eddy_loop *loop, const char *host, int port, uint64_t timeout) {
  eddy_stream_config config;
  endpoint_init(end, loop);
  config = endpoint_config(end);
  config.connect_timeout = timeout;
  return eddy_stream_connect_host(loop, host, port, &config, &end->stream);
}

static void connect_to(endpoint *end, eddy_loop *loop, const char *host, int port) {
  CHECK_EQ(start(end, loop, host, port, 0), 0);
  CHECK_EQ(end->connects, 0); /* always from the loop */
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  endpoint end;
  char name[300];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  CHECK_EQ(eddy_stream_connect_host(loop, "localhost", 9, &config, &stream), EDDY_EINVAL);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  CHECK_EQ(eddy_stream_connect_host(NULL, "localhost", 9, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, NULL, 9, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, "localhost", 9, NULL, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, "localhost", 9, &config, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, "localhost", 0, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, "localhost", -1, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, "localhost", 65536, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, "", 9, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_connect_host(loop, name, 9, &config, &stream), EDDY_ENAMETOOLONG);
  config.attempt_delay = EDDY_MILLISECOND; /* less than RFC 8305 allows */
  CHECK_EQ(eddy_stream_connect_host(loop, "localhost", 9, &config, &stream), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  end_loop(loop);
}

static void check_connected(const char *host) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port), peer;
  char address[64], text[128], received[5];
  endpoint end;
  connect_to(&end, loop, host, port);
  CHECK_EQ(eddy_stream_fd(end.stream), EDDY_EINVAL); /* none yet */
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), EDDY_ENOTCONN);
  CHECK_EQ(eddy_stream_read_start(end.stream), EDDY_ENOTCONN);
  CHECK_EQ(eddy_stream_shutdown(end.stream), EDDY_ENOTCONN);
  CHECK_EQ(eddy_stream_peer(end.stream, text, sizeof text), EDDY_ENOTCONN);
  CHECK_EQ(eddy_stream_local(end.stream, text, sizeof text), EDDY_ENOTCONN);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.connects, 1);
  CHECK_EQ(end.connect_status, 0);
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  CHECK(eddy_stream_peer(end.stream, text, sizeof text) > 0);
  CHECK_STR(text, address);
  peer = accept(listener, NULL, NULL);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  endpoint_write(&end, "hello");
  read_fully(peer, received, 5);
  CHECK(write(peer, "answer", 6) == 6);
  close(peer);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(end.text, "answer");
  CHECK_EQ(end.end_status, EDDY_EOF);
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

/* Where the system knows ::1 as localhost, too, that one is tried first, and refuses. */
static void a_name_is_looked_up_and_connected(void) {
  check_connected("localhost");
}

static void an_address_as_text_is_connected(void) {
  check_connected("127.0.0.1");
}

static void a_host_that_refuses_is_told(void) {
  eddy_loop *loop = make_loop();
  int port;
  endpoint end;
  close(listen_plain(1, &port)); /* a port that was free a moment ago */
  connect_to(&end, loop, "localhost", port);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.connects, 1);
  CHECK_EQ(end.connect_status, EDDY_ECONNREFUSED);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), EDDY_ENOTCONN); /* it can only be closed */
  CHECK_EQ(eddy_stream_fd(end.stream), EDDY_EINVAL);
  endpoint_close(&end);
  end_loop(loop);
}

/* RFC 6761, section 6.4: no such name exists. Without a name server, that is the error. */
static void a_name_that_does_not_exist_is_told(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  CHECK_EQ(start(&end, loop, "name.invalid", 9, 5 * EDDY_SECOND), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.connects, 1);
  CHECK(
      end.connect_status == EDDY_ENONAME || end.connect_status == EDDY_ENAMESERVER ||
      end.connect_status == EDDY_ETIMEDOUT);
  endpoint_close(&end);
  end_loop(loop);
}

/* Fills the backlog of a listener, so that further connections are not answered (tcp(7)). */
static void fill_backlog(endpoint fill[4], eddy_loop *loop, int port) {
  int index;
  for (index = 0; index < 4; index++) {
    connect_to(&fill[index], loop, "127.0.0.1", port);
  }
  run_for(loop, 50 * EDDY_MILLISECOND);
}

static void the_timeout_holds_for_all_of_it(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(0, &port), index, descriptors;
  endpoint fill[4], end;
  uint64_t before;
  fill_backlog(fill, loop, port);
  descriptors = count_descriptors();
  leave_at_rest(loop, 110 * EDDY_MILLISECOND); /* the time counts from the call */
  before = clock_now();
  CHECK_EQ(start(&end, loop, "127.0.0.1", port, 100 * EDDY_MILLISECOND), 0);
  while (end.connects == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK_EQ(end.connect_status, EDDY_ETIMEDOUT);
  CHECK(clock_now() - before >= 100 * EDDY_MILLISECOND);
  CHECK_EQ(count_descriptors(), descriptors); /* the attempt was ended */
  endpoint_close(&end);
  for (index = 0; index < 4; index++) {
    endpoint_close(&fill[index]);
  }
  end_loop(loop);
  close(listener);
}

/* A lookup that was given up may still read a file on its thread, for a moment. */
static void check_descriptors(int expected) {
  uint64_t end = clock_now() + 10 * EDDY_SECOND;
  while (count_descriptors() != expected && clock_now() < end) {
    sleep_ns(EDDY_MILLISECOND);
  }
  CHECK_EQ(count_descriptors(), expected);
}

static void closing_ends_it_in_every_state(void) {
  eddy_loop *loop = make_loop();
  int port, free_port, listener = listen_plain(0, &port), index, turns, descriptors;
  endpoint fill[4], end;
  fill_backlog(fill, loop, port);
  close(listen_plain(1, &free_port));
  connect_to(&end, loop, "localhost", free_port); /* the first lookup opens what stays */
  while (end.connects == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  descriptors = count_descriptors();
  endpoint_close(&end);
  run_for(loop, EDDY_MILLISECOND);
  for (turns = 0; turns < 6; turns++) {
    connect_to(&end, loop, turns % 2 == 0 ? "127.0.0.1" : "localhost", port);
    for (index = 0; index < turns; index++) {
      CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
      sleep_ns(2 * EDDY_MILLISECOND);
    }
    endpoint_close(&end);
    run_for(loop, 10 * EDDY_MILLISECOND);
    CHECK_EQ(end.closed, 1);
    CHECK_EQ(end.connects, 0); /* closed first: the outcome is not told */
    check_descriptors(descriptors);
  }
  for (index = 0; index < 4; index++) {
    endpoint_close(&fill[index]);
  }
  end_loop(loop);
  close(listener);
}

static void close_self(endpoint *end) {
  endpoint_close(end);
}

static void it_may_be_closed_in_its_connect_callback(void) {
  eddy_loop *loop = make_loop();
  int port, free_port, listener = listen_plain(8, &port);
  endpoint good, bad, unknown;
  close(listen_plain(1, &free_port));
  connect_to(&good, loop, "localhost", port);
  connect_to(&bad, loop, "localhost", free_port);
  CHECK_EQ(start(&unknown, loop, "name.invalid", 9, 5 * EDDY_SECOND), 0);
  good.on_connect = bad.on_connect = unknown.on_connect = close_self;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(good.closed + bad.closed + unknown.closed, 3);
  CHECK_EQ(good.connect_status, 0);
  CHECK_EQ(bad.connect_status, EDDY_ECONNREFUSED);
  end_loop(loop);
  close(listener);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_name_is_looked_up_and_connected),
    TAP_TEST(an_address_as_text_is_connected),
    TAP_TEST(a_host_that_refuses_is_told),
    TAP_TEST(a_name_that_does_not_exist_is_told),
    TAP_TEST(the_timeout_holds_for_all_of_it),
    TAP_TEST(closing_ends_it_in_every_state),
    TAP_TEST(it_may_be_closed_in_its_connect_callback),
};
TAP_MAIN(tests)
