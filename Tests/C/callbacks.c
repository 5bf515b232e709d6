/*
 * What the top of eddy.h promises of every callback: in it a program may close the callback's own
 * handle, close any other one, or stop the loop; and between a close and the close callback nothing
 * else comes from a handle. Every kind of callback is tried with every other one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/acceptor.h"
#include "harness/child.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

typedef struct party party;

/* A kind of callback: how to make a handle for which it is due, and how to close that handle. */
typedef struct kind {
  const char *name;
  void (*open)(party *party);
  int (*close)(party *party);
  int tells_what_was_accepted; /* its last call may come after the close, and says so */
} kind;

struct party {
  const kind *kind;
  eddy_loop *loop;
  void *handle;
  int fds[2]; /* the test's, to be closed at the end; -1 for none */
  int calls, is_closing, closed;
  party *other;
  int (*act)(party *party); /* what the first call does */
};

static void note_closed(void *context) {
  party *party = context;
  CHECK(party->is_closing);
  CHECK_EQ(party->closed, 0);
  party->closed++;
}

static void close_party(party *party) {
  if (!party->is_closing) {
    party->is_closing = 1;
    CHECK_EQ(party->kind->close(party), 0);
    CHECK_EQ(party->closed, 0);
  }
}

/* Every callback comes here. */
static void called(party *party) {
  if (party->is_closing) {
    CHECK(party->kind->tells_what_was_accepted);
    CHECK_EQ(party->closed, 0);
    return;
  }
  if (party->calls++ == 0) {
    party->act(party);
  }
}

/* Timers, watchers, signals, hooks. */

static void on_timer(eddy_timer *timer, void *context) {
  (void)timer;
  called(context);
}

static void open_timer(party *party) {
  CHECK_EQ(eddy_timer_create(party->loop, on_timer, party, (eddy_timer **)&party->handle), 0);
  CHECK_EQ(eddy_timer_start(party->handle, 0, EDDY_MILLISECOND), 0);
}

static int close_timer(party *party) {
  return eddy_timer_close(party->handle, note_closed);
}

static void on_watcher(eddy_watcher *watcher, int events, void *context) {
  (void)watcher, (void)events;
  called(context);
}

static void open_watcher(party *party) {
  make_socket_pair(party->fds);
  CHECK(write(party->fds[1], "x", 1) == 1);
  CHECK_EQ(
      eddy_watcher_create(
          party->loop, party->fds[0], on_watcher, party, (eddy_watcher **)&party->handle),
      0);
  CHECK_EQ(eddy_watcher_start(party->handle, EDDY_READABLE | EDDY_WRITABLE), 0);
}

static int close_watcher(party *party) {
  return eddy_watcher_close(party->handle, note_closed);
}

static void on_signal(eddy_signal *watcher, int number, void *context) {
  (void)watcher, (void)number;
  called(context);
}

static void open_signal(party *party) {
  CHECK_EQ(eddy_signal_create(party->loop, on_signal, party, (eddy_signal **)&party->handle), 0);
  CHECK_EQ(eddy_signal_start(party->handle, SIGUSR1), 0);
  CHECK_EQ(raise(SIGUSR1), 0);
}

static int close_signal(party *party) {
  return eddy_signal_close(party->handle, note_closed);
}

static void on_hook(eddy_hook *hook, void *context) {
  (void)hook;
  called(context);
}

static void open_hook(party *party, int kind) {
  CHECK_EQ(eddy_hook_create(party->loop, kind, on_hook, party, (eddy_hook **)&party->handle), 0);
  CHECK_EQ(eddy_hook_start(party->handle), 0);
}

static void open_hook_before(party *party) {
  open_hook(party, EDDY_HOOK_BEFORE_BLOCKING);
}

static void open_hook_after(party *party) {
  open_hook(party, EDDY_HOOK_AFTER_BLOCKING);
}

static void open_hook_idle(party *party) {
  open_hook(party, EDDY_HOOK_IDLE);
}

static int close_hook(party *party) {
  return eddy_hook_close(party->handle, note_closed);
}

/* Listeners and streams. */

static void on_accept(eddy_listener *listener, int fd, void *context) {
  (void)listener;
  close(fd);
  called(context);
}

static void open_listener(party *party) {
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  char address[128];
  int port = 0;
  config.context = party;
  config.on_accept = on_accept;
  CHECK_EQ(
      eddy_listener_create(party->loop, "127.0.0.1:0", &config, (eddy_listener **)&party->handle),
      0);
  CHECK(eddy_listener_address(party->handle, address, sizeof address) > 0);
  CHECK_EQ(sscanf(address, "127.0.0.1:%d", &port), 1);
  party->fds[0] = connect_plain(port);
  party->fds[1] = connect_plain(port);
}

