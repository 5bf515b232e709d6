/* A child process of a test, with what it has told. */
#ifndef HARNESS_CHILD_H
#define HARNESS_CHILD_H

#include <eddy.h>

#include "endpoint.h"

typedef struct child {
  eddy_process_config config;
  eddy_process *process;
  const char *arguments[4];
  int exits, status, signal_number, closed;
  int pid;
  int kill_result, group_result; /* of signals that are sent when it has ended */
} child;

/* The configuration to run `script` with sh. */
void shell(child *child, const char *script);

void spawn(child *child, eddy_loop *loop);

/* The close callback of a child: counts itself. */
void count_closed(void *context);

void close_child(child *child);

/* Spawns, runs until it has ended, closes. */
void run_to_end(child *child, eddy_loop *loop);

/* The same; what it prints to its standard output goes to `output`. */
void run_for_output(child *child, eddy_loop *loop, endpoint *output);

int is_running(int pid);

#endif
