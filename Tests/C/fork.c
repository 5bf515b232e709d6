/* What a host that forks may do: eddy_loop_fork. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

enum { CHILD_IS_WELL = 42 };

/* The child's end: it must not go on as the test. */
static void leave_child(int is_well) {
  _exit(is_well ? CHILD_IS_WELL : 1);
}

static void await_child(pid_t pid) {
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), CHILD_IS_WELL);
}

static void count_timer(eddy_timer *timer, void *context) {
  (void)timer;
  ++*(int *)context;
}

static void count_post(void *context) {
  ++*(int *)context;
}

static void read_one(eddy_watcher *watcher, int events, void *context) {
  char *byte = context;
  CHECK_EQ(events, EDDY_READABLE);
  CHECK_EQ(eddy_watcher_stop(watcher), 0);
  *byte = 'r';
}

static void count_signal(eddy_signal *watcher, int number, void *context) {
  (void)number;
  ++*(int *)context;
  CHECK_EQ(eddy_signal_close(watcher, NULL), 0);
}

static void do_nothing(void *context) {
  (void)context;
}

static void null_is_invalid(void) {
  CHECK_EQ(eddy_loop_fork(NULL), EDDY_EINVAL);
}

static void in_the_same_process_it_does_nothing(void) {
  eddy_loop *loop = make_loop();
  int calls = 0;
  eddy_timer *timer;
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_loop_fork(loop), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  end_loop(loop);
}

static void a_child_that_does_not_say_so_cannot_run_the_loop(void) {
  eddy_loop *loop = make_loop();
  pid_t pid;
  CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) == 0);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    leave_child(
        eddy_loop_run(loop, EDDY_RUN_NOWAIT) == EDDY_EFORKED && eddy_loop_fork(loop) == 0 &&
        eddy_loop_run(loop, EDDY_RUN_NOWAIT) == 0);
  }
  await_child(pid);
  end_loop(loop);
}

static void timers_watchers_and_posts_go_on_in_the_child(void) {
  eddy_loop *loop = make_loop();
  int calls = 0, posts = 0, fds[2];
  char byte = 0;
  eddy_timer *timer;
  eddy_watcher *watcher;
  pid_t pid;
  make_socket_pair(fds);
  CHECK_EQ(eddy_timer_create(loop, count_timer, &calls, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 20 * EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], read_one, &byte, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1); /* the kernel knows of the watcher */
  CHECK_EQ(eddy_loop_post(loop, count_post, &posts), 0);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    int is_well = eddy_loop_fork(loop) == 0 && write(fds[1], "x", 1) == 1 &&
                  eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE) == 0;
    is_well = is_well && calls == 1 && posts == 1 && byte == 'r';
    is_well = is_well && eddy_timer_close(timer, NULL) == 0 &&
              eddy_watcher_close(watcher, NULL) == 0 &&
              eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE) == 0 && eddy_loop_destroy(loop) == 0;
    leave_child(is_well);
  }
  await_child(pid);
  /* The byte is in the socket that both share, so the parent sees it as well. */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(calls, 1);
  CHECK_EQ(posts, 1);
  CHECK_EQ(byte, 'r');
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  end_loop(loop);
  close(fds[0]);
  close(fds[1]);
}

static void the_child_does_not_disturb_the_parent(void) {
  eddy_loop *loop = make_loop();
  int fds[2];
  char byte = 0;
  eddy_watcher *watcher;
  pid_t pid;
  make_socket_pair(fds);
  CHECK_EQ(eddy_watcher_create(loop, fds[0], read_one, &byte, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_READABLE), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    /* Everything that would take the watcher out of an epoll descriptor that both share. */
    leave_child(
        eddy_loop_fork(loop) == 0 && eddy_watcher_close(watcher, NULL) == 0 &&
        eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE) == 0 && close(fds[0]) == 0 &&
        eddy_loop_destroy(loop) == 0);
  }
  await_child(pid);
  CHECK(write(fds[1], "x", 1) == 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(byte, 'r');
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
  end_loop(loop);
  close(fds[0]);
  close(fds[1]);
}

static void a_child_that_only_leaves_does_not_disturb_the_parent(void) {
  eddy_loop *loop = make_loop();
  int posts = 0;
  for (int i = 0; i < 3; i++) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      if (i == 0) {
        execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
      }
      leave_child(1);
    }
    CHECK_EQ(eddy_loop_post(loop, count_post, &posts), 0);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    await_child(pid);
  }
  CHECK_EQ(posts, 3);
  end_loop(loop);
}

static void no_descriptor_outlives_an_exec(void) {
  int foreign = count_descriptors(); /* what the runner has given this process */
  eddy_loop *loop = make_loop();
  eddy_signal *watcher;
  int calls = 0;
  pid_t pid;
  char command[96];
  CHECK_EQ(eddy_signal_create(loop, count_signal, &calls, &watcher), 0);
  CHECK_EQ(eddy_signal_start(watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  CHECK(count_descriptors() > foreign);
  /* ls has the directory that it reads besides. */
  snprintf(
      command, sizeof command, "test $(ls /proc/self/fd | wc -l) -le %d && exit 42", foreign + 1);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    leave_child(0);
  }
  await_child(pid);
  CHECK_EQ(eddy_signal_close(watcher, NULL), 0);
  end_loop(loop);
}

static void a_signal_reaches_the_child_alone(void) {
  eddy_loop *loop = make_loop();
  eddy_signal *watcher;
  int calls = 0;
  pid_t pid;
  CHECK_EQ(eddy_signal_create(loop, count_signal, &calls, &watcher), 0);
  CHECK_EQ(eddy_signal_start(watcher, SIGUSR1), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 0);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    int is_well = eddy_loop_fork(loop) == 0 && eddy_loop_run(loop, EDDY_RUN_NOWAIT) == 0 &&
                  kill(getpid(), SIGUSR1) == 0;
    for (int i = 0; i < 100 && calls == 0; i++) {
      eddy_loop_run(loop, EDDY_RUN_NOWAIT);
      sleep_ns(EDDY_MILLISECOND);
    }
    leave_child(is_well && calls == 1);
  }
  await_child(pid);
  CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) == 0);
  CHECK_EQ(calls, 0);
  CHECK_EQ(eddy_signal_close(watcher, NULL), 0);
  end_loop(loop);
}

