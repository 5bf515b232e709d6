/* Whose result is whose, and the percentiles over the jobs. */
#include "latency.h"
#include "ledger.h"
#include "tap.h"

#define JOBS 500

static struct ledger ledger;

static void begin(uint64_t seed, uint32_t size) {
  struct random_source source = {seed};
  ledger_begin(&ledger, JOBS, size, &source);
}

static enum verdict judge(const struct job *job, const char *result, const struct job **owner) {
  return ledger_judge(&ledger, job, result, strlen(result), owner);
}

static void results(void) {
  const struct job *job = &ledger.jobs[3];
  const struct job *owner;
  char result[SHA256_HEX_LENGTH + 16];
  sha256_hex(job->digest, result);
  ok(judge(job, result, &owner) == VERDICT_RIGHT && owner == job, "its own digest is right");
  ok(judge(&ledger.jobs[7], result, &owner) == VERDICT_MISDELIVERED && owner == job,
     "another's is misdelivered, and tells whose it is");
  ok(ledger_judge(&ledger, job, result, SHA256_HEX_LENGTH + 1, &owner) == VERDICT_WRONG,
     "a NUL after it does not hide what follows");
  strcat(result, "  -\n");
  ok(judge(job, result, &owner) == VERDICT_RIGHT, "as sha256sum writes it, it is right");
  strcat(result, "x");
  ok(judge(job, result, &owner) == VERDICT_WRONG, "with more behind it, it is not");
  result[SHA256_HEX_LENGTH - 1] = '\0';
  ok(judge(job, result, &owner) == VERDICT_WRONG, "nor when a digit is missing");
  ok(judge(job, "", &owner) == VERDICT_WRONG, "nor when it is empty");
  memset(result, '0', SHA256_HEX_LENGTH);
  result[SHA256_HEX_LENGTH] = '\0';
  ok(judge(job, result, &owner) == VERDICT_WRONG && owner == NULL, "a digest of nobody is wrong");
}

static void every_job_finds_itself(void) {
  int found = 0;
  for (uint32_t i = 0; i < JOBS; i++) {
    const struct job *owner;
    char result[SHA256_HEX_LENGTH + 1];
    sha256_hex(ledger.jobs[i].digest, result);
    found += judge(&ledger.jobs[i], result, &owner) == VERDICT_RIGHT;
  }
  ok(found == JOBS, "each of the jobs finds its own digest");
}

static void bodies(uint32_t size) {
  struct buffer body = {0};
  struct sha256 sha;
  uint8_t digest[SHA256_LENGTH];
  ledger_body(&ledger, &ledger.jobs[1], &body);
  sha256_begin(&sha);
  sha256_add(&sha, body.bytes, body.length);
  sha256_end(&sha, digest);
  ok(body.length == size, "a body is as long as asked for");
  ok(memcmp(digest, ledger.jobs[1].digest, SHA256_LENGTH) == 0, "a digest is that of the body");
  buffer_free(&body);
}

static void seeds(void) {
  uint8_t digest[SHA256_LENGTH];
  memcpy(digest, ledger.jobs[0].digest, sizeof digest);
  ledger_end(&ledger);
  begin(1, 100);
  ok(memcmp(digest, ledger.jobs[0].digest, sizeof digest) == 0, "a seed repeats the jobs");
  ledger_end(&ledger);
  begin(2, 100);
  ok(memcmp(digest, ledger.jobs[0].digest, sizeof digest) != 0, "another seed makes others");
}

/* Latencies 1 to 200, in an order that is not sorted; the others have no result. */
static void percentiles(void) {
  for (uint32_t i = 0; i < 200; i++) {
    struct job *job = &ledger.jobs[(i * 7) % JOBS];
    job->outcome = OUTCOME_RECEIVED;
    job->submitted_at = 1000;
    job->received_at = 1000 + 200 - i;
  }
  ledger.jobs[499].outcome = OUTCOME_MISDELIVERED;
  struct latency latency = latency_of(&ledger);
  ok(latency.count == 200, "only jobs with their own result count");
  ok(latency.least == 1 && latency.most == 200, "least and most");
  ok(latency.p50 == 100 && latency.p90 == 180 && latency.p99 == 198, "nearest rank");
}

int main(void) {
  begin(1, 100);
  struct latency none = latency_of(&ledger);
  ok(none.count == 0 && none.most == 0, "no results, no latencies");
  results();
  every_job_finds_itself();
  bodies(100);
  seeds();
  percentiles();
  ledger_end(&ledger);
  return tap_done();
}
