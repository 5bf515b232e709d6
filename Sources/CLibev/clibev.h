/*
 * clibev.h: libev and the parts of libc that the core uses, for Swift.
 *
 * Swift sees neither function-like macros nor errno, so each one that is needed
 * is a static inline function here, and nothing else is.
 *
 * _GNU_SOURCE stays undefined: it changes the layout's spelling of fd_set and sockaddr arguments,
 * and Swift's own Glibc module, which is built without it, would then disagree with this one.
 */
#ifndef CLIBEV_H
#define CLIBEV_H

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef _GNU_SOURCE /* what glibc declares only with it */
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int fds[2], int flags);
extern int
posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern char **environ;

struct mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};
extern int
recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout);
extern int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
#endif

static inline int clibev_errno(void) {
  return errno;
}

static inline void clibev_set_errno(int value) {
  errno = value;
}

static inline char **clibev_environ(void) {
  return environ;
}

/* libev's watcher macros. */

typedef void (*clibev_io_cb)(struct ev_loop *loop, ev_io *watcher, int events);
typedef void (*clibev_timer_cb)(struct ev_loop *loop, ev_timer *watcher, int events);
typedef void (*clibev_signal_cb)(struct ev_loop *loop, ev_signal *watcher, int events);

static inline void clibev_io_init(ev_io *watcher, clibev_io_cb callback, int fd, int events) {
  ev_io_init(watcher, callback, fd, events);
}

static inline void clibev_io_set(ev_io *watcher, int fd, int events) {
  ev_io_set(watcher, fd, events);
}

/* For a watcher that is stopped: other events of the same descriptor. */
static inline void clibev_io_modify(ev_io *watcher, int events) {
  ev_io_modify(watcher, events);
}

static inline void
clibev_timer_init(ev_timer *watcher, clibev_timer_cb callback, ev_tstamp after, ev_tstamp repeat) {
  ev_timer_init(watcher, callback, after, repeat);
}

static inline void clibev_timer_set(ev_timer *watcher, ev_tstamp after, ev_tstamp repeat) {
  ev_timer_set(watcher, after, repeat);
}

static inline void
clibev_signal_init(ev_signal *watcher, clibev_signal_cb callback, int signal_number) {
  ev_signal_init(watcher, callback, signal_number);
}

static inline int clibev_io_active(const ev_io *watcher) {
  return ev_is_active(watcher);
}
static inline int clibev_signal_active(const ev_signal *watcher) {
  return ev_is_active(watcher);
}

/* Queued for its callback, though libev may have stopped it already. */

static inline int clibev_io_pending(const ev_io *watcher) {
  return ev_is_pending(watcher);
}

/* Names below /proc, which Swift would need its string formatting for. */

static inline const char *clibev_dirent_name(const struct dirent *entry) {
  return entry->d_name;
}

static inline void clibev_format_fdinfo(char *buffer, size_t size, int fd) {
  snprintf(buffer, size, "/proc/self/fdinfo/%d", fd);
}

/* What tells one thread from all others that live, in one instruction: pthread_self(3) is a call.
 */
static inline void *clibev_thread(void) {
  return __builtin_thread_pointer();
}

/* A mutex that spins a little before it waits: for one that is held for a few instructions
 * (PTHREAD_MUTEX_ADAPTIVE_NP, which glibc names only with _GNU_SOURCE). */
static inline void clibev_adaptive_mutex_init(pthread_mutex_t *mutex) {
  enum { ADAPTIVE = 3 };
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, ADAPTIVE);
  pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

/* Asks the processor for a cache line. */
static inline void clibev_prefetch(const void *address) {
  __builtin_prefetch(address);
}

/* System calls that glibc 2.36 has no function for, or only as a variadic one. */

static inline int clibev_pidfd_open(pid_t pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int clibev_pidfd_send_signal(int pidfd, int signal_number) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
}

/* 1 for a descriptor that is always ready: poll(2) says so, and epoll_ctl(2) refuses it with EPERM.
 * Those are regular files and directories, but for a few of the kernel's, and devices such as
 * /dev/null; no others are tried. */
static inline int clibev_is_always_ready(int fd) {
  struct stat status;
  struct epoll_event event = {EPOLLIN, {NULL}};
  int epoll, is_refused;
  if (fstat(fd, &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) &&
                                  !S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))) {
    return 0;
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
  }
  is_refused = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EPERM;
  close(epoll);
  return is_refused;
}

/* Opens a path that stays below a directory: neither "..", nor a symbolic link, nor a link of /proc
 * can lead out of it (openat2(2), Linux 5.6). */
static inline int clibev_open_beneath(int directory, const char *path, int flags) {
  struct open_how how = {0};
  how.flags = (unsigned long long)flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* O_PATH, which glibc declares under this name only with _GNU_SOURCE. */
enum { CLIBEV_O_PATH = __O_PATH };

static inline int clibev_open(const char *path, int flags) {
  return open(path, flags);
}

static inline int clibev_fcntl_get(int fd, int command) {
  return fcntl(fd, command);
}

static inline int clibev_fcntl_set(int fd, int command, int value) {
  return fcntl(fd, command, value);
}

/* Errors of getaddrinfo(3) that glibc has beyond POSIX, and declares only with _GNU_SOURCE. */
enum { CLIBEV_EAI_NODATA = -5, CLIBEV_EAI_ADDRFAMILY = -9 };

/* Swift's key paths, which would give this, are not in the Embedded subset. */
static inline size_t clibev_sun_path_offset(void) {
  return offsetof(struct sockaddr_un, sun_path);
}

/* The macros of wait(2). A child that a signal ended has exit status 0 here, and the other way
 * round. */

static inline int clibev_exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static inline int clibev_term_signal(int status) {
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#endif
