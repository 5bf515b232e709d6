/*
 * ledger.h: all the jobs, and whose result is whose.
 */
#ifndef CLIENT_LEDGER_H
#define CLIENT_LEDGER_H

#include "buffer.h"
#include "job.h"
#include "random.h"

struct ledger {
  struct job *jobs;
  uint32_t count;
  uint32_t body_size;
  uint32_t *table; /**< open addressing by digest: a job's number plus 1, or 0 */
  uint32_t table_mask;
};

/** What a result's bytes turn out to be. */
enum verdict {
  VERDICT_RIGHT,        /**< this job's own */
  VERDICT_MISDELIVERED, /**< the right result of another job of this run */
  VERDICT_WRONG         /**< nobody's */
};

/** Makes `count` jobs with nonces from `source`, and computes their digests. */
void ledger_begin(
    struct ledger *ledger, uint32_t count, uint32_t body_size, struct random_source *source);

/** Frees the jobs. Their timers must have been closed. */
void ledger_end(struct ledger *ledger);

/** Appends the job's body: its nonce as text, then bytes that follow from the nonce. */
void ledger_body(const struct ledger *ledger, const struct job *job, struct buffer *buffer);

/**
 * Judges a result: hexadecimal digits, and after them nothing or what
 * sha256sum(1) writes there.
 *
 * @param result text with a final zero, of which at least the beginning is there.
 * @param length of the whole result, in bytes.
 * @param owner  receives the job whose right result it is, unless it is nobody's.
 */
enum verdict ledger_judge(
    const struct ledger *ledger, const struct job *job, const char *result, uint64_t length,
    const struct job **owner);

#endif
