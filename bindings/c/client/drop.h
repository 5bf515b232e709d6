/*
 * drop.h: where and how an exchange is broken off on purpose.
 */
#ifndef CLIENT_DROP_H
#define CLIENT_DROP_H

#include "random.h"

#include <stdbool.h>
#include <stddef.h>

enum drop_place {
  DROP_IN_REQUEST,    /**< after a part of the request */
  DROP_BEFORE_ANSWER, /**< after the whole request; at once, or a moment later */
  DROP_IN_ANSWER,     /**< after a part of the answer */
  DROP_PLACES
};

enum drop_way {
  DROP_BY_END,   /**< close(2): the peer reads an end (FIN) */
  DROP_BY_RESET, /**< eddy_stream_reset: the peer gets a RST */
  DROP_WAYS
};

struct drop_plan {
  bool drops;
  enum drop_place place;
  enum drop_way way;
  double part;    /**< how much of the request or the answer passes, 0 to below 1 */
  uint64_t delay; /**< nanoseconds from the request to a drop before the answer */
};

/** Decides about the next exchange. @param share how many of all are dropped, 0 to 1. */
struct drop_plan drop_plan(struct random_source *source, double share);

/** How many of `length` bytes pass: fewer than all of them; at least 1 if length > 1. */
size_t drop_cut(const struct drop_plan *plan, size_t length);

#endif
