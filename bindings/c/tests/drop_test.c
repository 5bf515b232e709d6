/* Where exchanges are broken off. */
#include "drop.h"
#include "tap.h"

#include <eddy.h>

enum { DRAWS = 10000 };

static void shares(void) {
  struct random_source source = {42};
  int drops = 0;
  int cases[DROP_PLACES][DROP_WAYS] = {{0}};
  uint64_t longest = 0;
  for (int i = 0; i < DRAWS; i++) {
    struct drop_plan plan = drop_plan(&source, 0.3);
    drops += plan.drops;
    cases[plan.place][plan.way]++;
    longest = plan.delay > longest ? plan.delay : longest;
  }
  /* Five standard deviations of a binomial distribution are 230 and 190. */
  ok(drops > 2770 && drops < 3230, "the share is kept");
  int even = 1;
  for (int place = 0; place < DROP_PLACES; place++) {
    for (int way = 0; way < DROP_WAYS; way++) {
      even = even && cases[place][way] > DRAWS / 6 - 190 && cases[place][way] < DRAWS / 6 + 190;
    }
  }
  ok(even, "places and ways come about equally often");
  ok(longest > 0 && longest <= EDDY_SECOND, "a drop before the answer may come later");
}

static void nothing_drops_without_a_share(void) {
  struct random_source source = {42};
  int drops = 0;
  for (int i = 0; i < DRAWS; i++) {
    drops += drop_plan(&source, 0).drops;
  }
  ok(drops == 0, "a share of 0 drops nothing");
}

static void cuts(void) {
  struct random_source source = {42};
  int wrong = 0;
  for (int i = 0; i < DRAWS; i++) {
    struct drop_plan plan = drop_plan(&source, 1);
    for (size_t length = 2; length < 10; length++) {
      size_t cut = drop_cut(&plan, length);
      wrong += cut < 1 || cut >= length;
    }
    wrong += drop_cut(&plan, 1) != 0;
  }
  ok(wrong == 0, "something passes, but never everything");
}

int main(void) {
  shares();
  nothing_drops_without_a_share();
  cuts();
  return tap_done();
}
