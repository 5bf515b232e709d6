/*
 * request.h: the three requests of the job protocol.
 */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include "buffer.h"
#include "ledger.h"
#include "options.h"

/** What all requests of a run have in common. */
struct request_format {
  const struct options *options;
  const struct ledger *ledger;
  uint64_t run_id; /**< makes the idempotency keys of this run unlike those of any other */
};

/** The job itself, or with --park the one of --jobs that the poll shares. */
uint32_t request_shared_job(const struct request_format *format, const struct job *job);

/** Appends the request that the job's step needs. */
void request_append(
    const struct request_format *format, const struct job *job, struct buffer *buffer);

/** Describes that request for a message, such as "GET /jobs/1f/result". */
void request_describe(
    const struct request_format *format, const struct job *job, char *text, size_t size);

#endif
