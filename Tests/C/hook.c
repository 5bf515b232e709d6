/* eddy/hook.h. */
#include <string.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* What was called, in order: a letter each. */
static char calls[64];

static void note(char letter) {
  size_t length = strlen(calls);
  CHECK(length + 1 < sizeof calls);
  calls[length] = letter;
}

/* A hook that notes its letter and does something to another. */
typedef struct probe {
  eddy_loop *loop;
  eddy_hook *hook;
  char letter;
  void (*act)(struct probe *self);
  struct probe *other;
  int closed;
} probe;

static void on_hook(eddy_hook *hook, void *context) {
  probe *self = context;
  CHECK(hook == self->hook);
  CHECK_EQ(self->closed, 0);
  note(self->letter);
  if (self->act != NULL) {
    self->act(self);
  }
}

static void on_closed(void *context) {
  ((probe *)context)->closed++;
}

static void make_probe(probe *self, eddy_loop *loop, int kind, char letter) {
  memset(self, 0, sizeof *self);
  self->loop = loop;
  self->letter = letter;
  CHECK_EQ(eddy_hook_create(loop, kind, on_hook, self, &self->hook), 0);
}

static void close_probe(probe *self) {
  CHECK_EQ(eddy_hook_close(self->hook, on_closed), 0);
}

static void close_self(probe *self) {
  close_probe(self);
}

static void close_other(probe *self) {
  close_probe(self->other);
  self->act = NULL;
}

static void stop_other(probe *self) {
  CHECK_EQ(eddy_hook_stop(self->other->hook), 0);
}

static void start_other(probe *self) {
  CHECK_EQ(eddy_hook_start(self->other->hook), 0);
}

static void stop_self(probe *self) {
  CHECK_EQ(eddy_hook_stop(self->hook), 0);
}

static void on_post(void *context) {
  (void)context;
  note('p');
}

static void post(probe *self) {
  CHECK_EQ(eddy_loop_post(self->loop, on_post, NULL), 0);
}

static void on_timer(eddy_timer *timer, void *context) {
  (void)context;
  note('t');
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
}

