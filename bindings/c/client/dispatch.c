#include "run.h"

#include "clock.h"

/* A job that loses its connection waits so long, doubled each time up to the limit. */
#define SETBACK_DELAY (10 * EDDY_MILLISECOND)
#define SETBACK_DELAY_LIMIT EDDY_SECOND

/* The place of a connection that is not among the idle ones. */
#define NOT_IDLE UINT32_MAX

static void make_idle(struct run *run, struct connection *connection) {
  connection->idle_place = run->idle_count;
  run->idle[run->idle_count++] = connection;
}

static void remove_idle(struct run *run, struct connection *connection) {
  struct connection *last = run->idle[--run->idle_count];
  run->idle[connection->idle_place] = last;
  last->idle_place = connection->idle_place;
  connection->idle_place = NOT_IDLE;
}

/* Any of the idle ones, so that jobs wander between connections; else a closed one. */
static struct connection *take_connection(struct run *run) {
  if (run->idle_count > 0) {
    struct connection *connection = run->idle[random_below(&run->random, run->idle_count)];
    remove_idle(run, connection);
    return connection;
  }
  return run->vacant_count > 0 ? run->vacant[--run->vacant_count] : NULL;
}

/* The first that waits; else a new one, while there are not more than connections can carry. */
static struct job *take_job(struct run *run) {
  struct job *job = run->ready_first;
  if (job != NULL) {
    run->ready_first = job->next;
    job->next = NULL;
    return job;
  }
  uint64_t window = (uint64_t)run->options->connections * run->options->pipeline;
  if (run->next_job < run->ledger.count && run->in_flight < window) {
    run->in_flight++;
    return &run->ledger.jobs[run->next_job++];
  }
  return NULL;
}

static void count_submit(struct run *run, struct job *job) {
  if (job->submits == 0) {
    job->submitted_at = clock_now();
    run->tally.submitted++;
  } else {
    run->tally.repeated_submits++;
  }
  job->submits++;
}

static void
send_jobs(struct run *run, struct connection *connection, struct job *const *jobs, uint32_t count) {
  buffer_clear(&connection->request);
  for (uint32_t i = 0; i < count; i++) {
    if (jobs[i]->step == STEP_SUBMIT) {
      count_submit(run, jobs[i]);
    }
    request_append(&run->format, jobs[i], &connection->request);
  }
  struct drop_plan plan = drop_plan(&run->random, run->options->drop);
  connection_send(connection, jobs, count, &plan);
}

static void dispatch(void *context) {
  struct run *run = context;
  run->dispatch_posted = false;
  while (run->stopped_by == NULL && (run->idle_count > 0 || run->vacant_count > 0)) {
    struct job *jobs[PIPELINE_LIMIT];
    uint32_t count = 0;
    while (count < run->options->pipeline && (jobs[count] = take_job(run)) != NULL) {
      count++;
    }
    if (count == 0) {
      return;
    }
    send_jobs(run, take_connection(run), jobs, count);
  }
}

void dispatch_soon(struct run *run) {
  if (!run->dispatch_posted && eddy_loop_post(run->loop, dispatch, run) == 0) {
    run->dispatch_posted = true;
  }
}

void dispatch_ready(struct run *run, struct job *job) {
  if (run->ready_first == NULL) {
    run->ready_first = job;
  } else {
    run->ready_last->next = job;
  }
  run->ready_last = job;
  dispatch_soon(run);
}

static void on_delay(eddy_timer *timer, void *context) {
  struct job *job = context;
  (void)timer;
  dispatch_ready(job->owner, job);
}

void dispatch_later(struct run *run, struct job *job, uint64_t delay) {
  /* Up to a quarter longer, so that what was put off together does not come back together. */
  delay += random_below(&run->random, delay / 4 + 1);
  job->owner = run;
  if (job->delay == NULL && eddy_timer_create(run->loop, on_delay, job, &job->delay) != 0) {
    dispatch_ready(run, job);
    return;
  }
  eddy_timer_start(job->delay, delay, 0);
}

static void unpark(struct run *run, struct job *job) {
  run->tally.parked -= job->parked;
  job->parked = false;
}

static void set_back(struct run *run, struct job *job) {
  uint64_t delay = SETBACK_DELAY;
  for (uint32_t i = 0; i < job->setbacks && delay < SETBACK_DELAY_LIMIT; i++) {
    delay *= 2;
  }
  job->setbacks++;
  dispatch_later(run, job, delay < SETBACK_DELAY_LIMIT ? delay : SETBACK_DELAY_LIMIT);
}

