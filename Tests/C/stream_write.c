/* eddy/stream.h: the write queue, its marks, and peers that are gone; sockets and pipes. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  endpoint_pair(ends, loop);
  if (!tap_under_valgrind()) { /* the kernel is asked, and valgrind takes that for a mistake */
    CHECK_EQ(eddy_stream_write(ends[0].stream, NULL, 1), EDDY_EINVAL);
  }
  CHECK_EQ(eddy_stream_write(ends[0].stream, NULL, 0), 0);
  CHECK_EQ(eddy_stream_write(ends[0].stream, "", 0), 0);
  CHECK_EQ(eddy_stream_queued(ends[0].stream), 0);
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
}

/* Writes blocks of the pattern until the stream refuses; the number of bytes that it took. */
static size_t write_until_refused(endpoint *end, size_t block, size_t high_mark) {
  uint8_t *bytes = malloc(block);
  size_t written = 0;
  ptrdiff_t result, before;
  CHECK(bytes != NULL);
  for (;;) {
    fill_pattern(bytes, block, written);
    before = eddy_stream_queued(end->stream);
    result = eddy_stream_write(end->stream, bytes, block);
    if (result < 0) {
      break;
    }
    CHECK(before < (ptrdiff_t)high_mark);
    CHECK_EQ(result, eddy_stream_queued(end->stream));
    written += block;
  }
  CHECK_EQ(result, EDDY_EAGAIN);
  CHECK_EQ(eddy_stream_queued(end->stream), before); /* nothing was taken */
  CHECK(before >= (ptrdiff_t)high_mark);
  free(bytes);
  return written;
}

/* A socket pair whose first end is a stream with these marks, and whose other end is plain. */
static int open_with_marks(endpoint *end, eddy_loop *loop, size_t high_mark, size_t low_mark) {
  eddy_stream_config config;
  int fds[2];
  make_socket_pair(fds);
  endpoint_init(end, loop);
  config = endpoint_config(end);
  config.write_high_mark = high_mark;
  config.write_low_mark = low_mark;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end->stream), 0);
  return fds[1];
}

static void check_queue_is_low(endpoint *end) {
  CHECK(eddy_stream_queued(end->stream) <= 20000);
  CHECK_EQ(end->drains, 1);
}

