#include "drop.h"

#include <eddy.h>

/* A drop before the answer comes at once, or up to so much later: by then a poll is parked. */
#define DELAY_LIMIT (20 * EDDY_MILLISECOND)

struct drop_plan drop_plan(struct random_source *source, double share) {
  struct drop_plan plan = {0};
  plan.drops = random_unit(source) < share;
  plan.place = (enum drop_place)random_below(source, DROP_PLACES);
  plan.way = (enum drop_way)random_below(source, DROP_WAYS);
  plan.part = random_unit(source);
  if (random_below(source, 2) == 0) {
    plan.delay = random_below(source, DELAY_LIMIT);
  }
  return plan;
}

size_t drop_cut(const struct drop_plan *plan, size_t length) {
  return length > 1 ? 1 + (size_t)(plan->part * (double)(length - 1)) : 0;
}
