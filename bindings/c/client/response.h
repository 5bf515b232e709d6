/*
 * response.h: an incremental parser of HTTP/1.1 responses (RFC 9112).
 *
 * It is strict, because it belongs to a checker: what a lenient client would
 * forgive is an error here, with a text that says what was wrong. It allocates
 * nothing, and takes its input in pieces of any length.
 */
#ifndef CLIENT_RESPONSE_H
#define CLIENT_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The longest status line, field line or chunk-size line, in bytes without its CR LF. */
#define RESPONSE_LINE_LIMIT 2048
/** The most bytes of all the lines of one response's head, trailers and 1xx heads included. */
#define RESPONSE_HEAD_LIMIT 65536
/** The longest Location that is kept, in bytes. */
#define RESPONSE_LOCATION_LIMIT 255
/** The first bytes of the body that are kept; the others are counted and let go. */
#define RESPONSE_BODY_KEPT 1024

/** What is known of a response: all of it once response_complete, or the lines so far. */
struct response {
  int status;
  bool keep_alive; /**< the connection may carry another exchange (RFC 9112 §9.3) */
  /** Seconds of Retry-After, or -1: none, or one that is no number of seconds. */
  long retry_after;
  char location[RESPONSE_LOCATION_LIMIT + 1]; /**< empty without a Location */
  uint64_t body_length;
  char body[RESPONSE_BODY_KEPT + 1]; /**< what was kept, with a final zero after it */
};

enum response_state {
  RESPONSE_STATUS_LINE,
  RESPONSE_FIELD_LINE,
  RESPONSE_BODY_COUNTED,
  RESPONSE_BODY_UNTIL_END,
  RESPONSE_CHUNK_SIZE,
  RESPONSE_CHUNK_DATA,
  RESPONSE_CHUNK_END,
  RESPONSE_TRAILER_LINE,
  RESPONSE_COMPLETE,
  RESPONSE_MALFORMED
};

struct response_parser {
  struct response response;
  enum response_state state;
  const char *error; /**< what was wrong, once RESPONSE_MALFORMED; a literal */
  bool started;      /**< a byte of the response has been seen */
  bool http_1_0;
  bool chunked;
  bool has_length;
  uint64_t length;    /**< of Content-Length */
  uint64_t remaining; /**< of the body or the chunk that is being read */
  size_t head_length;
  size_t line_length;
  char line[RESPONSE_LINE_LIMIT + 2]; /**< a line with its CR, then a final zero */
};

/** Makes the parser ready for a response to a request that is not HEAD or CONNECT. */
void response_begin(struct response_parser *parser);

/**
 * Reads on. It stops right after the end of one response; an interim one
 * (1xx) is skipped.
 *
 * @return how many of the bytes were taken: fewer than length only when the
 * response is complete. -1 when it is malformed.
 */
ptrdiff_t response_parse(struct response_parser *parser, const uint8_t *data, size_t length);

/** Whether the last byte of the response has been read. */
bool response_complete(const struct response_parser *parser);

/**
 * Tells that the peer has ended the stream.
 *
 * @return whether that completes the response: one with neither length nor chunks.
 */
bool response_end_of_stream(struct response_parser *parser);

#endif
