/*
 * eddy/lookup.h: the addresses of a host name, without holding up the loop.
 *
 * getaddrinfo(3) runs on up to four threads that a loop starts with its first lookup, apart from
 * every work pool, so that neither a slow name server nor a busy pool holds up the other. It is the
 * system's resolver, not a resolver of its own such as c-ares, because only that gives what the
 * rest of the system gives: nsswitch.conf(5), hosts(5), mDNS, systemd-resolved, and the order of
 * RFC 6724. What getaddrinfo lacks, a lookup adds: it can be closed at any time, and has a
 * deadline; the thread's late answer is dropped.
 *
 * The threads have every signal blocked. One that has had nothing to do for 10 s ends; so do all
 * when the loop is destroyed, before eddy_loop_destroy returns, but for those that are in
 * getaddrinfo just then: they end, and free what they hold, as soon as it returns. A name is handed
 * on to getaddrinfo as it is: one that is not ASCII must be encoded before (IDNA, RFC 5891).
 */
#ifndef EDDY_LOOKUP_H
#define EDDY_LOOKUP_H

#include "address.h"
#include "base.h"

EDDY_BEGIN_DECLS

/** A lookup of one name. */
typedef struct eddy_lookup eddy_lookup;

/** Which addresses are wanted. */
enum {
  EDDY_FAMILY_ANY = 0, /**< IPv4 and IPv6 */
  EDDY_FAMILY_IPV4 = 4,
  EDDY_FAMILY_IPV6 = 6
};

/**
 * Called once, always from the loop, unless the lookup is closed first.
 *
 * @param lookup    to be closed, here or later.
 * @param status    0; EDDY_ENONAME when the name has no address of the family; EDDY_ENAMESERVER
 * when the name servers could not tell (try again later); EDDY_ETIMEDOUT; EDDY_ENOMEM; EDDY_EMFILE
 * and others that getaddrinfo has from the system.
 * @param addresses the addresses, the best first (RFC 6724), each with the port that was asked for;
 *                  valid until the function returns. Null unless status is 0.
 * @param count     of the addresses; at least 1 if status is 0.
 * @param context   of the configuration.
 */
typedef void (*eddy_lookup_cb)(
    eddy_lookup *lookup, int status, const eddy_address *addresses, size_t count, void *context);

/** What a lookup may be told. A zero means the default. */
typedef struct eddy_lookup_config {
  size_t size;
  void *context;
  eddy_lookup_cb on_done; /**< required */
  /** One of EDDY_FAMILY_…. Default: any. */
  int family;
  /** Nanoseconds until EDDY_ETIMEDOUT. Default: 30 s. */
  uint64_t timeout;
} eddy_lookup_config;

/** An eddy_lookup_config with every default. */
#define EDDY_LOOKUP_CONFIG_INIT                                                                    \
  { sizeof(eddy_lookup_config), NULL, NULL, 0, 0 }

/**
 * Starts a lookup. While it runs it keeps the loop alive.
 *
 * @param loop       the loop.
 * @param host       a name, or an address as text without brackets. Copied.
 * @param port       0 to 65,535, for the addresses.
 * @param config     required.
 * @param out_lookup receives the lookup, to be given back by eddy_lookup_close.
 * @return 0; EDDY_EINVAL for a port out of range or an empty name; EDDY_ENAMETOOLONG for one above
 * 253 bytes (RFC 1035, section 2.3.4); EDDY_EAGAIN if the system gives no thread; EDDY_ENOMEM.
 * Since 0.2.
 */
int eddy_lookup_start(
    eddy_loop *loop, const char *host, int port, const eddy_lookup_config *config,
    eddy_lookup **out_lookup);

/**
 * Ends a lookup. If on_done has not been called, it never will be.
 *
 * @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.2.
 */
int eddy_lookup_close(eddy_lookup *lookup, eddy_close_cb callback);

EDDY_END_DECLS

#endif
