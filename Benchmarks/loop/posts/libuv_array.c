/* The peer on libuv, its queue being an array. */
#include "array.h"

#include "libuv.c"
