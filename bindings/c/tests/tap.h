/*
 * tap.h: tests that speak the Test Anything Protocol (https://testanything.org).
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failures;

/* One test: prints its line, and where it failed. */
#define ok(condition, name) tap_report((condition) ? 1 : 0, name, __FILE__, __LINE__)

static inline int tap_report(int passed, const char *name, const char *file, int line) {
  tap_count++;
  printf("%sok %d - %s\n", passed ? "" : "not ", tap_count, name);
  if (!passed) {
    tap_failures++;
    printf("# failed at %s:%d\n", file, line);
  }
  return passed;
}

/* Compares text, and shows both when they differ. */
#define is_text(actual, expected, name) tap_is_text(actual, expected, name, __FILE__, __LINE__)

static inline int tap_is_text(
    const char *actual, const char *expected, const char *name, const char *file, int line) {
  int passed = tap_report(strcmp(actual, expected) == 0, name, file, line);
  if (!passed) {
    printf("#   actual: %s\n# expected: %s\n", actual, expected);
  }
  return passed;
}

/* The plan at the end, and main's result. */
static inline int tap_done(void) {
  printf("1..%d\n", tap_count);
  return tap_failures == 0 ? 0 : 1;
}

#endif
