/* The bytes of the three requests, as a server gets them. */
#include "request.h"
#include "tap.h"

static struct options options;
static struct ledger ledger;
static const struct request_format format = {&options, &ledger, 0xabc};
static char location[] = "/jobs/1f";

static void is_request(const struct job *job, const char *expected, const char *name) {
  struct buffer buffer = {0};
  request_append(&format, job, &buffer);
  buffer_print(&buffer, "%c", 0);
  is_text((const char *)buffer.bytes, expected, name);
  buffer_free(&buffer);
}

static void submits(void) {
  struct job *job = &ledger.jobs[1];
  char expected[512];
  char nonce[2 * NONCE_LENGTH + 1];
  for (size_t i = 0; i < NONCE_LENGTH; i++) {
    snprintf(nonce + 2 * i, 3, "%02x", job->nonce[i]);
  }
  snprintf(
      expected, sizeof expected,
      "POST /tasks/sha256 HTTP/1.1\r\nHost: server:1\r\nContent-Type: application/octet-stream\r\n"
      "Content-Length: 32\r\nIdempotency-Key: 0000000000000abc-1\r\n\r\n%s",
      nonce);
  is_request(job, expected, "a submit carries its nonce and its key");
  is_request(job, expected, "repeated, it is the same");
}

static void polls(void) {
  struct job *job = &ledger.jobs[1];
  char text[64];
  job->location = location;
  job->step = STEP_POLL;
  is_request(
      job, "GET /jobs/1f/result?wait=2.500 HTTP/1.1\r\nHost: server:1\r\n\r\n",
      "a poll asks to be held");
  request_describe(&format, job, text, sizeof text);
  is_text(text, "GET /jobs/1f/result", "and is described so");
  job->step = STEP_ACKNOWLEDGE;
  is_request(
      job, "DELETE /jobs/1f/result HTTP/1.1\r\nHost: server:1\r\n\r\n",
      "an acknowledgement deletes the result");
  job->location = NULL;
  job->step = STEP_SUBMIT;
}

static void sleeps(void) {
  options.park = 4;
  options.jobs = 3;
  options.sleep = 1.5;
  options.task = "sleep";
  is_request(
      &ledger.jobs[3],
      "POST /tasks/sleep HTTP/1.1\r\nHost: server:1\r\nContent-Type: application/octet-stream\r\n"
      "Content-Length: 5\r\nIdempotency-Key: 0000000000000abc-0\r\n\r\n1.500",
      "a poll that shares a job submits with that job's key");
}

int main(void) {
  struct random_source source = {1};
  options.task = "sha256";
  options.wait = 2.5;
  options.size = 32;
  strcpy(options.endpoint.host, "server:1");
  ledger_begin(&ledger, 4, options.size, &source);
  submits();
  polls();
  sleeps();
  ledger_end(&ledger);
  return tap_done();
}
