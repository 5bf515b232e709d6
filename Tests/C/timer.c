/* eddy/timer.h. */
#include "harness/fixture.h"
#include "harness/tap.h"

/* A timer with what it has seen. */
typedef struct probe {
  eddy_loop *loop;
  eddy_timer *timer, *other;
  int calls, closed, result;
  uint64_t due; /* the loop's clock at the start, and the delay */
} probe;

static void count_call(eddy_timer *timer, void *context) {
  probe *probe = context;
  CHECK(timer == probe->timer);
  CHECK_EQ(probe->closed, 0);
  probe->calls++;
}

static void count_closed(void *context) {
  probe *probe = context;
  probe->closed++;
}

static probe make_probe(eddy_loop *loop, eddy_timer_cb callback, probe *self) {
  probe made = {loop, NULL, NULL, 0, 0, 0, 0};
  CHECK_EQ(eddy_timer_create(loop, callback, self, &made.timer), 0);
  return made;
}

/* Arguments. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  CHECK_EQ(eddy_timer_create(NULL, count_call, NULL, &timer), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_create(loop, NULL, NULL, &timer), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_create(loop, count_call, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_start(NULL, 0, 0), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_stop(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_active(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_close(NULL, NULL), EDDY_EINVAL);
  end_loop(loop);
}

static void more_than_146_years_are_invalid(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, count_call, &probe);
  uint64_t year = 31557600 * EDDY_SECOND;
  CHECK_EQ(eddy_timer_start(probe.timer, UINT64_MAX, 0), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_start(probe.timer, 0, UINT64_MAX), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_start(probe.timer, 300 * year, 0), EDDY_EINVAL);
  CHECK_EQ(eddy_timer_active(probe.timer), 0);
  CHECK_EQ(eddy_timer_start(probe.timer, 140 * year, 140 * year), 0);
  CHECK_EQ(eddy_timer_active(probe.timer), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(probe.calls, 0);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

/* When the callback comes. */

static void check_not_early(eddy_timer *timer, void *context) {
  probe *probe = context;
  (void)timer;
  CHECK(eddy_loop_now(probe->loop) >= probe->due);
  CHECK(clock_now() >= probe->due);
  probe->calls++;
}

static void a_timer_is_never_early(void) {
  static const uint64_t delays[] = {
      1,
      999,
      EDDY_MICROSECOND,
      123456,
      999999,
      EDDY_MILLISECOND,
      1234567,
      7 * EDDY_MILLISECOND + 1,
      33 * EDDY_MILLISECOND};
  eddy_loop *loop = make_loop();
  size_t index;
  int round;
  for (index = 0; index < sizeof delays / sizeof *delays; index++) {
    for (round = 0; round < 5; round++) {
      probe probe = make_probe(loop, check_not_early, &probe);
      CHECK_EQ(eddy_loop_update_now(loop), 0);
      probe.due = eddy_loop_now(loop) + delays[index];
      CHECK_EQ(eddy_timer_start(probe.timer, delays[index], 0), 0);
      CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
      CHECK_EQ(probe.calls, 1);
      CHECK_EQ(eddy_timer_active(probe.timer), 0);
      CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
      CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    }
  }
  end_loop(loop);
}

static void start_after_a_delay(void *context) {
  probe *probe = context;
  uint64_t start = eddy_loop_now(probe->loop);
  sleep_ns(30 * EDDY_MILLISECOND); /* the loop's clock does not see this */
  probe->due = start + 10 * EDDY_MILLISECOND;
  CHECK_EQ(eddy_timer_start(probe->timer, 10 * EDDY_MILLISECOND, 0), 0);
}

