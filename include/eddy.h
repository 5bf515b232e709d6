/*
 * eddy.h: the whole C interface of libeddy.
 *
 * Rules that hold for every declaration, so that the single headers need not
 * repeat them:
 *
 *  - A result is >= 0, or a negative EDDY_E… code of eddy/error.h. No function
 *    sets or reads errno on the caller's behalf, prints, exits, or installs a
 *    signal handler unasked. Writing to a peer that is gone never raises SIGPIPE.
 *  - Everything is called on the thread that runs the loop, except what a
 *    header marks "any thread".
 *  - A handle is created by an eddy_…_create (or _open, _connect, _spawn), and
 *    given back by its eddy_…_close. Between that call and the close callback
 *    no other callback of the handle runs; after the close callback returns,
 *    the handle is gone. A close callback runs on the loop's thread, in the
 *    same turn of the loop or the next, never from inside eddy_…_close. A null
 *    close callback is allowed.
 *  - A handle that is open but idle (a stopped timer, a paused stream) does not
 *    keep the loop alive; one that waits for something does.
 *  - A callback may start, stop and close any handle, its own included.
 *  - Configuration structs begin with `size_t size`, and are initialised with
 *    their _INIT macro, so that they can grow without breaking a program that
 *    was compiled against an older header.
 *  - EDDY_ENOMEM is given where a buffer, a queue or a table cannot be had, and then nothing has
 *    changed. A handle itself, a few hundred bytes, that cannot be had ends the program,
 *    as do libev's own tables of descriptors: neither Swift nor libev can report it.
 *  - Times are nanoseconds, sizes are bytes, unless a name says otherwise.
 */
#ifndef EDDY_H
#define EDDY_H

#include "eddy/address.h"
#include "eddy/error.h"
#include "eddy/file_watcher.h"
#include "eddy/hook.h"
#include "eddy/listener.h"
#include "eddy/lookup.h"
#include "eddy/loop.h"
#include "eddy/metrics.h"
#include "eddy/pool.h"
#include "eddy/process.h"
#include "eddy/signal.h"
#include "eddy/stream.h"
#include "eddy/timer.h"
#include "eddy/udp.h"
#include "eddy/version.h"
#include "eddy/watcher.h"

#endif
