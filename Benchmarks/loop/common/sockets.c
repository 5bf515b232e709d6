#define _GNU_SOURCE
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void disable_nagle(int fd) {
  int on = 1;
  CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

int listen_on_loopback(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  disable_nagle(fd);
  struct sockaddr_in address = loopback(0);
  CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(fd, BACKLOG) == 0);
  return fd;
}

int port_of(int listening) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  CHECK(getsockname(listening, (struct sockaddr *)&address, &size) == 0);
  return ntohs(address.sin_port);
}

int connect_to_loopback(int port, int flags) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  CHECK(fd >= 0);
  disable_nagle(fd);
  struct sockaddr_in address = loopback(port);
  int result = connect(fd, (struct sockaddr *)&address, sizeof address);
  CHECK(result == 0 || ((flags & SOCK_NONBLOCK) != 0 && errno == EINPROGRESS));
  errno = 0;
  return fd;
}

void close_with_reset(int fd) {
  struct linger abort = {.l_onoff = 1, .l_linger = 0};
  CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort) == 0);
  CHECK(close(fd) == 0);
}

static pid_t client;
static volatile sig_atomic_t client_is_done;

static int has_failed(int status) {
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* A server whose client has failed would wait for ever. */
static void on_child(int signal_number) {
  (void)signal_number;
  int error = errno, status;
  if (waitpid(client, &status, WNOHANG) == client) {
    if (has_failed(status)) {
      static const char message[] = "the client has failed\n";
      ssize_t count = write(STDERR_FILENO, message, sizeof message - 1);
      (void)count;
      _exit(1);
    }
    client_is_done = 1;
  }
  errno = error;
}

void client_start(const char *own_path, const char *name, const long *arguments, size_t count) {
  enum { MAX_ARGUMENTS = 8, DIGITS = 24 };
  char path[4096], numbers[MAX_ARGUMENTS][DIGITS], *argv[MAX_ARGUMENTS + 2] = {path};
  const char *slash = strrchr(own_path, '/');
  int folder = slash == NULL ? 0 : (int)(slash - own_path + 1);
  CHECK(count <= MAX_ARGUMENTS);
  CHECK(snprintf(path, sizeof path, "%.*s%s", folder, own_path, name) < (int)sizeof path);
  for (size_t i = 0; i < count; i++) {
    snprintf(numbers[i], DIGITS, "%ld", arguments[i]);
    argv[i + 1] = numbers[i];
  }
  struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
  sigset_t child, before; /* blocked until `client` is known */
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  CHECK(sigprocmask(SIG_BLOCK, &child, &before) == 0);
  posix_spawnattr_t attributes;
  CHECK(posix_spawnattr_init(&attributes) == 0);
  CHECK(posix_spawnattr_setsigmask(&attributes, &before) == 0);
  CHECK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) == 0);
  errno = posix_spawn(&client, path, NULL, &attributes, argv, environ);
  CHECK(errno == 0);
  posix_spawnattr_destroy(&attributes);
  CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
}

void client_wait(void) {
  sigset_t child, before;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  CHECK(sigprocmask(SIG_BLOCK, &child, &before) == 0);
  while (!client_is_done) {
    sigsuspend(&before);
  }
  CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
}
