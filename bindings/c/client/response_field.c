#define _POSIX_C_SOURCE 200809L

#include "decimal.h"
#include "response_field.h"

#include <string.h>
#include <strings.h>

/* tchar of RFC 9110 §5.6.2. */
static const char token_characters[] = "!#$%&'*+-.^_`|~0123456789"
                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* The largest number of seconds that a Retry-After is taken to mean: a day. */
#define RETRY_AFTER_LIMIT 86400

static const char *read_content_length(struct response_parser *parser, const char *value) {
  uint64_t length;
  if (!decimal_parse(value, &length)) {
    return "Content-Length is no number";
  }
  if (parser->has_length) {
    return "more than one Content-Length";
  }
  parser->has_length = true;
  parser->length = length;
  return NULL;
}

static const char *read_transfer_encoding(struct response_parser *parser, const char *value) {
  if (parser->chunked || strcasecmp(value, "chunked") != 0) {
    return "a Transfer-Encoding other than chunked";
  }
  if (parser->http_1_0) {
    return "a Transfer-Encoding in HTTP/1.0";
  }
  parser->chunked = true;
  return NULL;
}

/* A list of options, of which `close` wins (RFC 9112 §9.3). */
static void read_connection(struct response_parser *parser, char *value) {
  bool close = false;
  bool keep_alive = false;
  char *rest = NULL;
  for (char *option = strtok_r(value, ", \t", &rest); option != NULL;
       option = strtok_r(NULL, ", \t", &rest)) {
    close = close || strcasecmp(option, "close") == 0;
    keep_alive = keep_alive || strcasecmp(option, "keep-alive") == 0;
  }
  if (close) {
    parser->response.keep_alive = false;
  } else if (keep_alive && parser->http_1_0) {
    parser->response.keep_alive = true;
  }
}

static const char *read_location(struct response_parser *parser, const char *value) {
  struct response *response = &parser->response;
  size_t length = strlen(value);
  if (response->location[0] != '\0') {
    return "more than one Location";
  }
  if (length == 0 || length > RESPONSE_LOCATION_LIMIT) {
    return "the Location is empty or too long";
  }
  memcpy(response->location, value, length + 1);
  return NULL;
}

static void read_retry_after(struct response_parser *parser, const char *value) {
  uint64_t seconds;
  if (decimal_parse(value, &seconds)) {
    bool fits = seconds < RETRY_AFTER_LIMIT;
    parser->response.retry_after = fits ? (long)seconds : RETRY_AFTER_LIMIT;
  }
}

static bool has_control_character(const char *value) {
  for (; *value != '\0'; value++) {
    unsigned char c = (unsigned char)*value;
    if ((c < ' ' && c != '\t') || c == 0x7f) {
      return true;
    }
  }
  return false;
}

const char *response_field(struct response_parser *parser, char *line, size_t length) {
  size_t name_length = strspn(line, token_characters);
  if (name_length == 0) {
    return "a field line does not begin with a name";
  }
  if (line[name_length] != ':') {
    return "no colon stands right after a field's name";
  }
  line[name_length] = '\0';
  char *value = line + name_length + 1;
  char *end = line + length;
  value += strspn(value, " \t");
  while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
    end--;
  }
  *end = '\0';
  if (has_control_character(value)) {
    return "a field's value has a control character";
  }
  if (strcasecmp(line, "content-length") == 0) {
    return read_content_length(parser, value);
  }
  if (strcasecmp(line, "transfer-encoding") == 0) {
    return read_transfer_encoding(parser, value);
  }
  if (strcasecmp(line, "location") == 0) {
    return read_location(parser, value);
  }
  if (strcasecmp(line, "connection") == 0) {
    read_connection(parser, value);
  } else if (strcasecmp(line, "retry-after") == 0) {
    read_retry_after(parser, value);
  }
  return NULL;
}
