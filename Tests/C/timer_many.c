/* eddy/timer.h: the order of many timers, and restarts. */
#include <stdlib.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* A timer that checks that it comes in its turn. */
typedef struct entry {
  eddy_timer *timer;
  uint64_t due;
  int place; /* in which it must be called; -1: it must not be */
} entry;

static eddy_loop *loop;
static int called;

static void in_turn(eddy_timer *timer, void *context) {
  entry *entry = context;
  CHECK(timer == entry->timer);
  CHECK_EQ(called, entry->place);
  CHECK(eddy_loop_now(loop) >= entry->due);
  called++;
}

static int by_due(const void *a, const void *b) {
  const entry *left = *(entry *const *)a, *right = *(entry *const *)b;
  if (left->due != right->due) {
    return left->due < right->due ? -1 : 1;
  }
  return left < right ? -1 : 1; /* all are started in the order of the array */
}

static void make_entries(entry *entries, int count) {
  for (int i = 0; i < count; i++) {
    CHECK_EQ(eddy_timer_create(loop, in_turn, &entries[i], &entries[i].timer), 0);
    entries[i].place = -1;
  }
}

static void start_entry(entry *entry, uint64_t delay) {
  CHECK_EQ(eddy_timer_start(entry->timer, delay, 0), 0);
  entry->due = eddy_loop_now(loop) + delay;
  CHECK(eddy_timer_due(entry->timer) == entry->due);
}

/* Works out the places of those that run, and runs them. */
static void run_entries(entry *entries, int count) {
  entry **sorted = malloc(sizeof *sorted * (size_t)count);
  int running = 0;
  CHECK(sorted != NULL);
  for (int i = 0; i < count; i++) {
    if (eddy_timer_active(entries[i].timer)) {
      sorted[running++] = &entries[i];
    }
  }
  qsort(sorted, (size_t)running, sizeof *sorted, by_due);
  for (int i = 0; i < running; i++) {
    sorted[i]->place = i;
  }
  free(sorted);
  called = 0;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(called, running);
}

static void close_entries(entry *entries, int count) {
  for (int i = 0; i < count; i++) {
    CHECK(eddy_timer_due(entries[i].timer) == EDDY_NEVER);
    CHECK_EQ(eddy_timer_close(entries[i].timer, NULL), 0);
  }
  end_loop(loop);
}

static void timers_of_one_time_come_in_the_order_of_their_start(void) {
  static entry entries[500];
  loop = make_loop();
  make_entries(entries, 500);
  for (int i = 0; i < 500; i++) {
    start_entry(&entries[i], (uint64_t)(i % 3) * EDDY_MILLISECOND);
  }
  run_entries(entries, 500);
  close_entries(entries, 500);
}

static void random_timers_come_in_order(void) {
  static entry entries[20000];
  unsigned random = 1;
  loop = make_loop();
  make_entries(entries, 20000);
  for (int i = 0; i < 20000; i++) {
    random = random * 1664525 + 1013904223;
    start_entry(&entries[i], random % (50 * EDDY_MILLISECOND));
  }
  run_entries(entries, 20000);
  close_entries(entries, 20000);
}

static void stopped_and_restarted_timers_come_in_order(void) {
  static entry entries[5000];
  unsigned random = 7;
  loop = make_loop();
  make_entries(entries, 5000);
  for (int i = 0; i < 5000; i++) {
    start_entry(&entries[i], (uint64_t)(i * 7919 % 5000) * 10 * EDDY_MICROSECOND);
  }
  for (int i = 0; i < 20000; i++) {
    random = random * 1664525 + 1013904223;
    entry *entry = &entries[random >> 8 & 4095];
    if ((random >> 20) % 4 == 0) {
      CHECK_EQ(eddy_timer_stop(entry->timer), 0);
    } else { /* later or earlier, and never the time of another */
      start_entry(
          entry, 50 * EDDY_MILLISECOND + (random % 50000) * EDDY_MICROSECOND * 2 +
                     (uint64_t)(entry - entries));
    }
  }
  run_entries(entries, 5000);
  close_entries(entries, 5000);
}

