/*
 * command: runs a program with a time limit, and shows what it writes.
 *
 *   cc command.c $(pkg-config --cflags --libs eddy) -o command
 *   ./command ls -l /
 *   ./command sh -c 'sleep 60 & sleep 60'
 *
 * It shows a child process, a pipe as a stream, and a limit that also reaches
 * what the child has started.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIME_LIMIT (5 * EDDY_SECOND)
/* Between the request to end (SIGTERM) and the order to (SIGKILL). */
#define GRACE EDDY_SECOND

struct command {
  eddy_loop *loop;
  eddy_process *process;
  eddy_stream *output;
  eddy_timer *limit;
  int told_to_end;
  int exit_status;
};

static void on_output(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  (void)context;
  if (length > 0) {
    fwrite(data, 1, (size_t)length, stdout);
  } else {
    /* Nobody has the other end of the pipe open any more. */
    eddy_stream_close(stream, NULL);
  }
}

/* What the command left running in its group has been killed by now, so the pipe will end too. */
static void
on_exit_of_child(eddy_process *process, int exit_status, int signal_number, void *context) {
  struct command *command = context;
  if (signal_number != 0) {
    fprintf(stderr, "command: ended by signal %d\n", signal_number);
    /* As a shell reports it. */
    exit_status = 128 + signal_number;
  }
  command->exit_status = exit_status;
  eddy_process_close(process, NULL);
  eddy_timer_close(command->limit, NULL);
}

static void on_limit(eddy_timer *timer, void *context) {
  struct command *command = context;
  if (command->told_to_end) {
    eddy_process_kill_group(command->process, SIGKILL);
    return;
  }
  command->told_to_end = 1;
  fprintf(stderr, "command: time is up\n");
  eddy_process_kill_group(command->process, SIGTERM);
  eddy_timer_start(timer, GRACE, 0);
}

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "command: %s: %s\n", what, eddy_error_message(result));
    exit(1);
  }
}

static void spawn(struct command *command, char **arguments) {
  int pipe_ends[2];
  check(eddy_pipe(pipe_ends), "pipe");

  eddy_process_config process = EDDY_PROCESS_CONFIG_INIT;
  process.context = command;
  process.on_exit = on_exit_of_child;
  process.file = arguments[0];
  process.arguments = (const char *const *)arguments;
  process.standard_output = pipe_ends[1];
  process.standard_error = STDERR_FILENO;
  process.new_group = 1;
  check(eddy_process_spawn(command->loop, &process, &command->process), arguments[0]);
  /* The child has its own copy; while ours is open, the pipe has no end. */
  close(pipe_ends[1]);

  eddy_stream_config stream = EDDY_STREAM_CONFIG_INIT;
  stream.context = command;
  stream.on_read = on_output;
  check(eddy_stream_open(command->loop, pipe_ends[0], &stream, &command->output), "output");
  check(eddy_stream_read_start(command->output), "output");
}

int main(int argc, char **argv) {
  struct command command = {NULL, NULL, NULL, NULL, 0, 0};
  if (argc < 2) {
    fprintf(stderr, "command: write the command to run, for example: command ls -l /\n");
    return 2;
  }
  check(eddy_loop_create(NULL, &command.loop), "loop");
  check(eddy_timer_create(command.loop, on_limit, &command, &command.limit), "timer");
  spawn(&command, argv + 1);
  check(eddy_timer_start(command.limit, TIME_LIMIT, 0), "timer");
  check(eddy_loop_run(command.loop, EDDY_RUN_UNTIL_IDLE), "run");
  check(eddy_loop_destroy(command.loop), "destroy");
  return command.exit_status;
}
