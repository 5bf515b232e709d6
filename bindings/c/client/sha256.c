#include "sha256.h"

#include <string.h>

/* Where the message's length in bits stands in the last block (FIPS 180-4 §5.1.1). */
#define LENGTH_OFFSET (SHA256_BLOCK_LENGTH - 8)
#define ROUNDS 64

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2). */
static const uint32_t round_constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t word, unsigned int bits) {
  return (word >> bits) | (word << (32 - bits));
}

static uint32_t load_big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The schedule and the compression of one block, in the notation of §6.2.2. */
static void compress(uint32_t state[8], const uint8_t *block) {
  uint32_t w[ROUNDS];
  for (int t = 0; t < 16; t++) {
    w[t] = load_big_endian(block + (size_t)4 * (size_t)t);
  }
  for (int t = 16; t < ROUNDS; t++) {
    uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ (w[t - 15] >> 3);
    uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ (w[t - 2] >> 10);
    w[t] = s1 + w[t - 7] + s0 + w[t - 16];
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int t = 0; t < ROUNDS; t++) {
    uint32_t sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    uint32_t choice = (e & f) ^ (~e & g);
    uint32_t t1 = h + sum1 + choice + round_constants[t] + w[t];
    uint32_t sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + sum0 + majority;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

void sha256_begin(struct sha256 *sha) {
  static const uint32_t initial_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(sha->state, initial_state, sizeof initial_state);
  sha->length = 0;
}

void sha256_add(struct sha256 *sha, const void *data, size_t length) {
  const uint8_t *bytes = data;
  while (length > 0) {
    size_t held = (size_t)(sha->length % SHA256_BLOCK_LENGTH);
    size_t taken = SHA256_BLOCK_LENGTH - held;
    if (taken > length) {
      taken = length;
    }
    memcpy(sha->block + held, bytes, taken);
    sha->length += taken;
    bytes += taken;
    length -= taken;
    if (held + taken == SHA256_BLOCK_LENGTH) {
      compress(sha->state, sha->block);
    }
  }
}

void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_LENGTH]) {
  static const uint8_t padding[SHA256_BLOCK_LENGTH] = {0x80};
  uint64_t bits = sha->length * 8;
  size_t held = (size_t)(sha->length % SHA256_BLOCK_LENGTH);
  size_t padded = held < LENGTH_OFFSET ? LENGTH_OFFSET : LENGTH_OFFSET + SHA256_BLOCK_LENGTH;
  sha256_add(sha, padding, padded - held);
  uint8_t length[8];
  for (int i = 0; i < 8; i++) {
    length[i] = (uint8_t)(bits >> (56 - 8 * i));
  }
  sha256_add(sha, length, sizeof length);
  for (int i = 0; i < SHA256_LENGTH; i++) {
    digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
  }
}

void sha256_hex(const uint8_t digest[SHA256_LENGTH], char text[SHA256_HEX_LENGTH + 1]) {
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < SHA256_LENGTH; i++) {
    text[2 * i] = digits[digest[i] >> 4];
    text[2 * i + 1] = digits[digest[i] & 15];
  }
  text[SHA256_HEX_LENGTH] = '\0';
}

static int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  if (digit >= 'a' && digit <= 'f') {
    return digit - 'a' + 10;
  }
  if (digit >= 'A' && digit <= 'F') {
    return digit - 'A' + 10;
  }
  return -1;
}

int sha256_from_hex(const char *text, uint8_t digest[SHA256_LENGTH]) {
  for (int i = 0; i < SHA256_LENGTH; i++) {
    /* In this order: where the text ends early, the second is not there to read. */
    int high = hex_value(text[2 * i]);
    int low = high >= 0 ? hex_value(text[2 * i + 1]) : -1;
    if (low < 0) {
      return 0;
    }
    digest[i] = (uint8_t)(high << 4 | low);
  }
  return 1;
}
