/* eddy/stream.h and eddy/listener.h where no memory is left: what is refused leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults/faults.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static int dones, done_status;

static void note_done(int status, void *context) {
  (void)context;
  dones++;
  done_status = status;
}

static void never_idle(eddy_stream *stream, void *context) {
  (void)stream, (void)context;
  CHECK(0);
}

/* A pair, of which the first can't write any more, though nothing is queued. */
static void make_full_pair(endpoint ends[2], eddy_loop *loop) {
  static const char zeros[65536];
  endpoint_pair(ends, loop);
  CHECK_EQ(eddy_stream_read_stop(ends[1].stream), 0);
  while (send(eddy_stream_fd(ends[0].stream), zeros, sizeof zeros, MSG_DONTWAIT) > 0) {
  }
}

typedef ptrdiff_t (*write_call)(eddy_stream *stream, int file);

static ptrdiff_t copy(eddy_stream *stream, int file) {
  (void)file;
  return eddy_stream_write(stream, "text", 4);
}

static ptrdiff_t vector(eddy_stream *stream, int file) {
  static const eddy_buffer regions[] = {{"te", 2}, {"xt", 2}};
  (void)file;
  return eddy_stream_writev(stream, regions, 2);
}

static ptrdiff_t buffers(eddy_stream *stream, int file) {
  static const eddy_buffer regions[] = {{"te", 2}, {"xt", 2}};
  (void)file;
  return eddy_stream_write_buffers(stream, regions, 2, note_done, NULL);
}

static ptrdiff_t part(eddy_stream *stream, int file) {
  return eddy_stream_sendfile(stream, file, 0, 4, note_done, NULL);
}

static void a_write_without_memory_takes_nothing(void) {
  static const write_call calls[] = {copy, vector, buffers, part};
  size_t index;
  int file = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);
  CHECK(write(file, "text", 4) == 4);
  require_own_malloc();
  for (index = 0; index < sizeof calls / sizeof calls[0]; index++) {
    eddy_loop *loop = make_loop();
    endpoint ends[2];
    int nth;
    make_full_pair(ends, loop);
    dones = 0;
    for (nth = 1; nth <= 2; nth++) { /* the queue, and what is put into it */
      fault_nth(FAULT_MALLOC, nth, ENOMEM);
      CHECK_EQ(calls[index](ends[0].stream, file), EDDY_ENOMEM);
      CHECK_EQ(fault_hits(FAULT_MALLOC), 1);
      CHECK_EQ(eddy_stream_queued(ends[0].stream), 0);
      fault_none();
    }
    CHECK(calls[index](ends[0].stream, file) >= 0);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
    CHECK_EQ(dones, 0);
    CHECK_EQ(eddy_stream_read_start(ends[1].stream), 0);
    CHECK_EQ(eddy_stream_shutdown(ends[0].stream), 0);
    while (ends[1].ends == 0) {
      CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
    }
    CHECK_EQ(ends[1].end_status, EDDY_EOF);
    CHECK_EQ(dones, calls[index] == buffers || calls[index] == part);
    CHECK_EQ(done_status, 0);
    endpoint_close(&ends[0]);
    endpoint_close(&ends[1]);
    end_loop(loop);
  }
}

/* A part of it is with the kernel: another message behind that part would be read as its rest. */
static void a_part_that_cannot_be_followed_by_its_rest_is_the_last(void) {
  static uint8_t bytes[4 << 20];
  eddy_loop *loop = make_loop();
  endpoint ends[2];
  require_own_malloc();
  endpoint_pair(ends, loop);
  CHECK_EQ(eddy_stream_read_stop(ends[1].stream), 0);
  fault_nth(FAULT_MALLOC, 1, ENOMEM);
  CHECK_EQ(eddy_stream_write(ends[0].stream, bytes, sizeof bytes), EDDY_ENOMEM);
  CHECK_EQ(fault_hits(FAULT_MALLOC), 1);
  fault_none();
  CHECK_EQ(eddy_stream_queued(ends[0].stream), 0);
  CHECK_EQ(eddy_stream_write(ends[0].stream, "x", 1), EDDY_ENOMEM);
  CHECK_EQ(eddy_stream_shutdown(ends[0].stream), EDDY_ENOTCONN);
  endpoint_close(&ends[0]);
  endpoint_close(&ends[1]);
  end_loop(loop);
}

