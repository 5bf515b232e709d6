/* Whole numbers as flags and field values have them. */
#ifndef DECIMAL_H
#define DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/* Digits only: neither sign nor space (RFC 9110 §8.6). False too when it does not fit. */
bool decimal_parse(const char *text, uint64_t *number);

#endif
