/* EDDY_RUN_ONCE of eddy/loop.h: it returns when something has happened, and not before. */
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

static void count_timer(eddy_timer *timer, void *context) {
  (void)timer;
  ++*(int *)context;
}

static void count_post(void *context) {
  ++*(int *)context;
}

static void pass_over(int number) {
  (void)number;
}

/* Runs once, which must be until the timer has come. */
static void run_until_timer(eddy_loop *loop, eddy_timer *timer, const int *calls) {
  CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  CHECK_EQ(*calls, 1);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static void a_timer_that_was_moved_to_a_later_time_ends_no_wait(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int calls = 0;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 5 * EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_timer_start(timer, 60 * EDDY_MILLISECOND, 0), 0);
  run_until_timer(loop, timer, &calls);
}

static void nor_one_whose_first_time_is_over(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int calls = 0;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_timer_start(timer, 60 * EDDY_MILLISECOND, 0), 0);
  sleep_ns(5 * EDDY_MILLISECOND);
  run_until_timer(loop, timer, &calls);
}

static void a_signal_handler_of_the_host_ends_no_wait(void) {
  eddy_loop *loop = make_loop();
  const struct itimerval soon = {{0, 0}, {0, 10000}};
  struct sigaction action = {0};
  eddy_timer *timer;
  int calls = 0;
  action.sa_handler = pass_over;
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 60 * EDDY_MILLISECOND, 0), 0);
  CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
  run_until_timer(loop, timer, &calls);
}

/* After many posts the loop looks for more before it blocks. */
static void many_posts_end_their_own_turn_alone(void) {
  enum { MANY = 100 };
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int calls = 0, posts = 0, number;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 60 * EDDY_MILLISECOND, 0), 0);
  for (number = 0; number < MANY; number++) {
    CHECK_EQ(eddy_loop_post(loop, count_post, &posts), 0);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  CHECK_EQ(posts, MANY);
  CHECK_EQ(calls, 0);
  run_until_timer(loop, timer, &calls);
}

/* What happens to a handle without a callback is something, too. */
static void a_work_without_completion_ends_the_wait(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool;
  eddy_timer *timer;
  int calls = 0, works = 0;
  CHECK_EQ(eddy_pool_create(loop, NULL, &pool), 0);
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 3600 * EDDY_SECOND, 0), 0);
  CHECK_EQ(eddy_pool_submit(pool, count_post, NULL, &works), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  CHECK_EQ(works, 1);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 0); /* the close, which nobody is told of */
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void stop_hook(eddy_hook *hook, void *context) {
  ++*(int *)context;
  CHECK_EQ(eddy_hook_stop(hook), 0);
}

static void an_idle_hook_is_something_that_happens(void) {
  eddy_loop *loop = make_loop();
  eddy_hook *hook;
  eddy_timer *timer;
  int calls = 0, timers = 0;
  CHECK_EQ(eddy_hook_create(loop, EDDY_HOOK_IDLE, stop_hook, &calls, &hook), 0);
  CHECK_EQ(eddy_hook_start(hook), 0);
  CHECK_EQ(eddy_timer_create(loop, count_timer, &timers, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 3600 * EDDY_SECOND, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  CHECK_EQ(calls, 1);
  CHECK_EQ(eddy_hook_close(hook, NULL), 0);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_timer_that_was_moved_to_a_later_time_ends_no_wait),
    TAP_TEST(nor_one_whose_first_time_is_over),
    TAP_TEST(a_signal_handler_of_the_host_ends_no_wait),
    TAP_TEST(many_posts_end_their_own_turn_alone),
    TAP_TEST(a_work_without_completion_ends_the_wait),
    TAP_TEST(an_idle_hook_is_something_that_happens),
};
TAP_MAIN(tests)
