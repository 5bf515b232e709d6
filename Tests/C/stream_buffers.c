/* eddy/stream.h: vectored writes, and writes of a caller's buffers, with their completions. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

enum { BIG = 4 << 20 }; /* more than the kernel takes at once */

static uint8_t big[BIG];
static uint8_t sink[2 * BIG];

/* What the completions of a test have told, in their order. */
enum { MOST = 5000 };
static struct {
  int number[MOST], status[MOST];
  int count;
} done_log;
static int numbers[MOST];

static void note_done(int status, void *context) {
  CHECK(done_log.count < MOST);
  done_log.number[done_log.count] = (int)((int *)context - numbers);
  done_log.status[done_log.count++] = status;
}

/* A socket pair: the first end is a stream with no mark in the way, the other is plain and does not
 * block. */
static int open_end(endpoint *end, eddy_loop *loop) {
  eddy_stream_config config;
  int fds[2];
  make_socket_pair(fds);
  CHECK(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
  endpoint_init(end, loop);
  config = endpoint_config(end);
  config.write_high_mark = 1 << 30;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end->stream), 0);
  return fds[1];
}

static void check_sink(size_t length) {
  size_t index;
  for (index = 0; index < length; index++) {
    CHECK_EQ(sink[index], index % 251);
  }
}

static eddy_buffer region(const void *data, size_t length) {
  eddy_buffer buffer;
  buffer.data = data;
  buffer.length = length;
  return buffer;
}

static ptrdiff_t write_big(endpoint *end, size_t length, int number) {
  eddy_buffer buffer = region(big, length);
  return eddy_stream_write_buffers(end->stream, &buffer, 1, note_done, &numbers[number]);
}

