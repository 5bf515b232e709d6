/* eddy/listener.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

/* A listener with what it has seen. */
typedef struct probe {
  eddy_loop *loop;
  eddy_listener *listener;
  int accepted, errors, last_error, closed;
  int expected; /* at this many connections the loop is stopped */
  int keep;     /* the connections are kept open */
  int fds[600];
  char address[128];
  int port;
} probe;

static void note_accept(eddy_listener *listener, int fd, void *context) {
  probe *probe = context;
  CHECK(listener == probe->listener);
  CHECK_EQ(probe->closed, 0);
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  if (probe->keep) {
    probe->fds[probe->accepted] = fd;
  } else {
    close(fd);
  }
  if (++probe->accepted == probe->expected) {
    CHECK_EQ(eddy_loop_stop(probe->loop), 0);
  }
}

static void note_error(eddy_listener *listener, int error, void *context) {
  probe *probe = context;
  CHECK(listener == probe->listener);
  probe->errors++;
  probe->last_error = error;
}

static void count_closed(void *context) {
  probe *probe = context;
  probe->closed++;
}

static eddy_listener_config configure(probe *probe, eddy_loop *loop) {
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  memset(probe, 0, sizeof *probe);
  probe->loop = loop;
  config.context = probe;
  config.on_accept = note_accept;
  config.on_error = note_error;
  return config;
}

static void listen_on(probe *probe, eddy_loop *loop, const char *address) {
  eddy_listener_config config = configure(probe, loop);
  CHECK_EQ(eddy_listener_create(loop, address, &config, &probe->listener), 0);
  CHECK(eddy_listener_address(probe->listener, probe->address, sizeof probe->address) > 0);
  if (strrchr(probe->address, ':') != NULL) {
    probe->port = atoi(strrchr(probe->address, ':') + 1);
  }
}

static void close_listener(probe *probe) {
  CHECK_EQ(eddy_listener_close(probe->listener, count_closed), 0);
  CHECK_EQ(probe->closed, 0);
}

static int try_listen(eddy_loop *loop, const char *address) {
  probe probe;
  eddy_listener_config config = configure(&probe, loop);
  int result = eddy_listener_create(loop, address, &config, &probe.listener);
  if (result == 0) {
    close_listener(&probe);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  }
  return result;
}

/* Arguments. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  eddy_listener_config config = configure(&probe, loop);
  char buffer[128];
  CHECK_EQ(eddy_listener_create(NULL, "127.0.0.1:0", &config, &probe.listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_create(loop, NULL, &config, &probe.listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", NULL, &probe.listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, NULL), EDDY_EINVAL);
  config.size = 0;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &probe.listener), EDDY_EINVAL);
  config.size = sizeof config;
  config.on_accept = NULL;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &probe.listener), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_address(NULL, buffer, sizeof buffer), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_pause(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_resume(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_close(NULL, NULL), EDDY_EINVAL);
  end_loop(loop);
}

static void an_address_that_cannot_be_had_is_refused(void) {
  eddy_loop *loop = make_loop();
  char path[] = "unix:-----------------------------------------------------------------------------"
                "-------------------------------";
  CHECK_EQ(strlen(path), 5 + 108); /* unix(7): 108 with the final zero */
  CHECK_EQ(try_listen(loop, path), EDDY_ENAMETOOLONG);
  CHECK_EQ(try_listen(loop, "127.0.0.1"), EDDY_EADDRFORMAT);
  CHECK_EQ(try_listen(loop, "example:80"), EDDY_EADDRFORMAT);
  CHECK_EQ(try_listen(loop, "192.0.2.1:0"), EDDY_EADDRNOTAVAIL); /* TEST-NET-1, RFC 5737 */
  CHECK_EQ(try_listen(loop, "unix:missing/x.sock"), EDDY_ENOENT);
  if (getuid() != 0) {
    CHECK_EQ(try_listen(loop, "127.0.0.1:1"), EDDY_EACCES);
  }
  end_loop(loop);
}

/* TCP. */

static void port_zero_lets_the_system_choose(void) {
  eddy_loop *loop = make_loop();
  char buffer[128], expected[64];
  probe probe;
  int length;
  listen_on(&probe, loop, "127.0.0.1:0");
  CHECK(probe.port > 0);
  length = snprintf(expected, sizeof expected, "127.0.0.1:%d", probe.port);
  CHECK_STR(probe.address, expected);
  CHECK_EQ(eddy_listener_address(probe.listener, buffer, (size_t)length + 1), length);
  CHECK_EQ(eddy_listener_address(probe.listener, buffer, (size_t)length), EDDY_EINVAL);
  CHECK_EQ(eddy_listener_address(probe.listener, NULL, 128), EDDY_EINVAL);
  close_listener(&probe);
  end_loop(loop);
}