static int close_listener(party *party) {
  return eddy_listener_close(party->handle, note_closed);
}

static void on_connect(eddy_stream *stream, int status, void *context) {
  (void)stream, (void)status;
  called(context);
}

static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  (void)stream, (void)data, (void)length;
  called(context);
}

static void on_drain(eddy_stream *stream, int status, void *context) {
  (void)stream, (void)status;
  called(context);
}

static void on_idle(eddy_stream *stream, void *context) {
  (void)stream;
  called(context);
}

static void on_written(int status, void *context) {
  (void)status;
  called(context);
}

/* A stream over one of fds; the other is the test's. */
static void open_stream(party *party, const eddy_stream_config *config) {
  make_socket_pair(party->fds);
  CHECK_EQ(eddy_stream_open(party->loop, party->fds[0], config, (eddy_stream **)&party->handle), 0);
  party->fds[0] = -1;
}

static eddy_stream_config stream_config(party *party) {
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.context = party;
  return config;
}

static void open_reader(party *party) {
  eddy_stream_config config = stream_config(party);
  config.on_read = on_read;
  open_stream(party, &config);
  CHECK(write(party->fds[1], "x", 1) == 1);
  CHECK_EQ(eddy_stream_read_start(party->handle), 0);
}

static void open_reader_at_end(party *party) {
  eddy_stream_config config = stream_config(party);
  config.on_read = on_read;
  open_stream(party, &config);
  close(party->fds[1]);
  party->fds[1] = -1;
  CHECK_EQ(eddy_stream_read_start(party->handle), 0);
}

/* Fills the socket, and makes room again, so that the queue drains in the next turn. */
static void fill_and_make_room(party *party) {
  static const uint8_t zeros[1 << 18];
  static uint8_t received[1 << 20];
  ptrdiff_t queued;
  do {
    queued = eddy_stream_write(party->handle, zeros, sizeof zeros);
    CHECK(queued >= 0);
  } while (queued == 0);
  while (recv(party->fds[1], received, sizeof received, MSG_DONTWAIT) > 0) {
  }
}

static void open_drainer(party *party) {
  eddy_stream_config config = stream_config(party);
  config.on_drain = on_drain;
  open_stream(party, &config);
  fill_and_make_room(party);
}

static void open_failing_drainer(party *party) {
  open_drainer(party);
  close(party->fds[1]);
  party->fds[1] = -1;
}

static void open_writer(party *party) {
  eddy_stream_config config = stream_config(party);
  eddy_buffer buffer = {"x", 1};
  open_stream(party, &config);
  fill_and_make_room(party);
  CHECK(eddy_stream_write_buffers(party->handle, &buffer, 1, on_written, party) >= 0);
}

static void open_idler(party *party) {
  eddy_stream_config config = stream_config(party);
  config.on_idle = on_idle;
  config.on_read = on_read;
  config.idle_timeout = 1;
  open_stream(party, &config);
  CHECK_EQ(eddy_stream_read_start(party->handle), 0);
}

static void open_connecter(party *party) {
  eddy_stream_config config = stream_config(party);
  char address[64];
  int port;
  config.on_connect = on_connect;
  party->fds[0] = listen_plain(1, &port);
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  CHECK_EQ(eddy_stream_connect(party->loop, address, &config, (eddy_stream **)&party->handle), 0);
}

static int close_stream(party *party) {
  return eddy_stream_close(party->handle, note_closed);
}

/* UDP, lookups, children, pools. */

static void
on_datagrams(eddy_udp *udp, const eddy_datagram *datagrams, size_t count, void *context) {
  (void)udp, (void)datagrams, (void)count;
  called(context);
}

static void open_udp(party *party) {
  eddy_udp_config config = EDDY_UDP_CONFIG_INIT;
  eddy_address own;
  int index;
  config.context = party;
  config.on_receive = on_datagrams;
  CHECK_EQ(eddy_udp_open(party->loop, "127.0.0.1:0", &config, (eddy_udp **)&party->handle), 0);
  CHECK_EQ(eddy_udp_address(party->handle, &own), 0);
  for (index = 0; index < 3; index++) {
    CHECK_EQ(eddy_udp_send(party->handle, "x", 1, &own), 0);
  }
  CHECK_EQ(eddy_udp_receive_start(party->handle), 0);
}

