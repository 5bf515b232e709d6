/* eddy_loop_post of eddy/loop.h, from this thread and from others. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "harness/fixture.h"
#include "harness/tap.h"

static void count_post(void *context) {
  (*(int *)context)++;
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  CHECK_EQ(eddy_loop_post(NULL, count_post, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_post(loop, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  end_loop(loop);
}

static void a_post_before_the_run_is_run_by_it(void) {
  eddy_loop *loop = make_loop();
  int count = 0;
  CHECK_EQ(eddy_loop_post(loop, count_post, &count), 0);
  CHECK_EQ(count, 0); /* never from inside */
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(count, 1);
  end_loop(loop);
}

static void a_turn_that_does_not_block_runs_what_is_posted(void) {
  eddy_loop *loop = make_loop();
  int count = 0;
  CHECK_EQ(eddy_loop_post(loop, count_post, &count), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK_EQ(count, 1);
  CHECK_EQ(eddy_loop_post(loop, count_post, &count), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 0);
  CHECK_EQ(count, 2);
  end_loop(loop);
}

static void destroying_runs_what_is_posted(void) {
  eddy_loop *loop = make_loop();
  int count = 0;
  CHECK_EQ(eddy_loop_post(loop, count_post, &count), 0);
  CHECK_EQ(eddy_loop_destroy(loop), 0);
  CHECK_EQ(count, 1);
}

/* Order. */

enum { THREADS = 4, POSTS = 20000 };

typedef struct sequence {
  int next[THREADS];
  int total;
  eddy_loop *loop;
} sequence;

typedef struct numbered {
  sequence *sequence;
  int thread, number;
} numbered;

static void check_order(void *context) {
  numbered *post = context;
  CHECK_EQ(post->number, post->sequence->next[post->thread]);
  post->sequence->next[post->thread]++;
  post->sequence->total++;
  if (post->sequence->total == THREADS * POSTS) {
    CHECK_EQ(eddy_loop_stop(post->sequence->loop), 0);
  }
  free(post);
}

static void post_all(sequence *sequence, int thread) {
  int number;
  for (number = 0; number < POSTS; number++) {
    numbered *post = malloc(sizeof *post);
    CHECK(post != NULL);
    post->sequence = sequence;
    post->thread = thread;
    post->number = number;
    CHECK_EQ(eddy_loop_post(sequence->loop, check_order, post), 0);
  }
}

static void posts_of_the_loops_own_thread_run_in_order(void) {
  sequence sequence = {{0}, 0, make_loop()};
  post_all(&sequence, 0);
  CHECK_EQ(eddy_loop_run(sequence.loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(sequence.total, POSTS);
  end_loop(sequence.loop);
}

typedef struct poster {
  sequence *sequence;
  int thread;
} poster;

static void *post_from_thread(void *context) {
  poster *poster = context;
  post_all(poster->sequence, poster->thread);
  return NULL;
}

static void posts_of_each_thread_run_in_its_order(void) {
  sequence sequence = {{0}, 0, make_loop()};
  pthread_t threads[THREADS];
  poster posters[THREADS];
  int index;
  for (index = 0; index < THREADS; index++) {
    posters[index].sequence = &sequence;
    posters[index].thread = index;
    CHECK(pthread_create(&threads[index], NULL, post_from_thread, &posters[index]) == 0);
  }
  CHECK_EQ(eddy_loop_run(sequence.loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK_EQ(sequence.total, THREADS * POSTS);
  for (index = 0; index < THREADS; index++) {
    CHECK(pthread_join(threads[index], NULL) == 0);
  }
  end_loop(sequence.loop);
}

static void *post_from_thread_and_wait(void *context) {
  return post_from_thread(context);
}

static void posts_made_while_the_loop_does_not_run_wait_for_it(void) {
  sequence sequence = {{0}, 0, make_loop()};
  poster poster = {&sequence, 2};
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, post_from_thread_and_wait, &poster) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_EQ(sequence.total, 0);
  CHECK_EQ(eddy_loop_run(sequence.loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(sequence.total, POSTS);
  end_loop(sequence.loop);
}

/* Waking. */

typedef struct ping {
  eddy_loop *loop;
  pthread_mutex_t lock;
  pthread_cond_t answered;
  int answers;
} ping;

static void answer(void *context) {
  ping *ping = context;
  pthread_mutex_lock(&ping->lock);
  ping->answers++;
  pthread_cond_signal(&ping->answered);
  pthread_mutex_unlock(&ping->lock);
}

static void *ping_blocked_loop(void *context) {
  ping *ping = context;
  int round;
  for (round = 1; round <= 500; round++) { /* each finds the loop blocked, or about to be */
    CHECK_EQ(eddy_loop_post(ping->loop, answer, ping), 0);
    pthread_mutex_lock(&ping->lock);
    while (ping->answers < round) {
      pthread_cond_wait(&ping->answered, &ping->lock);
    }
    pthread_mutex_unlock(&ping->lock);
  }
  CHECK_EQ(eddy_loop_stop(ping->loop), 0);
  return NULL;
}

static void a_post_wakes_a_loop_that_blocks(void) {
  ping ping = {make_loop(), PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, ping_blocked_loop, &ping) == 0);
  CHECK_EQ(eddy_loop_run(ping.loop, EDDY_RUN_UNTIL_STOPPED), 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_EQ(ping.answers, 500);
  end_loop(ping.loop);
}

static void *post_once_after_20_ms(void *context) {
  ping *ping = context;
  sleep_ns(20 * EDDY_MILLISECOND);
  CHECK_EQ(eddy_loop_post(ping->loop, answer, ping), 0);
  return NULL;
}

static void ignore_timer(eddy_timer *timer, void *context) {
  (void)timer, (void)context;
}

static void a_post_is_something_that_ends_a_turn(void) {
  ping ping = {make_loop(), PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
  eddy_timer *timer;
  pthread_t thread;
  CHECK_EQ(eddy_timer_create(ping.loop, ignore_timer, NULL, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 3600 * EDDY_SECOND, 0), 0);
  CHECK(pthread_create(&thread, NULL, post_once_after_20_ms, &ping) == 0);
  while (ping.answers == 0) {
    CHECK_EQ(eddy_loop_run(ping.loop, EDDY_RUN_ONCE), 1);
  }
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(ping.loop);
}

/* Fairness: posts are drained in bounded batches. */

typedef struct flood {
  eddy_loop *loop;
  int posts, timers, is_over;
} flood;

static void post_again(void *context) {
  flood *flood = context;
  flood->posts++;
  if (!flood->is_over) {
    CHECK_EQ(eddy_loop_post(flood->loop, post_again, flood), 0);
  }
}

static void count_flood_timer(eddy_timer *timer, void *context) {
  flood *flood = context;
  if (++flood->timers == 10) {
    flood->is_over = 1;
    CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  }
}

static void posts_that_post_do_not_hold_up_timers(void) {
  flood flood = {make_loop(), 0, 0, 0};
  eddy_timer *timer;
  CHECK_EQ(eddy_timer_create(flood.loop, count_flood_timer, &flood, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, EDDY_MILLISECOND, EDDY_MILLISECOND), 0);
  CHECK_EQ(eddy_loop_post(flood.loop, post_again, &flood), 0);
  CHECK_EQ(eddy_loop_run(flood.loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(flood.timers, 10);
  CHECK(flood.posts >= 10);
  end_loop(flood.loop);
}

static void a_turn_runs_at_most_a_batch(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  eddy_loop *loop;
  int count = 0, number;
  config.post_batch = 3;
  CHECK_EQ(eddy_loop_create(&config, &loop), 0);
  for (number = 0; number < 10; number++) {
    CHECK_EQ(eddy_loop_post(loop, count_post, &count), 0);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(count, 3);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(count, 6);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(count, 10);
  end_loop(loop);
}

/* A letter that is noted when its post runs. */
typedef struct letter {
  char *word; /* ends where the next letter goes */
  char text;
} letter;

static void write_letter(void *context) {
  const letter *letter = context;
  letter->word[strlen(letter->word)] = letter->text;
}

typedef struct speller {
  eddy_loop *loop;
  letter letters[2];
} speller;

static void post_letters(eddy_hook *hook, void *context) {
  speller *speller = context;
  CHECK_EQ(eddy_hook_close(hook, NULL), 0);
  CHECK_EQ(eddy_loop_post(speller->loop, write_letter, &speller->letters[0]), 0);
  CHECK_EQ(eddy_loop_post(speller->loop, write_letter, &speller->letters[1]), 0);
}

/* All are this thread's, before a run, in its callbacks and between two runs. */
static void posts_before_a_run_come_before_those_of_its_callbacks(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  char word[16] = "";
  letter before[] = {{word, 'a'}, {word, 'b'}, {word, 'c'}};
  letter between[] = {{word, 'f'}, {word, 'g'}};
  speller speller = {NULL, {{word, 'd'}, {word, 'e'}}};
  eddy_hook *hook;
  int number;
  config.post_batch = 2;
  CHECK_EQ(eddy_loop_create(&config, &speller.loop), 0);
  CHECK_EQ(
      eddy_hook_create(speller.loop, EDDY_HOOK_BEFORE_BLOCKING, post_letters, &speller, &hook), 0);
  CHECK_EQ(eddy_hook_start(hook), 0);
  for (number = 0; number < 3; number++) {
    CHECK_EQ(eddy_loop_post(speller.loop, write_letter, &before[number]), 0);
  }
  CHECK_EQ(eddy_loop_run(speller.loop, EDDY_RUN_NOWAIT), 1);
  CHECK_STR(word, "ab");
  for (number = 0; number < 2; number++) {
    CHECK_EQ(eddy_loop_post(speller.loop, write_letter, &between[number]), 0);
  }
  CHECK_EQ(eddy_loop_run(speller.loop, EDDY_RUN_NOWAIT), 1);
  CHECK_STR(word, "abcd");
  end_loop(speller.loop);
  CHECK_STR(word, "abcdefg");
}

typedef struct chain {
  eddy_loop *loop;
  int posts;
} chain;

static void post_next(void *context) {
  chain *chain = context;
  if (++chain->posts < 10) {
    CHECK_EQ(eddy_loop_post(chain->loop, post_next, chain), 0);
  }
}

/* Neither those of the callbacks hold the others up, nor are there more than one in a turn. */
static void a_batch_may_be_one_post(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  chain chain = {NULL, 0};
  int others = 0, turn;
  config.post_batch = 1;
  CHECK_EQ(eddy_loop_create(&config, &chain.loop), 0);
  CHECK_EQ(eddy_loop_post(chain.loop, post_next, &chain), 0);
  CHECK_EQ(eddy_loop_run(chain.loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(eddy_loop_post(chain.loop, count_post, &others), 0);
  for (turn = 2; turn <= 4; turn++) {
    CHECK_EQ(eddy_loop_run(chain.loop, EDDY_RUN_NOWAIT), 1);
    CHECK_EQ(chain.posts + others, turn);
  }
  CHECK_EQ(others, 1);
  end_loop(chain.loop);
  CHECK_EQ(chain.posts, 10);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_post_before_the_run_is_run_by_it),
    TAP_TEST(a_turn_that_does_not_block_runs_what_is_posted),
    TAP_TEST(destroying_runs_what_is_posted),
    TAP_TEST(posts_of_the_loops_own_thread_run_in_order),
    TAP_TEST(posts_of_each_thread_run_in_its_order),
    TAP_TEST(posts_made_while_the_loop_does_not_run_wait_for_it),
    TAP_TEST(a_post_wakes_a_loop_that_blocks),
    TAP_TEST(a_post_is_something_that_ends_a_turn),
    TAP_TEST(posts_that_post_do_not_hold_up_timers),
    TAP_TEST(a_turn_runs_at_most_a_batch),
    TAP_TEST(a_batch_may_be_one_post),
    TAP_TEST(posts_before_a_run_come_before_those_of_its_callbacks),
};
TAP_MAIN(tests)
