/*
 * tally.h: what the run counts.
 */
#ifndef CLIENT_TALLY_H
#define CLIENT_TALLY_H

#include "drop.h"

#include <stdint.h>

/** The first so many problems are kept as text, each cut at so many bytes. */
#define TALLY_PROBLEMS_KEPT 5
#define TALLY_PROBLEM_LIMIT 512

struct tally {
  uint64_t submitted;    /**< jobs whose submit was sent at least once */
  uint64_t received;     /**< jobs that got their own result */
  uint64_t acknowledged; /**< results that the server was told of */
  uint64_t misdelivered; /**< jobs that got the right result of another */
  uint64_t lost;         /**< jobs that had come to no end when the run was over */
  uint64_t errors;       /**< whatever else should not be; an error may end a job */

  uint64_t requests;
  uint64_t repeated_submits;
  uint64_t compared_submits; /**< repeated ones whose earlier Location had been seen */
  uint64_t polled_again;     /**< answers 202 to a poll */
  uint64_t deferred;         /**< answers 429 and 503 */

  uint64_t connections;      /**< that were opened */
  uint64_t refused;          /**< that could not be opened */
  uint64_t closed_by_server; /**< that the server ended before it had answered */
  uint64_t closed_idle;      /**< that it ended while nothing was asked */
  uint64_t dropped[DROP_PLACES][DROP_WAYS];

  uint64_t parked; /**< polls that wait for their answers now */
  uint64_t parked_at_most;
  uint64_t parked_at_most_since; /**< clock_now, or 0 */
  uint64_t first_result_at;      /**< clock_now, or 0 */
  uint64_t last_result_at;

  uint64_t problems;
  char problem_texts[TALLY_PROBLEMS_KEPT][TALLY_PROBLEM_LIMIT];
};

/** Counts a problem in `counter`, and keeps its text if it is one of the first. */
void tally_problem(struct tally *tally, uint64_t *counter, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** How many problems have their text kept. */
unsigned int tally_problems_kept(const struct tally *tally);

/** Of the drops, those at one place (in all ways), and those in one way (at all places). */
uint64_t tally_dropped_at(const struct tally *tally, enum drop_place place);
uint64_t tally_dropped_by(const struct tally *tally, enum drop_way way);

#endif
