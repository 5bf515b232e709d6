/*
 * command: runs a program with a time limit, gives it an input, and shows what it writes.
 *
 *   cc command.c $(pkg-config --cflags --libs eddy) -o command
 *   ./command 5 'some text' tr a-z A-Z
 *   ./command 1 '' sh -c 'sleep 60 & sleep 60'
 *
 * It shows a child process with pipes for its three descriptors, each of which is a stream, and a
 * limit that also reaches what the child has started.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between the request to end (SIGTERM) and the order to (SIGKILL). */
#define GRACE EDDY_SECOND

struct command {
  eddy_loop *loop;
  eddy_process *process;
  eddy_stream *input;
  eddy_timer *limit;
  eddy_signal *signals[2];
  int told_to_end;
  int exit_status;
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "command: %s: %s\n", what, eddy_error_message(result));
    exit(1);
  }
}

/* The context is where it goes to: stdout or stderr. */
static void on_output(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  if (length > 0) {
    fwrite(data, 1, (size_t)length, context);
  } else {
    /* Nobody has the other end of the pipe open any more. */
    eddy_stream_close(stream, NULL);
  }
}

/* What the command left running in its group has been killed by now, so its pipes end too. */
static void
on_exit_of_child(eddy_process *process, int exit_status, int signal_number, void *context) {
  struct command *command = context;
  if (signal_number != 0) {
    fprintf(stderr, "command: ended by signal %d\n", signal_number);
    /* As a shell reports it. */
    exit_status = 128 + signal_number;
  }
  command->exit_status = exit_status;
  eddy_stream_close(command->input, NULL); /* with what was not read of it */
  eddy_process_close(process, NULL);
  eddy_timer_close(command->limit, NULL);
  eddy_signal_close(command->signals[0], NULL);
  eddy_signal_close(command->signals[1], NULL);
}

/* First politely; then, when the timer comes a second time, with SIGKILL. */
static void end(struct command *command) {
  eddy_process_kill_group(command->process, command->told_to_end ? SIGKILL : SIGTERM);
  command->told_to_end = 1;
  eddy_timer_start(command->limit, GRACE, 0);
}

static void on_limit(eddy_timer *timer, void *context) {
  struct command *command = context;
  (void)timer;
  if (!command->told_to_end) {
    fprintf(stderr, "command: time is up\n");
  }
  end(command);
}

static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  (void)watcher, (void)signal_number;
  end(context);
}

/* Makes a stream of the end of a pipe; the context is `output`, where what comes goes to. */
static eddy_stream *open_pipe(struct command *command, int number, FILE *output) {
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream;
  config.context = output;
  config.on_read = on_output;
  int fd = eddy_process_take_fd(command->process, number);
  check(fd, "pipe");
  check(eddy_stream_open(command->loop, fd, &config, &stream), "pipe");
  if (output != NULL) {
    check(eddy_stream_read_start(stream), "pipe");
  }
  return stream;
}

static void start(struct command *command, const char *input, char **arguments) {
  eddy_process_config config = EDDY_PROCESS_CONFIG_INIT;
  config.context = command;
  config.on_exit = on_exit_of_child;
  config.file = arguments[0];
  config.arguments = (const char *const *)arguments;
  config.standard_input = EDDY_STDIO_PIPE;
  config.standard_output = EDDY_STDIO_PIPE;
  config.standard_error = EDDY_STDIO_PIPE;
  config.new_group = 1;
  check(eddy_process_spawn(command->loop, &config, &command->process), arguments[0]);
  open_pipe(command, 1, stdout);
  open_pipe(command, 2, stderr);
  command->input = open_pipe(command, 0, NULL);
  /* A program may end without having read its input: that is no error of ours. */
  eddy_stream_write(command->input, input, strlen(input));
  eddy_stream_shutdown(command->input);
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct command command = {0};
  char *rest = NULL;
  double seconds = argc > 3 ? strtod(argv[1], &rest) : 0;
  if (!(seconds > 0 && seconds < 1e6) || *rest != 0) {
    fprintf(stderr, "usage: command SECONDS INPUT PROGRAM [ARGUMENT]...\n");
    return 2;
  }
  check(eddy_loop_create(NULL, &command.loop), "loop");
  check(eddy_timer_create(command.loop, on_limit, &command, &command.limit), "timer");
  for (int i = 0; i < 2; i++) {
    check(eddy_signal_create(command.loop, on_signal, &command, &command.signals[i]), "signal");
    check(eddy_signal_start(command.signals[i], numbers[i]), "signal");
  }
  start(&command, argv[2], argv + 3);
  check(eddy_timer_start(command.limit, (uint64_t)(seconds * EDDY_SECOND), 0), "timer");
  check(eddy_loop_run(command.loop, EDDY_RUN_UNTIL_IDLE), "run");
  check(eddy_loop_destroy(command.loop), "destroy");
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "command: the output could not be written\n");
    return 1;
  }
  return command.exit_status;
}
