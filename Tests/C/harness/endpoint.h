/*
 * endpoint.h: a stream with what it has seen, for the tests of streams and what makes them.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#include <eddy.h>

typedef struct endpoint {
  eddy_loop *loop;
  eddy_stream *stream;
  int connects, connect_status;
  char text[256];       /* the first bytes that came, as a string */
  size_t received;      /* bytes that came */
  int ends, end_status; /* negative lengths that came, and the last of them */
  int drains, drain_status;
  int closed;
  int checks_pattern;                    /* the bytes are those of fill_pattern */
  int stops_at_end;                      /* an end stops the loop */
  void (*on_read)(struct endpoint *end); /* called after each read that brought bytes */
  void (*on_drain)(struct endpoint *end);
  void (*on_connect)(struct endpoint *end);
} endpoint;

/* An endpoint without a stream. */
void endpoint_init(endpoint *end, eddy_loop *loop);

/* The default configuration, with callbacks that note in `end` what comes. */
eddy_stream_config endpoint_config(endpoint *end);

/* Opens a stream on `fd`, with the default configuration. */
void endpoint_open(endpoint *end, eddy_loop *loop, int fd);

/* Two endpoints that are connected with each other over a socket pair; both read. */
void endpoint_pair(endpoint ends[2], eddy_loop *loop);

/* Closes the stream; the close callback counts in `closed`. */
void endpoint_close(endpoint *end);

/* The close callback. */
void endpoint_closed(void *context);

/* Writes a string, all of which the kernel must take. */
void endpoint_write(endpoint *end, const char *text);

/* Bytes whose value tells their place: those from `offset` on. */
void fill_pattern(uint8_t *bytes, size_t length, size_t offset);

#endif
