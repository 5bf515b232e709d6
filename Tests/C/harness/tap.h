/*
 * tap.h: the tests' runner. Each test is a process of its own with a time limit; the
 * results are printed in the Test Anything Protocol (https://testanything.org). Its
 * working directory is empty, its own, and removed afterwards.
 */
#ifndef TAP_H
#define TAP_H

#include <stddef.h>
#include <stdint.h>

/* One test. */
typedef struct tap_test {
  const char *name;
  void (*run)(void);
} tap_test;

#define TAP_TEST(name)                                                                             \
  { #name, name }

/* Runs the tests, or only those that argv names, in this process when it names one. */
int tap_main(const tap_test *tests, size_t count, int argc, char **argv);

#define TAP_MAIN(tests)                                                                            \
  int main(int argc, char **argv) {                                                                \
    return tap_main(tests, sizeof(tests) / sizeof((tests)[0]), argc, argv);                        \
  }

/* Ends the test as failed unless `condition` holds. */
#define CHECK(condition)                                                                           \
  ((condition) ? (void)0 : tap_fail(__FILE__, __LINE__, "expected: %s", #condition))

/* Ends the test as failed unless the two integers are equal; says what they were. */
#define CHECK_EQ(actual, expected)                                                                 \
  tap_check_equal(__FILE__, __LINE__, #actual, (long long)(actual), (long long)(expected))

/* Ends the test as failed unless the two strings are equal; says what they were. */
#define CHECK_STR(actual, expected)                                                                \
  tap_check_string(__FILE__, __LINE__, #actual, (actual), (expected))

/* What the test is at, for its failures: a text that stays as it is. */
void tap_within(const char *part);

/* Ends the test as skipped. */
void tap_skip(const char *reason) __attribute__((noreturn));

/* 1 when valgrind runs the tests. */
int tap_under_valgrind(void);

void tap_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
void tap_check_equal(
    const char *file, int line, const char *what, long long actual, long long expected);
void tap_check_string(
    const char *file, int line, const char *what, const char *actual, const char *expected);

#endif