static void the_delay_counts_from_the_loops_clock(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, check_not_early, &probe);
  CHECK_EQ(eddy_loop_post(loop, start_after_a_delay, &probe), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

static void start_other_at_once(eddy_timer *timer, void *context) {
  probe *probe = context;
  (void)timer;
  CHECK_EQ(eddy_timer_start(probe->other, 0, 0), 0);
}

static void a_delay_of_zero_is_over_in_the_next_turn(void) {
  eddy_loop *loop = make_loop();
  probe second = make_probe(loop, count_call, &second);
  probe first = make_probe(loop, start_other_at_once, &first);
  first.other = second.timer;
  CHECK_EQ(eddy_timer_start(first.timer, 0, 0), 0);
  CHECK_EQ(second.calls, 0); /* never from inside */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(second.calls, 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_EQ(second.calls, 1);
  CHECK_EQ(eddy_timer_close(first.timer, NULL), 0);
  CHECK_EQ(eddy_timer_close(second.timer, NULL), 0);
  end_loop(loop);
}

typedef struct ordered {
  int *next, rank;
} ordered;

static void check_rank(eddy_timer *timer, void *context) {
  ordered *ordered = context;
  CHECK_EQ(ordered->rank, *ordered->next);
  ++*ordered->next;
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
}

static void timers_run_in_the_order_of_their_times(void) {
  enum { COUNT = 16 };
  eddy_loop *loop = make_loop();
  static ordered timers[COUNT];
  int index, next = 0;
  for (index = 0; index < COUNT; index++) {
    eddy_timer *timer;
    timers[index].next = &next;
    timers[index].rank = index * 7 % COUNT; /* no common factor: each rank once */
    CHECK_EQ(eddy_timer_create(loop, check_rank, &timers[index], &timer), 0);
    CHECK_EQ(
        eddy_timer_start(timer, (uint64_t)(1 + timers[index].rank) * 5 * EDDY_MILLISECOND, 0), 0);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(next, COUNT);
  end_loop(loop);
}

/* Repeating. */

/* The wait that the later timer asked for is there already, and the earlier one shortens it. */
static void a_timer_that_is_started_between_runs_is_not_late(void) {
  eddy_loop *loop = make_loop();
  probe later = make_probe(loop, count_call, &later),
        nearer = make_probe(loop, count_call, &nearer);
  uint64_t before;
  CHECK_EQ(eddy_timer_start(later.timer, 30 * EDDY_SECOND, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  before = clock_now();
  CHECK_EQ(eddy_timer_start(nearer.timer, 10 * EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  CHECK_EQ(nearer.calls, 1);
  CHECK_EQ(later.calls, 0);
  CHECK(clock_now() - before < EDDY_SECOND);
  CHECK_EQ(eddy_timer_close(nearer.timer, NULL), 0);
  CHECK_EQ(eddy_timer_close(later.timer, NULL), 0);
  end_loop(loop);
}

static void stop_after_five(eddy_timer *timer, void *context) {
  probe *probe = context;
  CHECK(eddy_loop_now(probe->loop) >= probe->due);
  probe->due += 5 * EDDY_MILLISECOND;
  if (++probe->calls == 5) {
    CHECK_EQ(eddy_timer_stop(timer), 0);
    CHECK_EQ(eddy_timer_active(timer), 0);
  } else {
    CHECK_EQ(eddy_timer_active(timer), 1);
  }
}

static void a_repeating_timer_is_never_early_and_stops_in_its_callback(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, stop_after_five, &probe);
  probe.due = eddy_loop_now(loop) + 2 * EDDY_MILLISECOND;
  CHECK_EQ(eddy_timer_start(probe.timer, 2 * EDDY_MILLISECOND, 5 * EDDY_MILLISECOND), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 5);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

/* Holds the loop up in the first call for 200 ms, then counts the calls of the next 8 ms. */
static void hold_up_then_count(eddy_timer *timer, void *context) {
  probe *probe = context;
  probe->calls++;
  if (probe->calls == 1) {
    sleep_ns(200 * EDDY_MILLISECOND);
    probe->due = clock_now() + 8 * EDDY_MILLISECOND;
  } else if (clock_now() >= probe->due) {
    CHECK_EQ(eddy_timer_stop(timer), 0);
  }
}

static void callbacks_of_a_loop_that_was_held_up_are_skipped(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, hold_up_then_count, &probe);
  CHECK_EQ(eddy_timer_start(probe.timer, 0, 10 * EDDY_MILLISECOND), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  /* The call that held up, one that was due meanwhile, and one or two after; 20 were missed. */
  CHECK(probe.calls >= 2 && probe.calls <= 4);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

/* Starting anew, and stopping. */

static void starting_a_running_timer_starts_it_anew(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, check_not_early, &probe);
  CHECK_EQ(eddy_timer_start(probe.timer, EDDY_MILLISECOND, EDDY_MILLISECOND), 0);
  probe.due = eddy_loop_now(loop) + 20 * EDDY_MILLISECOND;
  CHECK_EQ(eddy_timer_start(probe.timer, 20 * EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

static void restart_twice(eddy_timer *timer, void *context) {
  probe *probe = context;
  CHECK_EQ(eddy_timer_active(timer), 0); /* a one-shot is over when it calls */
  if (++probe->calls < 3) {
    CHECK_EQ(eddy_timer_start(timer, EDDY_MILLISECOND, 0), 0);
    CHECK_EQ(eddy_timer_active(timer), 1);
  }
}

static void a_timer_may_start_itself_again(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, restart_twice, &probe);
  CHECK_EQ(eddy_timer_start(probe.timer, 0, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 3);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

static void a_stopped_timer_does_not_call_and_keeps_nothing_alive(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, count_call, &probe);
  CHECK_EQ(eddy_timer_active(probe.timer), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_timer_stop(probe.timer), 0); /* one that is stopped stays so */
  CHECK_EQ(eddy_timer_start(probe.timer, 0, EDDY_MILLISECOND), 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_timer_stop(probe.timer), 0);
  CHECK_EQ(eddy_timer_active(probe.timer), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  run_for(loop, 5 * EDDY_MILLISECOND);
  CHECK_EQ(probe.calls, 0);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

static void stop_other(eddy_timer *timer, void *context) {
  probe *probe = context;
  (void)timer;
  probe->calls++;
  CHECK_EQ(eddy_timer_stop(probe->other), 0);
}

static void of_two_that_are_due_the_first_may_stop_the_second(void) {
  eddy_loop *loop = make_loop();
  probe first = make_probe(loop, stop_other, &first);
  probe second = make_probe(loop, stop_other, &second);
  first.other = second.timer;
  second.other = first.timer;
  CHECK_EQ(eddy_timer_start(first.timer, EDDY_MICROSECOND, 0), 0);
  CHECK_EQ(eddy_timer_start(second.timer, EDDY_MICROSECOND, 0), 0);
  sleep_ns(EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(first.calls + second.calls, 1);
  CHECK_EQ(eddy_timer_close(first.timer, NULL), 0);
  CHECK_EQ(eddy_timer_close(second.timer, NULL), 0);
  end_loop(loop);
}

/* Closing. */

static void the_close_callback_comes_once_and_never_from_inside(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, count_call, &probe);
  CHECK_EQ(eddy_timer_start(probe.timer, 0, EDDY_MICROSECOND), 0);
  CHECK_EQ(eddy_timer_close(probe.timer, count_closed), 0);
  CHECK_EQ(probe.closed, 0);
  CHECK_EQ(eddy_timer_close(probe.timer, count_closed), EDDY_EALREADY);
  CHECK_EQ(eddy_timer_start(probe.timer, 0, 0), EDDY_EALREADY);
  CHECK_EQ(eddy_timer_active(probe.timer), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.closed, 1);
  CHECK_EQ(probe.calls, 0);
  run_for(loop, EDDY_MILLISECOND);
  CHECK_EQ(probe.closed, 1);
  end_loop(loop);
}

static void a_turn_that_does_not_block_runs_a_close_callback(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, count_call, &probe);
  CHECK_EQ(eddy_timer_close(probe.timer, count_closed), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_EQ(probe.closed, 1);
  end_loop(loop);
}

static void close_self(eddy_timer *timer, void *context) {
  probe *probe = context;
  probe->calls++;
  CHECK_EQ(eddy_timer_close(timer, count_closed), 0);
  CHECK_EQ(probe->closed, 0);
}

static void a_timer_may_close_itself(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, close_self, &probe);
  CHECK_EQ(eddy_timer_start(probe.timer, 0, EDDY_MICROSECOND), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(probe.closed, 1);
  end_loop(loop);
}

static void close_other(eddy_timer *timer, void *context) {
  probe *probe = context;
  (void)timer;
  probe->calls++;
  CHECK_EQ(eddy_timer_close(probe->other, NULL), 0);
  CHECK_EQ(eddy_timer_close(probe->timer, count_closed), 0);
}

static void of_two_that_are_due_the_first_may_close_the_second(void) {
  eddy_loop *loop = make_loop();
  probe first = make_probe(loop, close_other, &first);
  probe second = make_probe(loop, close_other, &second);
  first.other = second.timer;
  second.other = first.timer;
  CHECK_EQ(eddy_timer_start(first.timer, EDDY_MICROSECOND, 0), 0);
  CHECK_EQ(eddy_timer_start(second.timer, EDDY_MICROSECOND, 0), 0);
  sleep_ns(EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(first.calls + second.calls, 1);
  CHECK_EQ(first.closed + second.closed, 1);
  end_loop(loop);
}

static void start_a_timer(void *context) {
  probe *probe = context;
  CHECK_EQ(eddy_timer_create(probe->loop, count_call, probe, &probe->timer), 0);
  CHECK_EQ(eddy_timer_start(probe->timer, 0, 0), 0);
}

static void a_close_callback_may_open_another_handle(void) {
  eddy_loop *loop = make_loop();
  probe probe = make_probe(loop, count_call, &probe);
  CHECK_EQ(eddy_timer_close(probe.timer, start_a_timer), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.calls, 1);
  CHECK_EQ(eddy_timer_close(probe.timer, NULL), 0);
  end_loop(loop);
}

/* The clock of the run before would have it in the past. */
static void a_timer_that_is_started_between_runs_counts_from_then(void) {
  eddy_loop *loop = make_loop();
  probe first = make_probe(loop, count_call, &first);
  probe second = make_probe(loop, count_call, &second);
  uint64_t start;
  CHECK_EQ(eddy_timer_start(first.timer, 3600 * EDDY_SECOND, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  sleep_ns(40 * EDDY_MILLISECOND);
  start = clock_now();
  CHECK_EQ(eddy_timer_start(second.timer, 30 * EDDY_MILLISECOND, 0), 0);
  while (second.calls == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK(clock_now() - start >= 30 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_timer_close(first.timer, NULL), 0);
  CHECK_EQ(eddy_timer_close(second.timer, NULL), 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(more_than_146_years_are_invalid),
    TAP_TEST(a_timer_is_never_early),
    TAP_TEST(the_delay_counts_from_the_loops_clock),
    TAP_TEST(a_delay_of_zero_is_over_in_the_next_turn),
    TAP_TEST(timers_run_in_the_order_of_their_times),
    TAP_TEST(a_timer_that_is_started_between_runs_is_not_late),
    TAP_TEST(a_repeating_timer_is_never_early_and_stops_in_its_callback),
    TAP_TEST(callbacks_of_a_loop_that_was_held_up_are_skipped),
    TAP_TEST(starting_a_running_timer_starts_it_anew),
    TAP_TEST(a_timer_may_start_itself_again),
    TAP_TEST(a_stopped_timer_does_not_call_and_keeps_nothing_alive),
    TAP_TEST(of_two_that_are_due_the_first_may_stop_the_second),
    TAP_TEST(the_close_callback_comes_once_and_never_from_inside),
    TAP_TEST(a_turn_that_does_not_block_runs_a_close_callback),
    TAP_TEST(a_timer_may_close_itself),
    TAP_TEST(of_two_that_are_due_the_first_may_close_the_second),
    TAP_TEST(a_close_callback_may_open_another_handle),
    TAP_TEST(a_timer_that_is_started_between_runs_counts_from_then),
};
TAP_MAIN(tests)