static void at_the_high_mark_a_write_is_refused_until_the_low_mark(void) {
  enum { HIGH = 100000, LOW = 20000 };
  static uint8_t sink[3000000];
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_with_marks(&end, loop, HIGH, LOW);
  size_t written = write_until_refused(&end, 30000, HIGH);
  CHECK_EQ(end.drains, 0);
  CHECK_EQ(eddy_loop_alive(loop), 1); /* bytes to write keep the loop alive */
  end.on_drain = check_queue_is_low;
  CHECK(written <= sizeof sink);
  CHECK(fcntl(peer, F_SETFL, O_NONBLOCK) == 0);
  {
    size_t received = 0;
    while (received < written) {
      ssize_t count = read(peer, sink + received, written - received);
      if (count > 0) {
        received += (size_t)count;
      }
      CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
    }
  }
  {
    size_t index;
    for (index = 0; index < written; index++) {
      CHECK_EQ(sink[index], index % 251);
    }
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.drains, 1); /* once for the time above the mark */
  CHECK_EQ(end.drain_status, 0);
  CHECK_EQ(eddy_stream_queued(end.stream), 0);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), 0);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void the_default_high_mark_is_one_mebibyte(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_with_marks(&end, loop, 0, 0);
  write_until_refused(&end, 1000, 1048576);
  CHECK(eddy_stream_queued(end.stream) < 1048576 + 1000);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void a_write_of_nothing_tells_how_much_is_queued(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_with_marks(&end, loop, 1 << 30, 0);
  static uint8_t bytes[1000000];
  ptrdiff_t queued = eddy_stream_write(end.stream, bytes, sizeof bytes);
  CHECK(queued > 0);
  CHECK_EQ(eddy_stream_write(end.stream, bytes, 0), queued);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void a_write_that_the_kernel_takes_is_not_drained(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  endpoint_pair(ends, loop);
  endpoint_write(&ends[0], "small");
  run_for(loop, 5 * EDDY_MILLISECOND);
  CHECK_EQ(ends[0].drains, 0);
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
}

/* The pump: fills the queue again each time it is drained, until TOTAL bytes are on the way. */
enum { TOTAL = 8 << 20, BLOCK = 70001 };
static size_t pumped;

static void pump(endpoint *end) {
  static uint8_t bytes[BLOCK];
  CHECK_EQ(end->drain_status, 0);
  while (pumped < TOTAL) {
    size_t length = TOTAL - pumped < BLOCK ? TOTAL - pumped : BLOCK;
    ptrdiff_t result;
    fill_pattern(bytes, length, pumped);
    result = eddy_stream_write(end->stream, bytes, length);
    if (result == EDDY_EAGAIN) {
      return;
    }
    CHECK(result >= 0);
    pumped += length;
  }
  if (pumped == TOTAL) {
    pumped++;
    CHECK_EQ(eddy_stream_shutdown(end->stream), 0); /* with bytes still in the queue */
  }
}

static void transfer(endpoint *from, endpoint *to) {
  to->checks_pattern = 1;
  from->on_drain = pump;
  CHECK_EQ(eddy_stream_read_start(to->stream), 0);
  pump(from);
  CHECK_EQ(eddy_loop_run(to->loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(to->received, TOTAL);
  CHECK_EQ(to->end_status, EDDY_EOF);
  endpoint_close(from);
  endpoint_close(to);
  end_loop(to->loop);
}

static void megabytes_pass_a_tcp_connection_whole(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port);
  endpoint from, to;
  endpoint_open(&from, loop, connect_plain(port));
  endpoint_open(&to, loop, accept(listener, NULL, NULL));
  transfer(&from, &to);
}

static void megabytes_pass_a_unix_socket_whole(void) {
  eddy_loop *loop = make_loop();
  endpoint from, to;
  int fds[2];
  make_socket_pair(fds);
  endpoint_open(&from, loop, fds[0]);
  endpoint_open(&to, loop, fds[1]);
  transfer(&from, &to);
}

static void megabytes_pass_a_pipe_whole(void) {
  eddy_loop *loop = make_loop();
  endpoint from, to;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&from, loop, fds[1]);
  endpoint_open(&to, loop, fds[0]);
  transfer(&from, &to);
}

/* Closing with bytes in the queue. */

static void closing_drops_what_is_queued(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_with_marks(&end, loop, 100000, 0);
  size_t written = write_until_refused(&end, 10000, 100000), received = 0;
  char buffer[65536];
  ssize_t count;
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(end.drains, 0);
  while ((count = read(peer, buffer, sizeof buffer)) > 0) {
    received += (size_t)count;
  }
  CHECK(received < written);
  close(peer);
}

static void close_self(endpoint *end) {
  endpoint_close(end);
}

static void a_stream_may_close_itself_in_its_drain_callback(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  static uint8_t bytes[1 << 20];
  endpoint_pair(ends, loop);
  ends[0].on_drain = close_self;
  CHECK(eddy_stream_write(ends[0].stream, bytes, sizeof bytes) > 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(ends[0].drains, 1);
  CHECK_EQ(ends[0].closed, 1);
  CHECK_EQ(ends[1].received, sizeof bytes);
  endpoint_close(&ends[1]);
  end_loop(loop);
}

/* Peers that are gone: an error, and no SIGPIPE, whose default would end this process. */

static void check_write_fails(eddy_stream *stream) {
  struct sigaction action;
  sigset_t pending;
  ptrdiff_t result = 0;
  int round;
  CHECK(sigaction(SIGPIPE, NULL, &action) == 0);
  CHECK(action.sa_handler == SIG_DFL);
  for (round = 0; round < 50 && result >= 0; round++) { /* the first may yet be taken by TCP */
    result = eddy_stream_write(stream, "x", 1);
    sleep_ns(EDDY_MILLISECOND);
  }
  CHECK(result == EDDY_EPIPE || result == EDDY_ECONNRESET);
  CHECK(eddy_stream_write(stream, "x", 1) < 0);
  CHECK_EQ(eddy_stream_queued(stream), 0);
  CHECK(sigpending(&pending) == 0);
  CHECK_EQ(sigismember(&pending, SIGPIPE), 0);
}

static void writing_to_a_closed_tcp_peer_fails_without_a_signal(void) {
  eddy_loop *loop = make_loop();
  int port, listener = listen_plain(8, &port);
  endpoint end;
  endpoint_open(&end, loop, connect_plain(port));
  close(accept(listener, NULL, NULL));
  check_write_fails(end.stream);
  endpoint_close(&end);
  end_loop(loop);
  close(listener);
}

static void writing_to_a_closed_unix_peer_fails_without_a_signal(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2];
  make_socket_pair(fds);
  endpoint_open(&end, loop, fds[0]);
  close(fds[1]);
  check_write_fails(end.stream);
  endpoint_close(&end);
  end_loop(loop);
}

static void writing_to_a_pipe_that_nobody_reads_fails_without_a_signal(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[1]);
  close(fds[0]);
  check_write_fails(end.stream);
  endpoint_close(&end);
  end_loop(loop);
}

static void a_sigpipe_that_the_host_blocks_and_awaits_is_left_to_it(void) {
  eddy_loop *loop = make_loop();
  sigset_t blocked, pending;
  endpoint end;
  int fds[2];
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGPIPE);
  CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
  CHECK(raise(SIGPIPE) == 0);
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[1]);
  close(fds[0]);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), EDDY_EPIPE);
  CHECK(sigpending(&pending) == 0);
  CHECK_EQ(sigismember(&pending, SIGPIPE), 1);
  CHECK(sigprocmask(SIG_BLOCK, NULL, &blocked) == 0);
  CHECK_EQ(sigismember(&blocked, SIGPIPE), 1);
  endpoint_close(&end);
  end_loop(loop);
}

