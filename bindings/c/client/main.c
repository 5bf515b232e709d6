/*
 * eddy-client: checks a job server, and is an example of a program on eddy.h.
 */
#include "report.h"

#include <stdio.h>
#include <sys/resource.h>

enum exit_status { EXIT_RIGHT = 0, EXIT_WRONG = 1, EXIT_USAGE = 2 };

/* Descriptors that are no connection: the standard ones, epoll(7) and what the loop needs. */
#define OTHER_DESCRIPTORS 32

/* Lifts the soft limit to the hard one. Returns the limit of open descriptors. */
static rlim_t raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return RLIM_INFINITY;
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

int main(int argc, char **argv) {
  struct options options;
  struct run run;
  switch (options_parse(argc, argv, &options)) {
  case OPTIONS_DONE:
    return EXIT_RIGHT;
  case OPTIONS_REFUSED:
    return EXIT_USAGE;
  case OPTIONS_RUN:
    break;
  }
  rlim_t descriptors = raise_descriptor_limit();
  if (descriptors != RLIM_INFINITY && options.connections + OTHER_DESCRIPTORS > descriptors) {
    fprintf(
        stderr,
        "eddy-client: %s %u: this process may open %llu descriptors; write at most %llu, or raise "
        "the limit (ulimit -Hn)\n",
        options.park > 0 ? "--park" : "--connections", options.connections,
        (unsigned long long)descriptors, (unsigned long long)descriptors - OTHER_DESCRIPTORS);
    return EXIT_USAGE;
  }
  int error = run_perform(&run, &options);
  if (error < 0) {
    fprintf(stderr, "eddy-client: %s\n", eddy_error_message(error));
  } else if (options.json) {
    report_json(&run, stdout);
  } else {
    report_text(&run, stdout);
  }
  int status = error == 0 && run_succeeded(&run) ? EXIT_RIGHT : EXIT_WRONG;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fputs("eddy-client: the report could not be written\n", stderr);
    status = EXIT_WRONG;
  }
  run_end(&run);
  return status;
}
