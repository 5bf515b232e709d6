/* What cannot be created: no descriptor, no thread, no port. Nothing may be left of it. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults/faults.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

/* Lets this process open `count` more descriptors, and no more. */
static void leave_descriptors(int count) {
  struct rlimit limits;
  int next = dup(STDERR_FILENO);
  CHECK(next >= 0);
  close(next);
  CHECK(getrlimit(RLIMIT_NOFILE, &limits) == 0);
  limits.rlim_cur = (rlim_t)(next + count);
  CHECK(setrlimit(RLIMIT_NOFILE, &limits) == 0);
}

static void restore_descriptors(void) {
  struct rlimit limits;
  CHECK(getrlimit(RLIMIT_NOFILE, &limits) == 0);
  limits.rlim_cur = limits.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &limits) == 0);
}

static void a_loop_without_descriptors_is_refused(void) {
  enum { MOST = 8 }; /* more than a loop needs */
  int count, result, descriptors = count_descriptors();
  for (count = 0; count <= MOST; count++) {
    eddy_loop *loop = NULL;
    leave_descriptors(count);
    result = eddy_loop_create(NULL, &loop);
    restore_descriptors();
    if (result == 0) {
      end_loop(loop);
      break;
    }
    CHECK_EQ(result, EDDY_EMFILE);
    CHECK(loop == NULL);
    CHECK_EQ(count_descriptors(), descriptors);
  }
  CHECK(count > 0 && count <= MOST);
}

static void count_signal(eddy_signal *watcher, int signal_number, void *context) {
  (void)watcher, (void)signal_number;
  (*(int *)context)++;
}

static void a_signal_without_descriptors_is_refused(void) {
  eddy_loop *loop = make_loop();
  eddy_signal *watcher;
  int arrivals = 0, count, result = -1;
  CHECK_EQ(eddy_signal_create(loop, count_signal, &arrivals, &watcher), 0);
  for (count = 0; result < 0; count++) {
    leave_descriptors(count);
    result = eddy_signal_start(watcher, SIGUSR1);
    restore_descriptors();
    CHECK(result == 0 || result == EDDY_EMFILE);
  }
  CHECK_EQ(raise(SIGUSR1), 0);
  while (arrivals == 0) {
    CHECK(eddy_loop_run(loop, EDDY_RUN_NOWAIT) >= 0);
  }
  CHECK_EQ(eddy_signal_close(watcher, NULL), 0);
  end_loop(loop);
}

static void never_accept(eddy_listener *listener, int fd, void *context) {
  (void)listener, (void)fd, (void)context;
  CHECK(0);
}

static void a_listener_that_cannot_be_had_leaves_nothing(void) {
  static const struct {
    fault_call call;
    int error, code;
  } cases[] = {{FAULT_SOCKET, EMFILE, EDDY_EMFILE},        {FAULT_SOCKET, ENFILE, EDDY_ENFILE},
               {FAULT_SOCKET, ENOBUFS, EDDY_ENOMEM},       {FAULT_BIND, EACCES, EDDY_EACCES},
               {FAULT_BIND, EADDRINUSE, EDDY_EADDRINUSE},  {FAULT_BIND, ENOMEM, EDDY_ENOMEM},
               {FAULT_LISTEN, EADDRINUSE, EDDY_EADDRINUSE}};
  eddy_loop *loop = make_loop();
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  int descriptors = count_descriptors();
  size_t index;
  config.on_accept = never_accept;
  for (index = 0; index < sizeof cases / sizeof cases[0]; index++) {
    eddy_listener *listener = NULL;
    fault_none();
    fault_nth(cases[index].call, 1, cases[index].error);
    CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &listener), cases[index].code);
    CHECK_EQ(fault_hits(cases[index].call), 1);
    CHECK(listener == NULL);
    CHECK_EQ(count_descriptors(), descriptors);
  }
  fault_none();
  end_loop(loop);
}

static void a_unix_listener_that_cannot_listen_leaves_no_file(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  eddy_listener *listener = NULL;
  config.on_accept = never_accept;
  fault_nth(FAULT_LISTEN, 1, ENOBUFS);
  CHECK_EQ(eddy_listener_create(loop, "unix:x.sock", &config, &listener), EDDY_ENOMEM);
  fault_none();
  CHECK(listener == NULL);
  CHECK(access("x.sock", F_OK) < 0 && errno == ENOENT);
  end_loop(loop);
}

