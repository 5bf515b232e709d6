#include "tap.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eddy.h>

enum {
  STATUS_FAILED = 1,
  STATUS_SKIPPED = 77, /* automake's */
  TIME_LIMIT = 20,     /* seconds a test */
  VALGRIND_FACTOR = 6  /* how much longer valgrind may take */
};

int tap_under_valgrind(void) {
  return getenv("TAP_VALGRIND") != NULL;
}

static const char *current_part;

void tap_within(const char *part) {
  current_part = part;
}

void tap_fail(const char *file, int line, const char *format, ...) {
  va_list arguments;
  fprintf(stderr, "# %s:%d: ", file, line);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  if (current_part != NULL) {
    fprintf(stderr, " (%s)", current_part);
  }
  fputc('\n', stderr);
  fflush(stderr);
  _exit(STATUS_FAILED); /* not exit: what is open here would only be told as leaked */
}

/* A number, with its name if it is a code of libeddy's. */
static void describe(char *buffer, size_t size, long long number) {
  if (number < 0 && number >= INT_MIN) {
    snprintf(buffer, size, "%lld (%s)", number, eddy_error_name((int)number));
  } else {
    snprintf(buffer, size, "%lld", number);
  }
}

void tap_check_equal(
    const char *file, int line, const char *what, long long actual, long long expected) {
  char actual_text[64], expected_text[64];
  if (actual == expected) {
    return;
  }
  describe(actual_text, sizeof actual_text, actual);
  describe(expected_text, sizeof expected_text, expected);
  tap_fail(file, line, "%s is %s, not %s", what, actual_text, expected_text);
}

void tap_check_string(
    const char *file, int line, const char *what, const char *actual, const char *expected) {
  if (actual == NULL || strcmp(actual, expected) != 0) {
    tap_fail(
        file, line, "%s is \"%s\", not \"%s\"", what, actual == NULL ? "(null)" : actual, expected);
  }
}

void tap_skip(const char *reason) {
  char script[16];
  fprintf(stderr, "# skipped: %s\n", reason);
  /* Another program ends in our place: what is open here would only be told as leaked. */
  snprintf(script, sizeof script, "exit %d", STATUS_SKIPPED);
  execl("/bin/sh", "sh", "-c", script, (char *)NULL);
  _exit(STATUS_FAILED);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

static void remove_tree(const char *path) {
  nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The test's own process. It has a group, so that nothing it starts outlives it. */
static void run_here(const tap_test *test, const char *directory) {
  setpgid(0, 0);
  if (chdir(directory) < 0) {
    tap_fail(__FILE__, __LINE__, "chdir %s: %s", directory, strerror(errno));
  }
  alarm((unsigned)(TIME_LIMIT * (tap_under_valgrind() ? VALGRIND_FACTOR : 1)));
  test->run();
  exit(0);
}

/* Runs one test and prints its line; 1 if it failed. */
static int run_one(const tap_test *test, unsigned number) {
  char directory[] = "/tmp/eddy-test-XXXXXX"; /* short: a Unix address holds 107 bytes */
  int status = 0;
  pid_t child;
  fflush(stdout);
  if (mkdtemp(directory) == NULL) {
    printf("not ok %u - %s: mkdtemp: %s\n", number, test->name, strerror(errno));
    return 1;
  }
  child = fork();
  if (child == 0) {
    run_here(test, directory);
  }
  if (child < 0) {
    printf("not ok %u - %s: fork: %s\n", number, test->name, strerror(errno));
    return 1;
  }
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  kill(-child, SIGKILL);
  remove_tree(directory);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    printf("ok %u - %s\n", number, test->name);
    return 0;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SKIPPED) {
    printf("ok %u - %s # SKIP\n", number, test->name);
    return 0;
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    printf("not ok %u - %s: over its time limit\n", number, test->name);
  } else if (WIFSIGNALED(status)) {
    printf("not ok %u - %s: %s\n", number, test->name, strsignal(WTERMSIG(status)));
  } else {
    printf("not ok %u - %s: exit status %d\n", number, test->name, WEXITSTATUS(status));
  }
  return 1;
}

static int is_chosen(const tap_test *test, int argc, char **argv) {
  int index;
  for (index = 1; index < argc; index++) {
    if (strcmp(argv[index], test->name) == 0) {
      return 1;
    }
  }
  return argc == 1;
}

int tap_main(const tap_test *tests, size_t count, int argc, char **argv) {
  unsigned number = 0, failed = 0;
  size_t index;
  for (index = 0; index < count; index++) {
    if (!is_chosen(&tests[index], argc, argv)) {
      continue;
    }
    if (argc == 2) {
      tests[index].run(); /* in a debugger's reach */
      return 0;
    }
    number++;
    failed += (unsigned)run_one(&tests[index], number);
  }
  printf("1..%u\n", number);
  return failed == 0 && number > 0 ? 0 : 1;
}