static void start_timer(probe *self) {
  eddy_timer *timer;
  CHECK_EQ(eddy_timer_create(self->loop, on_timer, NULL, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 0, 0), 0);
  CHECK_EQ(eddy_hook_stop(self->hook), 0);
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_hook *hook;
  CHECK_EQ(eddy_hook_create(NULL, EDDY_HOOK_IDLE, on_hook, NULL, &hook), EDDY_EINVAL);
  CHECK_EQ(eddy_hook_create(loop, 0, on_hook, NULL, &hook), EDDY_EINVAL);
  CHECK_EQ(eddy_hook_create(loop, 4, on_hook, NULL, &hook), EDDY_EINVAL);
  CHECK_EQ(eddy_hook_create(loop, EDDY_HOOK_IDLE, NULL, NULL, &hook), EDDY_EINVAL);
  CHECK_EQ(eddy_hook_create(loop, EDDY_HOOK_IDLE, on_hook, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_hook_start(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_hook_stop(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_hook_close(NULL, NULL), EDDY_EINVAL);
  end_loop(loop);
}

static void hooks_stand_around_the_wait(void) {
  eddy_loop *loop = make_loop();
  probe before, after;
  make_probe(&before, loop, EDDY_HOOK_BEFORE_BLOCKING, 'b');
  make_probe(&after, loop, EDDY_HOOK_AFTER_BLOCKING, 'a');
  CHECK_EQ(eddy_hook_start(after.hook), 0);
  CHECK_EQ(eddy_hook_start(before.hook), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, "ba");
  CHECK_EQ(eddy_loop_post(loop, on_post, NULL), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 0);
  CHECK_STR(calls, "babap");
  close_probe(&before);
  close_probe(&after);
  end_loop(loop);
  CHECK_EQ(before.closed + after.closed, 2);
}

/* A turn without hooks stays inside libev: a hook that starts meanwhile must still be called. */
static void a_hook_may_start_while_the_loop_runs(void) {
  eddy_loop *loop = make_loop();
  probe idle, before;
  make_probe(&idle, loop, EDDY_HOOK_IDLE, 'i');
  make_probe(&before, loop, EDDY_HOOK_BEFORE_BLOCKING, 'b');
  idle.act = start_other;
  idle.other = &before;
  CHECK_EQ(eddy_hook_start(idle.hook), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_STR(calls, "ibi");
  close_probe(&idle);
  close_probe(&before);
  end_loop(loop);
}

static void count_hook(eddy_hook *hook, void *context) {
  (void)hook;
  ++*(int *)context;
}

static void stop_after_ten(eddy_watcher *watcher, int events, void *context) {
  int *calls_left = context;
  (void)events;
  if (--*calls_left == 0) {
    CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  }
}

/* Turns with nothing but I/O are libev's own, without a hook. */
static void hooks_are_called_in_each_turn_of_a_run(void) {
  eddy_loop *loop = make_loop();
  eddy_loop_metrics metrics = EDDY_LOOP_METRICS_INIT;
  eddy_watcher *watcher;
  eddy_hook *before, *after;
  int fds[2], befores = 0, afters = 0, calls_left = 10;
  make_socket_pair(fds);
  CHECK_EQ(eddy_hook_create(loop, EDDY_HOOK_BEFORE_BLOCKING, count_hook, &befores, &before), 0);
  CHECK_EQ(eddy_hook_create(loop, EDDY_HOOK_AFTER_BLOCKING, count_hook, &afters, &after), 0);
  CHECK_EQ(eddy_hook_start(before), 0);
  CHECK_EQ(eddy_hook_start(after), 0);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], stop_after_ten, &calls_left, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(calls_left, 0);
  CHECK_EQ(eddy_loop_read_metrics(loop, &metrics), 0);
  CHECK(metrics.turns >= 10);
  CHECK_EQ(befores, metrics.turns);
  CHECK_EQ(afters, metrics.turns);
  CHECK_EQ(eddy_hook_close(before, NULL), 0);
  CHECK_EQ(eddy_hook_close(after, NULL), 0);
  close(fds[0]);
  close(fds[1]);
  end_loop(loop);
}

static void what_a_hook_posts_runs_in_the_same_turn(void) {
  eddy_loop *loop = make_loop();
  probe before;
  make_probe(&before, loop, EDDY_HOOK_BEFORE_BLOCKING, 'b');
  before.act = post;
  CHECK_EQ(eddy_hook_start(before.hook), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, "bp");
  close_probe(&before);
  end_loop(loop);
}

static void a_timer_of_a_hook_ends_the_wait_that_follows(void) {
  eddy_loop *loop = make_loop();
  probe before;
  make_probe(&before, loop, EDDY_HOOK_BEFORE_BLOCKING, 'b');
  before.act = start_timer;
  CHECK_EQ(eddy_hook_start(before.hook), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 0);
  CHECK_STR(calls, "bt");
  close_probe(&before);
  end_loop(loop);
}

static void hooks_around_the_wait_keep_nothing_alive(void) {
  eddy_loop *loop = make_loop();
  probe before, after;
  make_probe(&before, loop, EDDY_HOOK_BEFORE_BLOCKING, 'b');
  make_probe(&after, loop, EDDY_HOOK_AFTER_BLOCKING, 'a');
  CHECK_EQ(eddy_hook_start(before.hook), 0);
  CHECK_EQ(eddy_hook_start(after.hook), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  close_probe(&before);
  close_probe(&after);
  end_loop(loop);
}

static int idle_calls;

static void count_to_ten(probe *self) {
  memset(calls, 0, sizeof calls);
  if (++idle_calls == 10) {
    CHECK_EQ(eddy_hook_stop(self->hook), 0);
  }
}

static void an_idle_hook_keeps_the_loop_turning_until_it_stops(void) {
  eddy_loop *loop = make_loop();
  probe idle;
  make_probe(&idle, loop, EDDY_HOOK_IDLE, 'i');
  idle.act = count_to_ten;
  CHECK_EQ(eddy_hook_start(idle.hook), 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(idle_calls, 10);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  close_probe(&idle);
  end_loop(loop);
}

static void an_idle_hook_waits_while_there_is_work(void) {
  eddy_loop *loop = make_loop();
  probe idle;
  make_probe(&idle, loop, EDDY_HOOK_IDLE, 'i');
  CHECK_EQ(eddy_hook_start(idle.hook), 0);
  CHECK_EQ(eddy_loop_post(loop, on_post, NULL), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_STR(calls, "p");
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_STR(calls, "pi");
  close_probe(&idle);
  end_loop(loop);
}

static void hooks_are_called_in_the_order_of_their_start(void) {
  eddy_loop *loop = make_loop();
  probe probes[3];
  for (int i = 0; i < 3; i++) {
    make_probe(&probes[i], loop, EDDY_HOOK_AFTER_BLOCKING, (char)('0' + i));
  }
  CHECK_EQ(eddy_hook_start(probes[2].hook), 0);
  CHECK_EQ(eddy_hook_start(probes[0].hook), 0);
  CHECK_EQ(eddy_hook_start(probes[1].hook), 0);
  CHECK_EQ(eddy_hook_start(probes[2].hook), 0); /* is started, and keeps its place */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, "201");
  CHECK_EQ(eddy_hook_stop(probes[2].hook), 0);
  CHECK_EQ(eddy_hook_start(probes[2].hook), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, "201012");
  for (int i = 0; i < 3; i++) {
    close_probe(&probes[i]);
  }
  end_loop(loop);
}

/* Four hooks; the second does something to one of them, or to itself. */
static void second_of_four(void (*act)(probe *), int other, const char *first, const char *second) {
  eddy_loop *loop = make_loop();
  probe probes[4];
  for (int i = 0; i < 4; i++) {
    make_probe(&probes[i], loop, EDDY_HOOK_BEFORE_BLOCKING, (char)('0' + i));
    CHECK_EQ(eddy_hook_start(probes[i].hook), 0);
  }
  probes[1].act = act;
  probes[1].other = &probes[other];
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, first);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, second);
  for (int i = 0; i < 4; i++) {
    if (probes[i].closed == 0) {
      close_probe(&probes[i]);
    }
  }
  end_loop(loop);
}

static void a_hook_may_close_itself(void) {
  second_of_four(close_self, 1, "0123", "0123023");
}

static void a_hook_may_close_the_next(void) {
  second_of_four(close_other, 2, "013", "013013");
}

static void a_hook_may_close_the_one_before(void) {
  second_of_four(close_other, 0, "0123", "0123123");
}

static void a_hook_may_close_the_last(void) {
  second_of_four(close_other, 3, "012", "012012");
}

static void a_hook_may_stop_itself(void) {
  second_of_four(stop_self, 1, "0123", "0123023");
}

static void a_hook_may_stop_the_next(void) {
  second_of_four(stop_other, 2, "013", "013013");
}

static void a_hook_that_a_hook_starts_is_called_from_the_next_turn_on(void) {
  eddy_loop *loop = make_loop();
  probe first, second;
  make_probe(&first, loop, EDDY_HOOK_BEFORE_BLOCKING, '1');
  make_probe(&second, loop, EDDY_HOOK_BEFORE_BLOCKING, '2');
  first.act = start_other;
  first.other = &second;
  CHECK_EQ(eddy_hook_start(first.hook), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, "1");
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_STR(calls, "112");
  close_probe(&first);
  close_probe(&second);
  end_loop(loop);
}

static void a_closed_hook_refuses_everything(void) {
  eddy_loop *loop = make_loop();
  probe idle;
  make_probe(&idle, loop, EDDY_HOOK_IDLE, 'i');
  CHECK_EQ(eddy_hook_start(idle.hook), 0);
  close_probe(&idle);
  CHECK_EQ(eddy_hook_start(idle.hook), EDDY_EALREADY);
  CHECK_EQ(eddy_hook_stop(idle.hook), 0);
  CHECK_EQ(eddy_hook_close(idle.hook, NULL), EDDY_EALREADY);
  end_loop(loop);
  CHECK_EQ(idle.closed, 1);
  CHECK_STR(calls, "");
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(hooks_stand_around_the_wait),
    TAP_TEST(hooks_are_called_in_each_turn_of_a_run),
    TAP_TEST(a_hook_may_start_while_the_loop_runs),
    TAP_TEST(what_a_hook_posts_runs_in_the_same_turn),
    TAP_TEST(a_timer_of_a_hook_ends_the_wait_that_follows),
    TAP_TEST(hooks_around_the_wait_keep_nothing_alive),
    TAP_TEST(an_idle_hook_keeps_the_loop_turning_until_it_stops),
    TAP_TEST(an_idle_hook_waits_while_there_is_work),
    TAP_TEST(hooks_are_called_in_the_order_of_their_start),
    TAP_TEST(a_hook_may_close_itself),
    TAP_TEST(a_hook_may_close_the_next),
    TAP_TEST(a_hook_may_close_the_one_before),
    TAP_TEST(a_hook_may_close_the_last),
    TAP_TEST(a_hook_may_stop_itself),
    TAP_TEST(a_hook_may_stop_the_next),
    TAP_TEST(a_hook_that_a_hook_starts_is_called_from_the_next_turn_on),
    TAP_TEST(a_closed_hook_refuses_everything),
};
TAP_MAIN(tests)
