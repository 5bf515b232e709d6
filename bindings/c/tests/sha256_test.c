/* The digests of FIPS 180-4's examples, and the seams between pieces and blocks. */
#include "sha256.h"
#include "tap.h"

#include <stdlib.h>

static void hash(const void *data, size_t length, size_t piece, char text[SHA256_HEX_LENGTH + 1]) {
  struct sha256 sha;
  uint8_t digest[SHA256_LENGTH];
  sha256_begin(&sha);
  for (size_t start = 0; start < length; start += piece) {
    size_t rest = length - start;
    sha256_add(&sha, (const char *)data + start, rest < piece ? rest : piece);
  }
  sha256_end(&sha, digest);
  sha256_hex(digest, text);
}

static void known(const char *message, const char *expected, const char *name) {
  char text[SHA256_HEX_LENGTH + 1];
  hash(message, strlen(message), strlen(message) + 1, text);
  is_text(text, expected, name);
}

static void a_million_letters(void) {
  enum { COUNT = 1000000 };
  char *message = malloc(COUNT);
  char text[SHA256_HEX_LENGTH + 1];
  memset(message, 'a', COUNT);
  hash(message, COUNT, COUNT, text);
  is_text(
      text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      "a million times the letter a");
  free(message);
}

/* Lengths around the padding's seams (55, 56, 64) in pieces of every length. */
static void pieces_do_not_matter(void) {
  char message[130];
  int differing = 0;
  for (size_t i = 0; i < sizeof message; i++) {
    message[i] = (char)(i * 7 + 1);
  }
  for (size_t length = 0; length <= sizeof message; length++) {
    char whole[SHA256_HEX_LENGTH + 1];
    hash(message, length, sizeof message, whole);
    for (size_t piece = 1; piece < sizeof message; piece++) {
      char pieced[SHA256_HEX_LENGTH + 1];
      hash(message, length, piece, pieced);
      differing += strcmp(whole, pieced) != 0;
    }
  }
  ok(differing == 0, "a digest does not depend on how the message comes in pieces");
}

static void hexadecimal(void) {
  const char *upper = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
  uint8_t digest[SHA256_LENGTH];
  char text[SHA256_HEX_LENGTH + 1];
  ok(sha256_from_hex(upper, digest), "upper-case digits are read");
  sha256_hex(digest, text);
  is_text(
      text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "and written in lower case");
  strcpy(text, upper);
  text[SHA256_HEX_LENGTH - 1] = 'g';
  ok(!sha256_from_hex(text, digest), "a letter that is no digit is refused");
  ok(!sha256_from_hex("abc", digest), "a text that ends early is refused");
}

int main(void) {
  known(
      "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "the empty message");
  known(
      "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "one block: abc");
  known(
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "two blocks: 56 letters");
  known(
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
      "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1", "112 letters");
  a_million_letters();
  pieces_do_not_matter();
  hexadecimal();
  return tap_done();
}
