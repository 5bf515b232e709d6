/*
 * sha256.h: SHA-256 (FIPS 180-4).
 *
 * The client has one of its own on purpose: what checks the server's digests
 * must not share the library that computes them.
 */
#ifndef CLIENT_SHA256_H
#define CLIENT_SHA256_H

#include <stddef.h>
#include <stdint.h>

/** Length of a digest in bytes, and as hexadecimal text without the final zero. */
#define SHA256_LENGTH 32
#define SHA256_HEX_LENGTH (2 * SHA256_LENGTH)

/** Length of the block that the compression function takes, in bytes (FIPS 180-4 §1). */
#define SHA256_BLOCK_LENGTH 64

/** A digest in the making. */
struct sha256 {
  uint32_t state[8];
  uint64_t length; /**< bytes seen so far */
  uint8_t block[SHA256_BLOCK_LENGTH];
};

/** Begins a digest. */
void sha256_begin(struct sha256 *sha);

/** Adds bytes to it, in pieces of any length. */
void sha256_add(struct sha256 *sha, const void *data, size_t length);

/** Ends it; the struct can then only begin anew. */
void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_LENGTH]);

/** Writes a digest as lowercase hexadecimal text with a final zero. */
void sha256_hex(const uint8_t digest[SHA256_LENGTH], char text[SHA256_HEX_LENGTH + 1]);

/**
 * Reads a digest from the first SHA256_HEX_LENGTH characters, in either case.
 *
 * @return 1, or 0 if one of them is no hexadecimal digit.
 */
int sha256_from_hex(const char *text, uint8_t digest[SHA256_LENGTH]);

#endif