static void a_stream_without_memory_is_refused(void) {
  eddy_loop *loop = make_loop();
  endpoint end;
  eddy_stream_config config;
  int fds[2], round, descriptors, nth, result;
  require_own_malloc();
  make_socket_pair(fds);
  descriptors = count_descriptors();
  for (round = 0; round < 3; round++) {
    result = EDDY_ENOMEM;
    for (nth = 1; result != 0; nth++) {
      endpoint_init(&end, loop);
      config = endpoint_config(&end);
      config.idle_timeout = EDDY_SECOND;
      config.on_idle = never_idle;
      fault_nth(FAULT_MALLOC, nth, ENOMEM);
      switch (round) {
      case 0:
        result = eddy_stream_open(loop, fds[0], &config, &end.stream);
        break;
      case 1:
        result = eddy_stream_connect(loop, "127.0.0.1:9", &config, &end.stream);
        break;
      default:
        result = eddy_stream_connect_host(loop, "127.0.0.1", 9, &config, &end.stream);
      }
      CHECK(result == 0 || (result == EDDY_ENOMEM && fault_hits(FAULT_MALLOC) == 1));
      fault_none();
      if (result != 0) {
        CHECK_EQ(count_descriptors(), descriptors);
        CHECK_EQ(eddy_loop_alive(loop), 0);
      }
    }
    CHECK(nth > 2); /* it does allocate */
    endpoint_close(&end);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(end.closed, 1);
    descriptors -= round == 0; /* the stream has closed fds[0] */
  }
  close(fds[1]);
  end_loop(loop);
}

static void never_accept(eddy_listener *listener, int fd, void *context) {
  (void)listener, (void)fd, (void)context;
  CHECK(0);
}

static void never_fire(eddy_timer *timer, void *context) {
  (void)timer, (void)context;
  CHECK(0);
}

static void a_unix_listener_without_memory_leaves_no_file(void) {
  enum { MOST = 100000 };
  eddy_loop *loop = make_loop();
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  eddy_listener *listener = NULL;
  static eddy_timer *timers[MOST];
  int count, result = 0, index;
  require_own_malloc();
  config.on_accept = never_accept;
  fault_each(FAULT_REALLOC, ENOMEM); /* until the loop's room for timers is used up */
  for (count = 0; count < MOST; count++) {
    result = eddy_timer_create(loop, never_fire, NULL, &timers[count]);
    if (result != 0) {
      break;
    }
  }
  CHECK_EQ(result, EDDY_ENOMEM);
  CHECK_EQ(eddy_listener_create(loop, "unix:x.sock", &config, &listener), EDDY_ENOMEM);
  fault_none();
  CHECK(listener == NULL);
  CHECK(access("x.sock", F_OK) < 0 && errno == ENOENT);
  CHECK_EQ(eddy_listener_create(loop, "unix:x.sock", &config, &listener), 0);
  CHECK_EQ(eddy_listener_close(listener, NULL), 0);
  for (index = 0; index < count; index++) {
    CHECK_EQ(eddy_timer_close(timers[index], NULL), 0);
  }
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_write_without_memory_takes_nothing),
    TAP_TEST(a_part_that_cannot_be_followed_by_its_rest_is_the_last),
    TAP_TEST(a_stream_without_memory_is_refused),
    TAP_TEST(a_unix_listener_without_memory_leaves_no_file),
};

TAP_MAIN(tests)
