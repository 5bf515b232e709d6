#include "endpoint.h"

#include <string.h>

#include "fixture.h"
#include "tap.h"

/* 251 is a prime, so that the pattern does not fall in with any buffer's size. */
static uint8_t pattern_at(size_t offset) {
  return (uint8_t)(offset % 251);
}

void fill_pattern(uint8_t *bytes, size_t length, size_t offset) {
  size_t index;
  for (index = 0; index < length; index++) {
    bytes[index] = pattern_at(offset + index);
  }
}

static void note_connect(eddy_stream *stream, int status, void *context) {
  endpoint *end = context;
  CHECK_EQ(end->closed, 0);
  CHECK(stream == end->stream);
  end->connects++;
  end->connect_status = status;
  if (end->on_connect != NULL) {
    end->on_connect(end);
  }
}

static void note_bytes(endpoint *end, const uint8_t *data, size_t length) {
  size_t index, kept = end->received;
  if (end->checks_pattern) {
    for (index = 0; index < length; index++) {
      CHECK_EQ(data[index], pattern_at(end->received + index));
    }
  }
  for (index = 0; index < length && kept < sizeof end->text - 1; index++) {
    end->text[kept++] = (char)data[index];
  }
  end->received += length;
}

static void note_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  endpoint *end = context;
  CHECK_EQ(end->closed, 0);
  CHECK(stream == end->stream);
  CHECK(length != 0);
  CHECK_EQ(end->ends, 0); /* after a negative length no further read callback comes */
  if (length > 0) {
    CHECK(data != NULL);
    note_bytes(end, data, (size_t)length);
    if (end->on_read != NULL) {
      end->on_read(end);
    }
    return;
  }
  CHECK(data == NULL);
  end->ends++;
  end->end_status = (int)length;
  if (end->stops_at_end) {
    CHECK_EQ(eddy_loop_stop(end->loop), 0);
  }
}

static void note_drain(eddy_stream *stream, int status, void *context) {
  endpoint *end = context;
  CHECK_EQ(end->closed, 0);
  CHECK(stream == end->stream);
  end->drains++;
  end->drain_status = status;
  if (end->on_drain != NULL) {
    end->on_drain(end);
  }
}

void endpoint_closed(void *context) {
  endpoint *end = context;
  end->closed++;
}

void endpoint_init(endpoint *end, eddy_loop *loop) {
  memset(end, 0, sizeof *end);
  end->loop = loop;
}

eddy_stream_config endpoint_config(endpoint *end) {
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.context = end;
  config.on_connect = note_connect;
  config.on_read = note_read;
  config.on_drain = note_drain;
  return config;
}

void endpoint_open(endpoint *end, eddy_loop *loop, int fd) {
  eddy_stream_config config;
  endpoint_init(end, loop);
  config = endpoint_config(end);
  CHECK_EQ(eddy_stream_open(loop, fd, &config, &end->stream), 0);
}

void endpoint_pair(endpoint ends[2], eddy_loop *loop) {
  int fds[2], index;
  make_socket_pair(fds);
  for (index = 0; index < 2; index++) {
    endpoint_open(&ends[index], loop, fds[index]);
    CHECK_EQ(eddy_stream_read_start(ends[index].stream), 0);
  }
}

void endpoint_close(endpoint *end) {
  CHECK_EQ(eddy_stream_close(end->stream, endpoint_closed), 0);
  CHECK_EQ(end->closed, 0);
}

void endpoint_write(endpoint *end, const char *text) {
  CHECK_EQ(eddy_stream_write(end->stream, text, strlen(text)), 0);
}
