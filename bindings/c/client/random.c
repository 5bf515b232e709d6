#include "random.h"

#include "clock.h"

#include <sys/random.h>

uint64_t random_next(struct random_source *source) {
  source->state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = source->state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

uint64_t random_below(struct random_source *source, uint64_t bound) {
  return random_next(source) % bound;
}

double random_unit(struct random_source *source) {
  /* The 53 bits that a double's significand holds. */
  return (double)(random_next(source) >> 11) / (double)(UINT64_C(1) << 53);
}

uint64_t random_from_system(void) {
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) == (long)sizeof number) {
    return number;
  }
  struct random_source source = {clock_now()};
  return random_next(&source);
}
