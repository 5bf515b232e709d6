/*
 * tables.h: the X-macro table of eddy/error.h and the version, as functions.
 *
 * Private to the implementation: the table stays the only place that knows a
 * code's name and message.
 */
#ifndef CEDDY_TABLES_H
#define CEDDY_TABLES_H

#include "../../include/eddy/error.h"
#include "../../include/eddy/version.h"

static inline const char *ceddy_error_name(int error) {
  switch (error) {
#define CEDDY_NAME(name, number, message)                                                          \
  case number:                                                                                     \
    return #name;
    EDDY_ERRORS(CEDDY_NAME)
#undef CEDDY_NAME
  default:
    return error >= 0 ? "EDDY_OK" : "EDDY_EUNKNOWN";
  }
}

static inline const char *ceddy_error_message(int error) {
  switch (error) {
#define CEDDY_MESSAGE(name, number, message)                                                       \
  case number:                                                                                     \
    return message;
    EDDY_ERRORS(CEDDY_MESSAGE)
#undef CEDDY_MESSAGE
  default:
    return error >= 0 ? "no error" : "an error that has no code here";
  }
}

#define CEDDY_TEXT(number) CEDDY_TEXT_OF(number)
#define CEDDY_TEXT_OF(number) #number

static inline const char *ceddy_version_string(void) {
  return CEDDY_TEXT(EDDY_VERSION_MAJOR) "." CEDDY_TEXT(EDDY_VERSION_MINOR) "." CEDDY_TEXT(
      EDDY_VERSION_PATCH);
}

#endif
