/* eddy/process.h. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/child.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static int spawn_error(eddy_loop *loop, child *child) {
  int result = eddy_process_spawn(loop, &child->config, &child->process);
  CHECK(result < 0);
  CHECK(waitpid(-1, NULL, WNOHANG) < 0); /* no child is left behind */
  return result;
}

/* Arguments. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  child child;
  shell(&child, "true");
  CHECK_EQ(eddy_process_spawn(NULL, &child.config, &child.process), EDDY_EINVAL);
  CHECK_EQ(eddy_process_spawn(loop, NULL, &child.process), EDDY_EINVAL);
  CHECK_EQ(eddy_process_spawn(loop, &child.config, NULL), EDDY_EINVAL);
  child.config.size = 0;
  CHECK_EQ(spawn_error(loop, &child), EDDY_EINVAL);
  shell(&child, "true");
  child.config.on_exit = NULL;
  CHECK_EQ(spawn_error(loop, &child), EDDY_EINVAL);
  shell(&child, "true");
  child.config.file = NULL;
  CHECK_EQ(spawn_error(loop, &child), EDDY_EINVAL);
  shell(&child, "true");
  child.config.arguments = NULL;
  CHECK_EQ(spawn_error(loop, &child), EDDY_EINVAL);
  CHECK_EQ(eddy_process_pid(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_process_kill(NULL, SIGTERM), EDDY_EINVAL);
  CHECK_EQ(eddy_process_kill_group(NULL, SIGTERM), EDDY_EINVAL);
  CHECK_EQ(eddy_process_close(NULL, NULL), EDDY_EINVAL);
  end_loop(loop);
}

static void what_cannot_be_run_is_told_by_spawn(void) {
  eddy_loop *loop = make_loop();
  child child;
  char *huge = malloc(4 << 20);
  int fd;
  if (tap_under_valgrind()) {
    tap_skip("valgrind turns vfork into fork, so posix_spawn cannot see that execve failed");
  }
  shell(&child, "true");
  child.config.file = "/no/such/program";
  CHECK_EQ(spawn_error(loop, &child), EDDY_ENOENT);
  child.config.file = "no-such-program-on-the-path";
  CHECK_EQ(spawn_error(loop, &child), EDDY_ENOENT);
  fd = open("plain", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  CHECK(write(fd, "\001\002\003\004", 4) == 4);
  close(fd);
  child.config.file = "./plain";
  CHECK_EQ(spawn_error(loop, &child), EDDY_EACCES);
  CHECK(chmod("plain", 0755) == 0);
  CHECK_EQ(spawn_error(loop, &child), EDDY_ENOEXEC);
  shell(&child, "true");
  child.config.directory = "no-such-directory";
  CHECK_EQ(spawn_error(loop, &child), EDDY_ENOENT);
  shell(&child, huge);
  CHECK(huge != NULL);
  memset(huge, 'x', (4 << 20) - 1);
  huge[(4 << 20) - 1] = 0;
  CHECK_EQ(spawn_error(loop, &child), EDDY_E2BIG);
  free(huge);
  end_loop(loop);
}

/* Ends. */

static void the_exit_status_is_told(void) {
  static const struct {
    const char *script;
    int status, signal_number;
  } cases[] = {
      {"exit 0", 0, 0},
      {"exit 1", 1, 0},
      {"exit 255", 255, 0},
      {"kill -TERM $$", 0, SIGTERM},
      {"kill -KILL $$", 0, SIGKILL},
  };
  eddy_loop *loop = make_loop();
  size_t index;
  for (index = 0; index < sizeof cases / sizeof *cases; index++) {
    child child;
    shell(&child, cases[index].script);
    run_to_end(&child, loop);
    CHECK_EQ(child.status, cases[index].status);
    CHECK_EQ(child.signal_number, cases[index].signal_number);
  }
  end_loop(loop);
}

static void a_running_child_keeps_the_loop_alive(void) {
  eddy_loop *loop = make_loop();
  child child;
  shell(&child, "sleep 0.05");
  spawn(&child, loop);
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.exits, 1);
  close_child(&child);
  end_loop(loop);
}

