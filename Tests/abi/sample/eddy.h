/* A small interface, which scripts/check-lib changes in ways that a program survives or not. */
#ifndef EDDY_H
#define EDDY_H

#include <stddef.h>

#define EDDY_LIMIT 16

#define EDDY_ERRORS(X)                                                                             \
  X(EDDY_EFIRST, -1, "first")                                                                      \
  X(EDDY_ESECOND, -2, "second")

enum {
#define EDDY_ERROR_ENUMERATOR(name, number, message) name = number,
  EDDY_ERRORS(EDDY_ERROR_ENUMERATOR)
#undef EDDY_ERROR_ENUMERATOR
      EDDY_OK = 0
};

enum { EDDY_RED = 1, EDDY_GREEN = 2 };

typedef struct eddy_pot eddy_pot;

typedef void (*eddy_pour_cb)(eddy_pot *pot, int amount, void *context);

/* It can grow. */
typedef struct eddy_config {
  size_t size;
  eddy_pour_cb on_pour;
  int colour;
} eddy_config;

/* It can't. */
typedef struct eddy_point {
  int x;
  int y;
} eddy_point;

int eddy_pot_create(const eddy_config *config, eddy_pot **out_pot);
int eddy_pot_pour(eddy_pot *pot, int amount);

#endif
