/* eddy/lookup.h. What names have is decided by harness/names.h: no test needs a name server. */
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/names.h"
#include "harness/tap.h"

enum { MAXIMUM_THREADS = 4, KEPT = 4 };

/* A lookup with what it has told. */
typedef struct query {
  eddy_lookup_config config;
  eddy_lookup *lookup;
  int done, status, closed;
  size_t count;
  char addresses[KEPT][128]; /* the first, as text */
  int closes;                /* closes itself when done */
} query;

static void note_closed(void *context) {
  query *asked = context;
  asked->closed++;
}

static void note_done(
    eddy_lookup *lookup, int status, const eddy_address *addresses, size_t count, void *context) {
  query *asked = context;
  size_t index;
  CHECK(lookup == asked->lookup);
  CHECK_EQ(asked->done, 0);
  CHECK_EQ(asked->closed, 0);
  CHECK((status == 0) == (addresses != NULL));
  CHECK((status == 0) == (count > 0));
  asked->done++;
  asked->status = status;
  asked->count = count;
  if (asked->closes) {
    CHECK_EQ(eddy_lookup_close(lookup, note_closed), 0);
  }
  for (index = 0; index < count && index < KEPT; index++) { /* still there after a close */
    CHECK(eddy_address_format(&addresses[index], asked->addresses[index], 128) > 0);
  }
}

static void init(query *asked) {
  static const eddy_lookup_config initial = EDDY_LOOKUP_CONFIG_INIT;
  memset(asked, 0, sizeof *asked);
  asked->config = initial;
  asked->config.context = asked;
  asked->config.on_done = note_done;
}

static void ask(query *asked, eddy_loop *loop, const char *host) {
  CHECK_EQ(eddy_lookup_start(loop, host, 80, &asked->config, &asked->lookup), 0);
  CHECK_EQ(asked->done, 0); /* always from the loop */
  CHECK_EQ(eddy_loop_alive(loop), 1);
}

static void close_query(query *asked) {
  CHECK_EQ(eddy_lookup_close(asked->lookup, note_closed), 0);
  CHECK_EQ(asked->closed, 0);
}

/* Asks, runs until the answer is there, closes; gives the status. */
static int look_up(query *asked, eddy_loop *loop, const char *host) {
  ask(asked, loop, host);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked->done, 1);
  close_query(asked);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked->closed, 1);
  CHECK_EQ(asked->done, 1);
  return asked->status;
}

static int status_of(eddy_loop *loop, const char *host) {
  query asked;
  init(&asked);
  return look_up(&asked, loop, host);
}

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

/* Answers. */