static void many_children_each_tell_their_own(void) {
  enum { COUNT = 40 };
  static child children[COUNT];
  static char scripts[COUNT][32];
  eddy_loop *loop = make_loop();
  int index, descriptors = count_descriptors();
  for (index = 0; index < COUNT; index++) {
    snprintf(scripts[index], sizeof scripts[index], "exit %d", index);
    shell(&children[index], scripts[index]);
    spawn(&children[index], loop);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  for (index = 0; index < COUNT; index++) {
    CHECK_EQ(children[index].exits, 1);
    CHECK_EQ(children[index].status, index);
    CHECK(!is_running(children[index].pid)); /* reaped */
    close_child(&children[index]);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(count_descriptors(), descriptors);
  end_loop(loop);
}

static void children_of_the_host_are_left_to_it(void) {
  eddy_loop *loop = make_loop();
  int status;
  child child;
  pid_t own = fork();
  if (own == 0) {
    _exit(7);
  }
  shell(&child, "exit 3");
  run_to_end(&child, loop);
  CHECK_EQ(child.status, 3);
  CHECK(waitpid(own, &status, 0) == own);
  CHECK_EQ(WEXITSTATUS(status), 7);
  end_loop(loop);
}

static void *run_until_idle(void *loop) {
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  return NULL;
}

static void any_loop_may_have_children(void) {
  eddy_loop *one = make_loop(), *other = make_loop();
  child first, second;
  pthread_t thread;
  shell(&first, "exit 1");
  shell(&second, "exit 2");
  spawn(&first, one);
  spawn(&second, other);
  CHECK(pthread_create(&thread, NULL, run_until_idle, other) == 0);
  CHECK_EQ(eddy_loop_run(one, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_EQ(first.status, 1);
  CHECK_EQ(second.status, 2);
  close_child(&first);
  close_child(&second);
  end_loop(one);
  end_loop(other);
}

/* What a child gets. */

static void arguments_environment_and_directory_are_passed(void) {
  static const char *const environment[] = {"COLOUR=dark blue", NULL};
  static const char *const arguments[] = {
      "sh", "-c", "echo \"$1|$2|$COLOUR|$HOME|$(pwd)\"", "sh", "a b", "", NULL};
  eddy_loop *loop = make_loop();
  endpoint output;
  child child;
  shell(&child, "");
  child.config.arguments = arguments;
  child.config.environment = environment;
  child.config.directory = "/usr";
  run_for_output(&child, loop, &output);
  CHECK_STR(output.text, "a b||dark blue||/usr\n");
  end_loop(loop);
}

static void the_callers_environment_is_the_default(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  child child;
  CHECK(setenv("EDDY_TEST_COLOUR", "green", 1) == 0);
  shell(&child, "echo $EDDY_TEST_COLOUR");
  run_for_output(&child, loop, &output);
  CHECK_STR(output.text, "green\n");
  end_loop(loop);
}

static void missing_descriptors_are_the_null_device(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  child child;
  shell(&child, "cat; readlink /proc/$$/fd/0 /proc/$$/fd/2; echo lost >&2");
  run_for_output(&child, loop, &output);
  CHECK_STR(output.text, "/dev/null\n/dev/null\n");
  CHECK_EQ(child.status, 0);
  end_loop(loop);
}

static void no_other_descriptor_is_passed_on(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  child child;
  CHECK(dup2(STDIN_FILENO, 50) == 50); /* without close-on-exec */
  CHECK(dup2(STDIN_FILENO, 700) == 700);
  shell(
      &child,
      "n=3; while [ $n -lt 1024 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n + 1)); done; "
      "echo end");
  run_for_output(&child, loop, &output);
  CHECK_STR(output.text, "end\n");
  end_loop(loop);
}

static void signals_are_default_and_unblocked(void) {
  /* glibc's posix_spawn has the child ignore its internal signals, 32 and 33. */
  static const unsigned long long internal = 3ULL << 31;
  eddy_loop *loop = make_loop();
  char *next;
  sigset_t blocked;
  endpoint output;
  child child;
  CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGUSR1);
  CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
  /* sed, not sh, as sh may have a handler of its own */
  shell(&child, "exec sed -n 's/^Sig\\(Blk\\|Ign\\):[ \\t]*//p' /proc/self/status");
  run_for_output(&child, loop, &output);
  CHECK_EQ(strtoull(output.text, &next, 16), 0);
  CHECK_EQ(strtoull(next, NULL, 16) & ~internal, 0);
  end_loop(loop);
}

static void input_and_output_pass_through_pipes(void) {
  eddy_loop *loop = make_loop();
  endpoint input, output;
  int in[2], out[2];
  child child;
  shell(&child, "tr a-z A-Z; echo done");
  CHECK_EQ(eddy_pipe(in), 0);
  CHECK_EQ(eddy_pipe(out), 0);
  child.config.standard_input = in[0];
  child.config.standard_output = out[1];
  child.config.standard_error = out[1];
  spawn(&child, loop);
  CHECK(fcntl(in[0], F_GETFD) >= 0); /* the caller's descriptors stay the caller's */
  close(in[0]);
  close(out[1]);
  endpoint_open(&input, loop, in[1]);
  endpoint_open(&output, loop, out[0]);
  CHECK_EQ(eddy_stream_read_start(output.stream), 0);
  endpoint_write(&input, "quiet ");
  CHECK_EQ(eddy_stream_shutdown(input.stream), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(output.text, "QUIET done\n");
  endpoint_close(&input);
  endpoint_close(&output);
  close_child(&child);
  end_loop(loop);
}

static void descriptors_that_are_swapped_are_not_confused(void) {
  eddy_loop *loop = make_loop();
  int in[2], out[2];
  char text[4];
  child child;
  CHECK_EQ(eddy_pipe(in), 0);
  CHECK_EQ(eddy_pipe(out), 0);
  CHECK(dup2(in[0], 1) == 1); /* the child's 0 is this process's 1, and the reverse */
  CHECK(dup3(out[1], 0, O_CLOEXEC) == 0);
  CHECK(write(in[1], "swap", 4) == 4);
  close(in[1]);
  shell(&child, "cat");
  child.config.standard_input = 1;
  child.config.standard_output = 0;
  run_to_end(&child, loop);
  CHECK_EQ(child.status, 0);
  read_fully(out[0], text, 4);
  CHECK(memcmp(text, "swap", 4) == 0);
  end_loop(loop);
}

static void a_descriptor_in_its_own_place_loses_close_on_exec(void) {
  eddy_loop *loop = make_loop();
  char text[5];
  int out[2];
  child child;
  CHECK_EQ(eddy_pipe(out), 0);
  CHECK(dup3(out[1], 1, O_CLOEXEC) == 1);
  shell(&child, "echo here");
  child.config.standard_output = 1;
  run_to_end(&child, loop);
  CHECK_EQ(child.status, 0);
  read_fully(out[0], text, 5);
  CHECK(memcmp(text, "here\n", 5) == 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(what_cannot_be_run_is_told_by_spawn),
    TAP_TEST(the_exit_status_is_told),
    TAP_TEST(a_running_child_keeps_the_loop_alive),
    TAP_TEST(many_children_each_tell_their_own),
    TAP_TEST(children_of_the_host_are_left_to_it),
    TAP_TEST(any_loop_may_have_children),
    TAP_TEST(arguments_environment_and_directory_are_passed),
    TAP_TEST(the_callers_environment_is_the_default),
    TAP_TEST(missing_descriptors_are_the_null_device),
    TAP_TEST(no_other_descriptor_is_passed_on),
    TAP_TEST(signals_are_default_and_unblocked),
    TAP_TEST(input_and_output_pass_through_pipes),
    TAP_TEST(descriptors_that_are_swapped_are_not_confused),
    TAP_TEST(a_descriptor_in_its_own_place_loses_close_on_exec),
};
TAP_MAIN(tests)