static void a_buffer_is_laid_out_as_an_iovec(void) {
  CHECK_EQ(sizeof(eddy_buffer), sizeof(struct iovec));
  CHECK_EQ(offsetof(eddy_buffer, data), offsetof(struct iovec, iov_base));
  CHECK_EQ(offsetof(eddy_buffer, length), offsetof(struct iovec, iov_len));
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  eddy_buffer wrong[2] = {{"x", 1}, {NULL, 1}},
              huge[2] = {{"x", SIZE_MAX / 2}, {"x", SIZE_MAX / 2}};
  CHECK_EQ(eddy_stream_writev(NULL, wrong, 1), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_writev(end.stream, NULL, 1), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_writev(end.stream, wrong, 2), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_writev(end.stream, huge, 2), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_write_buffers(NULL, wrong, 1, note_done, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_write_buffers(end.stream, NULL, 1, note_done, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_write_buffers(end.stream, wrong, 1, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_write_buffers(end.stream, wrong, 2, note_done, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_write_buffers(end.stream, huge, 2, note_done, NULL), EDDY_EINVAL);
  CHECK(read(peer, sink, 1) < 0); /* nothing was written */
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(done_log.count, 0);
  close(peer);
}

/* writev. */

static void regions_are_written_in_their_order(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  eddy_buffer buffers[4] = {{"one", 3}, {NULL, 0}, {" two", 4}, {" three", 6}};
  CHECK_EQ(eddy_stream_writev(end.stream, buffers, 4), 0);
  CHECK_EQ(eddy_stream_writev(end.stream, buffers, 1), 0);
  CHECK_EQ(eddy_stream_writev(end.stream, NULL, 0), 0);
  CHECK_EQ(eddy_stream_writev(end.stream, buffers + 1, 1), 0);
  run_and_read(loop, peer, sink, 16);
  CHECK(memcmp(sink, "one two threeone", 16) == 0);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

/* More regions than one system call takes (IOV_MAX), and more bytes than the kernel takes. */
static void any_number_of_regions_is_written_whole(void) {
  enum { COUNT = 3000, EACH = 1021 };
  static eddy_buffer buffers[COUNT];
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), index;
  ptrdiff_t queued;
  fill_pattern(big, COUNT * EACH, 0);
  for (index = 0; index < COUNT; index++) {
    buffers[index] = region(big + index * EACH, EACH);
  }
  queued = eddy_stream_writev(end.stream, buffers, COUNT);
  CHECK(queued > 0 && queued < COUNT * EACH);
  CHECK_EQ(eddy_stream_queued(end.stream), queued);
  memset(big, 0, sizeof big); /* what was queued is a copy */
  run_and_read(loop, peer, sink, COUNT * EACH);
  check_sink(COUNT * EACH);
  CHECK_EQ(eddy_stream_queued(end.stream), 0);
  CHECK_EQ(end.drains, 1);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void a_thousand_small_regions_reach_the_kernel_at_once(void) {
  enum { COUNT = 2500 };
  static eddy_buffer buffers[COUNT];
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), index;
  fill_pattern(big, COUNT, 0);
  for (index = 0; index < COUNT; index++) {
    buffers[index] = region(big + index, 1);
  }
  CHECK_EQ(eddy_stream_writev(end.stream, buffers, COUNT), 0);
  run_and_read(loop, peer, sink, COUNT);
  check_sink(COUNT);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

/* write_buffers. */

static void a_completion_comes_from_the_loop_even_if_the_kernel_took_all(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  eddy_buffer buffers[2] = {{"zero", 4}, {" copy", 5}};
  CHECK_EQ(eddy_stream_write_buffers(end.stream, buffers, 2, note_done, &numbers[0]), 0);
  CHECK_EQ(eddy_stream_write_buffers(end.stream, buffers, 1, note_done, &numbers[1]), 0);
  CHECK_EQ(done_log.count, 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 2);
  CHECK_EQ(done_log.number[0], 0);
  CHECK_EQ(done_log.number[1], 1);
  CHECK_EQ(done_log.status[0] | done_log.status[1], 0);
  CHECK_EQ(end.drains, 0); /* never above the mark */
  run_and_read(loop, peer, sink, 13);
  CHECK(memcmp(sink, "zero copyzero", 13) == 0);
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(done_log.count, 2);
  close(peer);
}

static void a_write_of_nothing_is_completed_too(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  eddy_buffer nothing = {NULL, 0};
  CHECK_EQ(eddy_stream_write_buffers(end.stream, NULL, 0, note_done, &numbers[0]), 0);
  CHECK_EQ(eddy_stream_write_buffers(end.stream, &nothing, 1, note_done, &numbers[1]), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 2);
  fill_pattern(big, BIG, 0);
  CHECK(write_big(&end, BIG, 2) > 0);
  CHECK(eddy_stream_write_buffers(end.stream, NULL, 0, note_done, &numbers[3]) > 0);
  CHECK(write_big(&end, 251, 4) > 0);
  CHECK(eddy_stream_write_buffers(end.stream, &nothing, 1, note_done, &numbers[5]) > 0);
  run_and_read(loop, peer, sink, BIG + 251);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 6);
  CHECK_EQ(done_log.number[3], 3);
  CHECK_EQ(done_log.number[5], 5);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

/* Copies and buffers by turns: their bytes come in order, and the caller's are not copied. */
static void buffers_keep_their_order_with_copies(void) {
  enum { PART = 100003, PARTS = 30 };
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), index;
  fill_pattern(big, PART * PARTS, 0);
  for (index = 0; index < PARTS; index++) {
    const uint8_t *part = big + (size_t)index * PART;
    if (index % 3 == 0) {
      eddy_buffer buffers[2];
      buffers[0] = region(part, 7);
      buffers[1] = region(part + 7, PART - 7);
      CHECK(eddy_stream_write_buffers(end.stream, buffers, 2, note_done, &numbers[index / 3]) >= 0);
      memset(buffers, 0xff, sizeof buffers); /* the array itself was read */
    } else {
      CHECK(eddy_stream_write(end.stream, part, PART) >= 0);
    }
  }
  CHECK(eddy_stream_queued(end.stream) > 0);
  CHECK_EQ(done_log.count, 0);
  run_and_read(loop, peer, sink, PART * PARTS);
  check_sink(PART * PARTS);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, PARTS / 3);
  for (index = 0; index < done_log.count; index++) {
    CHECK_EQ(done_log.number[index], index);
    CHECK_EQ(done_log.status[index], 0);
  }
  CHECK_EQ(end.drains, 1);
  CHECK_EQ(eddy_stream_queued(end.stream), 0);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void queued_buffers_are_the_callers_memory(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  memset(big, 1, BIG);
  CHECK(write_big(&end, BIG, 0) > 0);
  memset(big, 2, BIG); /* against the rules: it shows that there is no copy */
  run_and_read(loop, peer, sink, BIG);
  CHECK_EQ(sink[0], 1);
  CHECK_EQ(sink[BIG - 1], 2);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void at_the_high_mark_buffers_are_refused(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  int fds[2];
  make_socket_pair(fds);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.write_high_mark = 1000;
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &end.stream), 0);
  CHECK(write_big(&end, BIG, 0) > 1000);
  CHECK_EQ(write_big(&end, 1, 1), EDDY_EAGAIN);
  CHECK_EQ(eddy_stream_write(end.stream, "x", 1), EDDY_EAGAIN);
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(done_log.count, 1);
  close(fds[1]);
}

static void before_it_is_connected_nothing_is_taken(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  char address[64];
  int port, listener = listen_plain(8, &port);
  endpoint end;
  CHECK(snprintf(address, sizeof address, "127.0.0.1:%d", port) > 0);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  CHECK_EQ(eddy_stream_connect(loop, address, &config, &end.stream), 0);
  CHECK_EQ(write_big(&end, 1, 0), EDDY_ENOTCONN);
  endpoint_close(&end);
  CHECK_EQ(write_big(&end, 1, 0), EDDY_EALREADY);
  end_loop(loop);
  CHECK_EQ(done_log.count, 0);
  close(listener);
}

/* Pipes. */

static void buffers_pass_a_pipe_whole(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint end;
  int fds[2], index;
  CHECK_EQ(eddy_pipe(fds), 0);
  CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.write_high_mark = 1 << 30;
  CHECK_EQ(eddy_stream_open(loop, fds[1], &config, &end.stream), 0);
  fill_pattern(big, 251 * 4000, 0);
  for (index = 0; index < 4; index++) {
    CHECK(write_big(&end, 251 * 1000, index) >= 0);
  }
  run_and_read(loop, fds[0], sink, 251 * 4000);
  for (index = 0; index < 251 * 4000; index++) {
    CHECK_EQ(sink[index], big[index % (251 * 1000)]);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 4);
  endpoint_close(&end);
  end_loop(loop);
  close(fds[0]);
}

static void a_pipe_that_nobody_reads_fails_buffers_without_a_signal(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[1]);
  CHECK(write_big(&end, BIG, 0) > 0);
  close(fds[0]);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 1);
  CHECK_EQ(done_log.status[0], EDDY_EPIPE);
  CHECK_EQ(end.drain_status, EDDY_EPIPE);
  CHECK_EQ(write_big(&end, 1, 1), EDDY_EPIPE);
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(done_log.count, 1);
}

/* Closing, and peers that are gone. */

static void check_told_then_closed(void *context) {
  endpoint *end = context;
  CHECK_EQ(done_log.count, 3); /* before the close callback */
  end->closed++;
}

static void closing_cancels_what_is_queued(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  CHECK_EQ(write_big(&end, 3, 0), 0);
  CHECK(write_big(&end, BIG, 1) > 0);
  CHECK(eddy_stream_write(end.stream, big, BIG) > 0);
  CHECK(write_big(&end, 3, 2) > 0);
  CHECK_EQ(eddy_stream_close(end.stream, check_told_then_closed), 0);
  CHECK_EQ(done_log.count, 0); /* never from inside a call */
  CHECK_EQ(eddy_stream_queued(end.stream), 0);
  CHECK_EQ(eddy_loop_destroy(loop), 0); /* runs close callbacks that are due */
  CHECK_EQ(end.closed, 1);
  CHECK_EQ(done_log.count, 3);
  CHECK_EQ(done_log.status[0], 0); /* the kernel had all of it */
  CHECK_EQ(done_log.status[1], EDDY_ECANCELED);
  CHECK_EQ(done_log.status[2], EDDY_ECANCELED);
  CHECK_EQ(done_log.number[2], 2);
  close(peer);
}

static void a_close_without_a_callback_completes_too(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  CHECK(write_big(&end, BIG, 0) > 0);
  CHECK_EQ(eddy_stream_reset(end.stream, NULL), 0);
  end_loop(loop);
  CHECK_EQ(done_log.count, 1);
  CHECK_EQ(done_log.status[0], EDDY_ECANCELED);
  close(peer);
}

static void a_peer_that_resets_fails_all_that_is_queued(void) {
  enum { COUNT = 2000 };
  struct linger abort_at_close = {1, 0};
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  int port, listener = listen_plain(8, &port), peer, index;
  endpoint end;
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  config.write_high_mark = SIZE_MAX / 2;
  CHECK_EQ(eddy_stream_open(loop, connect_plain(port), &config, &end.stream), 0);
  peer = accept(listener, NULL, NULL);
  CHECK(write_big(&end, BIG, 0) > 0);
  for (index = 1; index < COUNT; index++) {
    CHECK(write_big(&end, 10000, index) > 0);
  }
  CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof abort_at_close) == 0);
  close(peer);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, COUNT);
  for (index = 0; index < COUNT; index++) {
    CHECK_EQ(done_log.number[index], index);
    CHECK(done_log.status[index] == EDDY_ECONNRESET || done_log.status[index] == EDDY_EPIPE);
  }
  CHECK_EQ(end.drains, 1);
  CHECK_EQ(end.drain_status, done_log.status[0]);
  CHECK_EQ(eddy_stream_queued(end.stream), 0);
  CHECK_EQ(write_big(&end, 1, 0), end.drain_status);
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(done_log.count, COUNT);
  close(listener);
}

