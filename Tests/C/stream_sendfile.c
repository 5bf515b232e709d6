/* eddy/stream.h: files that the kernel sends by itself. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

enum { FILE_SIZE = 6 << 20 };

static uint8_t content[FILE_SIZE];
static uint8_t sink[FILE_SIZE + 1000];

static struct {
  int status[100];
  int count;
} done_log;

static void note_done(int status, void *context) {
  CHECK(context == &done_log);
  CHECK(done_log.count < 100);
  done_log.status[done_log.count++] = status;
}

static int make_file(void) {
  int fd = open("content", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(fd >= 0);
  fill_pattern(content, FILE_SIZE, 0);
  CHECK(write(fd, content, FILE_SIZE) == FILE_SIZE);
  return fd;
}

static ptrdiff_t send_part(endpoint *end, int fd, uint64_t offset, uint64_t length) {
  return eddy_stream_sendfile(end->stream, fd, offset, length, note_done, &done_log);
}

static int open_end(endpoint *end, eddy_loop *loop) {
  int fds[2];
  make_socket_pair(fds);
  CHECK(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
  endpoint_open(end, loop, fds[0]);
  return fds[1];
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file(), unreadable, fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  unreadable = open("content", O_WRONLY);
  CHECK(unreadable >= 0);
  CHECK_EQ(eddy_stream_sendfile(NULL, file, 0, 1, note_done, &done_log), EDDY_EINVAL);
  CHECK_EQ(eddy_stream_sendfile(end.stream, file, 0, 1, NULL, &done_log), EDDY_EINVAL);
  CHECK_EQ(send_part(&end, file, UINT64_MAX, 2), EDDY_EINVAL);
  CHECK_EQ(send_part(&end, file, (uint64_t)1 << 63, 1), EDDY_EINVAL);
  CHECK_EQ(send_part(&end, -1, 0, 1), EDDY_EBADF);
  CHECK_EQ(send_part(&end, 999, 0, 1), EDDY_EBADF);
  CHECK_EQ(send_part(&end, unreadable, 0, 1), EDDY_EBADF);
  CHECK_EQ(send_part(&end, fds[0], 0, 1), EDDY_EINVAL);
  CHECK_EQ(send_part(&end, peer, 0, 1), EDDY_EINVAL);
  endpoint_write(&end, "still works");
  endpoint_close(&end);
  CHECK_EQ(send_part(&end, file, 0, 1), EDDY_EALREADY);
  end_loop(loop);
  CHECK_EQ(done_log.count, 0);
  close(peer);
}

static void a_part_of_a_file_is_sent(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file();
  CHECK(lseek(file, 7, SEEK_SET) == 7);
  CHECK_EQ(send_part(&end, file, 1000, 500), 0);
  CHECK_EQ(done_log.count, 0); /* always from the loop */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 1);
  CHECK_EQ(done_log.status[0], 0);
  run_and_read(loop, peer, sink, 500);
  CHECK(memcmp(sink, content + 1000, 500) == 0);
  CHECK(lseek(file, 0, SEEK_CUR) == 7); /* the file offset is the program's */
  endpoint_close(&end);
  end_loop(loop);
  CHECK_EQ(done_log.count, 1);
  close(peer);
}