static void connections_are_accepted(void) {
  enum { COUNT = 500 };
  eddy_loop *loop = make_loop();
  static probe probe;
  int clients[COUNT], index;
  listen_on(&probe, loop, "127.0.0.1:0");
  probe.expected = COUNT;
  for (index = 0; index < COUNT; index++) { /* the default backlog holds them all */
    clients[index] = connect_plain(probe.port);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 1);
  CHECK_EQ(probe.accepted, COUNT);
  CHECK_EQ(probe.errors, 0);
  for (index = 0; index < COUNT; index++) {
    close(clients[index]);
  }
  close_listener(&probe);
  end_loop(loop);
}

static void an_accepted_connection_makes_a_stream(void) {
  eddy_loop *loop = make_loop();
  endpoint near, far;
  eddy_stream_config config;
  char peer[128];
  probe probe;
  listen_on(&probe, loop, "127.0.0.1:0");
  probe.keep = probe.expected = 1;
  endpoint_init(&near, loop);
  config = endpoint_config(&near);
  CHECK_EQ(eddy_stream_connect(loop, probe.address, &config, &near.stream), 0);
  while (probe.accepted == 0 || near.connects == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  endpoint_open(&far, loop, probe.fds[0]);
  CHECK(eddy_stream_peer(far.stream, peer, sizeof peer) > 0);
  CHECK(strncmp(peer, "127.0.0.1:", 10) == 0);
  CHECK_EQ(eddy_stream_read_start(far.stream), 0);
  endpoint_write(&near, "hello");
  endpoint_close(&near);
  close_listener(&probe);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(far.text, "hello");
  endpoint_close(&far);
  end_loop(loop);
}

static void ipv6_works_where_the_system_has_it(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config;
  endpoint near;
  char peer[128];
  probe probe;
  int result = try_listen(loop, "[::1]:0");
  if (result == EDDY_EADDRNOTAVAIL || result == EDDY_EUNKNOWN) {
    tap_skip("no IPv6 loopback here");
  }
  CHECK_EQ(result, 0);
  listen_on(&probe, loop, "[::1]:0");
  CHECK(strncmp(probe.address, "[::1]:", 6) == 0);
  probe.expected = 1;
  endpoint_init(&near, loop);
  config = endpoint_config(&near);
  CHECK_EQ(eddy_stream_connect(loop, probe.address, &config, &near.stream), 0);
  while (probe.accepted == 0 || near.connects == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK(eddy_stream_peer(near.stream, peer, sizeof peer) > 0);
  CHECK_STR(peer, probe.address);
  endpoint_close(&near);
  close_listener(&probe);
  end_loop(loop);
}

static void an_address_in_use_is_refused_unless_it_is_shared(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config;
  probe first, second;
  listen_on(&first, loop, "127.0.0.1:0");
  config = configure(&second, loop);
  CHECK_EQ(eddy_listener_create(loop, first.address, &config, &second.listener), EDDY_EADDRINUSE);
  close_listener(&first);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);

  config = configure(&first, loop);
  config.reuse_port = 1;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &first.listener), 0);
  CHECK(eddy_listener_address(first.listener, first.address, sizeof first.address) > 0);
  config = configure(&second, loop);
  config.reuse_port = 1;
  CHECK_EQ(eddy_listener_create(loop, first.address, &config, &second.listener), 0);
  close_listener(&first);
  close_listener(&second);
  end_loop(loop);
}

static void a_port_is_free_again_at_once(void) {
  eddy_loop *loop = make_loop();
  probe first, second;
  int client;
  listen_on(&first, loop, "127.0.0.1:0");
  first.expected = 1;
  client = connect_plain(first.port); /* whose other end, closed first, is left in TIME-WAIT */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 1);
  close(client);
  close_listener(&first);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  listen_on(&second, loop, first.address);
  close_listener(&second);
  end_loop(loop);
}

/* Pausing. */

static void a_paused_listener_leaves_connections_in_the_backlog(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  int client;
  listen_on(&probe, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_listener_pause(probe.listener), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  client = connect_plain(probe.port);
  run_for(loop, 10 * EDDY_MILLISECOND);
  CHECK_EQ(probe.accepted, 0);
  probe.expected = 1;
  CHECK_EQ(eddy_listener_resume(probe.listener), 0);
  CHECK_EQ(eddy_listener_resume(probe.listener), 0); /* harmless */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 1);
  CHECK_EQ(probe.accepted, 1);
  close(client);
  close_listener(&probe);
  CHECK_EQ(eddy_listener_resume(probe.listener), EDDY_EALREADY);
  CHECK_EQ(eddy_listener_close(probe.listener, NULL), EDDY_EALREADY);
  end_loop(loop);
}

