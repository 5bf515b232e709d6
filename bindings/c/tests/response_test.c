/* The response parser: each message whole, cut at every place, and byte by byte. */
#include "response.h"
#include "tap.h"

#include <stdlib.h>

static struct response_parser parser;

/* Feeds a copy without a byte to spare, so that a checker sees any read past it. */
static ptrdiff_t feed(const char *text, size_t length) {
  uint8_t *copy = malloc(length > 0 ? length : 1);
  memcpy(copy, text, length);
  ptrdiff_t taken = response_parse(&parser, copy, length);
  free(copy);
  return taken;
}

struct good {
  const char *name;
  const char *message;
  int status;
  bool keep_alive;
  const char *location;
  long retry_after;
  const char *body;
};

static const struct good good[] = {
    {"Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, true, "", -1,
     "hello"},
    {"an empty body", "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 200, true, "", -1, ""},
    {"no reason phrase", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, true, "", -1, "x"},
    {"202 with Location and Retry-After",
     "HTTP/1.1 202 Accepted\r\nLocation: /jobs/1f\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}",
     202, true, "/jobs/1f", 1, "{}"},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7 ; a=\"b\"\r\n, "
     "world\r\n0\r\n\r\n",
     200, true, "", -1, "hello, world"},
    {"chunks with trailers",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n000\r\nX: y\r\n\r\n",
     200, true, "", -1, "0123456789"},
    {"interim responses are skipped",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: /no\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
     200, true, "", -1, "ok"},
    {"204 ends with its head", "HTTP/1.1 204 No Content\r\n\r\n", 204, true, "", -1, ""},
    {"304 ends with its head", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, true,
     "", -1, ""},
    {"Connection: close", "HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\nContent-Length: 1\r\n\r\n1",
     200, false, "", -1, "1"},
    {"HTTP/1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", 200, false, "", -1, "1"},
    {"HTTP/1.0 with keep-alive",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1", 200, true, "", -1,
     "1"},
    {"Retry-After as a date is no number",
     "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
     503, true, "", -1, ""},
    {"a Retry-After is held to a day",
     "HTTP/1.1 503 Busy\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n", 503, true, "",
     86400, ""},
    {"white space around a value",
     "HTTP/1.1 202 Accepted\r\nLocation: \t /jobs/2 \t\r\nContent-Length:\t1 \r\n\r\nz", 202, true,
     "/jobs/2", -1, "z"},
};

static bool is_good(const struct good *expected) {
  const struct response *response = &parser.response;
  return response_complete(&parser) && response->status == expected->status &&
         response->keep_alive == expected->keep_alive &&
         response->retry_after == expected->retry_after &&
         strcmp(response->location, expected->location) == 0 &&
         response->body_length == strlen(expected->body) &&
         strcmp(response->body, expected->body) == 0;
}

/* Cuts at each place, with the beginning of the next response behind: it is left alone. */
static bool survives_every_cut(const struct good *expected) {
  char message[512];
  size_t length = strlen(expected->message);
  snprintf(message, sizeof message, "%sHTTP/1.1", expected->message);
  for (size_t cut = 0; cut < length; cut++) {
    response_begin(&parser);
    if (feed(message, cut) != (ptrdiff_t)cut || response_complete(&parser)) {
      return false;
    }
    ptrdiff_t rest = (ptrdiff_t)(length - cut);
    if (feed(message + cut, length - cut + 8) != rest || !is_good(expected)) {
      return false;
    }
  }
  return true;
}

static bool survives_single_bytes(const struct good *expected) {
  response_begin(&parser);
  for (const char *byte = expected->message; *byte != '\0'; byte++) {
    if (response_complete(&parser) || feed(byte, 1) != 1) {
      return false;
    }
  }
  return is_good(expected);
}

static void good_messages(void) {
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s, cut at every place", good[i].name);
    ok(survives_every_cut(&good[i]), name);
    snprintf(name, sizeof name, "%s, byte by byte", good[i].name);
    ok(survives_single_bytes(&good[i]), name);
  }
}

