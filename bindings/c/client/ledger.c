#include "ledger.h"

#include <stdlib.h>
#include <string.h>

/* How many digests the table has room for, in ratio to the jobs. */
#define TABLE_ROOM 2

void ledger_body(const struct ledger *ledger, const struct job *job, struct buffer *buffer) {
  static const char digits[] = "0123456789abcdef";
  uint8_t *body = buffer_extend(buffer, ledger->body_size);
  struct random_source source;
  memcpy(&source.state, job->nonce, sizeof source.state);
  for (uint32_t i = 0; i < ledger->body_size; i++) {
    if (i < 2 * NONCE_LENGTH) {
      uint8_t byte = job->nonce[i / 2];
      body[i] = (uint8_t)digits[i % 2 == 0 ? byte >> 4 : byte & 15];
    } else {
      body[i] = (uint8_t)random_next(&source);
    }
  }
}

/* The slot that has the digest, or the free one where it belongs. */
static uint32_t *find(const struct ledger *ledger, const uint8_t digest[SHA256_LENGTH]) {
  uint32_t hash;
  memcpy(&hash, digest, sizeof hash);
  for (uint32_t slot = hash & ledger->table_mask;; slot = (slot + 1) & ledger->table_mask) {
    uint32_t *entry = &ledger->table[slot];
    if (*entry == 0 || memcmp(ledger->jobs[*entry - 1].digest, digest, SHA256_LENGTH) == 0) {
      return entry;
    }
  }
}

static void prepare(struct ledger *ledger, struct job *job, struct buffer *body) {
  struct sha256 sha;
  buffer_clear(body);
  ledger_body(ledger, job, body);
  sha256_begin(&sha);
  sha256_add(&sha, body->bytes, body->length);
  sha256_end(&sha, job->digest);
  *find(ledger, job->digest) = job->number + 1;
}

void ledger_begin(
    struct ledger *ledger, uint32_t count, uint32_t body_size, struct random_source *source) {
  struct buffer body = {0};
  uint32_t slots = 1;
  while (slots < TABLE_ROOM * count) {
    slots *= 2;
  }
  ledger->jobs = allocate(count, sizeof *ledger->jobs);
  ledger->count = count;
  ledger->body_size = body_size;
  ledger->table = allocate(slots, sizeof *ledger->table);
  ledger->table_mask = slots - 1;
  for (uint32_t i = 0; i < count; i++) {
    struct job *job = &ledger->jobs[i];
    job->number = i;
    for (size_t half = 0; half < NONCE_LENGTH; half += sizeof(uint64_t)) {
      uint64_t number = random_next(source);
      memcpy(job->nonce + half, &number, sizeof number);
    }
    prepare(ledger, job, &body);
  }
  buffer_free(&body);
}

void ledger_end(struct ledger *ledger) {
  for (uint32_t i = 0; i < ledger->count; i++) {
    free(ledger->jobs[i].location);
  }
  free(ledger->jobs);
  free(ledger->table);
  memset(ledger, 0, sizeof *ledger);
}

enum verdict ledger_judge(
    const struct ledger *ledger, const struct job *job, const char *result, uint64_t length,
    const struct job **owner) {
  uint8_t digest[SHA256_LENGTH];
  *owner = NULL;
  if (strlen(result) != length || !sha256_from_hex(result, digest)) {
    return VERDICT_WRONG;
  }
  const char *after = result + SHA256_HEX_LENGTH;
  if (*after != '\0' && strcmp(after, "\n") != 0 && strcmp(after, "  -\n") != 0) {
    return VERDICT_WRONG;
  }
  uint32_t entry = *find(ledger, digest);
  if (entry == 0) {
    return VERDICT_WRONG;
  }
  *owner = &ledger->jobs[entry - 1];
  return *owner == job ? VERDICT_RIGHT : VERDICT_MISDELIVERED;
}
