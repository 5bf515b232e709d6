/*
 * query.h: a lookup with what it has told, for the tests of lookups.
 */
#ifndef HARNESS_QUERY_H
#define HARNESS_QUERY_H

#include <stddef.h>

#include <eddy.h>

enum { KEPT_ADDRESSES = 4 };

typedef struct query {
  eddy_lookup_config config;
  eddy_lookup *lookup;
  int done, status, closed;
  size_t count;
  char addresses[KEPT_ADDRESSES][128]; /* the first, as text */
  int closes;                          /* closes itself when done */
} query;

/* A query whose configuration notes what comes. */
void query_init(query *asked);

/* Starts it, for port 80, which must work. */
void query_ask(query *asked, eddy_loop *loop, const char *host);

void query_close(query *asked);

/* Asks, runs until the answer is there, closes; gives the status. */
int query_look_up(query *asked, eddy_loop *loop, const char *host);

/* The status of a query with the defaults. */
int query_status(eddy_loop *loop, const char *host);

#endif