static void a_deadline_that_moves_on_is_kept(void) {
  entry entries[2];
  loop = make_loop();
  make_entries(entries, 2);
  start_entry(&entries[0], 5 * EDDY_MILLISECOND);
  start_entry(&entries[1], 20 * EDDY_MILLISECOND);
  start_entry(&entries[0], 40 * EDDY_MILLISECOND); /* behind the other */
  run_entries(entries, 2);
  CHECK_EQ(entries[0].place, 1);
  close_entries(entries, 2);
}

static void a_deadline_that_moved_on_may_come_back(void) {
  entry entries[2];
  loop = make_loop();
  make_entries(entries, 2);
  start_entry(&entries[0], 5 * EDDY_MILLISECOND);
  start_entry(&entries[1], 20 * EDDY_MILLISECOND);
  start_entry(&entries[0], 40 * EDDY_MILLISECOND);
  start_entry(&entries[0], 10 * EDDY_MILLISECOND);
  run_entries(entries, 2);
  CHECK_EQ(entries[0].place, 0);
  close_entries(entries, 2);
}

/* One call of eddy_loop_run(ONCE) is one event, although the wait ends before for the old deadline.
 */
static void a_moved_deadline_is_no_event_of_its_own(void) {
  entry entry;
  loop = make_loop();
  make_entries(&entry, 1);
  start_entry(&entry, 100 * EDDY_MILLISECOND); /* not so near that it comes in a slow turn */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  start_entry(&entry, 150 * EDDY_MILLISECOND);
  entry.place = 0;
  called = 0;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 0);
  CHECK_EQ(called, 1);
  close_entries(&entry, 1);
}

static void start_other_at_once(eddy_timer *timer, void *context) {
  eddy_timer *other = context;
  (void)timer;
  called++;
  CHECK_EQ(eddy_timer_start(other, 0, 0), 0);
}

static void a_timer_without_delay_waits_for_the_next_turn(void) {
  eddy_timer *first;
  loop = make_loop();
  entry entry;
  make_entries(&entry, 1);
  entry.place = 1;
  entry.due = 0;
  CHECK_EQ(eddy_timer_create(loop, start_other_at_once, entry.timer, &first), 0);
  CHECK_EQ(eddy_timer_start(first, 0, 0), 0);
  called = 0;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(called, 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_EQ(called, 2);
  CHECK_EQ(eddy_timer_close(first, NULL), 0);
  close_entries(&entry, 1);
}

static void a_million_timers(void) {
  int count = tap_under_valgrind() ? 20000 : 1000000;
  entry *entries = calloc((size_t)count, sizeof *entries);
  CHECK(entries != NULL);
  loop = make_loop();
  make_entries(entries, count);
  for (int i = 0; i < count; i++) {
    start_entry(&entries[i], (uint64_t)(i % 1000) * 100 * EDDY_MICROSECOND);
  }
  run_entries(entries, count);
  close_entries(entries, count);
  free(entries);
}

static void due_of_null_is_no_time(void) {
  CHECK(eddy_timer_due(NULL) == 0);
}

static const tap_test tests[] = {
    TAP_TEST(timers_of_one_time_come_in_the_order_of_their_start),
    TAP_TEST(random_timers_come_in_order),
    TAP_TEST(stopped_and_restarted_timers_come_in_order),
    TAP_TEST(a_deadline_that_moves_on_is_kept),
    TAP_TEST(a_deadline_that_moved_on_may_come_back),
    TAP_TEST(a_moved_deadline_is_no_event_of_its_own),
    TAP_TEST(a_timer_without_delay_waits_for_the_next_turn),
    TAP_TEST(a_million_timers),
    TAP_TEST(due_of_null_is_no_time),
};
TAP_MAIN(tests)
