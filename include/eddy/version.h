/*
 * eddy/version.h: which libeddy this is.
 */
#ifndef EDDY_VERSION_H
#define EDDY_VERSION_H

#include "base.h"

EDDY_BEGIN_DECLS

/** The version of this header. Releases with one major number share an ABI from 1.0 on. */
#define EDDY_VERSION_MAJOR 0
#define EDDY_VERSION_MINOR 2 /**< adds to the interface; before 1.0 it may also change it */
#define EDDY_VERSION_PATCH 0 /**< leaves the interface as it is */

/** The version as one number that compares in order: 0x00MMmmpp. */
#define EDDY_VERSION_NUMBER                                                                        \
  ((EDDY_VERSION_MAJOR << 16) | (EDDY_VERSION_MINOR << 8) | EDDY_VERSION_PATCH)

/**
 * The version of the library that is running, which may be newer than the
 * header that the program was compiled with: 0x00MMmmpp.
 *
 * Any thread. Since 0.1.
 */
unsigned int eddy_version(void);

/**
 * The same as text, for example "0.1.0". The string lives as long as the program.
 *
 * Any thread. Since 0.1.
 */
const char *eddy_version_string(void);

EDDY_END_DECLS

#endif
