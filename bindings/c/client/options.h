/*
 * options.h: what the command line says.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "endpoint.h"

#include <stdbool.h>
#include <stdint.h>

/** The most requests that wait for their answers on one connection. */
#define PIPELINE_LIMIT 16

struct options {
  const char *url;
  struct endpoint endpoint;
  const char *task;
  uint32_t jobs;
  uint32_t connections;
  uint32_t pipeline; /**< requests at once on a connection; 1: none is pipelined */
  double drop;       /**< share of the exchanges that are broken off, 0 to 0.9 */
  double wait;       /**< seconds that a poll asks to be held */
  double deadline;   /**< seconds for the whole run */
  uint64_t seed;
  uint32_t size; /**< bytes of a job's body */
  bool acknowledge;
  bool json;
  uint32_t park; /**< polls to park at once; 0: the ordinary run */
  double sleep;  /**< seconds that a parked job sleeps */
};

enum options_result {
  OPTIONS_RUN,     /**< run with them */
  OPTIONS_DONE,    /**< --help or --version has been answered */
  OPTIONS_REFUSED, /**< bad usage; standard error says what would be right */
};

/** Reads the command line. The texts in `options` live as long as argv. */
enum options_result options_parse(int argc, char **argv, struct options *options);

#endif
