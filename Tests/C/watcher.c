/* eddy/watcher.h. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* A watcher with what it has seen. */
typedef struct probe {
  eddy_watcher *watcher, *other;
  int fd, calls, seen, closed, limit;
} probe;

static void count_closed(void *context) {
  probe *probe = context;
  probe->closed++;
}

/* Notes the events, and stops after `limit` calls. */
static void note_events(eddy_watcher *watcher, int events, void *context) {
  probe *probe = context;
  CHECK(watcher == probe->watcher);
  CHECK(events != 0 && (events & ~(EDDY_READABLE | EDDY_WRITABLE)) == 0);
  CHECK_EQ(probe->closed, 0);
  probe->seen |= events;
  if (++probe->calls >= probe->limit) {
    CHECK_EQ(eddy_watcher_stop(watcher), 0);
  }
}

static void make_probe(eddy_loop *loop, int fd, eddy_watcher_cb callback, probe *probe) {
  probe->other = NULL;
  probe->fd = fd;
  probe->calls = probe->seen = probe->closed = 0;
  probe->limit = 1;
  CHECK_EQ(eddy_watcher_create(loop, fd, callback, probe, &probe->watcher), 0);
}

/* Arguments. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_watcher *watcher;
  int fds[2];
  make_socket_pair(fds);
  CHECK_EQ(eddy_watcher_create(NULL, fds[0], note_events, NULL, &watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], NULL, NULL, &watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], note_events, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_start(NULL, EDDY_READABLE), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_stop(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_close(NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], note_events, NULL, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, 0), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_start(watcher, 4), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_start(watcher, -1), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE | 8), EDDY_EINVAL);
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  end_loop(loop);
}

static void a_descriptor_that_is_not_open_is_bad(void) {
  eddy_loop *loop = make_loop();
  eddy_watcher *watcher;
  int fds[2];
  make_socket_pair(fds);
  close(fds[1]);
  CHECK_EQ(eddy_watcher_create(loop, fds[1], note_events, NULL, &watcher), EDDY_EBADF);
  CHECK_EQ(eddy_watcher_create(loop, 100000, note_events, NULL, &watcher), EDDY_EBADF);
  CHECK_EQ(eddy_watcher_create(loop, -1, note_events, NULL, &watcher), EDDY_EBADF);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], note_events, NULL, &watcher), 0);
  close(fds[0]);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), EDDY_EBADF);
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  end_loop(loop);
}

/* Events. */

static void what_can_be_read_is_readable(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fds[2];
  make_socket_pair(fds);
  make_probe(loop, fds[0], note_events, &probe);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(probe.calls, 0);
  CHECK(write(fds[1], "x", 1) == 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(probe.seen, EDDY_READABLE);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void what_can_be_written_is_writable(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fds[2];
  make_socket_pair(fds);
  make_probe(loop, fds[0], note_events, &probe);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.seen, EDDY_WRITABLE);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void both_are_told_together(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fds[2];
  make_socket_pair(fds);
  CHECK(write(fds[1], "x", 1) == 1);
  make_probe(loop, fds[0], note_events, &probe);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE | EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(probe.seen, EDDY_READABLE | EDDY_WRITABLE);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void readiness_is_told_as_long_as_it_lasts(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fds[2];
  make_socket_pair(fds);
  CHECK(write(fds[1], "x", 1) == 1);
  make_probe(loop, fds[0], note_events, &probe);
  probe.limit = 10;
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 10);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void a_hang_up_counts_as_what_is_watched(void) {
  static const int watched[] = {EDDY_READABLE, EDDY_WRITABLE, EDDY_READABLE | EDDY_WRITABLE};
  eddy_loop *loop = make_loop();
  size_t index;
  for (index = 0; index < sizeof watched / sizeof *watched; index++) {
    probe probe;
    int fds[2];
    make_socket_pair(fds);
    close(fds[1]);
    make_probe(loop, fds[0], note_events, &probe);
    CHECK_EQ(eddy_watcher_start(probe.watcher, watched[index]), 0);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(probe.seen & watched[index], watched[index]);
    CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
    close(fds[0]);
  }
  end_loop(loop);
}

static void starting_again_changes_what_is_watched(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fds[2];
  make_socket_pair(fds);
  make_probe(loop, fds[0], note_events, &probe);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), 0);
  run_for(loop, 5 * EDDY_MILLISECOND);
  CHECK_EQ(probe.calls, 0);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.seen, EDDY_WRITABLE);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void a_regular_file_is_always_ready(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  make_probe(loop, fd, note_events, &probe);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE | EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.seen, EDDY_READABLE | EDDY_WRITABLE);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
  close(fd);
}

