/*
 * report.h: the outcome of a run, for people and for programs.
 */
#ifndef CLIENT_REPORT_H
#define CLIENT_REPORT_H

#include "run.h"

#include <stdio.h>

/** Aligned text. */
void report_text(const struct run *run, FILE *out);

/** One JSON object. Times are in milliseconds unless a name says otherwise. */
void report_json(const struct run *run, FILE *out);

#endif