static void a_peer_that_is_gone_fails_the_call_and_completes_nothing(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  close(peer);
  CHECK_EQ(write_big(&end, 3, 0), EDDY_EPIPE);
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(done_log.count, 0);
}

/* What completions do to their stream. */

static endpoint *subject;

static void close_subject(int status, void *context) {
  note_done(status, context);
  if (subject->closed == 0) {
    int result = eddy_stream_close(subject->stream, endpoint_closed);
    CHECK(result == 0 || result == EDDY_EALREADY);
  }
}

static void a_completion_may_close_the_stream(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), index;
  eddy_buffer buffer = region(big, BIG), small = region(big, 10);
  subject = &end;
  fill_pattern(big, BIG, 0);
  CHECK(eddy_stream_write_buffers(end.stream, &buffer, 1, close_subject, &numbers[0]) > 0);
  CHECK(eddy_stream_write_buffers(end.stream, &small, 1, close_subject, &numbers[1]) > 0);
  CHECK(eddy_stream_write(end.stream, big, 10) > 0);
  run_and_read(loop, peer, sink, BIG + 20); /* the kernel had it before the completion was called */
  end_loop(loop);
  CHECK_EQ(end.closed, 1);
  CHECK_EQ(end.drains, 0);
  CHECK_EQ(done_log.count, 2);
  for (index = 0; index < 2; index++) {
    CHECK_EQ(done_log.number[index], index);
    CHECK_EQ(done_log.status[index], 0);
  }
  close(peer);
}

