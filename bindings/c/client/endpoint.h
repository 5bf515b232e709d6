/*
 * endpoint.h: where the server is.
 */
#ifndef CLIENT_ENDPOINT_H
#define CLIENT_ENDPOINT_H

#include <stddef.h>

/** The longest address and host, in bytes with the final zero: more than sun_path's 108. */
#define ENDPOINT_TEXT_LIMIT 256

struct endpoint {
  char address[ENDPOINT_TEXT_LIMIT]; /**< as eddy_stream_connect takes it */
  char host[ENDPOINT_TEXT_LIMIT];    /**< for the Host field */
};

/**
 * Reads "http://HOST[:PORT][/]" or "unix:/PATH". A host that is a name is
 * looked up (getaddrinfo(3), which blocks), IPv4 preferred.
 *
 * @param error receives what was wrong, and what would be right.
 * @return 0, or -1 with the error.
 */
int endpoint_parse(const char *url, struct endpoint *endpoint, char *error, size_t error_size);

#endif
