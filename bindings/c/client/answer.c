#include "run.h"

#include "clock.h"

#include <string.h>

/* Seconds to put a request off for when a 429, 503 or early 202 does not say. */
#define DEFAULT_RETRY_AFTER 1
/* The least delay of a request that was put off, so that "Retry-After: 0" is no busy loop. */
#define LEAST_DELAY (50 * EDDY_MILLISECOND)
/* A 202 that comes sooner than this share of the wait was not held: the server deducts 6 %. */
#define HELD_SHARE 0.9
/* What is shown of an unexpected answer's body, in bytes. */
#define BODY_SHOWN 300

void answer_finish(struct run *run, struct job *job) {
  job->step = STEP_FINISHED;
  run->in_flight--;
  run->finished++;
  if (run->finished == run->ledger.count) {
    eddy_loop_stop(run->loop);
  }
}

void answer_fail(struct run *run, struct job *job) {
  /* A job that has its result keeps it, even if the acknowledgement fails. */
  if (job->outcome == OUTCOME_NONE) {
    job->outcome = OUTCOME_FAILED;
  }
  answer_finish(run, job);
}

static void unexpected(
    struct run *run, struct job *job, const struct response *response, const char *expected) {
  struct tally *tally = &run->tally;
  char request[RESPONSE_LOCATION_LIMIT + 32];
  request_describe(&run->format, job, request, sizeof request);
  tally_problem(
      tally, &tally->errors, "%s: expected %s, got %d: %.*s", request, expected, response->status,
      BODY_SHOWN, response->body);
  answer_fail(run, job);
}

static void put_off(struct run *run, struct job *job, const struct response *response) {
  long seconds = response->retry_after >= 0 ? response->retry_after : DEFAULT_RETRY_AFTER;
  uint64_t delay = (uint64_t)seconds * EDDY_SECOND;
  dispatch_later(run, job, delay > LEAST_DELAY ? delay : LEAST_DELAY);
}

/* Whether it is one of the answers to come back later; then that is arranged. */
static bool is_deferral(struct run *run, struct job *job, const struct response *response) {
  if (response->status != 429 && response->status != 503) {
    return false;
  }
  run->tally.deferred++;
  put_off(run, job, response);
  return true;
}

/* The path of a Location, which may be absolute (RFC 9110 §10.2.2); null if it has none. */
static const char *location_path(const char *location) {
  static const char http[] = "http://";
  if (strncmp(location, http, strlen(http)) == 0) {
    location += strlen(http);
    location += strcspn(location, "/");
  }
  return location[0] == '/' && strpbrk(location, " \t?#") == NULL ? location : NULL;
}

static void keep_location(struct job *job, const char *path) {
  size_t length = strlen(path) + 1;
  job->location = allocate(length, 1);
  memcpy(job->location, path, length);
}

void answer_glimpse(struct job *job, const struct response *response) {
  if (job->step == STEP_SUBMIT && response->status == 202 && job->location == NULL) {
    const char *path = location_path(response->location);
    if (path != NULL) {
      keep_location(job, path);
    }
  }
}

static void take_submit(struct run *run, struct job *job, const struct response *response) {
  struct tally *tally = &run->tally;
  if (is_deferral(run, job, response)) {
    return;
  }
  const char *path = response->status == 202 ? location_path(response->location) : NULL;
  if (path == NULL) {
    unexpected(run, job, response, "202 with a Location");
    return;
  }
  if (job->location == NULL) {
    keep_location(job, path);
  } else {
    tally->compared_submits++;
    if (strcmp(job->location, path) != 0) {
      tally_problem(
          tally, &tally->errors, "a submit repeated with its Idempotency-Key got %s, before %s",
          path, job->location);
      answer_fail(run, job);
      return;
    }
  }
  job->step = STEP_POLL;
  dispatch_ready(run, job);
}

/* With --park several polls may share a job: then the last of them acknowledges it. */
static bool should_acknowledge(struct run *run, const struct job *job) {
  if (run->readers != NULL && --run->readers[request_shared_job(&run->format, job)] > 0) {
    return false;
  }
  return run->options->acknowledge;
}

static void take_result(struct run *run, struct job *job) {
  struct tally *tally = &run->tally;
  job->outcome = OUTCOME_RECEIVED;
  job->received_at = clock_now();
  tally->received++;
  tally->last_result_at = job->received_at;
  if (tally->first_result_at == 0) {
    tally->first_result_at = job->received_at;
  }
  if (should_acknowledge(run, job)) {
    job->step = STEP_ACKNOWLEDGE;
    dispatch_ready(run, job);
  } else {
    answer_finish(run, job);
  }
}

static void judge_result(struct run *run, struct job *job, const struct response *response) {
  struct tally *tally = &run->tally;
  const struct job *owner;
  enum verdict verdict =
      ledger_judge(&run->ledger, job, response->body, response->body_length, &owner);
  if (verdict == VERDICT_RIGHT) {
    take_result(run, job);
  } else if (verdict == VERDICT_MISDELIVERED) {
    tally_problem(
        tally, &tally->misdelivered, "%s gave job %u the result of job %u, which is %s",
        job->location, job->number, owner->number,
        owner->location != NULL ? owner->location : "not yet known by a Location");
    job->outcome = OUTCOME_MISDELIVERED;
    answer_finish(run, job);
  } else {
    unexpected(run, job, response, "the SHA-256 of the job's input");
  }
}

static void take_poll(struct run *run, struct job *job, const struct response *response) {
  if (is_deferral(run, job, response)) {
    return;
  }
  if (response->status == 200) {
    if (run->options->park > 0) {
      take_result(run, job);
    } else {
      judge_result(run, job, response);
    }
    return;
  }
  if (response->status != 202) {
    unexpected(run, job, response, "200 or 202");
    return;
  }
  run->tally.polled_again++;
  uint64_t held = clock_now() - job->sent_at;
  if (run->options->wait > 0 && held >= clock_nanoseconds(run->options->wait * HELD_SHARE)) {
    dispatch_ready(run, job);
  } else {
    put_off(run, job, response);
  }
}

static void
take_acknowledgement(struct run *run, struct job *job, const struct response *response) {
  if (is_deferral(run, job, response)) {
    return;
  }
  if (response->status != 204) {
    unexpected(run, job, response, "204");
    return;
  }
  run->tally.acknowledged++;
  answer_finish(run, job);
}

void answer_take(struct run *run, struct job *job, const struct response *response) {
  switch (job->step) {
  case STEP_SUBMIT:
    take_submit(run, job, response);
    break;
  case STEP_POLL:
    take_poll(run, job, response);
    break;
  case STEP_ACKNOWLEDGE:
    take_acknowledgement(run, job, response);
    break;
  case STEP_FINISHED:
    break;
  }
}