static void a_completion_that_follows_a_close_is_told_what_became_of_it(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  eddy_buffer small = region("first", 5), buffer = region(big, BIG);
  subject = &end;
  CHECK_EQ(eddy_stream_write_buffers(end.stream, &small, 1, close_subject, &numbers[0]), 0);
  CHECK_EQ(eddy_stream_write_buffers(end.stream, &small, 1, close_subject, &numbers[1]), 0);
  CHECK(eddy_stream_write_buffers(end.stream, &buffer, 1, close_subject, &numbers[2]) > 0);
  end_loop(loop);
  CHECK_EQ(end.closed, 1);
  CHECK_EQ(done_log.count, 3);
  CHECK_EQ(done_log.status[0], 0);
  CHECK_EQ(done_log.status[1], 0); /* the kernel had it before the close */
  CHECK_EQ(done_log.status[2], EDDY_ECANCELED);
  close(peer);
}

static void write_again(int status, void *context) {
  eddy_buffer small = region("again", 5);
  note_done(status, context);
  if (status == 0 && done_log.count < 1000) {
    CHECK(eddy_stream_write_buffers(subject->stream, &small, 1, write_again, context) >= 0);
  }
}

static int ticks;

static void count_tick(eddy_timer *timer, void *context) {
  (void)timer;
  (void)context;
  ticks++;
}

