#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../harness/tap.h"

/* Threads of the library make calls too; the numbers are read and written as atomics. */
typedef struct fault {
  int count;
  int hits;
  int fails_at;        /* the call of this number fails; 0: none */
  int period;          /* 0: only that one; n: each nth after it, too */
  int error;           /* of errno(3) */
  size_t most_at_once; /* bytes; 0: any number */
} fault;

static fault faults[FAULT_CALLS];

static const char *const names[FAULT_CALLS] = {
    "accept4",     "bind",     "connect", "epoll_ctl",  "epoll_wait",     "eventfd", "fcntl",
    "getsockname", "listen",   "malloc",  "pipe2",      "pthread_create", "read",    "realloc",
    "send",        "sendfile", "sendmsg", "setsockopt", "socket",         "writev",
};

#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)
#define STORE(variable, value) __atomic_store_n(&(variable), (value), __ATOMIC_SEQ_CST)
#define ADD_ONE(variable) __atomic_add_fetch(&(variable), 1, __ATOMIC_SEQ_CST)

static void set(fault_call call, int from_now, int period, int error) {
  STORE(faults[call].fails_at, 0);
  STORE(faults[call].period, period);
  STORE(faults[call].error, error);
  STORE(faults[call].fails_at, LOAD(faults[call].count) + from_now);
}

void fault_nth(fault_call call, int nth, int error) {
  set(call, nth, 0, error);
}

void fault_each(fault_call call, int error) {
  set(call, 1, 1, error);
}

void fault_every_other(fault_call call, int error) {
  set(call, 1, 2, error);
}

void fault_short(fault_call call, size_t bytes) {
  STORE(faults[call].most_at_once, bytes);
}

void fault_none(void) {
  int call;
  for (call = 0; call < FAULT_CALLS; call++) {
    STORE(faults[call].fails_at, 0);
    STORE(faults[call].most_at_once, 0);
    STORE(faults[call].count, 0);
    STORE(faults[call].hits, 0);
  }
}

int fault_count(fault_call call) {
  return LOAD(faults[call].count);
}

int fault_hits(fault_call call) {
  return LOAD(faults[call].hits);
}

const char *fault_name(fault_call call) {
  return names[call];
}

/* Counts a call: 0, or the error with which it is to fail. */
static int next_error(fault_call call) {
  int number = ADD_ONE(faults[call].count), fails_at = LOAD(faults[call].fails_at), period;
  if (fails_at == 0 || number < fails_at) {
    return 0;
  }
  period = LOAD(faults[call].period);
  if (number != fails_at && (period == 0 || (number - fails_at) % period != 0)) {
    return 0;
  }
  ADD_ONE(faults[call].hits);
  return LOAD(faults[call].error);
}

static int fails(fault_call call) {
  int error = next_error(call);
  if (error != 0) {
    errno = error;
  }
  return error != 0;
}

/* How many of `length` bytes a call may take. */
static size_t at_most(fault_call call, size_t length) {
  size_t most = LOAD(faults[call].most_at_once);
  if (most == 0 || length <= most) {
    return length;
  }
  ADD_ONE(faults[call].hits);
  return most;
}

/* Memory that dlsym(3) takes is not the library's, and neither fails nor counts. */
static __thread int is_looking_up;

/* libc's own function, or that of a sanitizer, which watches the call and passes it on to libc. */
static void *libc(fault_call call, void **kept) {
  void *function = LOAD(*kept);
  char watched[64] = "__interceptor_";
  if (function == NULL) {
    is_looking_up = 1;
    function = dlsym(RTLD_DEFAULT, strcat(watched, names[call]));
    if (function == NULL) {
      function = dlsym(RTLD_NEXT, names[call]);
    }
    if (function == NULL) {
      abort();
    }
    is_looking_up = 0;
    STORE(*kept, function);
  }
  return function;
}

/* A pointer to a function is no pointer to an object in C99, hence the union. */
#define LIBC(call, result, parameters)                                                             \
  static void *kept;                                                                               \
  union {                                                                                          \
    void *pointer;                                                                                 \
    result(*function) parameters;                                                                  \
  } real;                                                                                          \
  real.pointer = libc(call, &kept)

/* glibc's own names for the types of addresses, which gcc sees as unions where _GNU_SOURCE is set.
 */

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *length, int flags) {
  LIBC(FAULT_ACCEPT4, int, (int, __SOCKADDR_ARG, socklen_t *, int));
  return fails(FAULT_ACCEPT4) ? -1 : real.function(fd, address, length, flags);
}

