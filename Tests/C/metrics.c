/* eddy/metrics.h. */
#include <pthread.h>
#include <string.h>

#include "harness/fixture.h"
#include "harness/tap.h"

static eddy_loop_metrics read_metrics(eddy_loop *loop) {
  eddy_loop_metrics metrics = EDDY_LOOP_METRICS_INIT;
  CHECK_EQ(eddy_loop_read_metrics(loop, &metrics), 0);
  return metrics;
}

/* Takes so long as its context says: a uint64_t, in nanoseconds. */
static void hold_up(uint64_t duration) {
  uint64_t end = clock_now() + duration;
  while (clock_now() < end) {
  }
}

static void slow_timer(eddy_timer *timer, void *context) {
  hold_up(*(uint64_t *)context);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
}

static void slow_post(void *context) {
  hold_up(*(uint64_t *)context);
}

static void on_closed(void *context) {
  hold_up(*(uint64_t *)context);
}

/* The last report, and how many there were. */
typedef struct report {
  eddy_slow_callback slow;
  int count;
} report;

static void on_slow(const eddy_slow_callback *slow, void *context) {
  report *report = context;
  CHECK_EQ(slow->size, sizeof *slow);
  report->slow = *slow;
  report->count++;
}

static void start_slow_timer(eddy_loop *loop, uint64_t *duration) {
  eddy_timer *timer;
  CHECK_EQ(eddy_timer_create(loop, slow_timer, duration, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 0, 0), 0);
}

/* A function's address as the report has it: C has no cast for that. */
static void *address_of_timer_cb(eddy_timer_cb function) {
  void *address;
  memcpy(&address, &function, sizeof address);
  return address;
}

static void *address_of_post_cb(eddy_post_cb function) {
  void *address;
  memcpy(&address, &function, sizeof address);
  return address;
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_loop_metrics metrics = EDDY_LOOP_METRICS_INIT;
  CHECK_EQ(eddy_loop_read_metrics(NULL, &metrics), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_read_metrics(loop, NULL), EDDY_EINVAL);
  metrics.size = 0;
  CHECK_EQ(eddy_loop_read_metrics(loop, &metrics), EDDY_EINVAL);
  metrics.size = sizeof metrics + 1;
  CHECK_EQ(eddy_loop_read_metrics(loop, &metrics), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_watch_callbacks(NULL, 1, NULL, NULL), EDDY_EINVAL);
  end_loop(loop);
}

static void an_older_program_gets_the_counters_that_it_knows(void) {
  eddy_loop *loop = make_loop();
  eddy_loop_metrics metrics = EDDY_LOOP_METRICS_INIT;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  metrics.size = offsetof(eddy_loop_metrics, events);
  metrics.events = 77;
  CHECK_EQ(eddy_loop_read_metrics(loop, &metrics), 0);
  CHECK_EQ(metrics.size, offsetof(eddy_loop_metrics, events));
  CHECK(metrics.turns > 0);
  CHECK_EQ(metrics.events, 77);
  end_loop(loop);
}

static void turns_events_and_posts_are_counted(void) {
  eddy_loop *loop = make_loop();
  uint64_t none = 0;
  eddy_loop_metrics before = read_metrics(loop), after;
  CHECK_EQ(before.turns + before.events + before.posts + before.wakes, 0);
  for (int i = 0; i < 3; i++) {
    start_slow_timer(loop, &none); /* closes itself without a close callback: one event each */
  }
  CHECK_EQ(eddy_loop_post(loop, slow_post, &none), 0);
  CHECK_EQ(eddy_loop_post(loop, slow_post, &none), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  after = read_metrics(loop);
  CHECK(after.turns >= 1);
  CHECK_EQ(after.events, 3);
  CHECK_EQ(after.posts, 2);
  CHECK_EQ(after.longest_callback, 0);
  end_loop(loop);
}

static void *post_later(void *loop) {
  static uint64_t none = 0;
  sleep_ns(50 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_post(loop, slow_post, &none), 0);
  sleep_ns(50 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_stop(loop), 0);
  return NULL;
}

static void wakes_by_other_threads_are_counted(void) {
  eddy_loop *loop = make_loop();
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, post_later, loop) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_EQ(read_metrics(loop).posts, 1);
  CHECK_EQ(read_metrics(loop).wakes, 2);
  end_loop(loop);
}

static void a_callback_that_takes_long_is_named(void) {
  eddy_loop *loop = make_loop();
  uint64_t duration = 20 * EDDY_MILLISECOND;
  report report = {{0, 0, NULL, NULL, 0}, 0};
  CHECK_EQ(eddy_loop_watch_callbacks(loop, 10 * EDDY_MILLISECOND, on_slow, &report), 0);
  start_slow_timer(loop, &duration);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(report.count, 1);
  CHECK_EQ(report.slow.kind, EDDY_CALLBACK_TIMER);
  CHECK(report.slow.function == address_of_timer_cb(slow_timer));
  CHECK(report.slow.context == &duration);
  CHECK(report.slow.duration >= duration);
  CHECK_EQ(read_metrics(loop).longest_callback, report.slow.duration);
  end_loop(loop);
}

