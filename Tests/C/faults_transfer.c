/* eddy/stream.h where read(2) and send(2) are short, interrupted, or fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults/faults.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

enum { LENGTH = 5000 }; /* no multiple of what a short call takes */

/* What a short call takes at most: one byte, and numbers that fall in with nothing. */
static const size_t shares[] = {1, 7, 999};
enum { SHARES = sizeof shares / sizeof shares[0] };

/* Writes LENGTH bytes in pieces of `piece` bytes, and runs until all of them have come. */
static void transfer(eddy_loop *loop, endpoint *from, endpoint *to, size_t piece) {
  uint8_t bytes[LENGTH];
  size_t sent = 0, before = to->received;
  to->checks_pattern = 1;
  CHECK_EQ(before % 251, 0); /* fill_pattern's period, so that the pattern goes on */
  while (sent < LENGTH) {
    size_t length = piece < LENGTH - sent ? piece : LENGTH - sent;
    fill_pattern(bytes, length, before + sent);
    CHECK(eddy_stream_write(from->stream, bytes, length) >= 0);
    sent += length;
  }
  while (to->received - before < LENGTH) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
    CHECK_EQ(to->ends, 0);
  }
  CHECK_EQ(to->received - before, LENGTH);
  while (eddy_stream_queued(from->stream) > 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
}

/* Which of the two calls a write takes is the stream's affair. */
static void shorten_sends(size_t bytes) {
  fault_short(FAULT_SEND, bytes);
  fault_short(FAULT_SENDMSG, bytes);
}

static int hits_of_sends(void) {
  return fault_hits(FAULT_SEND) + fault_hits(FAULT_SENDMSG);
}

/* Two pipe ends as endpoints: the first writes, the second reads. */
static void pipe_pair(endpoint ends[2], eddy_loop *loop) {
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&ends[0], loop, fds[1]);
  endpoint_open(&ends[1], loop, fds[0]);
  CHECK_EQ(eddy_stream_read_start(ends[1].stream), 0);
}

static void close_pair(endpoint ends[2], eddy_loop *loop) {
  fault_none();
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
  CHECK_EQ(ends[0].closed + ends[1].closed, 2);
}

static void short_sends_lose_nothing(void) {
  int index;
  for (index = 0; index < SHARES; index++) {
    eddy_loop *loop = make_loop();
    endpoint ends[2];
    endpoint_pair(ends, loop);
    shorten_sends(shares[index]);
    transfer(loop, &ends[0], &ends[1], 1000);
    CHECK(hits_of_sends() > 0);
    close_pair(ends, loop);
  }
}

static void short_writes_to_a_pipe_lose_nothing(void) {
  int index;
  for (index = 0; index < SHARES; index++) {
    eddy_loop *loop = make_loop();
    endpoint ends[2];
    pipe_pair(ends, loop);
    fault_short(FAULT_WRITEV, shares[index]);
    transfer(loop, &ends[0], &ends[1], 1000);
    CHECK(fault_hits(FAULT_WRITEV) > 0);
    close_pair(ends, loop);
  }
}

static void short_reads_lose_nothing(void) {
  int index;
  for (index = 1; index < SHARES; index++) { /* not 1: the loop reads 8 bytes from its eventfd */
    eddy_loop *loop = make_loop();
    endpoint ends[2];
    endpoint_pair(ends, loop);
    fault_short(FAULT_READ, shares[index] + 1);
    transfer(loop, &ends[0], &ends[1], LENGTH);
    CHECK(fault_hits(FAULT_READ) > 0);
    close_pair(ends, loop);
  }
}

/* Every second call to read, send or write is interrupted, or finds nothing after all. */
static void interruptions_lose_nothing(void) {
  static const int errors[] = {EINTR, EAGAIN};
  size_t index;
  for (index = 0; index < sizeof errors / sizeof errors[0]; index++) {
    eddy_loop *loop = make_loop();
    endpoint ends[2];
    endpoint_pair(ends, loop);
    fault_every_other(FAULT_READ, errors[index]);
    fault_every_other(FAULT_SEND, errors[index]);
    fault_every_other(FAULT_SENDMSG, errors[index]);
    shorten_sends(100);
    transfer(loop, &ends[0], &ends[1], 1000);
    CHECK(hits_of_sends() > 1 && fault_hits(FAULT_READ) > 1);
    close_pair(ends, loop);

    loop = make_loop();
    pipe_pair(ends, loop);
    fault_every_other(FAULT_READ, errors[index]);
    fault_every_other(FAULT_WRITEV, errors[index]);
    fault_short(FAULT_WRITEV, 100);
    transfer(loop, &ends[0], &ends[1], 1000);
    CHECK(fault_hits(FAULT_WRITEV) > 1 && fault_hits(FAULT_READ) > 1);
    close_pair(ends, loop);
  }
}

