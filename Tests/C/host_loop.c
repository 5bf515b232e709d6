/* eddy_loop_timeout and eddy_loop_fd: a host's own loop drives this one. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* poll(2) on the loop's descriptor for as long as the loop allows, at most `limit` milliseconds.
 * 1 if it is readable. */
static int wait_as_a_host(eddy_loop *loop, int limit) {
  uint64_t timeout = eddy_loop_timeout(loop);
  struct pollfd entry = {eddy_loop_fd(loop), POLLIN, 0};
  CHECK(entry.fd >= 0);
  if (timeout != EDDY_NEVER && timeout / EDDY_MILLISECOND + 1 < (uint64_t)limit) {
    limit = (int)(timeout / EDDY_MILLISECOND + 1);
  }
  return poll(&entry, 1, limit);
}

/* Turns until the loop has nothing to do without an event. */
static void settle(eddy_loop *loop) {
  int turns = 0;
  do {
    CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
    CHECK(++turns < 10);
  } while (eddy_loop_timeout(loop) == 0);
}

static void count_post(void *context) {
  ++*(int *)context;
}

static void count_timer(eddy_timer *timer, void *context) {
  (void)timer;
  ++*(int *)context;
}

static void count_event(eddy_watcher *watcher, int events, void *context) {
  CHECK_EQ(events, EDDY_READABLE);
  CHECK_EQ(eddy_watcher_stop(watcher), 0);
  ++*(int *)context;
}

static void null_is_invalid(void) {
  CHECK_EQ(eddy_loop_timeout(NULL), 0);
  CHECK_EQ(eddy_loop_fd(NULL), EDDY_EINVAL);
}

static void a_loop_without_handles_waits_for_ever(void) {
  eddy_loop *loop = make_loop();
  settle(loop);
  CHECK(eddy_loop_timeout(loop) == EDDY_NEVER);
  CHECK_EQ(wait_as_a_host(loop, 20), 0);
  end_loop(loop);
}

static void the_descriptor_is_the_same_each_time_and_none_leaks(void) {
  eddy_loop *loop = make_loop();
  int before = count_descriptors();
  int fd = eddy_loop_fd(loop);
  CHECK(fd >= 0);
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(eddy_loop_fd(loop), fd);
  }
  CHECK_EQ(count_descriptors(), before);
  end_loop(loop);
}

static void each_loop_has_its_own_descriptor(void) {
  eddy_loop *loops[3];
  int fds[3];
  for (int i = 0; i < 3; i++) {
    loops[i] = make_loop();
  }
  for (int i = 2; i >= 0; i--) {
    fds[i] = eddy_loop_fd(loops[i]);
  }
  CHECK(fds[0] != fds[1] && fds[1] != fds[2] && fds[0] != fds[2]);
  for (int i = 0; i < 3; i++) {
    end_loop(loops[i]);
  }
}

static void a_post_makes_the_descriptor_readable(void) {
  eddy_loop *loop = make_loop();
  int posts = 0;
  settle(loop);
  CHECK_EQ(eddy_loop_post(loop, count_post, &posts), 0);
  CHECK_EQ(eddy_loop_timeout(loop), 0);
  CHECK_EQ(wait_as_a_host(loop, 1000), 1);
  settle(loop);
  CHECK_EQ(posts, 1);
  CHECK_EQ(wait_as_a_host(loop, 20), 0);
  end_loop(loop);
}

typedef struct poster {
  eddy_loop *loop;
  int posts;
} poster;

static void *post_later(void *context) {
  poster *poster = context;
  sleep_ns(50 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_post(poster->loop, count_post, &poster->posts), 0);
  return NULL;
}

static void a_post_of_another_thread_ends_the_hosts_wait(void) {
  poster poster = {make_loop(), 0};
  pthread_t thread;
  settle(poster.loop);
  CHECK(pthread_create(&thread, NULL, post_later, &poster) == 0);
  CHECK_EQ(wait_as_a_host(poster.loop, 5000), 1);
  settle(poster.loop);
  CHECK_EQ(poster.posts, 1);
  CHECK(pthread_join(thread, NULL) == 0);
  end_loop(poster.loop);
}

