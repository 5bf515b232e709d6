/*
 * Handles whose descriptor epoll_ctl(2) refuses for want of memory (ENOMEM) or of watches (ENOSPC):
 * the loop tries again, and nothing is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults/faults.h"
#include "harness/acceptor.h"
#include "harness/child.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

/* A loop that has told epoll of its own descriptors, so that the next call is for another. */
static eddy_loop *settled_loop(void) {
  eddy_loop *loop = make_loop();
  run_for(loop, EDDY_MILLISECOND);
  return loop;
}

/* The next `count` calls of epoll_ctl fail, as one that fails each time would. */
static void refuse_next(int count, int error) {
  fault_none();
  if (count == 1) {
    fault_nth(FAULT_EPOLL_CTL, 1, error);
  } else {
    fault_each(FAULT_EPOLL_CTL, error);
  }
}

/* Turns while all of the calls are refused, then lets them pass. */
static void end_refusals(eddy_loop *loop, int count) {
  while (fault_hits(FAULT_EPOLL_CTL) < count) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
  }
  fault_none();
}

static const int errors[] = {ENOSPC, ENOMEM};
enum { ERRORS = 2, MOST = 3 /* times that one descriptor is refused */ };

static void a_stream_reads_all_the_same(void) {
  int index, count;
  for (index = 0; index < ERRORS; index++) {
    for (count = 1; count <= MOST; count += MOST - 1) {
      eddy_loop *loop = settled_loop();
      endpoint end;
      int fds[2];
      make_socket_pair(fds);
      endpoint_open(&end, loop, fds[0]);
      CHECK(write(fds[1], "hello", 5) == 5);
      refuse_next(count, errors[index]);
      CHECK_EQ(eddy_stream_read_start(end.stream), 0);
      if (count > 1) { /* else it is tried again before the loop blocks */
        end_refusals(loop, count);
      }
      while (end.received < 5) {
        CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
      }
      CHECK_STR(end.text, "hello");
      CHECK_EQ(end.ends, 0);
      endpoint_close(&end);
      close(fds[1]);
      end_loop(loop);
    }
  }
}

static void a_stream_writes_its_queue_all_the_same(void) {
  static const uint8_t zeros[1 << 20];
  eddy_loop *loop = settled_loop();
  endpoint end;
  size_t length = 0;
  int fds[2];
  make_socket_pair(fds);
  endpoint_open(&end, loop, fds[0]); /* which does not read, and so is not watched yet */
  refuse_next(MOST, ENOSPC);
  CHECK(eddy_stream_write(end.stream, zeros, sizeof zeros) > 0);
  end_refusals(loop, MOST);
  while (length < sizeof zeros) {
    static uint8_t received[65536];
    ssize_t count = recv(fds[1], received, sizeof received, MSG_DONTWAIT);
    CHECK(count != 0);
    length += count > 0 ? (size_t)count : 0;
    CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
  }
  CHECK_EQ(end.drains, 1);
  CHECK_EQ(end.drain_status, 0);
  endpoint_close(&end);
  close(fds[1]);
  end_loop(loop);
}