/* Each completion writes anew, which the kernel takes at once: the others' turn comes all the same.
 */
static void a_completion_that_writes_does_not_hold_up_the_loop(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), turns = 0;
  eddy_timer *timer;
  subject = &end;
  write_again(0, &numbers[0]);
  CHECK_EQ(eddy_timer_create(loop, count_tick, NULL, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 1, 1), 0);
  while (done_log.count < 1000) {
    int before = done_log.count;
    CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
    CHECK(done_log.count <= before + 2);
    CHECK(read(peer, sink, sizeof sink) != 0);
    turns++;
  }
  CHECK(turns >= 499);
  CHECK(ticks > 100);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void cancelled_writer(int status, void *context) {
  note_done(status, context);
  CHECK_EQ(write_big(subject, 1, 5), EDDY_EALREADY);
  CHECK_EQ(eddy_stream_close(subject->stream, NULL), EDDY_EALREADY);
  CHECK_EQ(eddy_stream_queued(subject->stream), 0);
}

static void a_cancelled_completion_may_use_the_stream(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  eddy_buffer buffer = region(big, BIG);
  subject = &end;
  CHECK(eddy_stream_write_buffers(end.stream, &buffer, 1, cancelled_writer, &numbers[0]) > 0);
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(end.closed, 1);
  CHECK_EQ(done_log.count, 1);
  close(peer);
}

static void completions_come_before_the_end_of_a_half_close(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop);
  CHECK(write_big(&end, BIG, 0) > 0);
  CHECK_EQ(eddy_stream_shutdown(end.stream), 0);
  CHECK_EQ(write_big(&end, 1, 1), EDDY_EPIPE);
  {
    size_t received = 0;
    ssize_t count;
    do {
      CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
      count = read(peer, sink, sizeof sink);
      received += count > 0 ? (size_t)count : 0;
    } while (count != 0);
    CHECK_EQ(received, BIG);
  }
  CHECK_EQ(done_log.count, 1);
  CHECK_EQ(done_log.status[0], 0);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static const tap_test tests[] = {
    TAP_TEST(a_buffer_is_laid_out_as_an_iovec),
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(regions_are_written_in_their_order),
    TAP_TEST(any_number_of_regions_is_written_whole),
    TAP_TEST(a_thousand_small_regions_reach_the_kernel_at_once),
    TAP_TEST(a_completion_comes_from_the_loop_even_if_the_kernel_took_all),
    TAP_TEST(a_write_of_nothing_is_completed_too),
    TAP_TEST(buffers_keep_their_order_with_copies),
    TAP_TEST(queued_buffers_are_the_callers_memory),
    TAP_TEST(at_the_high_mark_buffers_are_refused),
    TAP_TEST(before_it_is_connected_nothing_is_taken),
    TAP_TEST(buffers_pass_a_pipe_whole),
    TAP_TEST(a_pipe_that_nobody_reads_fails_buffers_without_a_signal),
    TAP_TEST(closing_cancels_what_is_queued),
    TAP_TEST(a_close_without_a_callback_completes_too),
    TAP_TEST(a_peer_that_resets_fails_all_that_is_queued),
    TAP_TEST(a_peer_that_is_gone_fails_the_call_and_completes_nothing),
    TAP_TEST(a_completion_may_close_the_stream),
    TAP_TEST(a_completion_that_follows_a_close_is_told_what_became_of_it),
    TAP_TEST(a_completion_that_writes_does_not_hold_up_the_loop),
    TAP_TEST(a_cancelled_completion_may_use_the_stream),
    TAP_TEST(completions_come_before_the_end_of_a_half_close),
};
TAP_MAIN(tests)