static void a_name_has_its_addresses_in_the_resolvers_order(void) {
  static const char *const addresses[] = {"2001:db8::1", "192.0.2.1", "192.0.2.2", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_has("many.test", addresses);
  init(&asked);
  CHECK_EQ(look_up(&asked, loop, "many.test"), 0);
  CHECK_EQ(asked.count, 3);
  CHECK_STR(asked.addresses[0], "[2001:db8::1]:80");
  CHECK_STR(asked.addresses[1], "192.0.2.1:80");
  CHECK_STR(asked.addresses[2], "192.0.2.2:80");
  end_loop(loop);
}

static void a_family_leaves_the_other_out(void) {
  static const char *const addresses[] = {"2001:db8::1", "192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_has("both.test", addresses);
  init(&asked);
  asked.config.family = EDDY_FAMILY_IPV4;
  CHECK_EQ(look_up(&asked, loop, "both.test"), 0);
  CHECK_EQ(asked.count, 1);
  CHECK_STR(asked.addresses[0], "192.0.2.1:80");
  init(&asked);
  asked.config.family = EDDY_FAMILY_IPV6;
  CHECK_EQ(look_up(&asked, loop, "both.test"), 0);
  CHECK_EQ(asked.count, 1);
  CHECK_STR(asked.addresses[0], "[2001:db8::1]:80");
  end_loop(loop);
}

static void the_system_knows_localhost(void) {
  eddy_loop *loop = make_loop();
  query asked;
  init(&asked);
  asked.config.family = EDDY_FAMILY_IPV4;
  CHECK_EQ(look_up(&asked, loop, "localhost"), 0);
  CHECK(asked.count >= 1);
  CHECK_STR(asked.addresses[0], "127.0.0.1:80");
  end_loop(loop);
}

static void an_address_needs_no_thread(void) {
  static const char *const texts[][2] = {
      {"127.0.0.1", "127.0.0.1:80"}, {"::1", "[::1]:80"}, {"fe80::1%lo", "[fe80::1%lo]:80"}};
  eddy_loop *loop = make_loop();
  int threads = count_other_threads();
  size_t index;
  for (index = 0; index < sizeof texts / sizeof *texts; index++) {
    query asked;
    init(&asked);
    CHECK_EQ(look_up(&asked, loop, texts[index][0]), 0);
    CHECK_EQ(asked.count, 1);
    CHECK_STR(asked.addresses[0], texts[index][1]);
  }
  CHECK_EQ(names_asked(), 0);
  CHECK_EQ(count_threads(), threads);
  end_loop(loop);
}

static void an_address_of_the_other_family_is_no_name(void) {
  eddy_loop *loop = make_loop();
  query asked;
  init(&asked);
  asked.config.family = EDDY_FAMILY_IPV6;
  CHECK_EQ(look_up(&asked, loop, "127.0.0.1"), EDDY_ENONAME);
  CHECK_EQ(names_asked(), 0);
  end_loop(loop);
}

static void what_the_resolver_says_has_its_code(void) {
  static const char *const ipv4_only[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_fails("none.test", EAI_NONAME, 0);
  name_fails("no-data.test", EAI_NODATA, 0);
  name_fails("again.test", EAI_AGAIN, 0);
  name_fails("fail.test", EAI_FAIL, 0);
  name_fails("memory.test", EAI_MEMORY, 0);
  name_fails("system.test", EAI_SYSTEM, EMFILE);
  name_has("ipv4.test", ipv4_only);
  CHECK_EQ(status_of(loop, "none.test"), EDDY_ENONAME);
  CHECK_EQ(status_of(loop, "no-data.test"), EDDY_ENONAME);
  CHECK_EQ(status_of(loop, "again.test"), EDDY_ENAMESERVER);
  CHECK_EQ(status_of(loop, "fail.test"), EDDY_ENAMESERVER);
  CHECK_EQ(status_of(loop, "memory.test"), EDDY_ENOMEM);
  CHECK_EQ(status_of(loop, "system.test"), EDDY_EMFILE);
  init(&asked);
  asked.config.family = EDDY_FAMILY_IPV6;
  CHECK_EQ(look_up(&asked, loop, "ipv4.test"), EDDY_ENONAME);
  end_loop(loop);
}

/* Deadlines. */

static void a_lookup_that_takes_too_long_times_out(void) {
  eddy_loop *loop = make_loop();
  uint64_t start;
  query asked;
  name_hangs("slow.test");
  init(&asked);
  asked.config.timeout = 30 * EDDY_MILLISECOND;
  CHECK_EQ(eddy_loop_update_now(loop), 0);
  start = eddy_loop_now(loop);
  ask(&asked, loop, "slow.test");
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked.status, EDDY_ETIMEDOUT);
  CHECK(clock_now() - start >= 30 * EDDY_MILLISECOND);
  names_release();
  run_for(loop, 30 * EDDY_MILLISECOND); /* the late answer is dropped */
  CHECK_EQ(asked.done, 1);
  close_query(&asked);
  end_loop(loop);
}

static void a_lookup_that_waits_for_a_thread_times_out(void) {
  eddy_loop *loop = make_loop();
  query asked[MAXIMUM_THREADS + 2];
  int threads = count_other_threads(), index;
  name_hangs("slow.test");
  for (index = 0; index < MAXIMUM_THREADS + 2; index++) {
    init(&asked[index]);
    asked[index].closes = 1;
    asked[index].config.timeout = 30 * EDDY_MILLISECOND;
    ask(&asked[index], loop, "slow.test");
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

/* Closing. */

static void a_lookup_is_closed_while_a_thread_is_at_it(void) {
  eddy_loop *loop = make_loop();
  query asked;
  name_hangs("slow.test");
  init(&asked);
  ask(&asked, loop, "slow.test");
  await_hanging(1);
  close_query(&asked);
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
    init(&asked[index]);
    ask(&asked[index], loop, "slow.test");
  }
  await_hanging(MAXIMUM_THREADS);
  /* The last, the first, and one from the middle of those that wait; the rest after them. */
  close_query(&asked[COUNT - 1]);
  close_query(&asked[MAXIMUM_THREADS]);
  close_query(&asked[MAXIMUM_THREADS + 2]);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  names_release();
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < COUNT; index++) {
    CHECK_EQ(asked[index].done + asked[index].closed, 1);
    if (asked[index].done) {
      close_query(&asked[index]);
    }
  }
  CHECK_EQ(names_asked(), COUNT - 3);
  end_loop(loop);
}

static void a_lookup_is_closed_when_its_answer_is_on_its_way(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_has("quick.test", addresses);
  init(&asked);
  ask(&asked, loop, "quick.test");
  while (names_asked() == 0) {
    sleep_ns(EDDY_MILLISECOND);
  }
  sleep_ns(30 * EDDY_MILLISECOND); /* by now it has been posted, most likely */
  close_query(&asked);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked.done, 0);
  CHECK_EQ(asked.closed, 1);
  end_loop(loop);
}

static void a_lookup_of_an_address_is_closed_before_it_is_answered(void) {
  eddy_loop *loop = make_loop();
  query asked;
  init(&asked);
  ask(&asked, loop, "127.0.0.1");
  close_query(&asked);
  end_loop(loop);
  CHECK_EQ(asked.done, 0);
  CHECK_EQ(asked.closed, 1);
}

static void a_lookup_closes_itself_when_it_is_done(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  static const char *const hosts[] = {"here.test", "127.0.0.1", "none.test"};
  static const int expected[] = {0, 0, EDDY_ENONAME};
  eddy_loop *loop = make_loop();
  int index;
  name_has("here.test", addresses);
  name_fails("none.test", EAI_NONAME, 0);
  for (index = 0; index < 3; index++) {
    query asked;
    init(&asked);
    asked.closes = 1;
    ask(&asked, loop, hosts[index]);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(asked.status, expected[index]);
    CHECK_EQ(asked.closed, 1);
  }
  end_loop(loop);
}

/* The loop and its threads. */

static void a_loop_is_destroyed_while_threads_are_stuck(void) {
  eddy_loop *loop = make_loop();
  int threads = count_other_threads(), index;
  query asked[MAXIMUM_THREADS];
  name_hangs("slow.test");
  for (index = 0; index < MAXIMUM_THREADS; index++) {
    init(&asked[index]);
    ask(&asked[index], loop, "slow.test");
  }
  await_hanging(MAXIMUM_THREADS);
  CHECK_EQ(eddy_loop_destroy(loop), EDDY_EBUSY);
  for (index = 0; index < MAXIMUM_THREADS; index++) {
    close_query(&asked[index]);
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
  init(&asked);
  ask(&asked, loop, "slow.test");
  await_hanging(1);
  close_query(&asked);
  end_loop(loop);
}

static void threads_that_wait_end_with_the_loop(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  int threads = count_other_threads();
  name_has("here.test", addresses);
  CHECK_EQ(status_of(loop, "here.test"), 0);
  CHECK_EQ(count_threads(), threads + 1);
  CHECK_EQ(status_of(loop, "here.test"), 0);
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
    init(&asked[index]);
    asked[index].closes = 1;
    ask(&asked[index], loop, "here.test");
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
    init(&slow[index]);
    ask(&slow[index], loop, "slow.test");
  }
  await_hanging(MAXIMUM_THREADS - 1);
  for (index = 0; index < 100; index++) {
    query asked;
    init(&asked);
    asked.closes = 1;
    ask(&asked, loop, "here.test");
    while (!asked.closed) {
      CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
    }
    CHECK_EQ(asked.status, 0);
  }
  names_release();
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < MAXIMUM_THREADS - 1; index++) {
    CHECK_EQ(slow[index].status, EDDY_ENONAME);
    close_query(&slow[index]);
  }
  end_loop(loop);
}

