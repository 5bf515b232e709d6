/*
 * names.h: host names whose answers a test decides, so that no test needs a name server.
 *
 * The test program has a getaddrinfo(3) of its own, which stands before the C library's, also for
 * libeddy. Names that no test has spoken of go on to the C library.
 */
#ifndef HARNESS_NAMES_H
#define HARNESS_NAMES_H

/* Asking for `name` fails with this EAI_… of netdb.h; errno is `system_error`. */
void name_fails(const char *name, int error, int system_error);

/* `name` has these addresses (as text, the last one null), in this order. */
void name_has(const char *name, const char *const *addresses);

/* Asking for `name` takes until names_release, and then fails as if there were no such name. */
void name_hangs(const char *name);

/* Ends the asking for all names that hang, and for those that are asked for from here on. */
void names_release(void);

/* How many threads are being held by names that hang. */
int names_hanging(void);

/* How often getaddrinfo has been called for a name, all told; numeric hosts do not count. */
int names_asked(void);

#endif
