/* eddy/lookup.h: its threads, above all those that are stuck in getaddrinfo(3). */
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/names.h"
#include "harness/query.h"
#include "harness/tap.h"

enum { MAXIMUM_THREADS = 4 };

static int count_threads(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/task");
  CHECK(directory != NULL);
  while (readdir(directory) != NULL) {
    count++;
  }
  closedir(directory);
  return count - 2; /* "." and ".." */
}

static void await_hanging(int count) {
  while (names_hanging() != count) {
    sleep_ns(EDDY_MILLISECOND);
  }
}

static void *end_at_once(void *argument) {
  return argument;
}

/* Until a thread that has ended is gone from the list, too. */
static void await_threads(int count) {
  while (count_threads() != count) {
    sleep_ns(EDDY_MILLISECOND);
  }
}

/* The threads there are without lookups: a sanitizer starts one of its own with the first. */
static int count_other_threads(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, end_at_once, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  sleep_ns(20 * EDDY_MILLISECOND);
  return count_threads();
}

/* Threads that are stuck. */

static void a_lookup_that_waits_for_a_thread_times_out(void) {
  eddy_loop *loop = make_loop();
  query asked[MAXIMUM_THREADS + 2];
  int threads = count_other_threads(), index;
  name_hangs("slow.test");
  for (index = 0; index < MAXIMUM_THREADS + 2; index++) {
    query_init(&asked[index]);
    asked[index].closes = 1;
    asked[index].config.timeout = 30 * EDDY_MILLISECOND;
    query_ask(&asked[index], loop, "slow.test");
  }
  await_hanging(MAXIMUM_THREADS);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < MAXIMUM_THREADS + 2; index++) {
    CHECK_EQ(asked[index].status, EDDY_ETIMEDOUT);
    CHECK_EQ(asked[index].closed, 1);
  }
  CHECK_EQ(names_asked(), MAXIMUM_THREADS);
  names_release();
  end_loop(loop);
  await_threads(threads);
}

static void a_lookup_is_closed_while_a_thread_is_at_it(void) {
  eddy_loop *loop = make_loop();
  query asked;
  name_hangs("slow.test");
  query_init(&asked);
  query_ask(&asked, loop, "slow.test");
  await_hanging(1);
  query_close(&asked);
  CHECK_EQ(eddy_lookup_close(asked.lookup, NULL), EDDY_EALREADY);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked.closed, 1);
  names_release();
  run_for(loop, 30 * EDDY_MILLISECOND);
  CHECK_EQ(asked.done, 0);
  end_loop(loop);
}

static void lookups_are_closed_before_a_thread_is_at_them(void) {
  enum { COUNT = MAXIMUM_THREADS + 5 };
  eddy_loop *loop = make_loop();
  query asked[COUNT];
  int index;
  name_hangs("slow.test");
  for (index = 0; index < COUNT; index++) {
    query_init(&asked[index]);
    query_ask(&asked[index], loop, "slow.test");
  }
  await_hanging(MAXIMUM_THREADS);
  /* The last, the first, and one from the middle of those that wait; the rest after them. */
  query_close(&asked[COUNT - 1]);
  query_close(&asked[MAXIMUM_THREADS]);
  query_close(&asked[MAXIMUM_THREADS + 2]);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  names_release();
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < COUNT; index++) {
    CHECK_EQ(asked[index].done + asked[index].closed, 1);
    if (asked[index].done) {
      query_close(&asked[index]);
    }
  }
  CHECK_EQ(names_asked(), COUNT - 3);
  end_loop(loop);
}

/* The loop and its threads. */

static void an_address_needs_no_thread(void) {
  static const char *const texts[][2] = {
      {"127.0.0.1", "127.0.0.1:80"}, {"::1", "[::1]:80"}, {"fe80::1%lo", "[fe80::1%lo]:80"}};
  eddy_loop *loop = make_loop();
  int threads = count_other_threads();
  size_t index;
  for (index = 0; index < sizeof texts / sizeof *texts; index++) {
    query asked;
    query_init(&asked);
    CHECK_EQ(query_look_up(&asked, loop, texts[index][0]), 0);
    CHECK_EQ(asked.count, 1);
    CHECK_STR(asked.addresses[0], texts[index][1]);
  }
  CHECK_EQ(names_asked(), 0);
  CHECK_EQ(count_threads(), threads);
  end_loop(loop);
}

static void a_loop_is_destroyed_while_threads_are_stuck(void) {
  eddy_loop *loop = make_loop();
  int threads = count_other_threads(), index;
  query asked[MAXIMUM_THREADS];
  name_hangs("slow.test");
  for (index = 0; index < MAXIMUM_THREADS; index++) {
    query_init(&asked[index]);
    query_ask(&asked[index], loop, "slow.test");
  }
  await_hanging(MAXIMUM_THREADS);
  CHECK_EQ(eddy_loop_destroy(loop), EDDY_EBUSY);
  for (index = 0; index < MAXIMUM_THREADS; index++) {
    query_close(&asked[index]);
  }
  end_loop(loop);
  CHECK_EQ(names_hanging(), MAXIMUM_THREADS);
  names_release();
  await_threads(threads);
}