static void the_hosts_signals_do_not_reach_the_threads(void) {
  eddy_loop *loop = make_loop();
  int threads = count_other_threads();
  sigset_t signals, pending;
  query asked;
  name_hangs("slow.test");
  init(&asked);
  ask(&asked, loop, "slow.test");
  await_hanging(1);
  CHECK(sigemptyset(&signals) == 0 && sigaddset(&signals, SIGUSR1) == 0);
  CHECK(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
  CHECK(kill(getpid(), SIGUSR1) == 0); /* would end the process in a thread that lets it in */
  sleep_ns(10 * EDDY_MILLISECOND);
  CHECK(sigpending(&pending) == 0);
  CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
  close_query(&asked);
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
  init(&asked);
  ask(&asked, loop, "here.test");
  CHECK_EQ(eddy_loop_fork(loop), EDDY_EBUSY);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  close_query(&asked);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  child = fork(); /* a thread waits for the next name, in the parent alone */
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(eddy_loop_fork(loop), 0);
    CHECK_EQ(status_of(loop, "here.test"), 0);
    end_loop(loop);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_EQ(status, 0);
  CHECK_EQ(status_of(loop, "here.test"), 0);
  end_loop(loop);
#endif
}

/* Arguments. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  char long_name[255];
  query asked;
  init(&asked);
#define START(loop, host, port, config, out)                                                       \
  eddy_lookup_start((loop), (host), (port), (config), (out))
  CHECK_EQ(START(NULL, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, NULL, 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", 80, NULL, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, NULL), EDDY_EINVAL);
  CHECK_EQ(START(loop, "", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", -1, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", 65536, &asked.config, &asked.lookup), EDDY_EINVAL);
  memset(long_name, 'a', sizeof long_name - 1);
  long_name[254] = 0;
  CHECK_EQ(START(loop, long_name, 80, &asked.config, &asked.lookup), EDDY_ENAMETOOLONG);
  asked.config.family = 5;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  init(&asked);
  asked.config.timeout = EDDY_NEVER;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  init(&asked);
  asked.config.on_done = NULL;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  init(&asked);
  asked.config.size = sizeof asked.config + 1;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
#undef START
  CHECK_EQ(eddy_lookup_close(NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(names_asked(), 0);
  end_loop(loop);
}

static void the_longest_name_and_the_outer_ports_are_taken(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  char name[254];
  query asked;
  memset(name, 'a', sizeof name - 1);
  name[253] = 0;
  name_has(name, addresses);
  CHECK_EQ(status_of(loop, name), 0);
  init(&asked);
  asked.closes = 1;
  CHECK_EQ(eddy_lookup_start(loop, "127.0.0.1", 65535, &asked.config, &asked.lookup), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(asked.addresses[0], "127.0.0.1:65535");
  init(&asked);
  asked.closes = 1;
  CHECK_EQ(eddy_lookup_start(loop, "::1", 0, &asked.config, &asked.lookup), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(asked.addresses[0], "[::1]:0");
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_name_has_its_addresses_in_the_resolvers_order),
    TAP_TEST(a_family_leaves_the_other_out),
    TAP_TEST(the_system_knows_localhost),
    TAP_TEST(an_address_needs_no_thread),
    TAP_TEST(an_address_of_the_other_family_is_no_name),
    TAP_TEST(what_the_resolver_says_has_its_code),
    TAP_TEST(a_lookup_that_takes_too_long_times_out),
    TAP_TEST(a_lookup_that_waits_for_a_thread_times_out),
    TAP_TEST(a_lookup_is_closed_while_a_thread_is_at_it),
    TAP_TEST(lookups_are_closed_before_a_thread_is_at_them),
    TAP_TEST(a_lookup_is_closed_when_its_answer_is_on_its_way),
    TAP_TEST(a_lookup_of_an_address_is_closed_before_it_is_answered),
    TAP_TEST(a_lookup_closes_itself_when_it_is_done),
    TAP_TEST(a_loop_is_destroyed_while_threads_are_stuck),
    TAP_TEST(a_program_ends_while_threads_are_stuck),
    TAP_TEST(threads_that_wait_end_with_the_loop),
    TAP_TEST(a_thousand_lookups_share_four_threads),
    TAP_TEST(a_slow_name_does_not_hold_up_the_others),
    TAP_TEST(the_hosts_signals_do_not_reach_the_threads),
    TAP_TEST(a_child_of_fork_asks_with_threads_of_its_own),
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(the_longest_name_and_the_outer_ports_are_taken),
};
TAP_MAIN(tests)