static const char *const bad[][2] = {
    {"another protocol", "ICY 200 OK\r\n"},
    {"HTTP/2", "HTTP/2 200 OK\r\n"},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n"},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n"},
    {"a status of 600", "HTTP/1.1 600 No\r\n"},
    {"no space after the status", "HTTP/1.1 200\r\n"},
    {"LF alone", "HTTP/1.1 200 OK\n"},
    {"a NUL in the head", NULL},
    {"a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n"},
    {"a line without a name", "HTTP/1.1 200 OK\r\n: 5\r\n"},
    {"a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n"},
    {"a control character in a value", "HTTP/1.1 200 OK\r\nA: b\x01\r\n"},
    {"CR in a value", "HTTP/1.1 200 OK\r\nA: b\rc\r\n"},
    {"two Content-Lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n"},
    {"a Content-Length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n"},
    {"a Content-Length of 2^64", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n"},
    {"an empty Content-Length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n"},
    {"another transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n"},
    {"a transfer coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"},
    {"Content-Length and Transfer-Encoding",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"},
    {"204 with a Content-Length", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"},
    {"an upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
    {"two Locations", "HTTP/1.1 202 A\r\nLocation: /a\r\nLocation: /b\r\n"},
    {"an empty chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"},
    {"a chunk size 0x5", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n"},
    {"a chunk size of 2^64",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n"},
    {"a chunk longer than its size",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"},
};

static bool is_refused(const char *message, size_t length, size_t piece) {
  response_begin(&parser);
  for (size_t start = 0; start < length; start += piece) {
    size_t rest = length - start;
    if (feed(message + start, rest < piece ? rest : piece) < 0) {
      return parser.error != NULL && feed("HTTP/1.1 200 OK\r\n", 17) == -1;
    }
  }
  return false;
}

static void bad_messages(void) {
  static const char with_nul[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n";
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    const char *message = bad[i][1] != NULL ? bad[i][1] : with_nul;
    size_t length = bad[i][1] != NULL ? strlen(message) : sizeof with_nul - 1;
    char name[128];
    snprintf(name, sizeof name, "%s is refused, and stays so", bad[i][0]);
    ok(is_refused(message, length, length) && is_refused(message, length, 1), name);
  }
}

static void limits(void) {
  enum { COUNT = RESPONSE_HEAD_LIMIT };
  char *line = malloc(COUNT);
  memset(line, 'x', COUNT);

  response_begin(&parser);
  ok(feed(line, RESPONSE_LINE_LIMIT + 1) > 0 && feed(line, 1) == -1, "an endless line is refused");

  response_begin(&parser);
  ptrdiff_t taken = feed("HTTP/1.1 200 OK\r\n", 17);
  line[1] = ':';
  memcpy(line + 1000, "\r\n", 2);
  for (int i = 0; taken > 0 && i <= COUNT / 1000 + 1; i++) {
    taken = feed(line, 1002);
  }
  ok(taken == -1, "an endless head is refused");

  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n";
  response_begin(&parser);
  feed(head, sizeof head - 1);
  feed(line, COUNT);
  ok(response_complete(&parser) && parser.response.body_length == COUNT &&
         strlen(parser.response.body) == RESPONSE_BODY_KEPT,
     "a long body is counted, and its beginning kept");

  static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  response_begin(&parser);
  feed(chunked, sizeof chunked - 1);
  for (int i = 0; i < COUNT; i++) {
    feed("1\r\nx\r\n", 6);
  }
  feed("0\r\n\r\n", 5);
  ok(response_complete(&parser) && parser.response.body_length == COUNT,
     "there may be any number of chunks");
  free(line);
}

static void ends_of_stream(void) {
  static const char head[] = "HTTP/1.1 200 OK\r\n\r\nall of it";
  response_begin(&parser);
  feed(head, sizeof head - 1);
  ok(!response_complete(&parser) && response_end_of_stream(&parser) &&
         strcmp(parser.response.body, "all of it") == 0 && !parser.response.keep_alive,
     "without a length the end of the stream ends the body");

  static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel";
  response_begin(&parser);
  feed(cut, sizeof cut - 1);
  ok(!response_end_of_stream(&parser), "with a length it does not");

  response_begin(&parser);
  ok(!parser.started && !response_end_of_stream(&parser), "nor before the first byte");
}

int main(void) {
  good_messages();
  bad_messages();
  limits();
  ends_of_stream();
  return tap_done();
}
