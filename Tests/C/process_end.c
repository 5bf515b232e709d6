/* eddy/process.h: signals, groups and closing. */
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
#include "harness/fixture.h"
#include "harness/tap.h"

static void a_signal_ends_a_child(void) {
  eddy_loop *loop = make_loop();
  child child;
  shell(&child, "exec sleep 60");
  spawn(&child, loop);
  CHECK_EQ(eddy_process_kill(child.process, -1), EDDY_EINVAL);
  CHECK_EQ(eddy_process_kill(child.process, 1000), EDDY_EINVAL);
  CHECK_EQ(eddy_process_kill_group(child.process, SIGTERM), EDDY_EINVAL); /* it has no group */
  CHECK_EQ(eddy_process_kill(child.process, SIGTERM), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.signal_number, SIGTERM);
  CHECK_EQ(child.status, 0);
  CHECK_EQ(child.kill_result, EDDY_ESRCH);
  CHECK_EQ(child.group_result, EDDY_EINVAL);
  CHECK_EQ(eddy_process_kill(child.process, SIGKILL), EDDY_ESRCH);
  CHECK_EQ(eddy_process_pid(child.process), child.pid);
  close_child(&child);
  end_loop(loop);
}

static void a_group_gets_a_signal_as_a_whole(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  int out[2];
  child child;
  CHECK_EQ(eddy_pipe(out), 0);
  shell(&child, "sleep 60 & sleep 60 & echo up; wait");
  child.config.new_group = 1;
  child.config.standard_output = out[1]; /* each of the three holds it */
  spawn(&child, loop);
  close(out[1]);
  endpoint_open(&output, loop, out[0]);
  CHECK_EQ(eddy_stream_read_start(output.stream), 0);
  while (output.received == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK(getpgid(child.pid) == child.pid);
  CHECK_EQ(eddy_process_kill_group(child.process, 1000), EDDY_EINVAL);
  CHECK_EQ(eddy_process_kill_group(child.process, SIGTERM), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.exits, 1);
  CHECK_EQ(child.group_result, EDDY_ESRCH);
  CHECK_EQ(output.end_status, EDDY_EOF); /* so none of the three is left */
  endpoint_close(&output);
  close_child(&child);
  end_loop(loop);
}

static void what_a_child_leaves_in_its_group_is_killed(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  child child;
  shell(&child, "(trap '' TERM HUP; sleep 60) & exit 5");
  child.config.new_group = 1;
  run_for_output(&child, loop, &output); /* which waits for the end of the output */
  CHECK_EQ(child.status, 5);
  end_loop(loop);
}

static void without_a_group_what_a_child_leaves_lives_on(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  child child;
  int left;
  shell(&child, "sleep 60 >/dev/null & echo $!");
  run_for_output(&child, loop, &output);
  left = atoi(output.text);
  CHECK(left > 1);
  CHECK(is_running(left));
  CHECK(kill(left, SIGKILL) == 0);
  end_loop(loop);
}

/* Closing. */

static void check_reaped(void *context) {
  child *child = context;
  CHECK(!is_running(child->pid));
  child->closed++;
}

static void closing_kills_and_reaps_without_telling(void) {
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors();
  child child;
  shell(&child, "trap '' TERM; sleep 60 & wait");
  spawn(&child, loop);
  CHECK_EQ(eddy_process_close(child.process, check_reaped), 0);
  CHECK_EQ(child.closed, 0);
  CHECK_EQ(eddy_process_close(child.process, check_reaped), EDDY_EALREADY);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.closed, 1);
  CHECK_EQ(child.exits, 0);
  CHECK_EQ(count_descriptors(), descriptors);
  end_loop(loop);
}

static void closing_kills_the_whole_group(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  int out[2];
  child child;
  CHECK_EQ(eddy_pipe(out), 0);
  shell(&child, "trap '' TERM; (trap '' TERM; sleep 60) & echo up; wait");
  child.config.new_group = 1;
  child.config.standard_output = out[1];
  spawn(&child, loop);
  close(out[1]);
  endpoint_open(&output, loop, out[0]);
  CHECK_EQ(eddy_stream_read_start(output.stream), 0);
  while (output.received == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  close_child(&child);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.closed, 1);
  CHECK_EQ(child.exits, 0);
  CHECK_EQ(output.end_status, EDDY_EOF);
  endpoint_close(&output);
  end_loop(loop);
}

static void closing_kills_a_child_that_has_left_its_group(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  child child;
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  endpoint_open(&output, loop, fds[0]);
  CHECK_EQ(eddy_stream_read_start(output.stream), 0);
  shell(&child, "exec perl -e '$| = 1; setpgrp(0, getpgrp(getppid())) or die; print 1; sleep 60'");
  child.config.new_group = 1;
  child.config.standard_output = fds[1];
  spawn(&child, loop);
  close(fds[1]);
  while (output.received == 0 && output.ends == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_EQ(output.received, 1);
  CHECK_EQ(eddy_process_kill_group(child.process, 0), EDDY_ESRCH);
  close_child(&child);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.closed, 1);
  endpoint_close(&output);
  end_loop(loop);
}

static void close_in_exit(eddy_process *process, int status, int signal_number, void *context) {
  child *child = context;
  (void)status, (void)signal_number;
  child->exits++;
  CHECK_EQ(eddy_process_close(process, count_closed), 0);
  CHECK_EQ(child->closed, 0);
}

static void a_child_may_be_closed_in_its_exit_callback(void) {
  eddy_loop *loop = make_loop();
  child child;
  shell(&child, "exit 0");
  child.config.on_exit = close_in_exit;
  spawn(&child, loop);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.exits, 1);
  CHECK_EQ(child.closed, 1);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_signal_ends_a_child),
    TAP_TEST(a_group_gets_a_signal_as_a_whole),
    TAP_TEST(what_a_child_leaves_in_its_group_is_killed),
    TAP_TEST(without_a_group_what_a_child_leaves_lives_on),
    TAP_TEST(closing_kills_and_reaps_without_telling),
    TAP_TEST(closing_kills_the_whole_group),
    TAP_TEST(closing_kills_a_child_that_has_left_its_group),
    TAP_TEST(a_child_may_be_closed_in_its_exit_callback),
};
TAP_MAIN(tests)
