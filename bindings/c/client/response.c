#include "response.h"

#include "response_field.h"

#include <string.h>

/* 2^60 bytes: no chunk is longer, and 16 times it plus a digit cannot overflow. */
#define CHUNK_SIZE_LIMIT (UINT64_C(1) << 60)

void response_begin(struct response_parser *parser) {
  memset(parser, 0, offsetof(struct response_parser, line));
  parser->response.retry_after = -1;
}

bool response_complete(const struct response_parser *parser) {
  return parser->state == RESPONSE_COMPLETE;
}

static void malformed(struct response_parser *parser, const char *error) {
  parser->state = RESPONSE_MALFORMED;
  parser->error = error;
}

static bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4). */
static void read_status_line(struct response_parser *parser) {
  const char *line = parser->line;
  if (strncmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ') {
    malformed(parser, "the status line does not begin with HTTP/1.x and a space");
    return;
  }
  if (line[9] < '1' || line[9] > '5' || !is_digit(line[10]) || !is_digit(line[11])) {
    malformed(parser, "the status is no number from 100 to 599");
    return;
  }
  if (line[12] != ' ') {
    malformed(parser, "no space stands after the status (RFC 9112, section 4)");
    return;
  }
  parser->response.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  parser->http_1_0 = line[7] == '0';
  parser->response.keep_alive = !parser->http_1_0;
  parser->state = RESPONSE_FIELD_LINE;
}

static void skip_interim_head(struct response_parser *parser) {
  size_t head_length = parser->head_length;
  response_begin(parser);
  parser->started = true;
  parser->head_length = head_length;
}

/* The order of the cases is that of RFC 9112 §6.3. */
static void end_head(struct response_parser *parser) {
  int status = parser->response.status;
  bool interim = status < 200;
  if (interim || status == 204) {
    if (parser->has_length || parser->chunked) {
      malformed(parser, "a 1xx or 204 has a Content-Length or a Transfer-Encoding");
    } else if (status == 101) {
      malformed(parser, "a 101 that nobody asked for");
    } else if (interim) {
      skip_interim_head(parser);
    } else {
      parser->state = RESPONSE_COMPLETE;
    }
  } else if (status == 304) {
    parser->state = RESPONSE_COMPLETE;
  } else if (parser->chunked && parser->has_length) {
    malformed(parser, "both Content-Length and Transfer-Encoding");
  } else if (parser->chunked) {
    parser->state = RESPONSE_CHUNK_SIZE;
  } else if (parser->has_length) {
    parser->remaining = parser->length;
    parser->state = parser->length > 0 ? RESPONSE_BODY_COUNTED : RESPONSE_COMPLETE;
  } else {
    parser->response.keep_alive = false;
    parser->state = RESPONSE_BODY_UNTIL_END;
  }
}

