/* eddy/listener.h: options of listening sockets, and sockets that another program has opened. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/tap.h"

static eddy_loop *running;
static int accepted, accepted_fd = -1;

static void note_accept(eddy_listener *listener, int fd, void *context) {
  (void)listener;
  CHECK(context == &accepted);
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  close(accepted_fd);
  accepted_fd = fd;
  accepted++;
  CHECK_EQ(eddy_loop_stop(running), 0);
}

static eddy_listener_config configure(eddy_loop *loop) {
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  running = loop;
  config.context = &accepted;
  config.on_accept = note_accept;
  return config;
}

static int port_of(const eddy_listener *listener) {
  char address[128];
  CHECK(eddy_listener_address(listener, address, sizeof address) > 0);
  CHECK(strrchr(address, ':') != NULL);
  return atoi(strrchr(address, ':') + 1);
}

static int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK(getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

/* Accepts one connection that is made to the port on 127.0.0.1; returns its client. */
static int accept_one(eddy_loop *loop, int port) {
  int before = accepted, client = connect_plain(port);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 1);
  CHECK_EQ(accepted, before + 1);
  return client;
}

static void close_listener(eddy_listener *listener) {
  CHECK_EQ(eddy_listener_close(listener, NULL), 0);
}

/* IPv6. */

static int try_ipv4(int port) {
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  result = connect(fd, (struct sockaddr *)&address, sizeof address);
  close(fd);
  return result;
}

static eddy_listener *listen_ipv6(eddy_loop *loop, int ipv6_only) {
  eddy_listener_config config = configure(loop);
  eddy_listener *listener;
  int result;
  config.ipv6_only = ipv6_only;
  result = eddy_listener_create(loop, "[::]:0", &config, &listener);
  if (result == EDDY_EADDRNOTAVAIL || result == EDDY_EUNKNOWN) {
    tap_skip("no IPv6 here");
  }
  CHECK_EQ(result, 0);
  return listener;
}

static void the_ipv6_wildcard_accepts_ipv4_too(void) {
  eddy_loop *loop = make_loop();
  eddy_listener *listener = listen_ipv6(loop, 0);
  close(accept_one(loop, port_of(listener)));
  close_listener(listener);
  end_loop(loop);
}

static void unless_it_is_told_to_leave_ipv4_alone(void) {
  eddy_loop *loop = make_loop();
  eddy_listener *listener = listen_ipv6(loop, 1), *other;
  eddy_listener_config config = configure(loop);
  char address[64];
  int port = port_of(listener);
  CHECK(try_ipv4(port) < 0);
  snprintf(address, sizeof address, "0.0.0.0:%d", port);
  CHECK_EQ(eddy_listener_create(loop, address, &config, &other), 0); /* it is free for another */
  close(accept_one(loop, port));
  close_listener(listener);
  close_listener(other);
  end_loop(loop);
}

/* Keep-alive. */

static void check_keep_alive(uint64_t silence, int seconds, int interval) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = configure(loop);
  eddy_listener *listener;
  config.keep_alive = silence;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &listener), 0);
  close(accept_one(loop, port_of(listener)));
  CHECK_EQ(option(accepted_fd, SOL_SOCKET, SO_KEEPALIVE), seconds > 0);
  CHECK_EQ(option(accepted_fd, IPPROTO_TCP, TCP_NODELAY), 1);
  if (seconds > 0) {
    CHECK_EQ(option(accepted_fd, IPPROTO_TCP, TCP_KEEPIDLE), seconds);
    CHECK_EQ(option(accepted_fd, IPPROTO_TCP, TCP_KEEPINTVL), interval);
    CHECK_EQ(option(accepted_fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  }
  close_listener(listener);
  end_loop(loop);
}

static void what_is_accepted_inherits_keep_alive(void) {
  check_keep_alive(60 * EDDY_SECOND, 60, 6);
}

static void keep_alive_is_rounded_up_to_seconds(void) {
  check_keep_alive(1, 1, 1);
}

static void without_keep_alive_there_are_no_probes(void) {
  check_keep_alive(0, 0, 0);
}

static void keep_alive_on_a_unix_socket_does_nothing(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = configure(loop);
  eddy_listener *listener;
  config.keep_alive = EDDY_SECOND;
  CHECK_EQ(eddy_listener_create(loop, "unix:x.sock", &config, &listener), 0);
  close_listener(listener);
  config.keep_alive = 32768 * EDDY_SECOND; /* more than the kernel takes */
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &listener), EDDY_EINVAL);
  end_loop(loop);
}

