/* eddy/pool.h: works that are cancelled; several pools. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* A work that holds its thread until it is let go. */
typedef struct hold {
  sem_t begun, let_go;
} hold;

static void hold_thread(void *context) {
  hold *hold = context;
  sem_post(&hold->begun);
  while (sem_wait(&hold->let_go) != 0) {
  }
}

static void hold_init(hold *hold) {
  CHECK(sem_init(&hold->begun, 0, 0) == 0);
  CHECK(sem_init(&hold->let_go, 0, 0) == 0);
}

/* Has a thread of the pool held; returns when it is. */
static void hold_one(hold *hold, eddy_pool *pool) {
  CHECK_EQ(eddy_pool_submit(pool, hold_thread, NULL, hold), 0);
  while (sem_wait(&hold->begun) != 0) {
  }
}

typedef struct job {
  eddy_work *work;
  int ran, done, status, number;
  int *next; /* the number that must run next; null: any */
} job;

static void do_job(void *context) {
  job *job = context;
  job->ran++;
  if (job->next != NULL) {
    CHECK(job->number >= *job->next); /* one thread: no lock is needed */
    *job->next = job->number + 1;
  }
}

static void finish_job(int status, void *context) {
  job *job = context;
  job->done++;
  job->status = status;
}

static void submit(eddy_pool *pool, job *job) {
  CHECK_EQ(eddy_pool_submit_work(pool, do_job, finish_job, job, &job->work), 0);
}

static eddy_pool *make_pool(eddy_loop *loop, size_t threads, size_t queue_capacity) {
  eddy_pool_config config = EDDY_POOL_CONFIG_INIT;
  eddy_pool *pool;
  config.threads = threads;
  config.queue_capacity = queue_capacity;
  CHECK_EQ(eddy_pool_create(loop, &config, &pool), 0);
  return pool;
}

/* Closes the pool, and ends the loop. */
static void end_pool(eddy_pool *pool, eddy_loop *loop) {
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, 0);
  eddy_work *work;
  CHECK_EQ(eddy_pool_submit_work(NULL, do_job, finish_job, NULL, &work), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_submit_work(pool, NULL, finish_job, NULL, &work), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_submit_work(pool, do_job, finish_job, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_work_cancel(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  CHECK_EQ(eddy_pool_submit_work(pool, do_job, finish_job, NULL, &work), EDDY_EALREADY);
  end_loop(loop);
}

static void a_cancelled_work_never_runs(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, 0);
  job jobs[3] = {{0}, {0}, {0}};
  hold hold;
  hold_init(&hold);
  hold_one(&hold, pool);
  submit(pool, &jobs[0]);
  submit(pool, &jobs[1]);
  submit(pool, &jobs[2]);
  CHECK_EQ(eddy_work_cancel(jobs[1].work), 0);
  CHECK_EQ(jobs[1].done, 0); /* from the loop, not from here */
  CHECK_EQ(eddy_work_cancel(jobs[1].work), EDDY_EALREADY);
  CHECK_EQ(eddy_pool_waiting(pool), 2);
  while (jobs[1].done == 0) { /* though no thread is free */
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_EQ(jobs[1].status, EDDY_ECANCELED);
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(jobs[0].ran + jobs[2].ran, 2);
  CHECK_EQ(jobs[0].status + jobs[2].status, 0);
  CHECK_EQ(jobs[1].ran, 0);
  CHECK_EQ(jobs[1].done, 1);
  end_pool(pool, loop);
}

static void what_runs_or_has_run_cannot_be_cancelled(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, 0);
  job job = {0};
  eddy_work *held;
  hold hold;
  hold_init(&hold);
  CHECK_EQ(eddy_pool_submit_work(pool, hold_thread, NULL, &hold, &held), 0);
  while (sem_wait(&hold.begun) != 0) {
  }
  CHECK_EQ(eddy_work_cancel(held), EDDY_EBUSY);
  submit(pool, &job);
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_pool_submit(pool, hold_thread, NULL, &hold), 0);
  while (sem_wait(&hold.begun) != 0) { /* then the job before it has run */
  }
  CHECK_EQ(eddy_work_cancel(job.work), EDDY_EBUSY);
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(job.ran, 1);
  CHECK_EQ(job.done, 1);
  CHECK_EQ(job.status, 0);
  end_pool(pool, loop);
}