static void a_timer_bounds_the_hosts_wait(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int calls = 0;
  uint64_t timeout;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 100 * EDDY_MILLISECOND, 0), 0);
  settle(loop);
  timeout = eddy_loop_timeout(loop);
  CHECK(timeout > 0 && timeout <= 100 * EDDY_MILLISECOND);
  for (int i = 0; i < 20 && calls == 0; i++) {
    wait_as_a_host(loop, 5000);
    settle(loop);
  }
  CHECK_EQ(calls, 1);
  CHECK(eddy_loop_timeout(loop) == EDDY_NEVER);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static void a_new_watcher_asks_for_a_turn_and_then_counts(void) {
  eddy_loop *loop = make_loop();
  eddy_watcher *watcher;
  int fds[2], events = 0;
  make_socket_pair(fds);
  settle(loop);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], count_event, &events, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_timeout(loop), 0);
  settle(loop);
  CHECK_EQ(wait_as_a_host(loop, 20), 0);
  CHECK(write(fds[1], "x", 1) == 1);
  CHECK_EQ(wait_as_a_host(loop, 5000), 1);
  settle(loop);
  CHECK_EQ(events, 1);
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  CHECK_EQ(eddy_loop_timeout(loop), 0); /* the close callback is due */
  end_loop(loop);
  close(fds[0]);
  close(fds[1]);
}

static void asking_for_the_descriptor_runs_nothing(void) {
  eddy_loop *loop = make_loop();
  eddy_watcher *watcher;
  int fds[2], events = 0;
  make_socket_pair(fds);
  CHECK(write(fds[1], "x", 1) == 1);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], count_event, &events, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  CHECK(eddy_loop_fd(loop) >= 0);
  CHECK_EQ(events, 0);
  settle(loop);
  CHECK_EQ(events, 1);
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  end_loop(loop);
  close(fds[0]);
  close(fds[1]);
}

static void ask_for_descriptor(eddy_hook *hook, void *context) {
  CHECK(eddy_loop_fd(context) >= 0);
  CHECK_EQ(eddy_hook_close(hook, NULL), 0);
}

static void the_descriptor_is_there_before_the_first_wait(void) {
  eddy_loop *loop = make_loop();
  eddy_hook *hook;
  CHECK_EQ(eddy_hook_create(loop, EDDY_HOOK_BEFORE_BLOCKING, ask_for_descriptor, loop, &hook), 0);
  CHECK_EQ(eddy_hook_start(hook), 0);
  end_loop(loop);
}

/* epoll_ctl(2) refuses it, so the loop's descriptor can't tell. */
static void a_descriptor_that_is_always_ready_asks_for_turns(const char *path) {
  eddy_loop *loop = make_loop();
  eddy_watcher *watcher;
  int fd = open(path, O_RDONLY | O_CLOEXEC), events = 0;
  CHECK(fd >= 0);
  settle(loop);
  CHECK_EQ(eddy_watcher_create(loop, fd, count_event, &events, &watcher), 0);
  CHECK(eddy_loop_timeout(loop) == EDDY_NEVER);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE | EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  settle(loop); /* the callback stops it */
  CHECK_EQ(events, 1);
  CHECK(eddy_loop_timeout(loop) == EDDY_NEVER);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
  CHECK_EQ(events, 2);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  settle(loop);
  CHECK(eddy_loop_timeout(loop) == EDDY_NEVER);
  close(fd);
  end_loop(loop);
}

static void a_file_asks_for_turns(void) {
  a_descriptor_that_is_always_ready_asks_for_turns(".");
}

static void a_device_without_poll_asks_for_turns(void) {
  a_descriptor_that_is_always_ready_asks_for_turns("/dev/null");
}

static void ignore_event(eddy_watcher *watcher, int events, void *context) {
  (void)watcher, (void)events, (void)context;
}

static void it_asks_for_turns_while_it_is_watched(void) {
  eddy_loop *loop = make_loop();
  eddy_watcher *watcher;
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), turn;
  CHECK(fd >= 0);
  CHECK_EQ(eddy_watcher_create(loop, fd, ignore_event, NULL, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  for (turn = 0; turn < 3; turn++) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
    CHECK_EQ(eddy_loop_timeout(loop), 0);
  }
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  close(fd);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(null_is_invalid),
    TAP_TEST(a_loop_without_handles_waits_for_ever),
    TAP_TEST(the_descriptor_is_the_same_each_time_and_none_leaks),
    TAP_TEST(each_loop_has_its_own_descriptor),
    TAP_TEST(a_post_makes_the_descriptor_readable),
    TAP_TEST(a_post_of_another_thread_ends_the_hosts_wait),
    TAP_TEST(a_timer_bounds_the_hosts_wait),
    TAP_TEST(a_new_watcher_asks_for_a_turn_and_then_counts),
    TAP_TEST(asking_for_the_descriptor_runs_nothing),
    TAP_TEST(the_descriptor_is_there_before_the_first_wait),
    TAP_TEST(a_file_asks_for_turns),
    TAP_TEST(a_device_without_poll_asks_for_turns),
    TAP_TEST(it_asks_for_turns_while_it_is_watched),
};
TAP_MAIN(tests)
