/*
 * connection.h: one keep-alive connection, which is opened when it is needed.
 *
 * It sends the requests of one or several jobs at once, takes the answers in
 * order, and breaks off on purpose where its plan says so.
 */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

#include "buffer.h"
#include "drop.h"
#include "job.h"
#include "options.h"
#include "response.h"

struct connection;

/** Why a connection was closed. */
enum connection_end {
  END_DROPPED,   /**< on purpose */
  END_REFUSED,   /**< it could not be opened */
  END_BY_PEER,   /**< ended or reset while answers were due */
  END_IDLE,      /**< ended by the peer while none was due */
  END_TIMEOUT,   /**< an answer did not come in time */
  END_MALFORMED, /**< an answer is no HTTP; `text` says why */
  END_UNASKED,   /**< bytes came that nobody had asked for; `text` has the first of them */
};

/** What all connections of a run have in common, and whom they tell. */
struct connection_owner {
  eddy_loop *loop;
  const char *address;
  uint64_t timeout; /**< nanoseconds for each answer */
  void *context;
  /** The connection is open. */
  void (*opened)(void *context);
  /** The jobs' requests have been written. */
  void (*sent)(void *context, struct connection *connection);
  /** The oldest job's request has its answer. The connection must not be touched. */
  void (*answered)(void *context, struct job *job, const struct response *response);
  /** All are answered; the connection is free, and open or closed. */
  void (*idle)(void *context, struct connection *connection);
  /**
   * The connection is closed. The jobs that have no answer are in `jobs`;
   * connection_send may give them, or others, to it again at once.
   *
   * @param error of END_REFUSED and END_BY_PEER, else 0.
   */
  void (*ended)(
      void *context, struct connection *connection, enum connection_end end, int error,
      const char *text, struct job **jobs, uint32_t count);
};

struct connection {
  const struct connection_owner *owner;
  eddy_stream *stream; /**< null while it is closed */
  eddy_timer *timer;   /**< for the answer's time limit, or the moment of a drop */
  bool open;           /**< connected */
  bool drop_pending;   /**< the timer is that of the drop */
  struct drop_plan plan;
  struct job *jobs[PIPELINE_LIMIT]; /**< without an answer, the oldest first */
  uint32_t count;
  struct buffer request;
  struct response_parser parser;
  uint32_t idle_place; /**< where the owner keeps it while it is idle */
};

/** Makes a closed connection. @return 0, or an EDDY_E… code. */
int connection_begin(struct connection *connection, const struct connection_owner *owner);

/** Closes it for good, without a call to the owner. */
void connection_end(struct connection *connection);

/**
 * Sends what is in `request`, which asks for one answer a job; opens the
 * connection first if it is closed. None may be due from before.
 */
void connection_send(
    struct connection *connection, struct job *const *jobs, uint32_t count,
    const struct drop_plan *plan);

#endif