static void posts_and_close_callbacks_are_measured_too(void) {
  eddy_loop *loop = make_loop();
  uint64_t duration = 20 * EDDY_MILLISECOND, none = 0;
  report report = {{0, 0, NULL, NULL, 0}, 0};
  eddy_timer *timer;
  CHECK_EQ(eddy_loop_watch_callbacks(loop, 10 * EDDY_MILLISECOND, on_slow, &report), 0);
  CHECK_EQ(eddy_loop_post(loop, slow_post, &duration), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(report.count, 1);
  CHECK_EQ(report.slow.kind, EDDY_CALLBACK_POST);
  CHECK(report.slow.function == address_of_post_cb(slow_post));
  CHECK(report.slow.context == &duration);
  CHECK_EQ(eddy_timer_create(loop, slow_timer, &duration, &timer), 0);
  CHECK_EQ(eddy_timer_close(timer, on_closed), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(report.count, 2);
  CHECK_EQ(report.slow.kind, EDDY_CALLBACK_CLOSE);
  start_slow_timer(loop, &none);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(report.count, 2);
  end_loop(loop);
}

static void slow_work(void *context) {
  (void)context;
}

static void slow_done(int status, void *context) {
  CHECK_EQ(status, 0);
  hold_up(*(uint64_t *)context);
}

static void a_completion_is_reported_once_and_is_no_post(void) {
  eddy_loop *loop = make_loop();
  uint64_t duration = 20 * EDDY_MILLISECOND;
  report report = {{0, 0, NULL, NULL, 0}, 0};
  eddy_pool *pool;
  CHECK_EQ(eddy_pool_create(loop, NULL, &pool), 0);
  CHECK_EQ(eddy_loop_watch_callbacks(loop, 10 * EDDY_MILLISECOND, on_slow, &report), 0);
  CHECK_EQ(eddy_pool_submit(pool, slow_work, slow_done, &duration), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(report.count, 1);
  CHECK_EQ(report.slow.kind, EDDY_CALLBACK_DONE);
  CHECK_EQ(read_metrics(loop).posts, 0);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void measuring_can_be_turned_off(void) {
  eddy_loop *loop = make_loop();
  uint64_t duration = 20 * EDDY_MILLISECOND;
  report report = {{0, 0, NULL, NULL, 0}, 0};
  CHECK_EQ(eddy_loop_watch_callbacks(loop, 1, on_slow, &report), 0);
  CHECK_EQ(eddy_loop_watch_callbacks(loop, 0, NULL, NULL), 0);
  start_slow_timer(loop, &duration);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(report.count, 0);
  CHECK_EQ(read_metrics(loop).longest_callback, 0);
  end_loop(loop);
}

typedef struct turner {
  eddy_loop *loop;
  report report;
} turner;

static void turn_off(void *context) {
  turner *turner = context;
  sleep_ns(EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_watch_callbacks(turner->loop, 0, on_slow, &turner->report), 0);
}

static void a_callback_that_turns_it_off_is_not_told_of(void) {
  turner turner = {make_loop(), {{0, 0, NULL, NULL, 0}, 0}};
  CHECK_EQ(eddy_loop_watch_callbacks(turner.loop, 1, on_slow, &turner.report), 0);
  CHECK_EQ(eddy_loop_post(turner.loop, turn_off, &turner), 0);
  CHECK_EQ(eddy_loop_run(turner.loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(turner.report.count, 0);
  end_loop(turner.loop);
}

static void without_a_callback_the_longest_is_kept(void) {
  eddy_loop *loop = make_loop();
  uint64_t duration = 20 * EDDY_MILLISECOND;
  CHECK_EQ(eddy_loop_watch_callbacks(loop, 1, NULL, NULL), 0);
  start_slow_timer(loop, &duration);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK(read_metrics(loop).longest_callback >= duration);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(an_older_program_gets_the_counters_that_it_knows),
    TAP_TEST(turns_events_and_posts_are_counted),
    TAP_TEST(wakes_by_other_threads_are_counted),
    TAP_TEST(a_callback_that_takes_long_is_named),
    TAP_TEST(posts_and_close_callbacks_are_measured_too),
    TAP_TEST(a_completion_is_reported_once_and_is_no_post),
    TAP_TEST(measuring_can_be_turned_off),
    TAP_TEST(a_callback_that_turns_it_off_is_not_told_of),
    TAP_TEST(without_a_callback_the_longest_is_kept),
};
TAP_MAIN(tests)
