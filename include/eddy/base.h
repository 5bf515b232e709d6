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

/** One microsecond, one millisecond and one second, in nanoseconds. */
#define EDDY_MICROSECOND UINT64_C(1000)
#define EDDY_MILLISECOND UINT64_C(1000000)
#define EDDY_SECOND UINT64_C(1000000000)

EDDY_END_DECLS

#endif
