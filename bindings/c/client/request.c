#include "request.h"

#include <inttypes.h>
#include <stdio.h>

uint32_t request_shared_job(const struct request_format *format, const struct job *job) {
  return format->options->park > 0 ? job->number % format->options->jobs : job->number;
}

/* The key is the same however often the submit is repeated: so it gets the same job. */
static void
append_submit(const struct request_format *format, const struct job *job, struct buffer *buffer) {
  const struct options *options = format->options;
  char sleep[32];
  size_t length = format->ledger->body_size;
  if (options->park > 0) {
    length = (size_t)snprintf(sleep, sizeof sleep, "%.3f", options->sleep);
  }
  buffer_print(
      buffer,
      "POST /tasks/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/octet-stream\r\n"
      "Content-Length: %zu\r\nIdempotency-Key: %016" PRIx64 "-%" PRIu32 "\r\n\r\n",
      options->task, options->endpoint.host, length, format->run_id,
      request_shared_job(format, job));
  if (options->park > 0) {
    buffer_print(buffer, "%s", sleep);
  } else {
    ledger_body(format->ledger, job, buffer);
  }
}

void request_append(
    const struct request_format *format, const struct job *job, struct buffer *buffer) {
  const struct options *options = format->options;
  switch (job->step) {
  case STEP_SUBMIT:
    append_submit(format, job, buffer);
    break;
  case STEP_POLL:
    buffer_print(
        buffer, "GET %s/result?wait=%.3f HTTP/1.1\r\nHost: %s\r\n\r\n", job->location,
        options->wait, options->endpoint.host);
    break;
  case STEP_ACKNOWLEDGE:
    buffer_print(
        buffer, "DELETE %s/result HTTP/1.1\r\nHost: %s\r\n\r\n", job->location,
        options->endpoint.host);
    break;
  case STEP_FINISHED:
    break;
  }
}

void request_describe(
    const struct request_format *format, const struct job *job, char *text, size_t size) {
  if (job->step == STEP_SUBMIT) {
    snprintf(text, size, "POST /tasks/%s", format->options->task);
  } else {
    const char *method = job->step == STEP_POLL ? "GET" : "DELETE";
    snprintf(text, size, "%s %s/result", method, job->location);
  }
}
