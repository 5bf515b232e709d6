/*
 * eddy/error.h: every error that libeddy reports.
 *
 * A code keeps its number for ever, whatever the platform's errno is; new ones
 * are added at the end.
 */
#ifndef EDDY_ERROR_H
#define EDDY_ERROR_H

#include "base.h"

EDDY_BEGIN_DECLS

/**
 * The table of errors: X(name, number, message). The system errors among them
 * are those of errno(3) with the same name.
 */
#define EDDY_ERRORS(X)                                                                             \
  X(EDDY_EINVAL, -1, "invalid argument")                                                           \
  X(EDDY_ENOMEM, -2, "out of memory")                                                              \
  X(EDDY_EBUSY, -3, "still in use")                                                                \
  X(EDDY_EALREADY, -4, "already started or already closing")                                       \
  X(EDDY_EAGAIN, -5, "a queue is full; try again when it has drained")                             \
  X(EDDY_ECANCELED, -6, "cancelled")                                                               \
  X(EDDY_ETIMEDOUT, -7, "timed out")                                                               \
  X(EDDY_EOF, -8, "end of stream")                                                                 \
  X(EDDY_EBADF, -9, "bad file descriptor")                                                         \
  X(EDDY_EMFILE, -10, "out of file descriptors in this process")                                   \
  X(EDDY_ENFILE, -11, "out of file descriptors in this system")                                    \
  X(EDDY_EADDRINUSE, -12, "address already in use")                                                \
  X(EDDY_EADDRNOTAVAIL, -13, "address not available")                                              \
  X(EDDY_ECONNREFUSED, -14, "connection refused")                                                  \
  X(EDDY_ECONNRESET, -15, "connection reset by peer")                                              \
  X(EDDY_ECONNABORTED, -16, "connection aborted")                                                  \
  X(EDDY_EPIPE, -17, "the peer no longer reads")                                                   \
  X(EDDY_ENOTCONN, -18, "not connected")                                                           \
  X(EDDY_EHOSTUNREACH, -19, "host unreachable")                                                    \
  X(EDDY_ENETUNREACH, -20, "network unreachable")                                                  \
  X(EDDY_EACCES, -21, "permission denied")                                                         \
  X(EDDY_EPERM, -22, "operation not permitted")                                                    \
  X(EDDY_ENOENT, -23, "no such file or directory")                                                 \
  X(EDDY_ESRCH, -24, "no such process")                                                            \
  X(EDDY_ENOTSUP, -25, "not supported here")                                                       \
  X(EDDY_EIO, -26, "input/output error")                                                           \
  X(EDDY_E2BIG, -27, "argument list too long")                                                     \
  X(EDDY_ENOEXEC, -28, "not an executable file")                                                   \
  X(EDDY_ENOSPC, -29, "no space left")                                                             \
  X(EDDY_EEXIST, -30, "already exists")                                                            \
  X(EDDY_ENOTDIR, -31, "not a directory")                                                          \
  X(EDDY_ENAMETOOLONG, -32, "name too long")                                                       \
  X(EDDY_EADDRFORMAT, -33, "not an address; write 127.0.0.1:80, [::1]:80 or unix:/path")           \
  X(EDDY_EUNKNOWN, -34, "an error that has no code here")                                          \
  X(EDDY_EFORKED, -35, "this process was forked; call eddy_loop_fork first")                       \
  X(EDDY_ENONAME, -36, "no address for this host name")                                            \
  X(EDDY_ENAMESERVER, -37, "the name servers could not be asked")                                  \
  X(EDDY_EMSGSIZE, -38, "message too long")                                                        \
  X(EDDY_EDESTADDRREQ, -39, "no destination: not connected, and no peer was given")                \
  X(EDDY_ENODEV, -40, "no such network interface")                                                 \
  X(EDDY_EISDIR, -41, "is a directory")

enum {
#define EDDY_ERROR_ENUMERATOR(name, number, message) name = number,
  EDDY_ERRORS(EDDY_ERROR_ENUMERATOR)
#undef EDDY_ERROR_ENUMERATOR
      EDDY_OK = 0 /**< no error */
};

/**
 * The name of a code, for example "EDDY_EINVAL"; "EDDY_OK" for 0 and above;
 * "EDDY_EUNKNOWN" for a number that is no code. The string lives as long as the program.
 *
 * Any thread. Since 0.1.
 */
const char *eddy_error_name(int error);

/**
 * What a code means, in English and without a full stop, for example "invalid
 * argument". The string lives as long as the program.
 *
 * Any thread. Since 0.1.
 */
const char *eddy_error_message(int error);

/**
 * The code for an error of the system; EDDY_EUNKNOWN if there is none.
 *
 * @param system_error a value of errno(3).
 *
 * Any thread. Since 0.1.
 */
int eddy_error_from_errno(int system_error);

EDDY_END_DECLS

#endif