/* Many times over, while the thread is held, so that no place is freed by it. */
static void the_place_of_a_cancelled_work_is_free_at_once(void) {
  enum { PLACES = 3, ROUNDS = 5000 };
  static job jobs[PLACES + ROUNDS];
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, PLACES);
  job refused = {0}, *waiting[PLACES];
  int index, next = 0, ran = 0;
  hold hold;
  hold_init(&hold);
  hold_one(&hold, pool);
  for (index = 0; index < PLACES + ROUNDS; index++) {
    int place = index < PLACES ? index : index * 7 / 2 % PLACES;
    if (index >= PLACES) {
      CHECK_EQ(eddy_work_cancel(waiting[place]->work), 0);
      CHECK_EQ(eddy_pool_waiting(pool), PLACES - 1);
    }
    waiting[place] = &jobs[index];
    jobs[index].number = index;
    jobs[index].next = &next;
    submit(pool, &jobs[index]);
    if (index >= PLACES - 1) {
      CHECK_EQ(eddy_pool_waiting(pool), PLACES);
      CHECK_EQ(
          eddy_pool_submit_work(pool, do_job, finish_job, &refused, &refused.work), EDDY_EAGAIN);
    }
    if (index % 100 == 99) { /* so that works are used again */
      CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
    }
  }
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < PLACES + ROUNDS; index++) {
    CHECK_EQ(jobs[index].done, 1);
    CHECK_EQ(jobs[index].ran, jobs[index].status == 0);
    ran += jobs[index].ran;
  }
  CHECK_EQ(ran, PLACES);
  CHECK_EQ(refused.ran + refused.done, 0);
  end_pool(pool, loop);
}

static void what_is_left_runs_in_order(void) {
  enum { JOBS = 20000 };
  static job jobs[JOBS];
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, JOBS);
  int index, next = 0, ran = 0;
  hold hold;
  hold_init(&hold);
  hold_one(&hold, pool);
  for (index = 0; index < JOBS; index++) {
    jobs[index].number = index;
    jobs[index].next = &next;
    submit(pool, &jobs[index]);
    if (index % 3 == 2) {
      CHECK_EQ(eddy_work_cancel(jobs[index / 2].work), 0);
      jobs[index / 2].work = NULL;
    }
  }
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < JOBS; index++) {
    CHECK_EQ(jobs[index].done, 1);
    CHECK_EQ(jobs[index].ran, jobs[index].work != NULL);
    CHECK_EQ(jobs[index].status, jobs[index].work != NULL ? 0 : EDDY_ECANCELED);
    ran += jobs[index].ran;
  }
  CHECK(ran > JOBS / 2);
  end_pool(pool, loop);
}

/* Works are cancelled while the threads take them. */
static void a_work_either_runs_or_was_cancelled(void) {
  enum { JOBS = 512, ROUNDS = 200 };
  static job jobs[JOBS];
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 3, JOBS);
  int round, index, cancelled = 0;
  for (round = 0; round < ROUNDS; round++) {
    for (index = 0; index < JOBS; index++) {
      job fresh = {0};
      jobs[index] = fresh;
      submit(pool, &jobs[index]);
    }
    for (index = JOBS - 1; index >= 0; index -= 1 + round % 3) {
      int result = eddy_work_cancel(jobs[index].work);
      CHECK(result == 0 || result == EDDY_EBUSY);
      jobs[index].number = result == 0;
      cancelled += result == 0;
    }
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(eddy_pool_waiting(pool), 0);
    for (index = 0; index < JOBS; index++) {
      CHECK_EQ(jobs[index].done, 1);
      CHECK_EQ(jobs[index].ran, !jobs[index].number);
      CHECK_EQ(jobs[index].status, jobs[index].number ? EDDY_ECANCELED : 0);
    }
  }
  CHECK(cancelled > 0);
  end_pool(pool, loop);
}

static void closing_completes_a_cancelled_work_once(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, 1, 0);
  job jobs[3] = {{0}, {0}, {0}};
  int index, closed = 0;
  hold hold;
  hold_init(&hold);
  hold_one(&hold, pool);
  for (index = 0; index < 3; index++) {
    submit(pool, &jobs[index]);
  }
  CHECK_EQ(eddy_work_cancel(jobs[0].work), 0);
  CHECK_EQ(eddy_pool_close(pool, count_close, &closed), 0);
  CHECK_EQ(eddy_pool_waiting(pool), 0);
  CHECK_EQ(eddy_work_cancel(jobs[1].work), EDDY_EALREADY);
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(closed, 1);
  for (index = 0; index < 3; index++) {
    CHECK_EQ(jobs[index].ran, 0);
    CHECK_EQ(jobs[index].done, 1);
    CHECK_EQ(jobs[index].status, EDDY_ECANCELED);
  }
  end_loop(loop);
}

