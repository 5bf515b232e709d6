#include "child.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "tap.h"

static void note_exit(eddy_process *process, int status, int signal_number, void *context) {
  child *child = context;
  CHECK(process == child->process);
  CHECK_EQ(child->closed, 0);
  child->exits++;
  child->status = status;
  child->signal_number = signal_number;
  child->kill_result = eddy_process_kill(process, SIGTERM);
  child->group_result = eddy_process_kill_group(process, SIGTERM);
}

void shell(child *child, const char *script) {
  static const eddy_process_config initial = EDDY_PROCESS_CONFIG_INIT;
  require_pidfd();
  memset(child, 0, sizeof *child);
  child->config = initial;
  child->config.context = child;
  child->config.on_exit = note_exit;
  child->config.file = "sh";
  child->config.arguments = child->arguments;
  child->arguments[0] = "sh";
  child->arguments[1] = "-c";
  child->arguments[2] = script;
}

void spawn(child *child, eddy_loop *loop) {
  CHECK_EQ(eddy_process_spawn(loop, &child->config, &child->process), 0);
  CHECK_EQ(child->exits, 0); /* always from the loop */
  child->pid = eddy_process_pid(child->process);
  CHECK(child->pid > 0);
}

void count_closed(void *context) {
  child *child = context;
  child->closed++;
}

void close_child(child *child) {
  CHECK_EQ(eddy_process_close(child->process, count_closed), 0);
  CHECK_EQ(child->closed, 0);
}

void run_to_end(child *child, eddy_loop *loop) {
  spawn(child, loop);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child->exits, 1);
  close_child(child);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child->closed, 1);
}

void run_for_output(child *child, eddy_loop *loop, endpoint *output) {
  int fds[2];
  CHECK_EQ(eddy_pipe(fds), 0);
  child->config.standard_output = fds[1];
  spawn(child, loop);
  close(fds[1]);
  endpoint_open(output, loop, fds[0]);
  CHECK_EQ(eddy_stream_read_start(output->stream), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child->exits, 1);
  CHECK_EQ(output->end_status, EDDY_EOF);
  close_child(child);
  endpoint_close(output);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
}

int is_running(int pid) {
  return kill(pid, 0) == 0;
}
