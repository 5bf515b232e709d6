#include "run.h"

#include "clock.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How much longer than its wait a poll may take, and any other request at all. */
#define ANSWER_GRACE 15.0

void run_stop(struct run *run, const char *why) {
  run->stopped_by = why;
  eddy_loop_stop(run->loop);
}

static void on_deadline(eddy_timer *timer, void *context) {
  (void)timer;
  run_stop(context, "the deadline passed");
}

static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  (void)watcher;
  run_stop(context, signal_number == SIGINT ? "interrupted" : "told to end");
}

static int watch_signal(struct run *run, int number, eddy_signal **watcher) {
  int error = eddy_signal_create(run->loop, on_signal, run, watcher);
  return error != 0 ? error : eddy_signal_start(*watcher, number);
}

static int begin_loop(struct run *run) {
  int error = eddy_loop_create(NULL, &run->loop);
  if (error == 0) {
    error = watch_signal(run, SIGINT, &run->interrupt);
  }
  if (error == 0) {
    error = watch_signal(run, SIGTERM, &run->terminate);
  }
  if (error == 0) {
    error = eddy_timer_create(run->loop, on_deadline, run, &run->deadline);
  }
  if (error == 0) {
    error = eddy_timer_start(run->deadline, clock_nanoseconds(run->options->deadline), 0);
  }
  return error;
}

static int begin_connections(struct run *run) {
  const struct options *options = run->options;
  int error = 0;
  run->owner.loop = run->loop;
  run->owner.address = options->endpoint.address;
  run->owner.timeout = clock_nanoseconds(options->wait + ANSWER_GRACE);
  run->owner.context = run;
  run->connections = allocate(options->connections, sizeof *run->connections);
  run->idle = allocate(options->connections, sizeof(struct connection *));
  run->vacant = allocate(options->connections, sizeof(struct connection *));
  for (uint32_t i = 0; i < options->connections && error == 0; i++) {
    error = connection_begin(&run->connections[i], &run->owner);
  }
  return error;
}

static void begin_ledger(struct run *run) {
  const struct options *options = run->options;
  uint32_t count = options->park > 0 ? options->park : options->jobs;
  run->random.state = options->seed;
  ledger_begin(&run->ledger, count, options->size, &run->random);
  run->format.options = options;
  run->format.ledger = &run->ledger;
  run->format.run_id = random_from_system();
  if (options->park > 0) {
    run->readers = allocate(options->jobs, sizeof *run->readers);
    for (uint32_t i = 0; i < count; i++) {
      run->readers[request_shared_job(&run->format, &run->ledger.jobs[i])]++;
    }
  }
}

/*
 * A poll waits for sure as long as its job sleeps. So all polls were parked at once if the last
 * was sent before any job can have ended. Drops would take polls away from that moment.
 */
static void settle_parked(struct run *run) {
  const struct options *options = run->options;
  struct tally *tally = &run->tally;
  if (options->park == 0 || options->drop > 0 || run->stopped_by != NULL) {
    return;
  }
  uint64_t first_end = run->began_at + clock_nanoseconds(options->sleep);
  if (tally->parked_at_most < options->park || tally->parked_at_most_since >= first_end) {
    double seconds = (double)(clock_now() - run->began_at) / NANOSECONDS_PER_SECOND;
    tally_problem(
        tally, &tally->errors,
        "jobs ended before all %" PRIu32 " polls were parked: write a --sleep longer than %g, "
        "%.0f for example",
        options->park, options->sleep, 2 * seconds + 1);
  }
}

/* What can only be said when the run is over. */
static void settle(struct run *run) {
  struct tally *tally = &run->tally;
  uint64_t unacknowledged = 0;
  for (uint32_t i = 0; i < run->ledger.count; i++) {
    const struct job *job = &run->ledger.jobs[i];
    tally->lost += job->outcome == OUTCOME_NONE;
    unacknowledged += job->step == STEP_ACKNOWLEDGE;
  }
  if (unacknowledged > 0) {
    tally_problem(
        tally, &tally->errors, "%" PRIu64 " results were not acknowledged before the end",
        unacknowledged);
  }
  settle_parked(run);
}

static void end_connections(struct run *run) {
  for (uint32_t i = 0; run->connections != NULL && i < run->options->connections; i++) {
    connection_end(&run->connections[i]);
  }
}

static void end_delays(struct run *run) {
  for (uint32_t i = 0; i < run->ledger.count; i++) {
    if (run->ledger.jobs[i].delay != NULL) {
      eddy_timer_close(run->ledger.jobs[i].delay, NULL);
    }
  }
}

/* Whatever was begun; a handle that was not created is null. */
static int end_loop(struct run *run) {
  eddy_signal *signals[] = {run->interrupt, run->terminate};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    if (signals[i] != NULL) {
      eddy_signal_close(signals[i], NULL);
    }
  }
  if (run->deadline != NULL) {
    eddy_timer_close(run->deadline, NULL);
  }
  return run->loop != NULL ? eddy_loop_destroy(run->loop) : 0;
}

int run_perform(struct run *run, const struct options *options) {
  memset(run, 0, sizeof *run);
  run->options = options;
  begin_ledger(run);
  int error = begin_loop(run);
  if (error == 0) {
    error = begin_connections(run);
  }
  if (error == 0) {
    dispatch_begin(run);
    run->began_at = clock_now();
    error = eddy_loop_run(run->loop, EDDY_RUN_UNTIL_STOPPED);
    run->ended_at = clock_now();
    settle(run);
  }
  end_connections(run);
  end_delays(run);
  int end_error = end_loop(run);
  return error < 0 ? error : end_error;
}

void run_end(struct run *run) {
  ledger_end(&run->ledger);
  free(run->connections);
  free(run->idle);
  free(run->vacant);
  free(run->readers);
}

bool run_succeeded(const struct run *run) {
  const struct tally *tally = &run->tally;
  return tally->received == run->ledger.count && tally->lost == 0 && tally->misdelivered == 0 &&
         tally->errors == 0;
}