static void a_half_close_waits_for_short_sends(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  uint8_t bytes[LENGTH];
  endpoint_pair(ends, loop);
  ends[1].checks_pattern = 1;
  fill_pattern(bytes, sizeof bytes, 0);
  shorten_sends(100);
  CHECK(eddy_stream_write(ends[0].stream, bytes, sizeof bytes) > 0);
  CHECK_EQ(eddy_stream_shutdown(ends[0].stream), 0);
  while (ends[1].ends == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK_EQ(ends[1].end_status, EDDY_EOF);
  CHECK_EQ(ends[1].received, LENGTH);
  CHECK_EQ(ends[0].drains, 1);
  close_pair(ends, loop);
}

static void what_read_says_is_told_once(void) {
  static const struct {
    int error, code;
  } cases[] = {
      {ECONNRESET, EDDY_ECONNRESET},
      {ETIMEDOUT, EDDY_ETIMEDOUT},
      {EHOSTUNREACH, EDDY_EHOSTUNREACH},
      {EIO, EDDY_EIO},
      {EXFULL, EDDY_EUNKNOWN}};
  size_t index;
  for (index = 0; index < sizeof cases / sizeof cases[0]; index++) {
    eddy_loop *loop = make_loop();
    endpoint ends[2];
    endpoint_pair(ends, loop);
    endpoint_write(&ends[0], "lost");
    fault_nth(FAULT_READ, 1, cases[index].error);
    while (ends[1].ends == 0) {
      CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
    }
    CHECK_EQ(ends[1].end_status, cases[index].code);
    run_for(loop, 2 * EDDY_MILLISECOND);
    CHECK_EQ(ends[1].ends, 1);
    CHECK_EQ(ends[1].received, 0);
    CHECK_EQ(eddy_stream_read_start(ends[1].stream), EDDY_EOF);
    close_pair(ends, loop);
  }
}

static void what_send_says_at_once_is_the_result(void) {
  static const struct {
    int error, code;
  } cases[] = {
      {EPIPE, EDDY_EPIPE},
      {ECONNRESET, EDDY_ECONNRESET},
      {ENOBUFS, EDDY_ENOMEM},
      {EHOSTUNREACH, EDDY_EHOSTUNREACH}};
  size_t index;
  for (index = 0; index < sizeof cases / sizeof cases[0]; index++) {
    eddy_loop *loop = make_loop();
    endpoint ends[2];
    endpoint_pair(ends, loop);
    fault_nth(FAULT_SEND, 1, cases[index].error);
    CHECK_EQ(eddy_stream_write(ends[0].stream, "x", 1), cases[index].code);
    CHECK_EQ(eddy_stream_write(ends[0].stream, "x", 1), cases[index].code); /* for good */
    CHECK_EQ(fault_count(FAULT_SEND), 1);
    CHECK_EQ(eddy_stream_queued(ends[0].stream), 0);
    run_for(loop, 2 * EDDY_MILLISECOND);
    CHECK_EQ(ends[0].drains, 0);
    close_pair(ends, loop);
  }
}

static void what_send_says_of_the_queue_is_told_once(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  uint8_t bytes[LENGTH];
  endpoint_pair(ends, loop);
  fill_pattern(bytes, sizeof bytes, 0);
  fault_short(FAULT_SEND, 100);
  fault_nth(FAULT_SEND, 3, ECONNRESET);
  CHECK_EQ(eddy_stream_write(ends[0].stream, bytes, sizeof bytes), LENGTH - 100);
  while (ends[0].drains == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK_EQ(ends[0].drain_status, EDDY_ECONNRESET);
  CHECK_EQ(eddy_stream_queued(ends[0].stream), 0);
  CHECK_EQ(eddy_stream_write(ends[0].stream, "x", 1), EDDY_ECONNRESET);
  run_for(loop, 2 * EDDY_MILLISECOND);
  CHECK_EQ(ends[0].drains, 1);
  CHECK_EQ(fault_count(FAULT_SEND), 3);
  CHECK_EQ(ends[1].received, 200);
  close_pair(ends, loop);
}

static void note_done(int status, void *context) {
  *(int *)context = status;
}

/* A file that can't be read to its end: what has gone before it can't be taken back. */
static void what_sendfile_says_after_a_part_is_told_by_the_completion(void) {
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  uint8_t bytes[LENGTH];
  int file = open("file", O_RDWR | O_CREAT | O_EXCL, 0600), status = 1;
  endpoint_pair(ends, loop);
  fill_pattern(bytes, sizeof bytes, 0);
  CHECK(write(file, bytes, sizeof bytes) == LENGTH);
  fault_nth(FAULT_SENDFILE, 1, EIO);
  CHECK_EQ(
      eddy_stream_sendfile(ends[0].stream, file, 0, LENGTH, note_done, &status),
      EDDY_EIO); /* nothing has gone */
  fault_none();
  fault_short(FAULT_SENDFILE, 100);
  fault_nth(FAULT_SENDFILE, 3, EIO);
  CHECK_EQ(eddy_stream_sendfile(ends[0].stream, file, 0, LENGTH, note_done, &status), 0);
  CHECK_EQ(status, 1);
  while (status == 1 || ends[1].received < 200) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK_EQ(status, EDDY_EIO);
  endpoint_write(&ends[0], "x"); /* the stream is as it was */
  while (ends[1].received < 201) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  close_pair(ends, loop);
}

static const tap_test tests[] = {
    TAP_TEST(short_sends_lose_nothing),
    TAP_TEST(short_writes_to_a_pipe_lose_nothing),
    TAP_TEST(short_reads_lose_nothing),
    TAP_TEST(interruptions_lose_nothing),
    TAP_TEST(a_half_close_waits_for_short_sends),
    TAP_TEST(what_read_says_is_told_once),
    TAP_TEST(what_send_says_at_once_is_the_result),
    TAP_TEST(what_send_says_of_the_queue_is_told_once),
    TAP_TEST(what_sendfile_says_after_a_part_is_told_by_the_completion),
};
TAP_MAIN(tests)
