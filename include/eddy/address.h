/*
 * eddy/address.h: a socket address as a value, for the calls that take or give many of them.
 *
 * Text is "127.0.0.1:80" or "[::1]:80"; an IPv6 address with a zone is "[fe80::1%eth0]:80".
 */
#ifndef EDDY_ADDRESS_H
#define EDDY_ADDRESS_H

#include "base.h"

EDDY_BEGIN_DECLS

/**
 * An IPv4 or IPv6 address with its port. A plain value: copy it, keep it, compare the first
 * `length` bytes.
 */
typedef struct eddy_address {
  /** A struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)), for a program's own socket calls. */
  uint32_t words[7];
  /** The bytes of it that count, as bind(2) and others take them; 0: no address. */
  uint32_t length;
} eddy_address;

/** No address. */
#define EDDY_ADDRESS_INIT                                                                          \
  { {0, 0, 0, 0, 0, 0, 0}, 0 }

/**
 * Reads an address from text.
 *
 * @param text        as the top of this header says.
 * @param out_address receives the address.
 * @return 0; EDDY_EADDRFORMAT; EDDY_EINVAL. Any thread. Since 0.2.
 */
int eddy_address_parse(const char *text, eddy_address *out_address);

/**
 * Writes an address as text.
 *
 * @param address the address.
 * @param buffer  gets the text and a final zero byte; 128 bytes hold every address.
 * @param size    of the buffer.
 * @return the text's length without the zero; EDDY_EINVAL for no address, or if the buffer is too
 * small. Any thread. Since 0.2.
 */
int eddy_address_format(const eddy_address *address, char *buffer, size_t size);

EDDY_END_DECLS

#endif