typedef struct pair {
  job waiting;
  eddy_pool *pool;
  int closed;
} pair;

static void cancel_other(int status, void *context) {
  pair *pair = context;
  CHECK_EQ(status, EDDY_ECANCELED);
  CHECK_EQ(eddy_work_cancel(pair->waiting.work), 0);
  CHECK_EQ(pair->waiting.done, 0);
  CHECK_EQ(eddy_pool_close(pair->pool, count_close, &pair->closed), 0);
}

static void a_completion_may_cancel_another_work_and_close(void) {
  eddy_loop *loop = make_loop();
  pair pair = {{0}, NULL, 0};
  eddy_work *first;
  hold hold;
  pair.pool = make_pool(loop, 1, 0);
  hold_init(&hold);
  hold_one(&hold, pair.pool);
  CHECK_EQ(eddy_pool_submit_work(pair.pool, do_job, cancel_other, &pair, &first), 0);
  submit(pair.pool, &pair.waiting);
  CHECK_EQ(eddy_work_cancel(first), 0);
  while (pair.waiting.done == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_EQ(pair.waiting.status, EDDY_ECANCELED);
  CHECK_EQ(pair.closed, 0); /* a thread still runs */
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(pair.closed, 1);
  CHECK_EQ(pair.waiting.ran, 0);
  end_loop(loop);
}

/* Several pools on a loop. */

static void pools_of_one_loop_do_not_wait_for_each_other(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *slow = make_pool(loop, 1, 1), *fast = make_pool(loop, 2, 100);
  job behind = {0}, jobs[100];
  int index, closed = 0;
  hold hold;
  hold_init(&hold);
  hold_one(&hold, slow);
  submit(slow, &behind);
  for (index = 0; index < 100; index++) {
    job fresh = {0};
    jobs[index] = fresh;
    submit(fast, &jobs[index]);
  }
  for (index = 0; index < 100; index++) {
    while (jobs[index].done == 0) {
      CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
    }
  }
  CHECK_EQ(behind.done, 0);
  CHECK_EQ(eddy_pool_waiting(slow), 1);
  CHECK_EQ(eddy_pool_close(fast, count_close, &closed), 0);
  while (closed == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_EQ(eddy_pool_waiting(slow), 1); /* and is none the worse for it */
  sem_post(&hold.let_go);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(behind.ran, 1);
  CHECK_EQ(behind.status, 0);
  end_pool(slow, loop);
}

/* Works that wait for each other: each round needs all threads, asleep or not, at the same time. */

static void meet(void *context) {
  pthread_barrier_wait(context);
}

static void a_burst_wakes_as_many_threads_as_it_needs(void) {
  enum { THREADS = 4, ROUNDS = 2000 };
  eddy_loop *loop = make_loop();
  eddy_pool *pool = make_pool(loop, THREADS, 0);
  pthread_barrier_t barrier;
  int round, index;
  CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
  for (round = 0; round < ROUNDS; round++) {
    for (index = 0; index < THREADS; index++) {
      CHECK_EQ(eddy_pool_submit(pool, meet, NULL, &barrier), 0);
    }
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    if (round % 100 == 0) {
      sleep_ns(EDDY_MILLISECOND); /* long enough for all to fall asleep */
    }
  }
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
  pthread_barrier_destroy(&barrier);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_cancelled_work_never_runs),
    TAP_TEST(what_runs_or_has_run_cannot_be_cancelled),
    TAP_TEST(the_place_of_a_cancelled_work_is_free_at_once),
    TAP_TEST(what_is_left_runs_in_order),
    TAP_TEST(a_work_either_runs_or_was_cancelled),
    TAP_TEST(closing_completes_a_cancelled_work_once),
    TAP_TEST(a_completion_may_cancel_another_work_and_close),
    TAP_TEST(pools_of_one_loop_do_not_wait_for_each_other),
    TAP_TEST(a_burst_wakes_as_many_threads_as_it_needs),
};
TAP_MAIN(tests)
