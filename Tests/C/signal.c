/* eddy/signal.h. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* A signal watcher with what it has seen. */
typedef struct probe {
  eddy_loop *loop;
  eddy_signal *watcher;
  int calls, last, closed;
} probe;

static void note_signal(eddy_signal *watcher, int signal_number, void *context) {
  probe *probe = context;
  CHECK(watcher == probe->watcher);
  CHECK_EQ(probe->closed, 0);
  probe->calls++;
  probe->last = signal_number;
  CHECK_EQ(eddy_loop_stop(probe->loop), 0);
}

static void count_closed(void *context) {
  probe *probe = context;
  probe->closed++;
}

static void make_probe(eddy_loop *loop, probe *probe) {
  probe->loop = loop;
  probe->calls = probe->last = probe->closed = 0;
  CHECK_EQ(eddy_signal_create(loop, note_signal, probe, &probe->watcher), 0);
}

static int is_default(int signal_number) {
  struct sigaction action;
  CHECK(sigaction(signal_number, NULL, &action) == 0);
  return action.sa_handler == SIG_DFL;
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  CHECK_EQ(eddy_signal_create(NULL, note_signal, NULL, &probe.watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_create(loop, NULL, NULL, &probe.watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_create(loop, note_signal, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_start(NULL, SIGUSR1), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_stop(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_close(NULL, NULL), EDDY_EINVAL);
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, 0), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_start(probe.watcher, -1), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_start(probe.watcher, 65), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_start(probe.watcher, 1000000), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void a_signal_that_cannot_be_caught_is_invalid(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGKILL), EDDY_EINVAL);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGSTOP), EDDY_EINVAL);
  if (SIGRTMIN > 32) {
    CHECK_EQ(eddy_signal_start(probe.watcher, 32), EDDY_EINVAL); /* the threads library's own */
  }
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGRTMAX), 0);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void a_signal_calls_on_the_loop_not_in_the_handler(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), 0);
  CHECK(raise(SIGUSR1) == 0);
  CHECK_EQ(probe.calls, 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(probe.last, SIGUSR1);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void *kill_after_20_ms(void *context) {
  (void)context;
  sleep_ns(20 * EDDY_MILLISECOND);
  CHECK(kill(getpid(), SIGTERM) == 0); /* any thread may get it */
  return NULL;
}

static void a_signal_wakes_a_loop_that_blocks(void) {
  eddy_loop *loop = make_loop();
  pthread_t thread;
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGTERM), 0);
  CHECK(pthread_create(&thread, NULL, kill_after_20_ms, NULL) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK_EQ(probe.last, SIGTERM);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void a_signal_is_told_again_and_again(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int round;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR2), 0);
  for (round = 1; round <= 5; round++) {
    CHECK(raise(SIGUSR2) == 0);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
    CHECK_EQ(probe.calls, round);
  }
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void a_started_watcher_does_not_keep_the_loop_alive(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void starting_twice_is_refused(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), EDDY_EALREADY);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR2), EDDY_EALREADY);
  CHECK(is_default(SIGUSR2));
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), EDDY_EALREADY);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), EDDY_EALREADY);
  end_loop(loop);
}

static void stopping_the_last_watcher_brings_the_default_back(void) {
  eddy_loop *loop = make_loop();
  probe first, second;
  make_probe(loop, &first);
  make_probe(loop, &second);
  CHECK(is_default(SIGUSR1));
  CHECK_EQ(eddy_signal_start(first.watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_signal_start(second.watcher, SIGUSR1), 0);
  CHECK(!is_default(SIGUSR1));
  CHECK_EQ(eddy_signal_stop(first.watcher), 0);
  CHECK(!is_default(SIGUSR1));
  CHECK_EQ(eddy_signal_stop(second.watcher), 0);
  CHECK(is_default(SIGUSR1));
  CHECK_EQ(eddy_signal_stop(second.watcher), 0);
  CHECK_EQ(eddy_signal_close(first.watcher, NULL), 0);
  CHECK_EQ(eddy_signal_close(second.watcher, NULL), 0);
  end_loop(loop);
}

static void closing_brings_the_default_back(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_signal_close(probe.watcher, count_closed), 0);
  CHECK_EQ(probe.closed, 0);
  end_loop(loop);
  CHECK_EQ(probe.closed, 1);
  CHECK(is_default(SIGUSR1));
}

