/* eddy/loop.h: life, run modes, stopping, the clock. Posting is in post.c, EDDY_RUN_ONCE in
 * loop_once.c. */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

static void ignore_timer(eddy_timer *timer, void *context) {
  (void)timer, (void)context;
}

/* Arguments. */

static void null_handles_are_invalid(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  CHECK_EQ(eddy_loop_create(&config, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_destroy(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_run(NULL, EDDY_RUN_ONCE), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_stop(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_alive(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_now(NULL), 0);
  CHECK_EQ(eddy_loop_update_now(NULL), EDDY_EINVAL);
}

static void a_configuration_may_be_default_or_older(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  eddy_loop *loop;
  CHECK_EQ(eddy_loop_create(&config, &loop), 0);
  end_loop(loop);
  config.size = offsetof(eddy_loop_config, read_buffer_size);
  config.read_buffer_size = 1; /* beyond `size`: not read */
  CHECK_EQ(eddy_loop_create(&config, &loop), 0);
  end_loop(loop);
}

static void a_bad_configuration_is_invalid(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  eddy_loop *loop = NULL;
  config.read_buffer_size = 4095;
  CHECK_EQ(eddy_loop_create(&config, &loop), EDDY_EINVAL);
  config.read_buffer_size = 4096;
  config.size = 0;
  CHECK_EQ(eddy_loop_create(&config, &loop), EDDY_EINVAL);
  config.size = sizeof config;
  CHECK_EQ(eddy_loop_create(&config, &loop), 0);
  end_loop(loop);
}

static void an_unknown_run_mode_is_invalid(void) {
  eddy_loop *loop = make_loop();
  CHECK_EQ(eddy_loop_run(loop, -1), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_run(loop, 4), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_run(loop, 1000), EDDY_EINVAL);
  end_loop(loop);
}

static void creating_and_destroying_leaves_no_descriptor(void) {
  int before = count_descriptors(), round;
  for (round = 0; round < 100; round++) {
    end_loop(make_loop());
  }
  CHECK_EQ(count_descriptors(), before);
}

static void no_signal_handler_is_installed_unasked(void) {
  static const int signals[] = {SIGPIPE, SIGCHLD, SIGINT, SIGTERM, SIGALRM, SIGUSR1};
  eddy_loop *loop;
  size_t index;
  /* Whoever started the test may have had some ignored: nohup(1), or a shell's background job. */
  for (index = 0; index < sizeof signals / sizeof *signals; index++) {
    signal(signals[index], SIG_DFL);
  }
  loop = make_loop();
  run_for(loop, EDDY_MILLISECOND);
  for (index = 0; index < sizeof signals / sizeof *signals; index++) {
    struct sigaction action;
    CHECK(sigaction(signals[index], NULL, &action) == 0);
    CHECK(action.sa_handler == SIG_DFL);
  }
  end_loop(loop);
}

/* Run modes. */

static void every_mode_but_until_stopped_returns_when_nothing_is_alive(void) {
  eddy_loop *loop = make_loop();
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_EQ(eddy_loop_destroy(loop), 0);
}

static void count_timer(eddy_timer *timer, void *context) {
  (void)timer;
  (*(int *)context)++;
}

static void nowait_does_not_block(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  uint64_t start = clock_now();
  int count = 0;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &count, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 3600 * EDDY_SECOND, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK(clock_now() - start < 60 * EDDY_SECOND);
  CHECK_EQ(count, 0);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static void once_blocks_until_something_happens(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int count = 0;
  uint64_t start = clock_now();
  CHECK_EQ(eddy_timer_create(loop, count_timer, &count, &timer), 0);
  CHECK_EQ(eddy_loop_update_now(loop), 0);
  CHECK_EQ(eddy_timer_start(timer, 30 * EDDY_MILLISECOND, 30 * EDDY_MILLISECOND), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  CHECK_EQ(count, 1);
  CHECK(clock_now() - start >= 30 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static void until_idle_returns_when_the_last_timer_is_over(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int count = 0;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &count, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 5 * EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(count, 1);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static void *stop_after_20_ms(void *loop) {
  sleep_ns(20 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_stop(loop), 0);
  return NULL;
}

static void until_stopped_waits_for_a_stop_from_another_thread(void) {
  eddy_loop *loop = make_loop();
  pthread_t thread;
  uint64_t start = clock_now();
  CHECK(pthread_create(&thread, NULL, stop_after_20_ms, loop) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK(clock_now() - start >= 20 * EDDY_MILLISECOND);
  CHECK(pthread_join(thread, NULL) == 0);
  end_loop(loop);
}

static void until_stopped_uses_no_cpu_while_it_waits(void) {
  eddy_loop *loop = make_loop();
  uint64_t before;
  if (tap_under_valgrind()) {
    tap_skip("CPU time means nothing under valgrind");
  }
  before = cpu_now();
  run_for(loop, 300 * EDDY_MILLISECOND);
  CHECK(cpu_now() - before < 100 * EDDY_MILLISECOND);
  end_loop(loop);
}

/* Stopping. */

static void stop_timer_loop(eddy_timer *timer, void *context) {
  (void)timer;
  CHECK_EQ(eddy_loop_stop(context), 0);
}

static void stop_in_a_callback_ends_the_run_and_keeps_the_rest_alive(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *stopper, *late;
  int count = 0;
  CHECK_EQ(eddy_timer_create(loop, stop_timer_loop, loop, &stopper), 0);
  CHECK_EQ(eddy_timer_create(loop, count_timer, &count, &late), 0);
  CHECK_EQ(eddy_timer_start(stopper, EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_timer_start(late, 3600 * EDDY_SECOND, 0), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 1);
  CHECK_EQ(count, 0);
  CHECK_EQ(eddy_timer_close(stopper, NULL), 0);
  CHECK_EQ(eddy_timer_close(late, NULL), 0);
  end_loop(loop);
}

static void a_stop_before_the_run_is_kept_for_one_run(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int count = 0;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &count, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 500 * EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_loop_stop(loop), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 1); /* does not block */
  CHECK_EQ(count, 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0); /* and is over */
  CHECK_EQ(count, 1);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

/* Calls that the loop refuses while it runs. */

typedef struct reentry {
  eddy_loop *loop;
  int run, destroy;
} reentry;

static void reenter(void *context) {
  reentry *state = context;
  state->run = eddy_loop_run(state->loop, EDDY_RUN_NOWAIT);
  state->destroy = eddy_loop_destroy(state->loop);
}

static void run_and_destroy_inside_a_callback_are_busy(void) {
  reentry state = {make_loop(), 0, 0};
  CHECK_EQ(eddy_loop_post(state.loop, reenter, &state), 0);
  CHECK_EQ(eddy_loop_run(state.loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(state.run, EDDY_EBUSY);
  CHECK_EQ(state.destroy, EDDY_EBUSY);
  end_loop(state.loop);
}

static void *reenter_and_stop(void *context) {
  reentry *state = context;
  reenter(state);
  CHECK_EQ(eddy_loop_stop(state->loop), 0);
  return NULL;
}

static void start_thread(void *context) {
  reentry *state = context;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, reenter_and_stop, state) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

static void run_and_destroy_on_another_thread_are_busy(void) {
  reentry state = {make_loop(), 0, 0};
  CHECK_EQ(eddy_loop_post(state.loop, start_thread, &state), 0);
  CHECK_EQ(eddy_loop_run(state.loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK_EQ(state.run, EDDY_EBUSY);
  CHECK_EQ(state.destroy, EDDY_EBUSY);
  end_loop(state.loop);
}

static void *run_until_idle(void *loop) {
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  return NULL;
}

static void a_loop_made_here_may_run_on_another_thread(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  pthread_t thread;
  int count = 0;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &count, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, EDDY_MILLISECOND, 0), 0);
  CHECK(pthread_create(&thread, NULL, run_until_idle, loop) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_EQ(count, 1);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

/* Destroying. */

static void ignore_events(eddy_watcher *watcher, int events, void *context) {
  (void)watcher, (void)events, (void)context;
}

static void ignore_signal(eddy_signal *watcher, int signal_number, void *context) {
  (void)watcher, (void)signal_number, (void)context;
}

static void close_accepted(eddy_listener *listener, int fd, void *context) {
  (void)listener, (void)context;
  close(fd);
}

static void ignore_exit(eddy_process *process, int exit_status, int signal_number, void *context) {
  (void)process, (void)exit_status, (void)signal_number, (void)context;
}

/* Destroying is refused while the handle is open, and works once it is closed. */
#define CHECK_BUSY_UNTIL(loop, close_call)                                                         \
  CHECK_EQ(eddy_loop_destroy(loop), EDDY_EBUSY);                                                   \
  CHECK_EQ(close_call, 0);                                                                         \
  end_loop(loop);

static void an_open_timer_keeps_a_loop_from_being_destroyed(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  CHECK_EQ(eddy_timer_create(loop, ignore_timer, NULL, &timer), 0);
  CHECK_BUSY_UNTIL(loop, eddy_timer_close(timer, NULL));
}

static void an_open_watcher_keeps_a_loop_from_being_destroyed(void) {
  eddy_loop *loop = make_loop();
  eddy_watcher *watcher;
  CHECK_EQ(eddy_watcher_create(loop, STDIN_FILENO, ignore_events, NULL, &watcher), 0);
  CHECK_BUSY_UNTIL(loop, eddy_watcher_close(watcher, NULL));
}

static void an_open_signal_watcher_keeps_a_loop_from_being_destroyed(void) {
  eddy_loop *loop = make_loop();
  eddy_signal *watcher;
  CHECK_EQ(eddy_signal_create(loop, ignore_signal, NULL, &watcher), 0);
  CHECK_BUSY_UNTIL(loop, eddy_signal_close(watcher, NULL));
}

static void an_open_pool_keeps_a_loop_from_being_destroyed(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool;
  CHECK_EQ(eddy_pool_create(loop, NULL, &pool), 0);
  CHECK_BUSY_UNTIL(loop, eddy_pool_close(pool, NULL, NULL));
}

static void an_open_stream_keeps_a_loop_from_being_destroyed(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  int fds[2];
  make_socket_pair(fds);
  CHECK_EQ(eddy_stream_open(loop, fds[0], &config, &stream), 0);
  CHECK_BUSY_UNTIL(loop, eddy_stream_close(stream, NULL));
  close(fds[1]);
}

static void an_open_listener_keeps_a_loop_from_being_destroyed(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  eddy_listener *listener;
  config.on_accept = close_accepted;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &listener), 0);
  CHECK_BUSY_UNTIL(loop, eddy_listener_close(listener, NULL));
}

static void an_open_process_keeps_a_loop_from_being_destroyed(void) {
  static const char *const arguments[] = {"sleep", "60", NULL};
  eddy_process_config config = EDDY_PROCESS_CONFIG_INIT;
  eddy_process *process;
  eddy_loop *loop;
  require_pidfd();
  loop = make_loop();
  config.on_exit = ignore_exit;
  config.file = arguments[0];
  config.arguments = arguments;
  CHECK_EQ(eddy_process_spawn(loop, &config, &process), 0);
  CHECK_BUSY_UNTIL(loop, eddy_process_close(process, NULL));
}

static void destroying_runs_the_close_callbacks_that_are_due(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  int closed = 0;
  CHECK_EQ(eddy_timer_create(loop, ignore_timer, &closed, &timer), 0);
  CHECK_EQ(eddy_timer_close(timer, count_close), 0);
  CHECK_EQ(closed, 0);
  CHECK_EQ(eddy_loop_destroy(loop), 0);
  CHECK_EQ(closed, 1);
}

/* The clock. */

static void now_is_the_monotonic_clock(void) {
  uint64_t before = clock_now(), now;
  eddy_loop *loop = make_loop();
  CHECK_EQ(eddy_loop_update_now(loop), 0);
  now = eddy_loop_now(loop);
  CHECK(now >= before);
  CHECK(now <= clock_now());
  end_loop(loop);
}

static void hold_up(void *context) {
  eddy_loop *loop = context;
  uint64_t start = eddy_loop_now(loop);
  CHECK(clock_now() - start < 10 * EDDY_SECOND); /* read just after blocking */
  CHECK(start <= clock_now());
  sleep_ns(20 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_now(loop), start); /* cached for the turn */
  CHECK_EQ(eddy_loop_update_now(loop), 0);
  CHECK(eddy_loop_now(loop) - start >= 20 * EDDY_MILLISECOND);
}

static void now_is_cached_for_a_turn(void) {
  eddy_loop *loop = make_loop();
  CHECK_EQ(eddy_loop_post(loop, hold_up, loop), 0);
  end_loop(loop);
}

static void check_clock(eddy_timer *timer, void *context) {
  uint64_t *last = context;
  uint64_t now = clock_now();
  (void)timer;
  CHECK(now >= *last);
  *last = now;
}

static void now_never_goes_back(void) {
  eddy_loop *loop = make_loop();
  eddy_timer *timer;
  uint64_t last = 0, previous = 0;
  int turn;
  CHECK_EQ(eddy_timer_create(loop, check_clock, &last, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 0, 100 * EDDY_MICROSECOND), 0);
  for (turn = 0; turn < 200; turn++) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
    CHECK(eddy_loop_now(loop) >= previous);
    CHECK(eddy_loop_now(loop) <= clock_now());
    previous = eddy_loop_now(loop);
  }
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(null_handles_are_invalid),
    TAP_TEST(a_configuration_may_be_default_or_older),
    TAP_TEST(a_bad_configuration_is_invalid),
    TAP_TEST(an_unknown_run_mode_is_invalid),
    TAP_TEST(creating_and_destroying_leaves_no_descriptor),
    TAP_TEST(no_signal_handler_is_installed_unasked),
    TAP_TEST(every_mode_but_until_stopped_returns_when_nothing_is_alive),
    TAP_TEST(nowait_does_not_block),
    TAP_TEST(once_blocks_until_something_happens),
    TAP_TEST(until_idle_returns_when_the_last_timer_is_over),
    TAP_TEST(until_stopped_waits_for_a_stop_from_another_thread),
    TAP_TEST(until_stopped_uses_no_cpu_while_it_waits),
    TAP_TEST(stop_in_a_callback_ends_the_run_and_keeps_the_rest_alive),
    TAP_TEST(a_stop_before_the_run_is_kept_for_one_run),
    TAP_TEST(run_and_destroy_inside_a_callback_are_busy),
    TAP_TEST(run_and_destroy_on_another_thread_are_busy),
    TAP_TEST(a_loop_made_here_may_run_on_another_thread),
    TAP_TEST(an_open_timer_keeps_a_loop_from_being_destroyed),
    TAP_TEST(an_open_watcher_keeps_a_loop_from_being_destroyed),
    TAP_TEST(an_open_signal_watcher_keeps_a_loop_from_being_destroyed),
    TAP_TEST(an_open_pool_keeps_a_loop_from_being_destroyed),
    TAP_TEST(an_open_stream_keeps_a_loop_from_being_destroyed),
    TAP_TEST(an_open_listener_keeps_a_loop_from_being_destroyed),
    TAP_TEST(an_open_process_keeps_a_loop_from_being_destroyed),
    TAP_TEST(destroying_runs_the_close_callbacks_that_are_due),
    TAP_TEST(now_is_the_monotonic_clock),
    TAP_TEST(now_is_cached_for_a_turn),
    TAP_TEST(now_never_goes_back),
};
TAP_MAIN(tests)
