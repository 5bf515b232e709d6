/*
 * eddy/base.h: what every other header needs.
 */
#ifndef EDDY_BASE_H
#define EDDY_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define EDDY_BEGIN_DECLS extern "C" {
#define EDDY_END_DECLS }
#else
#define EDDY_BEGIN_DECLS
#define EDDY_END_DECLS
#endif

EDDY_BEGIN_DECLS

/** An event loop. See eddy/loop.h. */
typedef struct eddy_loop eddy_loop;

/**
 * The last callback of a handle, after which it is gone.
 *
 * @param context the pointer that the handle was created with.
 */
typedef void (*eddy_close_cb)(void *context);

#define EDDY_MICROSECOND 1000ULL    /**< nanoseconds */
#define EDDY_MILLISECOND 1000000ULL /**< nanoseconds */
#define EDDY_SECOND 1000000000ULL   /**< nanoseconds */

/** No time at all: nothing is due, however long one waits. */
#define EDDY_NEVER UINT64_MAX

EDDY_END_DECLS

#endif