static void pause_in_accept(eddy_listener *listener, int fd, void *context) {
  probe *probe = context;
  close(fd);
  probe->accepted++;
  CHECK_EQ(eddy_listener_pause(listener), 0);
  CHECK_EQ(eddy_loop_stop(probe->loop), 0);
}

static void close_in_accept(eddy_listener *listener, int fd, void *context) {
  probe *probe = context;
  close(fd);
  probe->accepted++;
  CHECK_EQ(eddy_listener_close(listener, count_closed), 0);
  CHECK_EQ(probe->closed, 0);
}

static void pausing_in_the_callback_holds_though_more_wait(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  eddy_listener_config config = configure(&probe, loop);
  int clients[3], index;
  config.on_accept = pause_in_accept;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &probe.listener), 0);
  CHECK(eddy_listener_address(probe.listener, probe.address, sizeof probe.address) > 0);
  for (index = 0; index < 3; index++) {
    clients[index] = connect_plain(atoi(strrchr(probe.address, ':') + 1));
  }
  for (index = 1; index <= 3; index++) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED) >= 0);
    CHECK_EQ(probe.accepted, index);
    CHECK_EQ(eddy_listener_resume(probe.listener), 0);
    close(clients[index - 1]);
  }
  close_listener(&probe);
  end_loop(loop);
}

static void closing_in_the_callback_holds_though_more_wait(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  eddy_listener_config config = configure(&probe, loop);
  int clients[2], port;
  config.on_accept = close_in_accept;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &probe.listener), 0);
  CHECK(eddy_listener_address(probe.listener, probe.address, sizeof probe.address) > 0);
  port = atoi(strrchr(probe.address, ':') + 1);
  clients[0] = connect_plain(port);
  clients[1] = connect_plain(port);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.accepted, 1);
  CHECK_EQ(probe.closed, 1);
  close(clients[0]);
  close(clients[1]);
  end_loop(loop);
}

/* Out of descriptors. */

static void set_descriptor_limit(rlim_t limit) {
  struct rlimit limits;
  CHECK(getrlimit(RLIMIT_NOFILE, &limits) == 0);
  limits.rlim_cur = limit;
  CHECK(setrlimit(RLIMIT_NOFILE, &limits) == 0);
}

/* The descriptor number that the next open would get. */
static int next_descriptor(void) {
  int fd = dup(STDERR_FILENO);
  CHECK(fd >= 0);
  close(fd);
  return fd;
}

static void out_of_descriptors_accepting_pauses_and_goes_on(void) {
  struct rlimit before;
  eddy_loop *loop;
  uint64_t cpu, start, pauses;
  probe probe;
  int client;
  if (tap_under_valgrind()) {
    tap_skip("valgrind lets accept4 take the connection and then closes it");
  }
  loop = make_loop();
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  listen_on(&probe, loop, "127.0.0.1:0");
  run_for(loop, EDDY_MILLISECOND); /* what the loop opens for itself, it has opened */
  client = connect_plain(probe.port);
  set_descriptor_limit((rlim_t)next_descriptor());
  CHECK(dup(STDERR_FILENO) < 0 && errno == EMFILE);
  cpu = cpu_now();
  start = clock_now();
  run_for(loop, 550 * EDDY_MILLISECOND);
  pauses = (clock_now() - start) / (100 * EDDY_MILLISECOND);
  CHECK_EQ(probe.accepted, 0);
  CHECK_EQ(probe.last_error, EDDY_EMFILE);
  CHECK(probe.errors >= 2 && probe.errors <= (int)pauses + 1); /* each 100 ms, not each turn */
  CHECK(cpu_now() - cpu < 200 * EDDY_MILLISECOND);
  set_descriptor_limit(before.rlim_cur);
  probe.expected = 1;
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_STOPPED), 1);
  CHECK_EQ(probe.accepted, 1); /* by itself, and the connection was not lost */
  close(client);
  close_listener(&probe);
  end_loop(loop);
}

