#include "tally.h"

#include <stdarg.h>
#include <stdio.h>

void tally_problem(struct tally *tally, uint64_t *counter, const char *format, ...) {
  if (tally->problems < TALLY_PROBLEMS_KEPT) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(tally->problem_texts[tally->problems], TALLY_PROBLEM_LIMIT, format, arguments);
    va_end(arguments);
  }
  tally->problems++;
  (*counter)++;
}

unsigned int tally_problems_kept(const struct tally *tally) {
  bool all = tally->problems < TALLY_PROBLEMS_KEPT;
  return all ? (unsigned int)tally->problems : TALLY_PROBLEMS_KEPT;
}

uint64_t tally_dropped_at(const struct tally *tally, enum drop_place place) {
  uint64_t sum = 0;
  for (int way = 0; way < DROP_WAYS; way++) {
    sum += tally->dropped[place][way];
  }
  return sum;
}

uint64_t tally_dropped_by(const struct tally *tally, enum drop_way way) {
  uint64_t sum = 0;
  for (int place = 0; place < DROP_PLACES; place++) {
    sum += tally->dropped[place][way];
  }
  return sum;
}