/* Adopting. */

static void what_is_no_listening_socket_is_not_adopted(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = configure(loop);
  eddy_listener *listener;
  int port, fd = listen_plain(8, &port), fds[2], datagram = socket(AF_INET, SOCK_DGRAM, 0);
  make_socket_pair(fds);
  CHECK_EQ(eddy_listener_adopt(NULL, fd, &config, &listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_adopt(loop, fd, NULL, &listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_adopt(loop, fd, &config, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_adopt(loop, -1, &config, &listener), EDDY_EBADF);
  CHECK_EQ(eddy_listener_adopt(loop, 999, &config, &listener), EDDY_EBADF);
  CHECK_EQ(eddy_listener_adopt(loop, fds[0], &config, &listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_adopt(loop, datagram, &config, &listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_adopt(loop, open(".", O_RDONLY), &config, &listener), EDDY_EINVAL);
  config.on_accept = NULL;
  CHECK_EQ(eddy_listener_adopt(loop, fd, &config, &listener), EDDY_EINVAL);
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0); /* untouched */
  end_loop(loop);
  CHECK(close(fd) == 0);
}

static void an_adopted_socket_accepts_and_is_closed(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = configure(loop);
  eddy_listener *listener;
  char address[128], expected[64];
  int port, fd = listen_plain(8, &port);
  config.keep_alive = 20 * EDDY_SECOND;
  CHECK(fcntl(fd, F_SETFD, 0) == 0);
  CHECK_EQ(eddy_listener_adopt(loop, fd, &config, &listener), 0);
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(eddy_listener_address(listener, address, sizeof address) > 0);
  snprintf(expected, sizeof expected, "127.0.0.1:%d", port);
  CHECK_STR(address, expected);
  close(accept_one(loop, port));
  CHECK_EQ(option(accepted_fd, IPPROTO_TCP, TCP_NODELAY), 1);
  CHECK_EQ(option(accepted_fd, IPPROTO_TCP, TCP_KEEPIDLE), 20);
  close_listener(listener);
  end_loop(loop);
  CHECK(fcntl(fd, F_GETFD) < 0);
}

static int listen_unix(const char *path) {
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, path);
  CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(fd, 8) == 0);
  return fd;
}

static void the_file_of_an_adopted_unix_socket_stays(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = configure(loop);
  eddy_listener *listener;
  struct stat status;
  CHECK_EQ(eddy_listener_adopt(loop, listen_unix("x.sock"), &config, &listener), 0);
  close_listener(listener);
  end_loop(loop);
  CHECK(stat("x.sock", &status) == 0);
}

/* Socket activation. The service is this program itself, run anew with one test's name. */

static void set_environment(const char *process, const char *count) {
  char own[32];
  snprintf(own, sizeof own, "%d", (int)getpid());
  if (process == NULL) {
    unsetenv("LISTEN_PID");
  } else {
    CHECK(setenv("LISTEN_PID", strcmp(process, "own") == 0 ? own : process, 1) == 0);
  }
  if (count == NULL) {
    unsetenv("LISTEN_FDS");
  } else {
    CHECK(setenv("LISTEN_FDS", count, 1) == 0);
  }
}

static int count_passed(const char *process, const char *count) {
  set_environment(process, count);
  return eddy_listen_fds();
}

static void without_a_manager_nothing_is_passed(void) {
  char parent[32];
  snprintf(parent, sizeof parent, "%d", (int)getppid());
  CHECK_EQ(count_passed(NULL, NULL), 0);
  CHECK_EQ(count_passed(NULL, "1"), 0);
  CHECK_EQ(count_passed("own", NULL), 0);
  CHECK_EQ(count_passed("own", "0"), 0);
  CHECK_EQ(count_passed(parent, "1"), 0);
  CHECK_EQ(count_passed("", "1"), 0);
  CHECK_EQ(count_passed("x", "1"), 0);
}

static void a_number_that_is_none_is_invalid(void) {
  static const char *const wrong[] = {"", "x", "-1", "1x", " 1", "+1", "2147483647", "99999999999"};
  size_t index;
  for (index = 0; index < sizeof wrong / sizeof *wrong; index++) {
    CHECK_EQ(count_passed("own", wrong[index]), EDDY_EINVAL);
  }
}

static void a_descriptor_that_is_not_open_is_told(void) {
  CHECK_EQ(count_passed("own", "1000"), EDDY_EBADF);
}

static void serve_what_was_passed(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = configure(loop);
  eddy_listener *tcp, *local;
  CHECK_EQ(eddy_listen_fds(), 2);
  CHECK_EQ(eddy_listen_fds(), 2); /* the variables are left as they are */
  CHECK((fcntl(EDDY_LISTEN_FDS_START, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(EDDY_LISTEN_FDS_START + 1, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_EQ(eddy_listener_adopt(loop, EDDY_LISTEN_FDS_START, &config, &tcp), 0);
  CHECK_EQ(eddy_listener_adopt(loop, EDDY_LISTEN_FDS_START + 1, &config, &local), 0);
  while (accepted < 2) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 1);
    CHECK(write(accepted_fd, "served", 6) == 6);
  }
  close_listener(tcp);
  close_listener(local);
  end_loop(loop);
}

static int connect_unix(const char *path) {
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, path);
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

static void check_served(int client) {
  char text[6];
  read_fully(client, text, sizeof text);
  CHECK(memcmp(text, "served", 6) == 0);
  close(client);
}

static void a_service_serves_the_sockets_that_its_manager_passed(void) {
  char program[4096];
  int port, tcp, local, high[2], status;
  ssize_t length;
  pid_t child;
  if (getenv("LISTEN_FDS") != NULL) {
    serve_what_was_passed();
    return;
  }
  length = readlink("/proc/self/exe", program, sizeof program - 1);
  CHECK(length > 0);
  program[length] = 0;
  tcp = listen_plain(8, &port);
  local = listen_unix("x.sock");
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    high[0] = fcntl(tcp, F_DUPFD, 10); /* out of the way of 3 and 4 */
    high[1] = fcntl(local, F_DUPFD, 10);
    if (dup2(high[0], 3) == 3 && dup2(high[1], 4) == 4) {
      close(high[0]);
      close(high[1]);
      set_environment("own", "2");
      execl(program, program, "a_service_serves_the_sockets_that_its_manager_passed", NULL);
    }
    _exit(99);
  }
  check_served(connect_plain(port));
  check_served(connect_unix("x.sock"));
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
  close(tcp);
  close(local);
}

static const tap_test tests[] = {
    TAP_TEST(the_ipv6_wildcard_accepts_ipv4_too),
    TAP_TEST(unless_it_is_told_to_leave_ipv4_alone),
    TAP_TEST(what_is_accepted_inherits_keep_alive),
    TAP_TEST(keep_alive_is_rounded_up_to_seconds),
    TAP_TEST(without_keep_alive_there_are_no_probes),
    TAP_TEST(keep_alive_on_a_unix_socket_does_nothing),
    TAP_TEST(what_is_no_listening_socket_is_not_adopted),
    TAP_TEST(an_adopted_socket_accepts_and_is_closed),
    TAP_TEST(the_file_of_an_adopted_unix_socket_stays),
    TAP_TEST(without_a_manager_nothing_is_passed),
    TAP_TEST(a_number_that_is_none_is_invalid),
    TAP_TEST(a_descriptor_that_is_not_open_is_told),
    TAP_TEST(a_service_serves_the_sockets_that_its_manager_passed),
};
TAP_MAIN(tests)
