/*
 * run.h: one run of the client, from the first submit to the last answer.
 *
 * Three files share it: run.c begins and ends it, dispatch.c brings jobs and
 * connections together, answer.c decides what an answer means.
 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include "connection.h"
#include "ledger.h"
#include "options.h"
#include "request.h"
#include "tally.h"

struct run {
  const struct options *options;
  eddy_loop *loop;
  struct ledger ledger;
  struct tally tally;
  struct random_source random;
  struct request_format format;
  struct connection_owner owner;

  struct connection *connections;
  struct connection **idle; /**< open and without a job */
  uint32_t idle_count;
  struct connection **vacant; /**< closed and without a job */
  uint32_t vacant_count;

  struct job *ready_first; /**< jobs that wait for a connection, in order */
  struct job *ready_last;
  uint32_t next_job;  /**< the first that has not begun */
  uint32_t in_flight; /**< begun and not finished */
  uint32_t finished;
  uint32_t *readers; /**< with --park: how many polls of each job have no result yet */
  bool dispatch_posted;

  eddy_timer *deadline;
  eddy_signal *interrupt;
  eddy_signal *terminate;
  const char *stopped_by; /**< what ended the run before all jobs were finished, or null */
  uint64_t began_at;
  uint64_t ended_at;
};

/**
 * Runs to the end: afterwards the tally is complete, and every handle and the loop are gone.
 *
 * @return 0, or the EDDY_E… code for which it could not begin.
 */
int run_perform(struct run *run, const struct options *options);

/** Frees what run_perform left to be read. */
void run_end(struct run *run);

/** Ends the run early. */
void run_stop(struct run *run, const char *why);

/** Whether everything was as it should be. */
bool run_succeeded(const struct run *run);

/* dispatch.c */

/** Tells the connections whom to call. */
void dispatch_begin(struct run *run);
/** Has jobs given to connections at the end of this turn. */
void dispatch_soon(struct run *run);
/** The job waits for a connection, now or after so many nanoseconds. */
void dispatch_ready(struct run *run, struct job *job);
void dispatch_later(struct run *run, struct job *job, uint64_t delay);

/* answer.c */

/** What an answer means for its job. */
void answer_take(struct run *run, struct job *job, const struct response *response);
/** Notes the Location of an answer that was not read to its end, to compare the next with. */
void answer_glimpse(struct job *job, const struct response *response);
/** The job will not come to more. */
void answer_finish(struct run *run, struct job *job);
/** Ends the job with an error, whose text the caller has noted. */
void answer_fail(struct run *run, struct job *job);

#endif
