/*
 * job.h: one job, as the client sees it.
 */
#ifndef CLIENT_JOB_H
#define CLIENT_JOB_H

#include "sha256.h"

#include <eddy.h>

#include <stdbool.h>

/** Bytes of a nonce; its hexadecimal text begins the job's body. */
#define NONCE_LENGTH 16

/** What a job needs next. */
enum job_step { STEP_SUBMIT, STEP_POLL, STEP_ACKNOWLEDGE, STEP_FINISHED };

/** How a job ended. */
enum job_outcome {
  OUTCOME_NONE,     /**< it did not: lost, if the run is over */
  OUTCOME_RECEIVED, /**< with its own result */
  OUTCOME_MISDELIVERED /**< with the result of another */,
  OUTCOME_FAILED /**< with an error */
};

struct job {
  uint32_t number;
  enum job_step step;
  enum job_outcome outcome;
  uint8_t nonce[NONCE_LENGTH];
  uint8_t digest[SHA256_LENGTH]; /**< of the body: the right result */
  char *location;                /**< path of the job at the server, or null; owned */
  uint64_t submitted_at;         /**< when it was first submitted (clock_now), or 0 */
  uint64_t received_at;          /**< when its own result came */
  uint64_t sent_at;              /**< when the present request was written */
  uint32_t submits;              /**< how often it was submitted */
  uint32_t setbacks;             /**< connections that it lost in a row, not on purpose */
  bool parked;                   /**< its poll has been written, and not answered */
  struct job *next;              /**< in the queue of jobs that wait for a connection */
  eddy_timer *delay;             /**< runs while it waits to repeat; null until first used */
  void *owner;                   /**< the run, for the timer's callback */
};

#endif