static void a_stream_connects_all_the_same(void) {
  eddy_loop *loop = settled_loop();
  eddy_stream_config config;
  endpoint end;
  char address[64];
  int port, listening = listen_plain(1, &port);
  endpoint_init(&end, loop);
  config = endpoint_config(&end);
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  refuse_next(1, ENOSPC);
  CHECK_EQ(eddy_stream_connect(loop, address, &config, &end.stream), 0);
  while (end.connects == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK_EQ(fault_hits(FAULT_EPOLL_CTL), 1);
  CHECK_EQ(end.connect_status, 0);
  fault_none();
  endpoint_close(&end);
  close(listening);
  end_loop(loop);
}

static void a_listener_accepts_all_the_same(void) {
  int count;
  for (count = 1; count <= MOST; count += MOST - 1) {
    eddy_loop *loop = settled_loop();
    acceptor acceptor;
    int client;
    refuse_next(count, ENOSPC);
    acceptor_open(&acceptor, loop);
    end_refusals(loop, count);
    client = connect_plain(acceptor.port);
    acceptor_await(&acceptor, 1);
    CHECK_EQ(acceptor.errors, 0);
    close(acceptor.last_fd);
    close(client);
    acceptor_close(&acceptor);
    end_loop(loop);
  }
}

static void note_events(eddy_watcher *watcher, int events, void *context) {
  *(int *)context = events;
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
}

static void a_watcher_watches_all_the_same(void) {
  int count;
  for (count = 1; count <= MOST; count += MOST - 1) {
    eddy_loop *loop = settled_loop();
    eddy_watcher *watcher;
    int fds[2], seen = 0;
    make_socket_pair(fds);
    CHECK_EQ(eddy_watcher_create(loop, fds[0], note_events, &seen, &watcher), 0);
    refuse_next(count, ENOSPC);
    CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
    end_refusals(loop, count);
    CHECK_EQ(seen, 0); /* it was refused, not ready */
    CHECK(write(fds[1], "x", 1) == 1);
    while (seen == 0) {
      CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
    }
    CHECK_EQ(seen, EDDY_READABLE);
    close(fds[0]);
    close(fds[1]);
    end_loop(loop);
  }
}

static void a_handle_may_be_closed_while_it_is_refused(void) {
  eddy_loop *loop = settled_loop();
  acceptor acceptor;
  endpoint end;
  int fds[2];
  make_socket_pair(fds);
  endpoint_open(&end, loop, fds[0]);
  fault_each(FAULT_EPOLL_CTL, ENOSPC);
  acceptor_open(&acceptor, loop);
  CHECK_EQ(eddy_stream_read_start(end.stream), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK(fault_hits(FAULT_EPOLL_CTL) >= 2);
  endpoint_close(&end);
  acceptor_close(&acceptor);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.closed + acceptor.closed, 2);
  fault_none();
  close(fds[1]);
  end_loop(loop);
}

/* The child still runs when it is refused: to wait for it then would hold the loop up. */
static void a_child_is_awaited_all_the_same(void) {
  eddy_loop *loop = settled_loop();
  child child;
  uint64_t start;
  shell(&child, "sleep 0.3; exit 7");
  child.config.new_group = 1;
  refuse_next(MOST, ENOSPC);
  spawn(&child, loop);
  start = clock_now();
  end_refusals(loop, MOST);
  CHECK(clock_now() - start < 250 * EDDY_MILLISECOND);
  CHECK_EQ(child.exits, 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.exits, 1);
  CHECK_EQ(child.status, 7);
  close_child(&child);
  end_loop(loop);
}

static void note_file(eddy_file_watcher *watcher, const eddy_file_event *event, void *context) {
  *(int *)context |= event->events;
  CHECK_EQ(eddy_file_watcher_close(watcher, NULL), 0);
}

static void files_are_watched_all_the_same(void) {
  eddy_loop *loop = settled_loop();
  eddy_file_watcher *watcher;
  int seen = 0, fd;
  refuse_next(MOST, ENOSPC);
  CHECK_EQ(eddy_file_watcher_create(loop, ".", note_file, &seen, &watcher), 0);
  end_refusals(loop, MOST);
  CHECK_EQ(seen, 0);
  fd = open("new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  run_for(loop, 200 * EDDY_MILLISECOND);
  CHECK(seen & EDDY_FILE_CREATED);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  close(fd);
  end_loop(loop);
}

static void *post_stop(void *context) {
  CHECK_EQ(eddy_loop_stop(context), 0);
  return NULL;
}

static void a_loop_is_woken_all_the_same(void) {
  eddy_loop *loop;
  pthread_t thread;
  fault_each(FAULT_EPOLL_CTL, ENOSPC); /* its own descriptors, then */
  loop = make_loop();
  CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
  CHECK(fault_hits(FAULT_EPOLL_CTL) > 0);
  fault_none();
  run_for(loop, EDDY_MILLISECOND);
  CHECK(pthread_create(&thread, NULL, post_stop, loop) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK(pthread_join(thread, NULL) == 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_stream_reads_all_the_same),     TAP_TEST(a_stream_writes_its_queue_all_the_same),
    TAP_TEST(a_stream_connects_all_the_same),  TAP_TEST(a_listener_accepts_all_the_same),
    TAP_TEST(a_watcher_watches_all_the_same),  TAP_TEST(a_handle_may_be_closed_while_it_is_refused),
    TAP_TEST(a_child_is_awaited_all_the_same), TAP_TEST(files_are_watched_all_the_same),
    TAP_TEST(a_loop_is_woken_all_the_same),
};
TAP_MAIN(tests)