static void a_program_ends_while_threads_are_stuck(void) {
  eddy_loop *loop;
  query asked;
  if (tap_under_valgrind()) {
    tap_skip("to valgrind, what a stuck thread holds is not freed");
  }
  loop = make_loop();
  name_hangs("slow.test");
  query_init(&asked);
  query_ask(&asked, loop, "slow.test");
  await_hanging(1);
  query_close(&asked);
  end_loop(loop);
}

static void threads_that_wait_end_with_the_loop(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  int threads = count_other_threads();
  name_has("here.test", addresses);
  CHECK_EQ(query_status(loop, "here.test"), 0);
  CHECK_EQ(count_threads(), threads + 1);
  CHECK_EQ(query_status(loop, "here.test"), 0);
  CHECK_EQ(count_threads(), threads + 1); /* the same thread again */
  end_loop(loop);
  await_threads(threads);
}

static void a_thousand_lookups_share_four_threads(void) {
  enum { COUNT = 1000 };
  static const char *const addresses[] = {"192.0.2.1", NULL};
  static query asked[COUNT];
  eddy_loop *loop = make_loop();
  int threads = count_other_threads(), index;
  name_has("here.test", addresses);
  for (index = 0; index < COUNT; index++) {
    query_init(&asked[index]);
    asked[index].closes = 1;
    query_ask(&asked[index], loop, "here.test");
    CHECK(count_threads() <= threads + MAXIMUM_THREADS);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < COUNT; index++) {
    CHECK_EQ(asked[index].status, 0);
    CHECK_EQ(asked[index].closed, 1);
    CHECK_STR(asked[index].addresses[0], "192.0.2.1:80");
  }
  CHECK_EQ(names_asked(), COUNT);
  end_loop(loop);
  await_threads(threads);
}

static void a_slow_name_does_not_hold_up_the_others(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  query slow[MAXIMUM_THREADS - 1];
  int index;
  name_hangs("slow.test");
  name_has("here.test", addresses);
  for (index = 0; index < MAXIMUM_THREADS - 1; index++) {
    query_init(&slow[index]);
    query_ask(&slow[index], loop, "slow.test");
  }
  await_hanging(MAXIMUM_THREADS - 1);
  for (index = 0; index < 100; index++) {
    query asked;
    query_init(&asked);
    asked.closes = 1;
    query_ask(&asked, loop, "here.test");
    while (!asked.closed) {
      CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
    }
    CHECK_EQ(asked.status, 0);
  }
  names_release();
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < MAXIMUM_THREADS - 1; index++) {
    CHECK_EQ(slow[index].status, EDDY_ENONAME);
    query_close(&slow[index]);
  }
  end_loop(loop);
}

static void the_hosts_signals_do_not_reach_the_threads(void) {
  eddy_loop *loop = make_loop();
  int threads = count_other_threads();
  sigset_t signals, pending;
  query asked;
  name_hangs("slow.test");
  query_init(&asked);
  query_ask(&asked, loop, "slow.test");
  await_hanging(1);
  CHECK(sigemptyset(&signals) == 0 && sigaddset(&signals, SIGUSR1) == 0);
  CHECK(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
  CHECK(kill(getpid(), SIGUSR1) == 0); /* would end the process in a thread that lets it in */
  sleep_ns(10 * EDDY_MILLISECOND);
  CHECK(sigpending(&pending) == 0);
  CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
  query_close(&asked);
  names_release();
  end_loop(loop);
  await_threads(threads);
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS_END_WITH_FORK 1
#endif
#endif

static void a_child_of_fork_asks_with_threads_of_its_own(void) {
#ifdef THREADS_END_WITH_FORK
  tap_skip("under ThreadSanitizer a child of several threads can start none");
#else
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  int status = -1;
  pid_t child;
  query asked;
  name_has("here.test", addresses);
  query_init(&asked);
  query_ask(&asked, loop, "here.test");
  CHECK_EQ(eddy_loop_fork(loop), EDDY_EBUSY);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  query_close(&asked);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  child = fork(); /* a thread waits for the next name, in the parent alone */
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(eddy_loop_fork(loop), 0);
    CHECK_EQ(query_status(loop, "here.test"), 0);
    end_loop(loop);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_EQ(status, 0);
  CHECK_EQ(query_status(loop, "here.test"), 0);
  end_loop(loop);
#endif
}

static const tap_test tests[] = {
    TAP_TEST(a_lookup_that_waits_for_a_thread_times_out),
    TAP_TEST(a_lookup_is_closed_while_a_thread_is_at_it),
    TAP_TEST(lookups_are_closed_before_a_thread_is_at_them),
    TAP_TEST(an_address_needs_no_thread),
    TAP_TEST(a_loop_is_destroyed_while_threads_are_stuck),
    TAP_TEST(a_program_ends_while_threads_are_stuck),
    TAP_TEST(threads_that_wait_end_with_the_loop),
    TAP_TEST(a_thousand_lookups_share_four_threads),
    TAP_TEST(a_slow_name_does_not_hold_up_the_others),
    TAP_TEST(the_hosts_signals_do_not_reach_the_threads),
    TAP_TEST(a_child_of_fork_asks_with_threads_of_its_own),
};
TAP_MAIN(tests)
