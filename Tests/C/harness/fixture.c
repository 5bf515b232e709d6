#include "fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

eddy_loop *make_loop(void) {
  eddy_loop *loop = NULL;
  CHECK_EQ(eddy_loop_create(NULL, &loop), 0);
  CHECK(loop != NULL);
  return loop;
}

void end_loop(eddy_loop *loop) {
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_loop_destroy(loop), 0);
}

static uint64_t read_clock(clockid_t clock) {
  struct timespec time;
  CHECK(clock_gettime(clock, &time) == 0);
  return (uint64_t)time.tv_sec * EDDY_SECOND + (uint64_t)time.tv_nsec;
}

uint64_t clock_now(void) {
  return read_clock(CLOCK_MONOTONIC);
}

uint64_t cpu_now(void) {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void sleep_ns(uint64_t duration) {
  struct timespec left = {(time_t)(duration / EDDY_SECOND), (long)(duration % EDDY_SECOND)};
  while (nanosleep(&left, &left) < 0 && errno == EINTR) {
  }
}

static void stop_loop(eddy_timer *timer, void *context) {
  CHECK_EQ(eddy_timer_close(timer, NULL), 0);
  CHECK_EQ(eddy_loop_stop(context), 0);
}

void run_for(eddy_loop *loop, uint64_t duration) {
  eddy_timer *timer;
  CHECK_EQ(eddy_timer_create(loop, stop_loop, loop, &timer), 0);
  CHECK_EQ(eddy_loop_update_now(loop), 0);
  CHECK_EQ(eddy_timer_start(timer, duration, 0), 0);
  CHECK(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED) >= 0);
}

void count_close(void *context) {
  (*(int *)context)++;
}

void make_socket_pair(int fds[2]) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
}

int listen_plain(int backlog, int *out_port) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(fd, backlog) == 0);
  CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
  *out_port = ntohs(address.sin_port);
  return fd;
}

int connect_plain(int port) {
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

void read_fully(int fd, void *data, size_t length) {
  size_t done = 0;
  while (done < length) {
    ssize_t count = read(fd, (char *)data + done, length - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    CHECK(count > 0);
    done += (size_t)count;
  }
}

void run_and_read(eddy_loop *loop, int fd, void *data, size_t length) {
  size_t done = 0;
  char more;
  while (done < length) {
    ssize_t count = read(fd, (char *)data + done, length - done);
    CHECK(count > 0 || (count < 0 && errno == EAGAIN));
    done += count > 0 ? (size_t)count : 0;
    CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
  }
  CHECK(read(fd, &more, 1) <= 0);
}

void require_pidfd(void) {
  int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (fd < 0 && errno == ENOSYS) {
    tap_skip("pidfd_open is missing");
  }
  close(fd);
}

int count_descriptors(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/fd");
  CHECK(directory != NULL);
  while (readdir(directory) != NULL) {
    count++;
  }
  closedir(directory);
  return count - 3; /* ".", ".." and the directory's own */
}

void leave_at_rest(eddy_loop *loop, uint64_t duration) {
  uint64_t began = eddy_loop_now(loop);
  sleep_ns(duration);
  CHECK_EQ(eddy_loop_now(loop), began);
}
