/* eddy_loop_watch_callbacks: each callback of a handle is told of by its kind. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/acceptor.h"
#include "harness/child.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

enum { KINDS = EDDY_CALLBACK_CLOSE + 1 };

/* How often each kind was told of. */
typedef struct tally {
  eddy_loop *loop;
  int counts[KINDS];
  int total;
} tally;

static void count_slow(const eddy_slow_callback *slow, void *context) {
  tally *tally = context;
  CHECK(slow->kind > 0 && slow->kind < KINDS);
  CHECK(slow->function != NULL);
  CHECK(slow->duration > 0);
  tally->counts[slow->kind]++;
  tally->total++;
}

static void begin(tally *tally) {
  memset(tally, 0, sizeof *tally);
  tally->loop = make_loop();
  CHECK_EQ(eddy_loop_watch_callbacks(tally->loop, 1, count_slow, tally), 0);
}

/* Ends the loop, whose counters must agree with what was told. */
static void end(tally *tally) {
  eddy_loop_metrics metrics = EDDY_LOOP_METRICS_INIT;
  CHECK_EQ(eddy_loop_run(tally->loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(eddy_loop_read_metrics(tally->loop, &metrics), 0);
  CHECK_EQ(metrics.events, tally->total - tally->counts[EDDY_CALLBACK_POST]);
  CHECK_EQ(metrics.posts, tally->counts[EDDY_CALLBACK_POST]);
  end_loop(tally->loop);
}

/* Turns until callbacks of a kind have been told of, which each end their handle's work. */
static void await(tally *tally, int kind) {
  while (tally->counts[kind] == 0) {
    CHECK(eddy_loop_run(tally->loop, EDDY_RUN_ONCE) >= 0);
  }
}

static void ignore_close(void *context) {
  (void)context;
}

static void on_timer(eddy_timer *timer, void *context) {
  (void)context;
  CHECK_EQ(eddy_timer_close(timer, ignore_close), 0);
}

static void on_hook(eddy_hook *hook, void *context) {
  (void)context;
  CHECK_EQ(eddy_hook_close(hook, NULL), 0);
}

static void on_signal(eddy_signal *watcher, int number, void *context) {
  (void)number, (void)context;
  CHECK_EQ(eddy_signal_close(watcher, NULL), 0);
}

static void on_ready(eddy_watcher *watcher, int events, void *context) {
  (void)events, (void)context;
  CHECK_EQ(eddy_watcher_close(watcher, NULL), 0);
}

static void timers_hooks_and_close_callbacks(void) {
  tally tally;
  eddy_timer *timer;
  eddy_hook *hook;
  begin(&tally);
  CHECK_EQ(eddy_timer_create(tally.loop, on_timer, NULL, &timer), 0);
  CHECK_EQ(eddy_timer_start(timer, 0, 0), 0);
  CHECK_EQ(eddy_hook_create(tally.loop, EDDY_HOOK_AFTER_BLOCKING, on_hook, NULL, &hook), 0);
  CHECK_EQ(eddy_hook_start(hook), 0);
  await(&tally, EDDY_CALLBACK_CLOSE);
  CHECK_EQ(tally.counts[EDDY_CALLBACK_TIMER], 1);
  CHECK_EQ(tally.counts[EDDY_CALLBACK_HOOK], 1);
  CHECK_EQ(tally.counts[EDDY_CALLBACK_CLOSE], 1);
  end(&tally);
}

static void watchers_and_signals(void) {
  tally tally;
  eddy_watcher *watcher;
  eddy_signal *signal;
  int fds[2];
  begin(&tally);
  make_socket_pair(fds);
  CHECK_EQ(eddy_watcher_create(tally.loop, fds[0], on_ready, NULL, &watcher), 0);
  CHECK_EQ(eddy_watcher_start(watcher, EDDY_WRITABLE), 0);
  CHECK_EQ(eddy_signal_create(tally.loop, on_signal, NULL, &signal), 0);
  CHECK_EQ(eddy_signal_start(signal, SIGUSR1), 0);
  CHECK(raise(SIGUSR1) == 0);
  await(&tally, EDDY_CALLBACK_WATCHER);
  await(&tally, EDDY_CALLBACK_SIGNAL);
  close(fds[0]);
  close(fds[1]);
  end(&tally);
}

static void on_work(void *context) {
  (void)context;
}

static void on_done(int status, void *context) {
  (void)context;
  CHECK_EQ(status, 0);
}

static void on_found(
    eddy_lookup *lookup, int status, const eddy_address *addresses, size_t count, void *context) {
  (void)addresses, (void)count, (void)context;
  CHECK_EQ(status, 0);
  CHECK_EQ(eddy_lookup_close(lookup, NULL), 0);
}

/* They come back from their threads by what the loop also uses for posts, which are not these. */
static void works_and_lookups(void) {
  tally tally;
  eddy_pool *pool;
  eddy_lookup *lookup;
  eddy_lookup_config config = EDDY_LOOKUP_CONFIG_INIT;
  config.on_done = on_found;
  begin(&tally);
  CHECK_EQ(eddy_pool_create(tally.loop, NULL, &pool), 0);
  CHECK_EQ(eddy_pool_submit(pool, on_work, on_done, NULL), 0);
  CHECK_EQ(eddy_lookup_start(tally.loop, "127.0.0.1", 80, &config, &lookup), 0);
  await(&tally, EDDY_CALLBACK_DONE);
  await(&tally, EDDY_CALLBACK_LOOKUP);
  CHECK_EQ(eddy_pool_close(pool, NULL, NULL), 0);
  CHECK_EQ(tally.counts[EDDY_CALLBACK_POST], 0);
  end(&tally);
}

static void on_file(eddy_file_watcher *watcher, const eddy_file_event *event, void *context) {
  (void)event, (void)context;
  CHECK_EQ(eddy_file_watcher_close(watcher, NULL), 0);
}

static void files_and_children(void) {
  tally tally;
  eddy_file_watcher *watcher;
  child child;
  begin(&tally);
  CHECK_EQ(eddy_file_watcher_create(tally.loop, ".", on_file, NULL, &watcher), 0);
  shell(&child, ": > file");
  spawn(&child, tally.loop);
  await(&tally, EDDY_CALLBACK_FILE);
  await(&tally, EDDY_CALLBACK_EXIT);
  close_child(&child);
  end(&tally);
}

static void
on_datagrams(eddy_udp *udp, const eddy_datagram *datagrams, size_t count, void *context) {
  (void)datagrams, (void)count, (void)context;
  CHECK_EQ(eddy_udp_close(udp, NULL), 0);
}

static void datagrams(void) {
  tally tally;
  eddy_udp *udp;
  eddy_address address;
  eddy_udp_config config = EDDY_UDP_CONFIG_INIT;
  config.on_receive = on_datagrams;
  begin(&tally);
  CHECK_EQ(eddy_udp_open(tally.loop, "127.0.0.1:0", &config, &udp), 0);
  CHECK_EQ(eddy_udp_address(udp, &address), 0);
  CHECK_EQ(eddy_udp_receive_start(udp), 0);
  CHECK_EQ(eddy_udp_send(udp, "x", 1, &address), 0);
  await(&tally, EDDY_CALLBACK_DATAGRAM);
  end(&tally);
}

static void on_written(int status, void *context) {
  (void)context;
  CHECK_EQ(status, 0);
}

static void on_idle(eddy_stream *stream, void *context) {
  (void)context;
  CHECK_EQ(eddy_stream_set_idle_timeout(stream, 0), 0);
}

static void connections(void) {
  static const char text[] = "hello";
  tally tally;
  acceptor acceptor;
  endpoint client, server;
  eddy_stream_config config;
  eddy_buffer buffer;
  char address[32];
  begin(&tally);
  acceptor_open(&acceptor, tally.loop);
  endpoint_init(&client, tally.loop);
  config = endpoint_config(&client);
  config.on_idle = on_idle;
  snprintf(address, sizeof address, "127.0.0.1:%d", acceptor.port);
  CHECK_EQ(eddy_stream_connect(tally.loop, address, &config, &client.stream), 0);
  await(&tally, EDDY_CALLBACK_CONNECT);
  await(&tally, EDDY_CALLBACK_ACCEPT);
  endpoint_open(&server, tally.loop, acceptor.last_fd);
  CHECK_EQ(eddy_stream_read_start(server.stream), 0);
  buffer.data = text;
  buffer.length = sizeof text - 1;
  CHECK(eddy_stream_write_buffers(client.stream, &buffer, 1, on_written, NULL) >= 0);
  await(&tally, EDDY_CALLBACK_WRITE);
  await(&tally, EDDY_CALLBACK_READ);
  CHECK_EQ(eddy_stream_set_idle_timeout(client.stream, EDDY_MILLISECOND), 0);
  await(&tally, EDDY_CALLBACK_IDLE_STREAM);
  endpoint_close(&client);
  endpoint_close(&server);
  acceptor_close(&acceptor);
  end(&tally);
}

static const tap_test tests[] = {
    TAP_TEST(timers_hooks_and_close_callbacks),
    TAP_TEST(watchers_and_signals),
    TAP_TEST(works_and_lookups),
    TAP_TEST(files_and_children),
    TAP_TEST(datagrams),
    TAP_TEST(connections),
};
TAP_MAIN(tests)
