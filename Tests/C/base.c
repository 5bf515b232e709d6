/* eddy/version.h and eddy/error.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "harness/fixture.h"
#include "harness/tap.h"

/* The errors are numbered from -1 on without a gap. */
#define COUNT_ERROR(name, number, message) +1
enum { ERROR_COUNT = EDDY_ERRORS(COUNT_ERROR) };

static void the_version_is_the_headers(void) {
  char text[32];
  snprintf(
      text, sizeof text, "%d.%d.%d", EDDY_VERSION_MAJOR, EDDY_VERSION_MINOR, EDDY_VERSION_PATCH);
  CHECK_EQ(eddy_version(), EDDY_VERSION_NUMBER);
  CHECK_STR(eddy_version_string(), text);
}

static void every_error_has_its_name_and_message(void) {
#define CHECK_ERROR(name, number, message)                                                         \
  CHECK_EQ(name, number);                                                                          \
  CHECK_STR(eddy_error_name(number), #name);                                                       \
  CHECK_STR(eddy_error_message(number), message);
  EDDY_ERRORS(CHECK_ERROR)
#undef CHECK_ERROR
}

static void a_success_is_named_ok(void) {
  CHECK_STR(eddy_error_name(0), "EDDY_OK");
  CHECK_STR(eddy_error_name(1), "EDDY_OK");
  CHECK_STR(eddy_error_name(INT_MAX), "EDDY_OK");
  CHECK(eddy_error_message(0) != NULL);
}

static void a_number_that_is_no_code_is_named_unknown(void) {
  CHECK_STR(eddy_error_name(-ERROR_COUNT - 1), "EDDY_EUNKNOWN");
  CHECK_STR(eddy_error_name(-1000), "EDDY_EUNKNOWN");
  CHECK_STR(eddy_error_name(INT_MIN), "EDDY_EUNKNOWN");
  CHECK(strlen(eddy_error_message(INT_MIN)) > 0);
}

static void messages_end_without_a_full_stop(void) {
  int error;
  for (error = -ERROR_COUNT; error < 0; error++) {
    const char *message = eddy_error_message(error);
    CHECK(strlen(message) > 0);
    CHECK(message[strlen(message) - 1] != '.');
  }
}

static void an_errno_has_the_code_of_the_same_name(void) {
#define CHECK_ERRNO(name) CHECK_EQ(eddy_error_from_errno(name), EDDY_##name)
  CHECK_ERRNO(EINVAL);
  CHECK_ERRNO(ENOMEM);
  CHECK_ERRNO(EBUSY);
  CHECK_ERRNO(EALREADY);
  CHECK_ERRNO(EAGAIN);
  CHECK_ERRNO(ECANCELED);
  CHECK_ERRNO(ETIMEDOUT);
  CHECK_ERRNO(EBADF);
  CHECK_ERRNO(EMFILE);
  CHECK_ERRNO(ENFILE);
  CHECK_ERRNO(EADDRINUSE);
  CHECK_ERRNO(EADDRNOTAVAIL);
  CHECK_ERRNO(ECONNREFUSED);
  CHECK_ERRNO(ECONNRESET);
  CHECK_ERRNO(ECONNABORTED);
  CHECK_ERRNO(EPIPE);
  CHECK_ERRNO(ENOTCONN);
  CHECK_ERRNO(EHOSTUNREACH);
  CHECK_ERRNO(ENETUNREACH);
  CHECK_ERRNO(EACCES);
  CHECK_ERRNO(EPERM);
  CHECK_ERRNO(ENOENT);
  CHECK_ERRNO(ESRCH);
  CHECK_ERRNO(ENOTSUP);
  CHECK_ERRNO(EIO);
  CHECK_ERRNO(E2BIG);
  CHECK_ERRNO(ENOEXEC);
  CHECK_ERRNO(ENOSPC);
  CHECK_ERRNO(EEXIST);
  CHECK_ERRNO(ENOTDIR);
  CHECK_ERRNO(ENAMETOOLONG);
  CHECK_ERRNO(EMSGSIZE);
  CHECK_ERRNO(EDESTADDRREQ);
  CHECK_ERRNO(ENODEV);
  CHECK_ERRNO(EISDIR);
#undef CHECK_ERRNO
}

static void an_errno_without_a_code_is_unknown(void) {
  CHECK_EQ(eddy_error_from_errno(ELOOP), EDDY_EUNKNOWN);
  CHECK_EQ(eddy_error_from_errno(9999), EDDY_EUNKNOWN);
  CHECK_EQ(eddy_error_from_errno(-1), EDDY_EUNKNOWN);
}

static const tap_test tests[] = {
    TAP_TEST(the_version_is_the_headers),
    TAP_TEST(every_error_has_its_name_and_message),
    TAP_TEST(a_success_is_named_ok),
    TAP_TEST(a_number_that_is_no_code_is_named_unknown),
    TAP_TEST(messages_end_without_a_full_stop),
    TAP_TEST(an_errno_has_the_code_of_the_same_name),
    TAP_TEST(an_errno_without_a_code_is_unknown),
};
TAP_MAIN(tests)
