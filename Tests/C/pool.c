/* eddy/pool.h. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* Opens for threads that wait at it. */
typedef struct gate {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int open, waiting, passed;
} gate;

#define GATE_INIT                                                                                  \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0 }

static void wait_at_gate(void *context) {
  gate *gate = context;
  pthread_mutex_lock(&gate->lock);
  gate->waiting++;
  pthread_cond_broadcast(&gate->changed);
  while (!gate->open) {
    pthread_cond_wait(&gate->changed, &gate->lock);
  }
  gate->passed++;
  pthread_mutex_unlock(&gate->lock);
}

static void open_gate(gate *gate) {
  pthread_mutex_lock(&gate->lock);
  gate->open = 1;
  pthread_cond_broadcast(&gate->changed);
  pthread_mutex_unlock(&gate->lock);
}

/* Until `count` threads have come to the gate. */
static void await_arrivals(gate *gate, int count) {
  pthread_mutex_lock(&gate->lock);
  while (gate->waiting < count) {
    pthread_cond_wait(&gate->changed, &gate->lock);
  }
  pthread_mutex_unlock(&gate->lock);
}

static eddy_pool *make_pool(eddy_loop *loop, size_t threads, size_t queue_capacity) {
  eddy_pool_config config = EDDY_POOL_CONFIG_INIT;
  eddy_pool *pool;
  config.threads = threads;
  config.queue_capacity = queue_capacity;
  CHECK_EQ(eddy_pool_create(loop, &config, &pool), 0);
  return pool;
}

static void no_work(void *context) {
  (void)context;
}

