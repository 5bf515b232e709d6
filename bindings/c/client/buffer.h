/*
 * buffer.h: bytes that grow.
 */
#ifndef CLIENT_BUFFER_H
#define CLIENT_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/** Zero-initialised it is empty. `bytes` belongs to the buffer until buffer_free. */
struct buffer {
  uint8_t *bytes;
  size_t length;
  size_t capacity;
};

/**
 * Memory, or the end of the program with a message: a test client that is out
 * of memory has nothing left to tell.
 */
void *allocate(size_t count, size_t size);

/** Adds `length` bytes of room at the end, for the caller to fill. */
uint8_t *buffer_extend(struct buffer *buffer, size_t length);

/** Appends formatted text, without its final zero. */
void buffer_print(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Empties it, and keeps its memory. */
void buffer_clear(struct buffer *buffer);

/** Gives its memory back; it is then empty. */
void buffer_free(struct buffer *buffer);

#endif