static void a_pool_forbids_it(void) {
  eddy_loop *loop = make_loop();
  eddy_pool *pool;
  pid_t pid;
  CHECK_EQ(eddy_pool_create(loop, NULL, &pool), 0);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    leave_child(
        eddy_loop_fork(loop) == EDDY_EBUSY && eddy_loop_run(loop, EDDY_RUN_NOWAIT) == EDDY_EFORKED);
  }
  await_child(pid);
  CHECK_EQ(eddy_pool_submit(pool, do_nothing, NULL, NULL), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

/* A fork in a callback: the child goes on in the same turn, the parent in its own. */
typedef struct forker {
  eddy_loop *loop;
  pid_t child;
  int is_well;
} forker;

static void fork_in_callback(eddy_timer *timer, void *context) {
  forker *forker = context;
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  forker->child = fork();
  CHECK(forker->child >= 0);
  if (forker->child == 0) {
    forker->is_well = eddy_loop_fork(forker->loop) == 0;
  }
}

static void a_callback_may_fork(void) {
  forker forker = {make_loop(), -1, 1};
  eddy_timer *first, *second;
  int calls = 0, run;
  CHECK_EQ(eddy_timer_create(forker.loop, fork_in_callback, &forker, &first), 0);
  CHECK_EQ(eddy_timer_create(forker.loop, count_timer, &calls, &second), 0);
  CHECK_EQ(eddy_timer_start(first, EDDY_MILLISECOND, 0), 0);
  CHECK_EQ(eddy_timer_start(second, 20 * EDDY_MILLISECOND, 0), 0);
  run = eddy_loop_run(forker.loop, EDDY_RUN_UNTIL_IDLE);
  if (forker.child == 0) {
    leave_child(forker.is_well && run == 0 && calls == 1);
  }
  CHECK_EQ(run, 0);
  CHECK_EQ(calls, 1);
  await_child(forker.child);
  CHECK_EQ(eddy_timer_close(second, NULL), 0);
  end_loop(forker.loop);
}

static void *run_until_stopped(void *context) {
  CHECK(eddy_loop_run(context, EDDY_RUN_UNTIL_STOPPED) >= 0);
  return NULL;
}

static void post_semaphore(void *context) {
  CHECK(sem_post(context) == 0);
}

static void a_loop_that_another_thread_runs_forbids_it(void) {
  eddy_loop *loop = make_loop();
  pthread_t thread;
  sem_t runs;
  pid_t pid;
  CHECK(sem_init(&runs, 0, 0) == 0);
  CHECK(pthread_create(&thread, NULL, run_until_stopped, loop) == 0);
  CHECK_EQ(eddy_loop_post(loop, post_semaphore, &runs), 0);
  while (sem_wait(&runs) != 0) {
  }
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    leave_child(
        eddy_loop_fork(loop) == EDDY_EBUSY && eddy_loop_run(loop, EDDY_RUN_NOWAIT) == EDDY_EFORKED);
  }
  await_child(pid);
  CHECK_EQ(eddy_loop_stop(loop), 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(sem_destroy(&runs) == 0);
  end_loop(loop);
}

static void the_child_gets_a_descriptor_of_its_own_with_its_first_turn(void) {
  eddy_loop *loop = make_loop();
  pid_t pid;
  CHECK(eddy_loop_fd(loop) >= 0);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    leave_child(
        eddy_loop_fork(loop) == 0 && eddy_loop_timeout(loop) == 0 &&
        eddy_loop_fd(loop) == EDDY_ENOTSUP && eddy_loop_run(loop, EDDY_RUN_NOWAIT) == 0 &&
        eddy_loop_fd(loop) >= 0);
  }
  await_child(pid);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(null_is_invalid),
    TAP_TEST(in_the_same_process_it_does_nothing),
    TAP_TEST(a_child_that_does_not_say_so_cannot_run_the_loop),
    TAP_TEST(timers_watchers_and_posts_go_on_in_the_child),
    TAP_TEST(the_child_does_not_disturb_the_parent),
    TAP_TEST(a_child_that_only_leaves_does_not_disturb_the_parent),
    TAP_TEST(no_descriptor_outlives_an_exec),
    TAP_TEST(a_signal_reaches_the_child_alone),
    TAP_TEST(a_pool_forbids_it),
    TAP_TEST(a_callback_may_fork),
    TAP_TEST(a_loop_that_another_thread_runs_forbids_it),
    TAP_TEST(the_child_gets_a_descriptor_of_its_own_with_its_first_turn),
};
TAP_MAIN(tests)