static void bad_arguments_are_invalid(void) {
  eddy_pool_config config = EDDY_POOL_CONFIG_INIT;
  eddy_loop *loop = make_loop();
  eddy_pool *pool;
  CHECK_EQ(eddy_pool_create(NULL, NULL, &pool), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_create(loop, NULL, NULL), EDDY_EINVAL);
  config.threads = 1025;
  CHECK_EQ(eddy_pool_create(loop, &config, &pool), EDDY_EINVAL);
  config.threads = 0;
  config.size = 0;
  CHECK_EQ(eddy_pool_create(loop, &config, &pool), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_submit(NULL, no_work, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_waiting(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_close(NULL, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_create(loop, NULL, &pool), 0);
  CHECK_EQ(eddy_pool_submit(pool, NULL, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

/* One piece of work, with the threads that its two functions ran on. */
typedef struct job {
  pthread_t worker, finisher;
  int worked, done, status;
} job;

static void do_job(void *context) {
  job *job = context;
  job->worker = pthread_self();
  job->worked++;
}

static void finish_job(int status, void *context) {
  job *job = context;
  job->finisher = pthread_self();
  job->done++;
  job->status = status;
}

static void work_runs_on_a_pool_thread_and_completes_on_the_loop(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 0, 0);
  job job = {pthread_self(), pthread_self(), 0, 0, 1};
  CHECK_EQ(eddy_pool_submit(pool, do_job, finish_job, &job), 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(job.done, 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(job.worked, 1);
  CHECK_EQ(job.done, 1);
  CHECK_EQ(job.status, 0);
  CHECK(!pthread_equal(job.worker, pthread_self()));
  CHECK(pthread_equal(job.finisher, pthread_self()));
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void a_completion_may_be_left_out(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, 0);
  job job = {pthread_self(), pthread_self(), 0, 0, 0};
  CHECK_EQ(eddy_pool_submit(pool, do_job, NULL, &job), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(job.worked, 1);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void every_accepted_work_completes_exactly_once(void) {
  enum { JOBS = 5000 };
  static job jobs[JOBS];
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 3, JOBS);
  int index;
  for (index = 0; index < JOBS; index++) {
    CHECK_EQ(eddy_pool_submit(pool, do_job, finish_job, &jobs[index]), 0);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_pool_waiting(pool), 0);
  for (index = 0; index < JOBS; index++) {
    CHECK_EQ(jobs[index].worked, 1);
    CHECK_EQ(jobs[index].done, 1);
    CHECK_EQ(jobs[index].status, 0);
  }
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void works_run_at_once_on_as_many_threads(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 6, 0);
  gate gate = GATE_INIT;
  int index;
  for (index = 0; index < 6; index++) {
    CHECK_EQ(eddy_pool_submit(pool, wait_at_gate, NULL, &gate), 0);
  }
  await_arrivals(&gate, 6); /* all at the same time, or the test is over its limit */
  open_gate(&gate);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(gate.passed, 6);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void a_full_queue_refuses_and_takes_nothing(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, 2);
  job accepted[2] = {{0}, {0}}, refused = {0};
  gate gate = GATE_INIT;
  CHECK_EQ(eddy_pool_submit(pool, wait_at_gate, NULL, &gate), 0);
  await_arrivals(&gate, 1);
  CHECK_EQ(eddy_pool_waiting(pool), 0);
  CHECK_EQ(eddy_pool_submit(pool, do_job, finish_job, &accepted[0]), 0);
  CHECK_EQ(eddy_pool_waiting(pool), 1);
  CHECK_EQ(eddy_pool_submit(pool, do_job, finish_job, &accepted[1]), 0);
  CHECK_EQ(eddy_pool_submit(pool, do_job, finish_job, &refused), EDDY_EAGAIN);
  CHECK_EQ(eddy_pool_waiting(pool), 2);
  open_gate(&gate);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(accepted[0].done + accepted[1].done, 2);
  CHECK_EQ(refused.worked + refused.done, 0);
  CHECK_EQ(eddy_pool_submit(pool, do_job, finish_job, &refused), 0); /* there is room again */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(refused.done, 1);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

/* Order of start with one thread. */

typedef struct queue_check {
  int *next, number;
} queue_check;

static void check_turn(void *context) {
  queue_check *check = context;
  CHECK_EQ(*check->next, check->number); /* one thread: no lock is needed */
  ++*check->next;
}

static void one_thread_runs_works_in_order(void) {
  enum { WORKS = 200 };
  static queue_check checks[WORKS];
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, WORKS);
  int next = 0, index;
  for (index = 0; index < WORKS; index++) {
    checks[index].next = &next;
    checks[index].number = index;
    CHECK_EQ(eddy_pool_submit(pool, check_turn, NULL, &checks[index]), 0);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(next, WORKS);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void check_signals_blocked(void *context) {
  sigset_t blocked;
  int number, *checked = context;
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0);
  for (number = 1; number < SIGRTMIN; number++) {
    if (number != SIGKILL && number != SIGSTOP && number < 32) {
      CHECK(sigismember(&blocked, number) == 1);
    }
  }
  *checked = 1;
}

static void pool_threads_block_every_signal(void) {
  eddy_loop *loop = make_loop();
  sigset_t before, after;
  eddy_pool *pool;
  int checked = 0;
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &before) == 0);
  pool = make_pool(loop, 2, 0);
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0);
  CHECK_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
  CHECK_EQ(eddy_pool_submit(pool, check_signals_blocked, NULL, &checked), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(checked, 1);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void an_idle_pool_does_not_keep_the_loop_alive(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 2, 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

/* Submitting from a completion. */

typedef struct chain {
  eddy_pool *pool;
  int left, closed;
} chain;

static void submit_again(int status, void *context) {
  chain *chain = context;
  CHECK_EQ(status, 0);
  if (--chain->left > 0) {
    CHECK_EQ(eddy_pool_submit(chain->pool, no_work, submit_again, chain), 0);
  }
}

static void a_completion_may_submit_more(void) {
  eddy_loop *loop = make_loop();
  chain chain = {make_pool(loop, 2, 1), 100, 0};
  CHECK_EQ(eddy_pool_submit(chain.pool, no_work, submit_again, &chain), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(chain.left, 0);
  CHECK_EQ(eddy_pool_close(chain.pool, NULL, NULL), 0);
  end_loop(loop);
}

/* Closing. */

static void chain_closed(void *context) {
  chain *chain = context;
  chain->closed++;
}

static void close_pool(int status, void *context) {
  chain *chain = context;
  CHECK_EQ(status, 0);
  CHECK_EQ(eddy_pool_close(chain->pool, chain_closed, chain), 0);
  CHECK_EQ(chain->closed, 0);
}

static void a_completion_may_close_the_pool(void) {
  eddy_loop *loop = make_loop();
  chain chain = {make_pool(loop, 2, 0), 0, 0};
  CHECK_EQ(eddy_pool_submit(chain.pool, no_work, close_pool, &chain), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(chain.closed, 1);
  end_loop(loop);
}

/* The close callback comes after every completion. */
typedef struct closing {
  job running, waiting[3];
  gate gate;
  int closed;
} closing;

static void work_at_gate(void *context) {
  closing *closing = context;
  wait_at_gate(&closing->gate);
  do_job(&closing->running);
}

static void finish_at_gate(int status, void *context) {
  closing *closing = context;
  CHECK_EQ(closing->closed, 0);
  finish_job(status, &closing->running);
}

static void closing_is_over(void *context) {
  closing *closing = context;
  CHECK_EQ(closing->running.done, 1);
  closing->closed++;
}

static void *open_gate_after_20_ms(void *context) {
  sleep_ns(20 * EDDY_MILLISECOND);
  open_gate(context);
  return NULL;
}

static void closing_cancels_what_waits_and_finishes_what_runs(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, 0);
  static closing closing;
  pthread_t opener;
  int index;
  pthread_mutex_init(&closing.gate.lock, NULL);
  pthread_cond_init(&closing.gate.changed, NULL);
  CHECK_EQ(eddy_pool_submit(pool, work_at_gate, finish_at_gate, &closing), 0);
  await_arrivals(&closing.gate, 1);
  for (index = 0; index < 3; index++) {
    CHECK_EQ(eddy_pool_submit(pool, do_job, finish_job, &closing.waiting[index]), 0);
  }
  CHECK(pthread_create(&opener, NULL, open_gate_after_20_ms, &closing.gate) == 0);
  CHECK_EQ(eddy_pool_close(pool, closing_is_over, &closing), 0); /* without blocking */
  CHECK_EQ(closing.closed + closing.waiting[0].done, 0);         /* nor calling */
  CHECK_EQ(eddy_pool_submit(pool, no_work, NULL, NULL), EDDY_EALREADY);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), EDDY_EALREADY);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK(pthread_join(opener, NULL) == 0);
  CHECK_EQ(closing.closed, 1);
  CHECK_EQ(closing.running.worked, 1);
  CHECK_EQ(closing.running.status, 0);
  for (index = 0; index < 3; index++) {
    CHECK_EQ(closing.waiting[index].worked, 0);
    CHECK_EQ(closing.waiting[index].done, 1);
    CHECK_EQ(closing.waiting[index].status, EDDY_ECANCELED);
  }
  end_loop(loop);
}

/* Threads of this process, as /proc lists them. */
static void ask_how_many_wait(void *context) {
  chain *chain = context;
  CHECK_EQ(eddy_pool_waiting(chain->pool), 0);
  CHECK_EQ(eddy_pool_submit(chain->pool, no_work, NULL, NULL), EDDY_EALREADY);
  chain->closed++;
}

static void a_pool_may_be_asked_until_its_close_callback_has_returned(void) {
  eddy_loop *loop = make_loop();
  chain chain = {make_pool(loop, 2, 0), 0, 0};
  CHECK_EQ(eddy_pool_close(chain.pool, ask_how_many_wait, &chain), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(chain.closed, 1);
  end_loop(loop);
}

static void count_completion(int status, void *context) {
  chain *chain = context;
  CHECK(status == 0 || status == EDDY_ECANCELED);
  CHECK_EQ(chain->closed, 0);
  chain->left--;
}

/* The threads may end while the loop's thread still completes what they didn't take. */
static void closing_between_runs_completes_everything_before_it_is_told(void) {
  enum { WORKS = 50000 };
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  gate gate = GATE_INIT;
  eddy_loop *loop;
  chain chain;
  int index;
  config.post_batch = 1;
  CHECK_EQ(eddy_loop_create(&config, &loop), 0);
  chain.pool = make_pool(loop, 1, WORKS);
  chain.left = WORKS;
  chain.closed = 0;
  CHECK_EQ(eddy_pool_submit(chain.pool, wait_at_gate, NULL, &gate), 0);
  await_arrivals(&gate, 1);
  for (index = 0; index < WORKS; index++) {
    CHECK_EQ(eddy_pool_submit(chain.pool, no_work, count_completion, &chain), 0);
  }
  open_gate(&gate);
  CHECK_EQ(eddy_pool_close(chain.pool, chain_closed, &chain), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(chain.left, 0);
  CHECK_EQ(chain.closed, 1);
  end_loop(loop);
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

/* A joined thread leaves /proc a moment after pthread_join has seen it go. */
static void await_thread_count(int expected) {
  int round;
  for (round = 0; round < 1000 && count_threads() != expected; round++) {
    sleep_ns(EDDY_MILLISECOND);
  }
  CHECK_EQ(count_threads(), expected);
}

static void *no_thread(void *context) {
  return context;
}

static void closing_leaves_no_thread(void) {
  eddy_loop *loop = make_loop();
  int before, closed = 0, round;
  pthread_t first;
  CHECK(pthread_create(&first, NULL, no_thread, NULL) == 0);
  CHECK(pthread_join(first, NULL) == 0);
  sleep_ns(10 * EDDY_MILLISECOND);
  before = count_threads(); /* a sanitizer has started one of its own beside the first */
  for (round = 0; round < 10; round++) {
    eddy_pool *pool = make_pool(loop, 8, 0);
    CHECK_EQ(eddy_pool_submit(pool, no_work, NULL, NULL), 0);
    CHECK_EQ(count_threads(), before + 8);
    CHECK_EQ(eddy_pool_close(pool, count_close, &closed), 0);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(closed, round + 1);
    await_thread_count(before);
  }
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(work_runs_on_a_pool_thread_and_completes_on_the_loop),
    TAP_TEST(a_completion_may_be_left_out),
    TAP_TEST(every_accepted_work_completes_exactly_once),
    TAP_TEST(works_run_at_once_on_as_many_threads),
    TAP_TEST(a_full_queue_refuses_and_takes_nothing),
    TAP_TEST(one_thread_runs_works_in_order),
    TAP_TEST(pool_threads_block_every_signal),
    TAP_TEST(an_idle_pool_does_not_keep_the_loop_alive),
    TAP_TEST(a_completion_may_submit_more),
    TAP_TEST(a_completion_may_close_the_pool),
    TAP_TEST(closing_cancels_what_waits_and_finishes_what_runs),
    TAP_TEST(a_pool_may_be_asked_until_its_close_callback_has_returned),
    TAP_TEST(closing_between_runs_completes_everything_before_it_is_told),
    TAP_TEST(closing_leaves_no_thread),
};
TAP_MAIN(tests)