static void a_queue_that_cannot_be_written_any_more_is_dropped_and_told(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_with_marks(&end, loop, 100000, 1000);
  write_until_refused(&end, 10000, 100000);
  close(peer);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.drains, 1);
  CHECK(end.drain_status == EDDY_EPIPE || end.drain_status == EDDY_ECONNRESET);
  CHECK_EQ(eddy_stream_queued(end.stream), 0);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), end.drain_status);
  endpoint_close(&end);
  end_loop(loop);
}

/* Pipes. */

static void a_pipe_is_close_on_exec_at_both_ends(void) {
  int fds[2];
  CHECK_EQ(eddy_pipe(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_pipe(fds), 0);
  CHECK((fcntl(fds[0], F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(fds[1], F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(write(fds[1], "x", 1) == 1); /* the reading end comes first */
  CHECK((fcntl(fds[0], F_GETFL) & O_ACCMODE) == O_RDONLY);
}

static void ending_a_pipe_ends_its_reader(void) {
  eddy_loop *loop = make_loop();
  endpoint from, to;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&from, loop, fds[1]);
  endpoint_open(&to, loop, fds[0]);
  CHECK_EQ(eddy_stream_read_start(to.stream), 0);
  endpoint_write(&from, "through");
  CHECK_EQ(eddy_stream_shutdown(from.stream), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(to.text, "through");
  CHECK_EQ(to.end_status, EDDY_EOF);
  CHECK_EQ(eddy_stream_write(from.stream, "x", 1), EDDY_EPIPE);
  endpoint_close(&from);
  endpoint_close(&to);
  end_loop(loop);
  CHECK_EQ(from.closed + to.closed, 2);
}

/* Its descriptor is closed, and the number may be another's by now. */
static void a_pipe_that_was_ended_cannot_be_read(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2], others[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[1]);
  CHECK_EQ(eddy_stream_shutdown(end.stream), 0);
  CHECK_EQ(eddy_stream_fd(end.stream), EDDY_EINVAL);
  make_socket_pair(others);
  CHECK(others[0] == fds[1] || others[1] == fds[1]);
  CHECK(write(others[0], "x", 1) == 1 && write(others[1], "x", 1) == 1);
  CHECK_EQ(eddy_stream_read_start(end.stream), EDDY_ENOTCONN);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.received + (size_t)end.ends, 0);
  endpoint_close(&end);
  end_loop(loop);
  close(others[0]);
  close(others[1]);
  close(fds[0]);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(at_the_high_mark_a_write_is_refused_until_the_low_mark),
    TAP_TEST(the_default_high_mark_is_one_mebibyte),
    TAP_TEST(a_write_of_nothing_tells_how_much_is_queued),
    TAP_TEST(a_write_that_the_kernel_takes_is_not_drained),
    TAP_TEST(megabytes_pass_a_tcp_connection_whole),
    TAP_TEST(megabytes_pass_a_unix_socket_whole),
    TAP_TEST(megabytes_pass_a_pipe_whole),
    TAP_TEST(closing_drops_what_is_queued),
    TAP_TEST(a_stream_may_close_itself_in_its_drain_callback),
    TAP_TEST(writing_to_a_closed_tcp_peer_fails_without_a_signal),
    TAP_TEST(writing_to_a_closed_unix_peer_fails_without_a_signal),
    TAP_TEST(writing_to_a_pipe_that_nobody_reads_fails_without_a_signal),
    TAP_TEST(a_sigpipe_that_the_host_blocks_and_awaits_is_left_to_it),
    TAP_TEST(a_queue_that_cannot_be_written_any_more_is_dropped_and_told),
    TAP_TEST(a_pipe_is_close_on_exec_at_both_ends),
    TAP_TEST(ending_a_pipe_ends_its_reader),
    TAP_TEST(a_pipe_that_was_ended_cannot_be_read),
};
TAP_MAIN(tests)