static void two_watchers_may_watch_one_descriptor(void) {
  eddy_loop *loop = make_loop();
  probe reader, writer;
  int fds[2];
  make_socket_pair(fds);
  CHECK(write(fds[1], "x", 1) == 1);
  make_probe(loop, fds[0], note_events, &reader);
  make_probe(loop, fds[0], note_events, &writer);
  CHECK_EQ(eddy_watcher_start(reader.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_watcher_start(writer.watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(reader.seen, EDDY_READABLE);
  CHECK_EQ(writer.seen, EDDY_WRITABLE);
  CHECK_EQ(eddy_watcher_close(reader.watcher, NULL), 0);
  CHECK_EQ(eddy_watcher_close(writer.watcher, NULL), 0);
  end_loop(loop);
}

static void a_reused_descriptor_number_is_watched_afresh(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int first[2], second[2];
  make_socket_pair(first);
  make_probe(loop, first[0], note_events, &probe);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(eddy_watcher_stop(probe.watcher), 0); /* stop first, then close the descriptor */
  make_socket_pair(second);
  CHECK(dup2(second[0], first[0]) == first[0]);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), 0);
  CHECK(write(second[1], "x", 1) == 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.seen, EDDY_READABLE);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

/* Life. */

static void only_a_started_watcher_keeps_the_loop_alive(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fds[2];
  make_socket_pair(fds);
  make_probe(loop, fds[0], note_events, &probe);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_watcher_stop(probe.watcher), 0);
  CHECK_EQ(eddy_watcher_stop(probe.watcher), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_watcher_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void closing_a_watcher_leaves_its_descriptor_open(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int fds[2];
  make_socket_pair(fds);
  make_probe(loop, fds[0], note_events, &probe);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_watcher_close(probe.watcher, count_closed), 0);
  CHECK_EQ(probe.closed, 0);
  CHECK_EQ(eddy_watcher_close(probe.watcher, count_closed), EDDY_EALREADY);
  CHECK_EQ(eddy_watcher_start(probe.watcher, EDDY_READABLE), EDDY_EALREADY);
  CHECK(write(fds[1], "x", 1) == 1);
  end_loop(loop);
  CHECK_EQ(probe.closed, 1);
  CHECK_EQ(probe.calls, 0);
  CHECK(fcntl(fds[0], F_GETFD) >= 0);
}

static void close_both(eddy_watcher *watcher, int events, void *context) {
  probe *probe = context;
  (void)events;
  probe->calls++;
  CHECK_EQ(eddy_watcher_close(probe->other, NULL), 0);
  CHECK_EQ(eddy_watcher_close(watcher, count_closed), 0);
}

static void of_two_that_are_ready_the_first_may_close_both(void) {
  eddy_loop *loop = make_loop();
  probe first, second;
  int fds[2];
  make_socket_pair(fds);
  CHECK(write(fds[0], "x", 1) == 1);
  CHECK(write(fds[1], "x", 1) == 1);
  make_probe(loop, fds[0], close_both, &first);
  make_probe(loop, fds[1], close_both, &second);
  first.other = second.watcher;
  second.other = first.watcher;
  CHECK_EQ(eddy_watcher_start(first.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_watcher_start(second.watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(first.calls + second.calls, 1);
  CHECK_EQ(first.closed + second.closed, 1);
  end_loop(loop);
}

static void stop_other(eddy_watcher *watcher, int events, void *context) {
  probe *probe = context;
  (void)events;
  probe->calls++;
  CHECK_EQ(eddy_watcher_stop(watcher), 0);
  CHECK_EQ(eddy_watcher_stop(probe->other), 0);
}

static void of_two_that_are_ready_the_first_may_stop_both(void) {
  eddy_loop *loop = make_loop();
  probe first, second;
  int fds[2];
  make_socket_pair(fds);
  make_probe(loop, fds[0], stop_other, &first);
  make_probe(loop, fds[1], stop_other, &second);
  first.other = second.watcher;
  second.other = first.watcher;
  CHECK_EQ(eddy_watcher_start(first.watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_watcher_start(second.watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(first.calls + second.calls, 1);
  CHECK_EQ(eddy_watcher_close(first.watcher, NULL), 0);
  CHECK_EQ(eddy_watcher_close(second.watcher, NULL), 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_descriptor_that_is_not_open_is_bad),
    TAP_TEST(what_can_be_read_is_readable),
    TAP_TEST(what_can_be_written_is_writable),
    TAP_TEST(both_are_told_together),
    TAP_TEST(readiness_is_told_as_long_as_it_lasts),
    TAP_TEST(a_hang_up_counts_as_what_is_watched),
    TAP_TEST(starting_again_changes_what_is_watched),
    TAP_TEST(a_regular_file_is_always_ready),
    TAP_TEST(two_watchers_may_watch_one_descriptor),
    TAP_TEST(a_reused_descriptor_number_is_watched_afresh),
    TAP_TEST(only_a_started_watcher_keeps_the_loop_alive),
    TAP_TEST(closing_a_watcher_leaves_its_descriptor_open),
    TAP_TEST(of_two_that_are_ready_the_first_may_close_both),
    TAP_TEST(of_two_that_are_ready_the_first_may_stop_both),
};
TAP_MAIN(tests)