int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length) {
  LIBC(FAULT_BIND, int, (int, __CONST_SOCKADDR_ARG, socklen_t));
  return fails(FAULT_BIND) ? -1 : real.function(fd, address, length);
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length) {
  LIBC(FAULT_CONNECT, int, (int, __CONST_SOCKADDR_ARG, socklen_t));
  return fails(FAULT_CONNECT) ? -1 : real.function(fd, address, length);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  LIBC(FAULT_EPOLL_CTL, int, (int, int, int, struct epoll_event *));
  return fails(FAULT_EPOLL_CTL) ? -1 : real.function(epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout) {
  LIBC(FAULT_EPOLL_WAIT, int, (int, struct epoll_event *, int, int));
  return fails(FAULT_EPOLL_WAIT) ? -1 : real.function(epoll, events, count, timeout);
}

int eventfd(unsigned int value, int flags) {
  LIBC(FAULT_EVENTFD, int, (unsigned int, int));
  return fails(FAULT_EVENTFD) ? -1 : real.function(value, flags);
}

/* Every command takes a number, a pointer or nothing, which are all passed alike. */
int fcntl(int fd, int command, ...) {
  va_list arguments;
  void *argument;
  LIBC(FAULT_FCNTL, int, (int, int, ...));
  va_start(arguments, command);
  argument = va_arg(arguments, void *);
  va_end(arguments);
  return fails(FAULT_FCNTL) ? -1 : real.function(fd, command, argument);
}

int getsockname(int fd, __SOCKADDR_ARG address, socklen_t *length) {
  LIBC(FAULT_GETSOCKNAME, int, (int, __SOCKADDR_ARG, socklen_t *));
  return fails(FAULT_GETSOCKNAME) ? -1 : real.function(fd, address, length);
}

int listen(int fd, int backlog) {
  LIBC(FAULT_LISTEN, int, (int, int));
  return fails(FAULT_LISTEN) ? -1 : real.function(fd, backlog);
}

int pipe2(int fds[2], int flags) {
  LIBC(FAULT_PIPE2, int, (int *, int));
  return fails(FAULT_PIPE2) ? -1 : real.function(fds, flags);
}

/* Returns its error (pthread_create(3)). */
int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context) {
  int error;
  LIBC(FAULT_PTHREAD_CREATE, int, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *));
  error = next_error(FAULT_PTHREAD_CREATE);
  return error != 0 ? error : real.function(thread, attributes, start, context);
}

ssize_t read(int fd, void *data, size_t length) {
  LIBC(FAULT_READ, ssize_t, (int, void *, size_t));
  return fails(FAULT_READ) ? -1 : real.function(fd, data, at_most(FAULT_READ, length));
}

ssize_t send(int fd, const void *data, size_t length, int flags) {
  LIBC(FAULT_SEND, ssize_t, (int, const void *, size_t, int));
  return fails(FAULT_SEND) ? -1 : real.function(fd, data, at_most(FAULT_SEND, length), flags);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
  LIBC(FAULT_SETSOCKOPT, int, (int, int, int, const void *, socklen_t));
  return fails(FAULT_SETSOCKOPT) ? -1 : real.function(fd, level, option, value, length);
}

int socket(int family, int type, int protocol) {
  LIBC(FAULT_SOCKET, int, (int, int, int));
  return fails(FAULT_SOCKET) ? -1 : real.function(family, type, protocol);
}

/* Cuts a vector to what a call may take: its new number of parts, of which the last may be shorter.
 * The parts are copied, for they are the caller's. */
static int cut(fault_call call, const struct iovec *parts, int count, struct iovec *copy) {
  size_t total = 0, left;
  int index;
  for (index = 0; index < count; index++) {
    copy[index] = parts[index];
    total += parts[index].iov_len;
  }
  left = at_most(call, total);
  for (index = 0; index < count && left > 0; index++) {
    if (copy[index].iov_len > left) {
      copy[index].iov_len = left;
    }
    left -= copy[index].iov_len;
  }
  return total == 0 ? count : index;
}

enum { MOST_PARTS = 1024 }; /* IOV_MAX of Linux (readv(2)) */

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  struct iovec parts[MOST_PARTS];
  struct msghdr copy = *message;
  LIBC(FAULT_SENDMSG, ssize_t, (int, const struct msghdr *, int));
  if (fails(FAULT_SENDMSG)) {
    return -1;
  }
  if (copy.msg_iovlen > MOST_PARTS) {
    return real.function(fd, message, flags);
  }
  copy.msg_iovlen = (size_t)cut(FAULT_SENDMSG, message->msg_iov, (int)message->msg_iovlen, parts);
  copy.msg_iov = parts;
  return real.function(fd, &copy, flags);
}

ssize_t writev(int fd, const struct iovec *vector, int count) {
  struct iovec parts[MOST_PARTS];
  LIBC(FAULT_WRITEV, ssize_t, (int, const struct iovec *, int));
  if (fails(FAULT_WRITEV)) {
    return -1;
  }
  if (count > MOST_PARTS) {
    return real.function(fd, vector, count);
  }
  return real.function(fd, parts, cut(FAULT_WRITEV, vector, count, parts));
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
  LIBC(FAULT_SENDFILE, ssize_t, (int, int, off_t *, size_t));
  return fails(FAULT_SENDFILE) ? -1
                               : real.function(out, in, offset, at_most(FAULT_SENDFILE, count));
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER_HAS_MALLOC
#endif
#endif

void require_own_malloc(void) {
#ifdef SANITIZER_HAS_MALLOC
  tap_skip("the sanitizer has a malloc of its own");
#else
  if (tap_under_valgrind()) {
    tap_skip("valgrind has a malloc of its own");
  }
#endif
}

#ifndef SANITIZER_HAS_MALLOC
/* glibc's own; dlsym, by which the others are found, may itself allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size) {
  return !is_looking_up && fails(FAULT_MALLOC) ? NULL : __libc_malloc(size);
}

void *realloc(void *memory, size_t size) {
  return !is_looking_up && fails(FAULT_REALLOC) ? NULL : __libc_realloc(memory, size);
}
#endif
