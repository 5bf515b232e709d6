#include "report.h"

#include "clock.h"
#include "latency.h"

#include <inttypes.h>

/* A JSON string (RFC 8259 §7). Bytes that may be no UTF-8 are written as a question mark. */
static void print_string(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') {
      fprintf(out, "\\%c", byte);
    } else if (byte < 0x20) {
      fprintf(out, "\\u%04x", byte);
    } else {
      fputc(byte < 0x7f ? byte : '?', out);
    }
  }
  fputc('"', out);
}

static void member_name(FILE *out, const char *name) {
  fprintf(out, ",\n  \"%s\": ", name);
}

static void text_member(FILE *out, const char *name, const char *text) {
  member_name(out, name);
  if (text != NULL) {
    print_string(out, text);
  } else {
    fputs("null", out);
  }
}

static void count_member(FILE *out, const char *name, uint64_t count) {
  member_name(out, name);
  fprintf(out, "%" PRIu64, count);
}

static void number_member(FILE *out, const char *name, double number) {
  member_name(out, name);
  fprintf(out, "%.3f", number);
}

static double milliseconds(uint64_t nanoseconds) {
  return (double)nanoseconds / NANOSECONDS_PER_MILLISECOND;
}

static void print_options(const struct run *run, FILE *out) {
  const struct options *options = run->options;
  text_member(out, "url", options->url);
  text_member(out, "task", options->task);
  count_member(out, "jobs", options->jobs);
  count_member(out, "connections", options->connections);
  count_member(out, "pipeline", options->pipeline);
  count_member(out, "park", options->park);
  number_member(out, "drop", options->drop);
  /* As text: a JSON number need not hold 64 bits. */
  char seed[32];
  snprintf(seed, sizeof seed, "%" PRIu64, options->seed);
  text_member(out, "seed", seed);
}

static void print_counts(const struct tally *tally, FILE *out) {
  count_member(out, "submitted", tally->submitted);
  count_member(out, "received", tally->received);
  count_member(out, "acknowledged", tally->acknowledged);
  count_member(out, "misdelivered", tally->misdelivered);
  count_member(out, "lost", tally->lost);
  count_member(out, "errors", tally->errors);
  count_member(out, "requests", tally->requests);
  count_member(out, "submits_repeated", tally->repeated_submits);
  count_member(out, "submits_compared", tally->compared_submits);
  count_member(out, "polls_repeated", tally->polled_again);
  count_member(out, "deferred", tally->deferred);
  count_member(out, "connections_opened", tally->connections);
  count_member(out, "connections_refused", tally->refused);
  count_member(out, "connections_ended_by_server", tally->closed_by_server);
  count_member(out, "connections_ended_idle", tally->closed_idle);
  count_member(out, "parked_at_once", tally->parked_at_most);
}

static void print_drops(const struct tally *tally, FILE *out) {
  member_name(out, "dropped");
  fprintf(
      out,
      "{\"in_request\": %" PRIu64 ", \"before_answer\": %" PRIu64 ", \"in_answer\": %" PRIu64
      ", \"by_end\": %" PRIu64 ", \"by_reset\": %" PRIu64 "}",
      tally_dropped_at(tally, DROP_IN_REQUEST), tally_dropped_at(tally, DROP_BEFORE_ANSWER),
      tally_dropped_at(tally, DROP_IN_ANSWER), tally_dropped_by(tally, DROP_BY_END),
      tally_dropped_by(tally, DROP_BY_RESET));
}

static void print_times(const struct run *run, FILE *out) {
  const struct tally *tally = &run->tally;
  struct latency latency = latency_of(&run->ledger);
  double seconds = (double)(run->ended_at - run->began_at) / NANOSECONDS_PER_SECOND;
  number_member(out, "seconds", seconds);
  number_member(out, "jobs_per_second", (double)tally->received / seconds);
  number_member(
      out, "results_spread_ms", milliseconds(tally->last_result_at - tally->first_result_at));
  member_name(out, "latency_ms");
  fprintf(
      out, "{\"min\": %.3f, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f}",
      milliseconds(latency.least), milliseconds(latency.p50), milliseconds(latency.p90),
      milliseconds(latency.p99), milliseconds(latency.most));
}

static void print_problems(const struct tally *tally, FILE *out) {
  member_name(out, "problems");
  fputc('[', out);
  for (unsigned int i = 0; i < tally_problems_kept(tally); i++) {
    fputs(i > 0 ? ", " : "", out);
    print_string(out, tally->problem_texts[i]);
  }
  fputc(']', out);
}

void report_json(const struct run *run, FILE *out) {
  fprintf(out, "{\n  \"right\": %s", run_succeeded(run) ? "true" : "false");
  print_options(run, out);
  print_counts(&run->tally, out);
  print_drops(&run->tally, out);
  print_times(run, out);
  print_problems(&run->tally, out);
  text_member(out, "ended_early", run->stopped_by);
  fputs("\n}\n", out);
}
