#include "report.h"

#include "clock.h"
#include "latency.h"

#include <inttypes.h>

static void line(FILE *out, const char *name, uint64_t value, const char *note) {
  fprintf(out, "  %-24s %10" PRIu64 "%s%s\n", name, value, *note != '\0' ? "  " : "", note);
}

static double milliseconds(uint64_t nanoseconds) {
  return (double)nanoseconds / NANOSECONDS_PER_MILLISECOND;
}

static void print_title(const struct run *run, FILE *out) {
  const struct options *options = run->options;
  if (options->park > 0) {
    fprintf(
        out, "eddy-client: %" PRIu32 " polls parked on %" PRIu32 " jobs of task %s (%g s) at %s",
        options->park, options->jobs, options->task, options->sleep, options->url);
  } else {
    fprintf(
        out, "eddy-client: %" PRIu32 " jobs of task %s at %s, %" PRIu32 " connections",
        options->jobs, options->task, options->url, options->connections);
  }
  if (options->pipeline > 1) {
    fprintf(out, ", %" PRIu32 " requests pipelined", options->pipeline);
  }
  fprintf(out, ", %g%% dropped, seed %" PRIu64 "\n\n", options->drop * 100, options->seed);
}

static void print_drops(const struct run *run, FILE *out) {
  const struct tally *tally = &run->tally;
  if (run->options->drop == 0) {
    return;
  }
  uint64_t by_end = tally_dropped_by(tally, DROP_BY_END);
  uint64_t by_reset = tally_dropped_by(tally, DROP_BY_RESET);
  line(out, "dropped on purpose", by_end + by_reset, "");
  line(out, "  in the request", tally_dropped_at(tally, DROP_IN_REQUEST), "");
  line(out, "  before the answer", tally_dropped_at(tally, DROP_BEFORE_ANSWER), "");
  line(out, "  in the answer", tally_dropped_at(tally, DROP_IN_ANSWER), "");
  line(out, "  by an end (FIN)", by_end, "");
  line(out, "  by a reset (RST)", by_reset, "");
}

static void print_parked(const struct run *run, FILE *out) {
  const struct tally *tally = &run->tally;
  if (run->options->park == 0) {
    return;
  }
  line(out, "parked at once", tally->parked_at_most, "");
  fprintf(
      out, "  %-24s %10.1f ms  from the first result to the last\n", "answered within",
      milliseconds(tally->last_result_at - tally->first_result_at));
}

static void print_times(const struct run *run, FILE *out) {
  struct latency latency = latency_of(&run->ledger);
  double seconds = (double)(run->ended_at - run->began_at) / NANOSECONDS_PER_SECOND;
  fprintf(out, "  %-24s %10.3f s\n", "time", seconds);
  fprintf(out, "  %-24s %10.0f\n", "jobs a second", (double)run->tally.received / seconds);
  fprintf(
      out, "  %-24s p50 %.2f, p90 %.2f, p99 %.2f, max %.2f ms\n", "submit to result",
      milliseconds(latency.p50), milliseconds(latency.p90), milliseconds(latency.p99),
      milliseconds(latency.most));
}

void report_text(const struct run *run, FILE *out) {
  const struct tally *tally = &run->tally;
  print_title(run, out);
  line(out, "submitted", tally->submitted, "");
  line(out, "received", tally->received, "");
  line(out, "acknowledged", tally->acknowledged, run->options->acknowledge ? "" : "not asked for");
  line(out, "misdelivered", tally->misdelivered, "");
  line(out, "lost", tally->lost, "");
  line(out, "errors", tally->errors, "");
  fputs("\n", out);
  line(out, "requests", tally->requests, "");
  line(out, "submits repeated", tally->repeated_submits, "");
  line(out, "  compared", tally->compared_submits, "got the same job as before");
  line(out, "polls repeated on 202", tally->polled_again, "");
  line(out, "put off by 429 or 503", tally->deferred, "");
  line(out, "connections opened", tally->connections, "");
  line(out, "  refused", tally->refused, "");
  line(out, "  ended by the server", tally->closed_by_server, "before it had answered");
  print_drops(run, out);
  fputs("\n", out);
  print_parked(run, out);
  print_times(run, out);
  fputs("\n", out);
  for (unsigned int i = 0; i < tally_problems_kept(tally); i++) {
    fprintf(out, "  problem: %s\n", tally->problem_texts[i]);
  }
  if (tally->problems > tally_problems_kept(tally)) {
    fprintf(out, "  and %" PRIu64 " more\n", tally->problems - tally_problems_kept(tally));
  }
  if (run->stopped_by != NULL) {
    fprintf(out, "  ended early: %s\n", run->stopped_by);
  }
  fprintf(
      out,
      "%s: %" PRIu64 " of %" PRIu32 " received, %" PRIu64 " lost, %" PRIu64
      " misdelivered, %" PRIu64 " errors\n",
      run_succeeded(run) ? "right" : "WRONG", tally->received, run->ledger.count, tally->lost,
      tally->misdelivered, tally->errors);
}