static int close_udp(party *party) {
  return eddy_udp_close(party->handle, note_closed);
}

static void on_names(
    eddy_lookup *lookup, int status, const eddy_address *addresses, size_t count, void *context) {
  (void)lookup, (void)status, (void)addresses, (void)count;
  called(context);
}

static void open_lookup(party *party) {
  eddy_lookup_config config = EDDY_LOOKUP_CONFIG_INIT;
  config.context = party;
  config.on_done = on_names;
  CHECK_EQ(
      eddy_lookup_start(party->loop, "127.0.0.1", 80, &config, (eddy_lookup **)&party->handle), 0);
}

static int close_lookup(party *party) {
  return eddy_lookup_close(party->handle, note_closed);
}

static void on_exit_of_child(eddy_process *process, int status, int number, void *context) {
  (void)process, (void)status, (void)number;
  called(context);
}

static void open_process(party *party) {
  static const char *const arguments[] = {"true", NULL};
  eddy_process_config config = EDDY_PROCESS_CONFIG_INIT;
  siginfo_t info;
  config.context = party;
  config.on_exit = on_exit_of_child;
  config.file = "true";
  config.arguments = arguments;
  CHECK_EQ(eddy_process_spawn(party->loop, &config, (eddy_process **)&party->handle), 0);
  CHECK(
      waitid(P_PID, (id_t)eddy_process_pid(party->handle), &info, WEXITED | WNOWAIT) ==
      0); /* it has ended, and is left for the loop to reap */
}

static int close_process(party *party) {
  return eddy_process_close(party->handle, note_closed);
}

static void no_work(void *context) {
  (void)context;
}

static void on_done(int status, void *context) {
  (void)status;
  called(context);
}

static void open_pool(party *party) {
  eddy_pool_config config = EDDY_POOL_CONFIG_INIT;
  config.threads = 1;
  CHECK_EQ(eddy_pool_create(party->loop, &config, (eddy_pool **)&party->handle), 0);
  CHECK_EQ(eddy_pool_submit(party->handle, no_work, on_done, party), 0);
  CHECK_EQ(eddy_pool_submit(party->handle, no_work, on_done, party), 0);
}

static int close_pool(party *party) {
  return eddy_pool_close(party->handle, note_closed, party);
}