static void a_connection_without_a_socket_is_refused_at_once(void) {
  static const struct {
    int error, code;
  } cases[] = {{EMFILE, EDDY_EMFILE}, {ENFILE, EDDY_ENFILE}, {ENOMEM, EDDY_ENOMEM}};
  eddy_loop *loop = make_loop();
  size_t index;
  for (index = 0; index < sizeof cases / sizeof cases[0]; index++) {
    endpoint end;
    eddy_stream_config config;
    endpoint_init(&end, loop);
    config = endpoint_config(&end);
    fault_nth(FAULT_SOCKET, 1, cases[index].error);
    CHECK_EQ(eddy_stream_connect(loop, "127.0.0.1:1", &config, &end.stream), cases[index].code);
    CHECK(end.stream == NULL);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  end_loop(loop);
}

static void what_connect_says_is_told_by_the_loop(void) {
  static const struct {
    int error, code;
  } cases[] = {
      {ECONNREFUSED, EDDY_ECONNREFUSED},
      {ENETUNREACH, EDDY_ENETUNREACH},
      {EADDRNOTAVAIL, EDDY_EADDRNOTAVAIL},
      {EACCES, EDDY_EACCES},
      {EAGAIN, EDDY_EAGAIN},
      {ETIMEDOUT, EDDY_ETIMEDOUT}};
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors();
  size_t index;
  for (index = 0; index < sizeof cases / sizeof cases[0]; index++) {
    endpoint end;
    eddy_stream_config config;
    endpoint_init(&end, loop);
    config = endpoint_config(&end);
    fault_nth(FAULT_CONNECT, 1, cases[index].error);
    CHECK_EQ(eddy_stream_connect(loop, "127.0.0.1:1", &config, &end.stream), 0);
    CHECK_EQ(end.connects, 0);
    while (end.connects == 0) {
      CHECK(eddy_loop_run(loop, EDDY_RUN_ONCE) >= 0);
    }
    CHECK_EQ(end.connect_status, cases[index].code);
    CHECK_EQ(eddy_stream_read_start(end.stream), EDDY_ENOTCONN);
    endpoint_close(&end);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(end.connects, 1);
    CHECK_EQ(count_descriptors(), descriptors);
  }
  fault_none();
  end_loop(loop);
}

static void a_pipe_that_cannot_be_had_is_refused(void) {
  int fds[2] = {-7, -7}, descriptors = count_descriptors();
  fault_nth(FAULT_PIPE2, 1, ENFILE);
  CHECK_EQ(eddy_pipe(fds), EDDY_ENFILE);
  fault_none();
  leave_descriptors(1); /* room for one end only */
  CHECK_EQ(eddy_pipe(fds), EDDY_EMFILE);
  restore_descriptors();
  if (!tap_under_valgrind()) { /* which lets pipe2 have them, and then closes them */
    CHECK_EQ(fds[0], -7);
  }
  CHECK_EQ(count_descriptors(), descriptors);
}

static void a_descriptor_that_cannot_be_prepared_stays_the_callers(void) {
  eddy_loop *loop = make_loop();
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  eddy_stream *stream = NULL;
  int fds[2], result, nth = 0;
  make_socket_pair(fds);
  do { /* each call of fcntl in turn */
    nth++;
    fault_none();
    fault_nth(FAULT_FCNTL, nth, EPERM);
    result = eddy_stream_open(loop, fds[0], &config, &stream);
    if (fault_hits(FAULT_FCNTL) > 0) {
      CHECK(result < 0);
      CHECK(stream == NULL);
    }
  } while (fault_hits(FAULT_FCNTL) > 0);
  CHECK(nth > 1);
  CHECK_EQ(result, 0);
  CHECK_EQ(eddy_stream_close(stream, NULL), 0);
  close(fds[1]);
  end_loop(loop);
}

static void nothing(void *context) {
  (void)context;
}

static void a_pool_without_all_its_threads_is_refused(void) {
  enum { THREADS = 4 };
  eddy_loop *loop = make_loop();
  eddy_pool_config config = EDDY_POOL_CONFIG_INIT;
  eddy_pool *pool = NULL;
  int nth;
  config.threads = THREADS;
  for (nth = 1; nth <= THREADS; nth++) {
    fault_none();
    fault_nth(FAULT_PTHREAD_CREATE, nth, EAGAIN);
    CHECK_EQ(eddy_pool_create(loop, &config, &pool), EDDY_EAGAIN);
    CHECK_EQ(fault_count(FAULT_PTHREAD_CREATE), nth); /* it does not go on */
    CHECK(pool == NULL);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  }
  fault_none();
  CHECK_EQ(eddy_pool_create(loop, &config, &pool), 0);
  CHECK_EQ(eddy_pool_submit(pool, nothing, NULL, NULL), 0);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_loop_without_descriptors_is_refused),
    TAP_TEST(a_signal_without_descriptors_is_refused),
    TAP_TEST(a_listener_that_cannot_be_had_leaves_nothing),
    TAP_TEST(a_unix_listener_that_cannot_listen_leaves_no_file),
    TAP_TEST(a_connection_without_a_socket_is_refused_at_once),
    TAP_TEST(what_connect_says_is_told_by_the_loop),
    TAP_TEST(a_pipe_that_cannot_be_had_is_refused),
    TAP_TEST(a_descriptor_that_cannot_be_prepared_stays_the_callers),
    TAP_TEST(a_pool_without_all_its_threads_is_refused),
};
TAP_MAIN(tests)