/* chunk-size [ chunk-ext ] (RFC 9112 §7.1). */
static void read_chunk_size(struct response_parser *parser) {
  const char *line = parser->line;
  uint64_t size = 0;
  size_t digits = 0;
  for (;; digits++) {
    char c = line[digits];
    uint64_t value;
    if (is_digit(c)) {
      value = (uint64_t)(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      value = (uint64_t)((c | 0x20) - 'a' + 10);
    } else {
      break;
    }
    if (size >= CHUNK_SIZE_LIMIT) {
      malformed(parser, "a chunk size is too large");
      return;
    }
    size = size * 16 + value;
  }
  const char *after = line + digits + strspn(line + digits, " \t");
  if (digits == 0 || (*after != '\0' && *after != ';')) {
    malformed(parser, "a chunk size is no hexadecimal number");
    return;
  }
  parser->remaining = size;
  parser->state = size > 0 ? RESPONSE_CHUNK_DATA : RESPONSE_TRAILER_LINE;
}

static void read_line(struct response_parser *parser) {
  bool empty = parser->line_length == 0;
  switch (parser->state) {
  case RESPONSE_STATUS_LINE:
    read_status_line(parser);
    break;
  case RESPONSE_FIELD_LINE:
    if (empty) {
      end_head(parser);
    } else {
      const char *error = response_field(parser, parser->line, parser->line_length);
      if (error != NULL) {
        malformed(parser, error);
      }
    }
    break;
  case RESPONSE_CHUNK_SIZE:
    read_chunk_size(parser);
    break;
  case RESPONSE_CHUNK_END:
    if (empty) {
      parser->state = RESPONSE_CHUNK_SIZE;
    } else {
      malformed(parser, "a chunk is longer than its size says");
    }
    break;
  default: /* RESPONSE_TRAILER_LINE: trailers are of no use here */
    if (empty) {
      parser->state = RESPONSE_COMPLETE;
    }
    break;
  }
}

/* Takes bytes up to the end of a line. Returns how many. */
static size_t take_line(struct response_parser *parser, const uint8_t *data, size_t length) {
  const uint8_t *feed = memchr(data, '\n', length);
  size_t taken = feed != NULL ? (size_t)(feed - data) : length;
  if (parser->line_length + taken > RESPONSE_LINE_LIMIT + 1) {
    malformed(parser, "a line of the head is too long");
    return 0;
  }
  /* The lines around chunks belong to the body; of those there may be any number. */
  if (parser->state != RESPONSE_CHUNK_SIZE && parser->state != RESPONSE_CHUNK_END) {
    parser->head_length += taken;
  }
  if (parser->head_length > RESPONSE_HEAD_LIMIT) {
    malformed(parser, "the head is too long");
    return 0;
  }
  memcpy(parser->line + parser->line_length, data, taken);
  parser->line_length += taken;
  if (feed == NULL) {
    return taken;
  }
  if (parser->line_length == 0 || parser->line[parser->line_length - 1] != '\r') {
    malformed(parser, "a line ends with LF alone");
    return 0;
  }
  parser->line_length--;
  parser->line[parser->line_length] = '\0';
  if (memchr(parser->line, '\0', parser->line_length) != NULL) {
    malformed(parser, "a line of the head has a NUL");
    return 0;
  }
  read_line(parser);
  parser->line_length = 0;
  return taken + 1;
}

static void keep_body(struct response_parser *parser, const uint8_t *data, size_t length) {
  struct response *response = &parser->response;
  if (response->body_length < RESPONSE_BODY_KEPT) {
    size_t kept = (size_t)response->body_length;
    size_t room = RESPONSE_BODY_KEPT - kept;
    memcpy(response->body + kept, data, length < room ? length : room);
  }
  response->body_length += length;
}

static size_t take_counted(
    struct response_parser *parser, const uint8_t *data, size_t length, enum response_state next) {
  size_t taken = length < parser->remaining ? length : (size_t)parser->remaining;
  keep_body(parser, data, taken);
  parser->remaining -= taken;
  if (parser->remaining == 0) {
    parser->state = next;
  }
  return taken;
}

ptrdiff_t response_parse(struct response_parser *parser, const uint8_t *data, size_t length) {
  size_t position = 0;
  if (length > 0) {
    parser->started = true;
  }
  while (position < length && parser->state != RESPONSE_COMPLETE) {
    const uint8_t *rest = data + position;
    size_t rest_length = length - position;
    switch (parser->state) {
    case RESPONSE_BODY_COUNTED:
      position += take_counted(parser, rest, rest_length, RESPONSE_COMPLETE);
      break;
    case RESPONSE_CHUNK_DATA:
      position += take_counted(parser, rest, rest_length, RESPONSE_CHUNK_END);
      break;
    case RESPONSE_BODY_UNTIL_END:
      keep_body(parser, rest, rest_length);
      position = length;
      break;
    case RESPONSE_MALFORMED:
      return -1;
    default:
      position += take_line(parser, rest, rest_length);
      break;
    }
  }
  return parser->state == RESPONSE_MALFORMED ? -1 : (ptrdiff_t)position;
}

bool response_end_of_stream(struct response_parser *parser) {
  if (parser->state == RESPONSE_BODY_UNTIL_END) {
    parser->state = RESPONSE_COMPLETE;
  }
  return parser->state == RESPONSE_COMPLETE;
}