static const kind kinds[] = {
    {"timer", open_timer, close_timer, 0},
    {"watcher", open_watcher, close_watcher, 0},
    {"signal", open_signal, close_signal, 0},
    {"hook before blocking", open_hook_before, close_hook, 0},
    {"hook after blocking", open_hook_after, close_hook, 0},
    {"idle hook", open_hook_idle, close_hook, 0},
    {"accept", open_listener, close_listener, 0},
    {"read", open_reader, close_stream, 0},
    {"end", open_reader_at_end, close_stream, 0},
    {"drain", open_drainer, close_stream, 0},
    {"failed drain", open_failing_drainer, close_stream, 0},
    {"write", open_writer, close_stream, 1},
    {"idle stream", open_idler, close_stream, 0},
    {"connect", open_connecter, close_stream, 0},
    {"datagram", open_udp, close_udp, 0},
    {"lookup", open_lookup, close_lookup, 0},
    {"exit", open_process, close_process, 0},
    {"work", open_pool, close_pool, 1},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void init(party *party, const kind *kind, eddy_loop *loop, int (*act)(struct party *)) {
  memset(party, 0, sizeof *party);
  party->kind = kind;
  party->loop = loop;
  party->fds[0] = party->fds[1] = -1;
  party->act = act;
}

static void end(party *party) {
  close_party(party);
  while (!party->closed) {
    CHECK(eddy_loop_run(party->loop, EDDY_RUN_ONCE) >= 0);
  }
  if (party->fds[0] >= 0) {
    close(party->fds[0]);
  }
  if (party->fds[1] >= 0) {
    close(party->fds[1]);
  }
}

/* Runs until one of the two was called, and some turns more in which nothing wrong may come. */
static void run_until_called(party parties[2]) {
  int turns;
  while (parties[0].calls + parties[1].calls == 0) {
    CHECK(eddy_loop_run(parties[0].loop, EDDY_RUN_ONCE) >= 0);
  }
  for (turns = 0; turns < 3; turns++) {
    CHECK(eddy_loop_run(parties[0].loop, EDDY_RUN_NOWAIT) >= 0);
  }
}

static int is_left_out(const kind *kind) {
  return tap_under_valgrind() && kind->open == open_process; /* it has no pidfd_open before 3.20 */
}

/* Both of two handles are due at once, for each pair of kinds; whichever is first called, acts. */
static void for_each_pair(int (*act)(party *), void (*check)(party parties[2])) {
  static char pair[64];
  int first, second, descriptors = -1;
  for (first = 0; first < KINDS; first++) {
    for (second = 0; second < KINDS; second++) {
      eddy_loop *loop;
      party parties[2];
      if (is_left_out(&kinds[first]) || is_left_out(&kinds[second])) {
        continue;
      }
      snprintf(pair, sizeof pair, "%s, %s", kinds[first].name, kinds[second].name);
      tap_within(pair);
      loop = make_loop();
      init(&parties[0], &kinds[first], loop, act);
      init(&parties[1], &kinds[second], loop, act);
      parties[0].other = &parties[1];
      parties[1].other = &parties[0];
      parties[0].kind->open(&parties[0]);
      parties[1].kind->open(&parties[1]);
      check(parties);
      end(&parties[0]);
      end(&parties[1]);
      end_loop(loop);
      if (descriptors < 0) {
        descriptors = count_descriptors();
      }
      CHECK_EQ(count_descriptors(), descriptors);
    }
  }
}

static int close_self(party *party) {
  close_party(party);
  return 0;
}

static int close_other(party *party) {
  close_party(party->other);
  return 0;
}

static int close_both(party *party) {
  close_party(party);
  close_party(party->other);
  return 0;
}

/* It closes too, for an idle hook is not called while a watcher has something to tell each turn. */
static int stop_and_close(party *party) {
  CHECK_EQ(eddy_loop_stop(party->loop), 0);
  return close_self(party);
}

static int nothing(party *party) {
  (void)party;
  return 0;
}

static void check_closed_once(party parties[2]) {
  run_until_called(parties);
}

static void a_callback_may_close_its_own_handle(void) {
  for_each_pair(close_self, check_closed_once);
}

static void a_callback_may_close_another_handle(void) {
  for_each_pair(close_other, check_closed_once);
}

static void a_callback_may_close_both(void) {
  for_each_pair(close_both, check_closed_once);
}

static void tick(eddy_timer *timer, void *context) {
  (void)timer, (void)context;
}

/* A stop ends the run with the turn; what was due and not yet called, is called in the next. */
static void check_stop(party parties[2]) {
  eddy_timer *ticks; /* a hook alone ends no wait */
  int runs;
  CHECK_EQ(eddy_timer_create(parties[0].loop, tick, NULL, &ticks), 0);
  CHECK_EQ(eddy_timer_start(ticks, EDDY_MILLISECOND, EDDY_MILLISECOND), 0);
  for (runs = 0; runs < 1000 && (parties[0].calls == 0 || parties[1].calls == 0); runs++) {
    CHECK(eddy_loop_run(parties[0].loop, EDDY_RUN_UNTIL_STOPPED) >= 0);
  }
  CHECK(parties[0].calls > 0 && parties[1].calls > 0);
  CHECK_EQ(eddy_timer_close(ticks, NULL), 0);
}

static void a_callback_may_stop_the_loop(void) {
  for_each_pair(stop_and_close, check_stop);
}

static void close_other_when_closed(void *context) {
  party *party = context;
  note_closed(party);
  close_party(party->other);
}

/* The close callback of one handle closes another, which is due in the same turn. */
static void check_close_in_close(party parties[2]) {
  eddy_timer *timer;
  party closer;
  init(&closer, &kinds[0], parties[0].loop, nothing);
  closer.other = &parties[0];
  CHECK_EQ(eddy_timer_create(closer.loop, on_timer, &closer, &timer), 0);
  closer.is_closing = 1;
  CHECK_EQ(eddy_timer_close(timer, close_other_when_closed), 0);
  while (!parties[0].closed) {
    CHECK(eddy_loop_run(closer.loop, EDDY_RUN_ONCE) >= 0);
  }
  CHECK_EQ(closer.closed, 1);
}

static void a_close_callback_may_close_another_handle(void) {
  for_each_pair(nothing, check_close_in_close);
}

static const tap_test tests[] = {
    TAP_TEST(a_callback_may_close_its_own_handle),
    TAP_TEST(a_callback_may_close_another_handle),
    TAP_TEST(a_callback_may_close_both),
    TAP_TEST(a_callback_may_stop_the_loop),
    TAP_TEST(a_close_callback_may_close_another_handle),
};
TAP_MAIN(tests)