static void a_part_of_nothing_is_completed(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file();
  CHECK_EQ(send_part(&end, file, 5, 0), 0);
  CHECK_EQ(done_log.count, 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 1);
  CHECK_EQ(done_log.status[0], 0);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

/* Before and after what is copied, more than the kernel takes at once; it counts as nothing. */
static void check_a_large_file(endpoint *end, int peer) {
  int file = make_file();
  endpoint_write(end, "head");
  CHECK_EQ(send_part(end, file, 0, FILE_SIZE), 0);
  CHECK_EQ(eddy_stream_queued(end->stream), 0);
  CHECK_EQ(eddy_loop_alive(end->loop), 1);
  CHECK_EQ(eddy_stream_write(end->stream, "middle", 6), 6);
  CHECK_EQ(send_part(end, file, 10, 20), 6);
  CHECK_EQ(eddy_stream_write(end->stream, "tail", 4), 10);
  run_and_read(end->loop, peer, sink, 4 + FILE_SIZE + 6 + 20 + 4);
  CHECK(memcmp(sink, "head", 4) == 0);
  CHECK(memcmp(sink + 4, content, FILE_SIZE) == 0);
  CHECK(memcmp(sink + 4 + FILE_SIZE, "middle", 6) == 0);
  CHECK(memcmp(sink + 10 + FILE_SIZE, content + 10, 20) == 0);
  CHECK(memcmp(sink + 30 + FILE_SIZE, "tail", 4) == 0);
  CHECK_EQ(eddy_loop_run(end->loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 2);
  CHECK_EQ(done_log.status[0] | done_log.status[1], 0);
  CHECK_EQ(end->drains, 1);
  endpoint_close(end);
  end_loop(end->loop);
  close(peer);
  close(file);
}

static void a_large_file_keeps_its_order_on_a_unix_socket(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  check_a_large_file(&end, open_end(&end, loop));
}

static void a_large_file_keeps_its_order_on_tcp(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int port, listener = listen_plain(8, &port), peer;
  endpoint_open(&end, loop, connect_plain(port));
  peer = accept(listener, NULL, NULL);
  CHECK(fcntl(peer, F_SETFL, O_NONBLOCK) == 0);
  check_a_large_file(&end, peer);
  close(listener);
}

static void a_large_file_keeps_its_order_on_a_pipe(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
  endpoint_open(&end, loop, fds[1]);
  check_a_large_file(&end, fds[0]);
}

static void a_file_that_ends_too_early_is_told(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file();
  CHECK_EQ(send_part(&end, file, FILE_SIZE - 3, 10), 0);
  CHECK_EQ(send_part(&end, file, FILE_SIZE + 3, 10), 0);
  CHECK_EQ(done_log.count, 0);
  CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
  CHECK_EQ(send_part(&end, file, FILE_SIZE - 1, 2), 0);
  CHECK_EQ(eddy_stream_write(end.stream, "go on", 5), 5);
  run_and_read(loop, peer, sink, 3 + FILE_SIZE + 1 + 5);
  CHECK(memcmp(sink + FILE_SIZE + 4, "go on", 5) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 4);
  CHECK_EQ(done_log.status[0], EDDY_EOF);
  CHECK_EQ(done_log.status[1], EDDY_EOF);
  CHECK_EQ(done_log.status[2], 0);
  CHECK_EQ(done_log.status[3], EDDY_EOF);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void a_file_that_was_closed_too_early_fails_alone(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file(), other = dup(file);
  CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
  CHECK_EQ(send_part(&end, other, 0, 10), 0);
  CHECK_EQ(eddy_stream_write(end.stream, "go on", 5), 5);
  close(other); /* against the rules */
  run_and_read(loop, peer, sink, FILE_SIZE + 5);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 2);
  CHECK_EQ(done_log.status[0], 0);
  CHECK_EQ(done_log.status[1], EDDY_EBADF);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

static void closing_cancels_a_file(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file();
  CHECK_EQ(send_part(&end, file, 0, 10), 0);
  CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
  CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
  endpoint_close(&end);
  CHECK_EQ(done_log.count, 0);
  end_loop(loop);
  CHECK_EQ(end.closed, 1);
  CHECK_EQ(done_log.count, 3);
  CHECK_EQ(done_log.status[0], 0);
  CHECK_EQ(done_log.status[1], EDDY_ECANCELED);
  CHECK_EQ(done_log.status[2], EDDY_ECANCELED);
  close(peer);
}

static void a_half_close_waits_for_the_file(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file();
  size_t received = 0;
  ssize_t count;
  CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
  CHECK_EQ(eddy_stream_shutdown(end.stream), 0);
  CHECK_EQ(send_part(&end, file, 0, 1), EDDY_EPIPE);
  while ((count = read(peer, sink, sizeof sink)) != 0) {
    received += count > 0 ? (size_t)count : 0;
    CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
  }
  CHECK_EQ(received, FILE_SIZE);
  CHECK_EQ(done_log.count, 1);
  endpoint_close(&end);
  end_loop(loop);
  close(peer);
}

/* Peers that are gone: sendfile(2) would raise SIGPIPE, whose default would end this process. */

static void check_gone(endpoint *end, int file) {
  ptrdiff_t result = 0;
  sigset_t pending;
  int round, calls = 0;
  for (round = 0; round < 50 && result >= 0; round++) { /* TCP may yet take the first */
    result = send_part(end, file, 0, 10);
    calls += result >= 0;
    sleep_ns(EDDY_MILLISECOND);
  }
  CHECK(result == EDDY_EPIPE || result == EDDY_ECONNRESET);
  CHECK_EQ(eddy_stream_write(end->stream, "x", 1), result);
  CHECK_EQ(eddy_loop_run(end->loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, calls);
  CHECK(sigpending(&pending) == 0);
  CHECK_EQ(sigismember(&pending, SIGPIPE), 0);
  endpoint_close(end);
  end_loop(end->loop);
}

static void a_tcp_peer_that_is_gone_raises_no_signal(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int port, listener = listen_plain(8, &port);
  endpoint_open(&end, loop, connect_plain(port));
  close(accept(listener, NULL, NULL));
  check_gone(&end, make_file());
}

static void a_unix_peer_that_is_gone_raises_no_signal(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  close(open_end(&end, loop));
  check_gone(&end, make_file());
}

static void a_pipe_that_nobody_reads_raises_no_signal(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&end, loop, fds[1]);
  close(fds[0]);
  check_gone(&end, make_file());
}

/* Goes after a number of reads. */
typedef struct leaver {
  int fd, reads;
} leaver;

static void *read_and_leave(void *context) {
  const leaver *leaver = context;
  static char bytes[32768];
  int count;
  for (count = 0; count < leaver->reads; count++) {
    CHECK(read(leaver->fd, bytes, sizeof bytes) > 0);
  }
  CHECK(close(leaver->fd) == 0);
  return NULL;
}

/* Between two portions of one sendfile(2), which then tells how much it wrote and not EPIPE. */
static void a_peer_that_goes_within_a_call_raises_no_signal(void) {
  enum { ROUNDS = 300, MOST_READS = 30 };
  eddy_loop *loop = make_loop();
  int round, file = make_file(), size = FILE_SIZE;
  for (round = 0; round < ROUNDS; round++) {
    endpoint end;
    leaver peer;
    pthread_t thread;
    int fds[2];
    make_socket_pair(fds);
    /* More room lets a call go on for longer; the system's limit may hold it to less. */
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    endpoint_open(&end, loop, fds[0]);
    peer.fd = fds[1];
    peer.reads = 1 + round % MOST_READS;
    CHECK(pthread_create(&thread, NULL, read_and_leave, &peer) == 0);
    done_log.count = 0;
    CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(done_log.count, 1);
    CHECK(done_log.status[0] == EDDY_EPIPE || done_log.status[0] == EDDY_ECONNRESET);
    CHECK(pthread_join(thread, NULL) == 0);
    endpoint_close(&end);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  }
  end_loop(loop);
}

static void a_peer_that_goes_in_the_middle_fails_the_file_and_what_follows(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  int peer = open_end(&end, loop), file = make_file();
  CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
  CHECK_EQ(send_part(&end, file, 0, FILE_SIZE), 0);
  close(peer);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(done_log.count, 2);
  CHECK(done_log.status[0] == EDDY_EPIPE || done_log.status[0] == EDDY_ECONNRESET);
  CHECK_EQ(done_log.status[1], done_log.status[0]);
  CHECK_EQ(end.drain_status, done_log.status[0]);
  endpoint_close(&end);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_part_of_a_file_is_sent),
    TAP_TEST(a_part_of_nothing_is_completed),
    TAP_TEST(a_large_file_keeps_its_order_on_a_unix_socket),
    TAP_TEST(a_large_file_keeps_its_order_on_tcp),
    TAP_TEST(a_large_file_keeps_its_order_on_a_pipe),
    TAP_TEST(a_file_that_ends_too_early_is_told),
    TAP_TEST(a_file_that_was_closed_too_early_fails_alone),
    TAP_TEST(closing_cancels_a_file),
    TAP_TEST(a_half_close_waits_for_the_file),
    TAP_TEST(a_tcp_peer_that_is_gone_raises_no_signal),
    TAP_TEST(a_unix_peer_that_is_gone_raises_no_signal),
    TAP_TEST(a_pipe_that_nobody_reads_raises_no_signal),
    TAP_TEST(a_peer_that_goes_within_a_call_raises_no_signal),
    TAP_TEST(a_peer_that_goes_in_the_middle_fails_the_file_and_what_follows),
};
TAP_MAIN(tests)