static void a_listener_may_be_closed_while_accepting_pauses(void) {
  eddy_loop *loop = make_loop();
  struct rlimit before;
  probe probe;
  int client;
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  listen_on(&probe, loop, "127.0.0.1:0");
  run_for(loop, EDDY_MILLISECOND);
  client = connect_plain(probe.port);
  set_descriptor_limit((rlim_t)next_descriptor());
  while (probe.errors == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  close_listener(&probe);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(probe.closed, 1);
  set_descriptor_limit(before.rlim_cur);
  close(client);
  end_loop(loop);
}

static void no_descriptor_for_the_listener_is_told(void) {
  eddy_loop *loop = make_loop();
  struct rlimit before;
  int pipe_ends[2];
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  set_descriptor_limit((rlim_t)next_descriptor());
  CHECK_EQ(try_listen(loop, "127.0.0.1:0"), EDDY_EMFILE);
  CHECK_EQ(eddy_pipe(pipe_ends), EDDY_EMFILE);
  set_descriptor_limit(before.rlim_cur);
  end_loop(loop);
}

/* Unix sockets. */

static int exists(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0;
}

static void a_unix_sockets_file_lives_as_long_as_the_listener(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  listen_on(&probe, loop, "unix:x.sock");
  CHECK_STR(probe.address, "unix:x.sock");
  CHECK(exists("x.sock"));
  close_listener(&probe);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK(!exists("x.sock"));
  end_loop(loop);
}

static void a_file_that_nobody_listens_on_is_replaced(void) {
  eddy_loop *loop = make_loop();
  probe first, second;
  listen_on(&first, loop, "unix:x.sock");
  CHECK(link("x.sock", "stale.sock") == 0); /* what a killed program leaves */
  close_listener(&first);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK(exists("stale.sock"));
  listen_on(&second, loop, "unix:stale.sock");
  close_listener(&second);
  end_loop(loop);
  CHECK(!exists("stale.sock"));
}

static void a_socket_that_somebody_listens_on_is_not_replaced(void) {
  eddy_loop *loop = make_loop();
  probe probe;
  listen_on(&probe, loop, "unix:x.sock");
  CHECK_EQ(eddy_listener_pause(probe.listener), 0);
  CHECK_EQ(try_listen(loop, "unix:x.sock"), EDDY_EADDRINUSE);
  CHECK(exists("x.sock"));
  close_listener(&probe);
  end_loop(loop);
}

static void a_socket_with_a_full_backlog_is_in_use_and_not_waited_for(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  eddy_listener *listener;
  struct sockaddr_un address;
  int clients[16], count = 0;
  config.on_accept = note_accept;
  config.backlog = 1;
  CHECK_EQ(eddy_listener_create(loop, "unix:x.sock", &config, &listener), 0);
  CHECK_EQ(eddy_listener_pause(listener), 0);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, "x.sock");
  for (;;) {
    clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(clients[count] >= 0);
    if (connect(clients[count++], (struct sockaddr *)&address, sizeof address) < 0) {
      CHECK_EQ(errno, EAGAIN);
      break;
    }
    CHECK(count < 16);
  }
  CHECK_EQ(try_listen(loop, "unix:x.sock"), EDDY_EADDRINUSE);
  CHECK(exists("x.sock"));
  while (count > 0) {
    close(clients[--count]);
  }
  CHECK_EQ(eddy_listener_close(listener, NULL), 0);
  end_loop(loop);
}

static void a_file_that_is_no_socket_is_not_replaced(void) {
  eddy_loop *loop = make_loop();
  int fd = open("precious", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK(write(fd, "data", 4) == 4);
  close(fd);
  CHECK_EQ(try_listen(loop, "unix:precious"), EDDY_EADDRINUSE);
  CHECK(exists("precious"));
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(an_address_that_cannot_be_had_is_refused),
    TAP_TEST(port_zero_lets_the_system_choose),
    TAP_TEST(connections_are_accepted),
    TAP_TEST(an_accepted_connection_makes_a_stream),
    TAP_TEST(ipv6_works_where_the_system_has_it),
    TAP_TEST(an_address_in_use_is_refused_unless_it_is_shared),
    TAP_TEST(a_port_is_free_again_at_once),
    TAP_TEST(a_paused_listener_leaves_connections_in_the_backlog),
    TAP_TEST(pausing_in_the_callback_holds_though_more_wait),
    TAP_TEST(closing_in_the_callback_holds_though_more_wait),
    TAP_TEST(out_of_descriptors_accepting_pauses_and_goes_on),
    TAP_TEST(a_listener_may_be_closed_while_accepting_pauses),
    TAP_TEST(no_descriptor_for_the_listener_is_told),
    TAP_TEST(a_unix_sockets_file_lives_as_long_as_the_listener),
    TAP_TEST(a_file_that_nobody_listens_on_is_replaced),
    TAP_TEST(a_socket_that_somebody_listens_on_is_not_replaced),
    TAP_TEST(a_socket_with_a_full_backlog_is_in_use_and_not_waited_for),
    TAP_TEST(a_file_that_is_no_socket_is_not_replaced),
};
TAP_MAIN(tests)