static void on_opened(void *context) {
  struct run *run = context;
  run->tally.connections++;
}

static void on_sent(void *context, struct connection *connection) {
  struct run *run = context;
  struct tally *tally = &run->tally;
  uint64_t now = clock_now();
  for (uint32_t i = 0; i < connection->count; i++) {
    struct job *job = connection->jobs[i];
    job->sent_at = now;
    tally->requests++;
    if (job->step == STEP_POLL) {
      job->parked = true;
      tally->parked++;
    }
  }
  if (tally->parked > tally->parked_at_most) {
    tally->parked_at_most = tally->parked;
    tally->parked_at_most_since = now;
  }
}

static void on_answered(void *context, struct job *job, const struct response *response) {
  struct run *run = context;
  unpark(run, job);
  job->setbacks = 0;
  answer_take(run, job, response);
}

static void on_idle(void *context, struct connection *connection) {
  struct run *run = context;
  make_idle(run, connection);
  dispatch_soon(run);
}

/*
 * A server that was never there is not worth waiting for. EDDY_EAGAIN is no sign of that: the
 * backlog of a Unix socket is full (connect(2)).
 */
static void refused(struct run *run, int error) {
  struct tally *tally = &run->tally;
  tally->refused++;
  if (tally->connections == 0 && error != EDDY_EAGAIN && run->stopped_by == NULL) {
    tally_problem(
        tally, &tally->errors, "cannot connect to %s: %s; does a server listen there?",
        run->options->endpoint.address, eddy_error_message(error));
    run_stop(run, "the server could not be reached");
  }
}

/* What became of the oldest of the jobs; the others are only repeated. */
static void
tell_error(struct run *run, enum connection_end end, const char *text, const struct job *job) {
  struct tally *tally = &run->tally;
  char request[RESPONSE_LOCATION_LIMIT + 32] = "nothing";
  if (job != NULL) {
    request_describe(&run->format, job, request, sizeof request);
  }
  if (end == END_TIMEOUT) {
    tally_problem(tally, &tally->errors, "%s: no answer in time", request);
  } else if (end == END_MALFORMED) {
    tally_problem(tally, &tally->errors, "%s: the answer is malformed: %s", request, text);
  } else {
    tally_problem(tally, &tally->errors, "bytes that nobody asked for: %s", text);
  }
}

static void on_ended(
    void *context, struct connection *connection, enum connection_end end, int error,
    const char *text, struct job **jobs, uint32_t count) {
  struct run *run = context;
  struct tally *tally = &run->tally;
  for (uint32_t i = 0; i < count; i++) {
    unpark(run, jobs[i]);
  }
  if (connection->idle_place != NOT_IDLE) {
    remove_idle(run, connection);
  }
  uint32_t first = 0;
  switch (end) {
  case END_DROPPED:
    tally->dropped[connection->plan.place][connection->plan.way]++;
    if (count > 0) {
      answer_glimpse(jobs[0], &connection->parser.response);
      send_jobs(run, connection, jobs, count);
      return;
    }
    break;
  case END_REFUSED:
    refused(run, error);
    break;
  case END_BY_PEER:
    tally->closed_by_server++;
    break;
  case END_IDLE:
    tally->closed_idle++;
    break;
  case END_MALFORMED:
    tell_error(run, end, text, jobs[0]);
    answer_fail(run, jobs[0]);
    first = 1;
    break;
  case END_TIMEOUT:
  case END_UNASKED:
    tell_error(run, end, text, count > 0 ? jobs[0] : NULL);
    break;
  }
  for (uint32_t i = first; i < count; i++) {
    set_back(run, jobs[i]);
  }
  run->vacant[run->vacant_count++] = connection;
  dispatch_soon(run);
}

void dispatch_begin(struct run *run) {
  run->owner.opened = on_opened;
  run->owner.sent = on_sent;
  run->owner.answered = on_answered;
  run->owner.idle = on_idle;
  run->owner.ended = on_ended;
  for (uint32_t i = run->options->connections; i > 0; i--) {
    struct connection *connection = &run->connections[i - 1];
    connection->idle_place = NOT_IDLE;
    run->vacant[run->vacant_count++] = connection;
  }
  dispatch_soon(run);
}