static void two_watchers_of_one_signal_are_both_called(void) {
  eddy_loop *loop = make_loop();
  probe first, second;
  make_probe(loop, &first);
  make_probe(loop, &second);
  CHECK_EQ(eddy_signal_start(first.watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_signal_start(second.watcher, SIGUSR1), 0);
  CHECK(raise(SIGUSR1) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK_EQ(first.calls, 1);
  CHECK_EQ(second.calls, 1);
  CHECK_EQ(eddy_signal_close(first.watcher, NULL), 0);
  CHECK_EQ(eddy_signal_close(second.watcher, NULL), 0);
  end_loop(loop);
}

static void a_signal_belongs_to_one_loop(void) {
  eddy_loop *one = make_loop(), *other = make_loop();
  probe first, second;
  make_probe(one, &first);
  make_probe(other, &second);
  CHECK_EQ(eddy_signal_start(first.watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_signal_start(second.watcher, SIGUSR1), EDDY_EBUSY);
  CHECK_EQ(eddy_signal_start(second.watcher, SIGUSR2), 0);
  CHECK_EQ(eddy_signal_stop(second.watcher), 0);
  CHECK_EQ(eddy_signal_stop(first.watcher), 0);
  CHECK_EQ(eddy_signal_start(second.watcher, SIGUSR1), 0); /* free now */
  CHECK(raise(SIGUSR1) == 0);
  CHECK_EQ(eddy_loop_run(other, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK_EQ(second.calls, 1);
  CHECK_EQ(first.calls, 0);
  CHECK_EQ(eddy_signal_close(first.watcher, NULL), 0);
  CHECK_EQ(eddy_signal_close(second.watcher, NULL), 0);
  end_loop(one);
  end_loop(other);
}

static void a_watcher_may_go_over_to_another_signal(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_signal_stop(probe.watcher), 0);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR2), 0);
  CHECK(raise(SIGUSR2) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK_EQ(probe.last, SIGUSR2);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static void close_self(eddy_signal *watcher, int signal_number, void *context) {
  probe *probe = context;
  probe->calls++;
  probe->last = signal_number;
  CHECK_EQ(eddy_signal_close(watcher, count_closed), 0);
  CHECK_EQ(probe->closed, 0);
  CHECK_EQ(eddy_loop_stop(probe->loop), 0);
}

static void a_watcher_may_close_itself(void) {
  eddy_loop *loop = make_loop();
  probe probe = {loop, NULL, 0, 0, 0};
  CHECK_EQ(eddy_signal_create(loop, close_self, &probe, &probe.watcher), 0);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), 0);
  CHECK(raise(SIGUSR1) == 0);
  CHECK(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED) >= 0);
  end_loop(loop);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(probe.closed, 1);
  CHECK(is_default(SIGUSR1));
}

static void a_signal_that_came_before_the_stop_does_not_call_after_it(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  make_probe(loop, &probe);
  CHECK_EQ(eddy_signal_start(probe.watcher, SIGUSR1), 0);
  CHECK(raise(SIGUSR1) == 0);
  CHECK_EQ(eddy_signal_stop(probe.watcher), 0);
  run_for(loop, 5 * EDDY_MILLISECOND);
  CHECK_EQ(probe.calls, 0);
  CHECK_EQ(eddy_signal_close(probe.watcher, NULL), 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_signal_that_cannot_be_caught_is_invalid),
    TAP_TEST(a_signal_calls_on_the_loop_not_in_the_handler),
    TAP_TEST(a_signal_wakes_a_loop_that_blocks),
    TAP_TEST(a_signal_is_told_again_and_again),
    TAP_TEST(a_started_watcher_does_not_keep_the_loop_alive),
    TAP_TEST(starting_twice_is_refused),
    TAP_TEST(stopping_the_last_watcher_brings_the_default_back),
    TAP_TEST(closing_brings_the_default_back),
    TAP_TEST(two_watchers_of_one_signal_are_both_called),
    TAP_TEST(a_signal_belongs_to_one_loop),
    TAP_TEST(a_watcher_may_go_over_to_another_signal),
    TAP_TEST(a_watcher_may_close_itself),
    TAP_TEST(a_signal_that_came_before_the_stop_does_not_call_after_it),
};
TAP_MAIN(tests)
