#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Holds a submit with a small body without growing. */
#define FIRST_CAPACITY 512

static void *checked(void *memory) {
  if (memory == NULL) {
    fputs("eddy-client: out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

void *allocate(size_t count, size_t size) {
  return checked(calloc(count > 0 ? count : 1, size));
}

uint8_t *buffer_extend(struct buffer *buffer, size_t length) {
  if (buffer->capacity - buffer->length < length) {
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity - buffer->length < length) {
      capacity *= 2;
    }
    buffer->bytes = checked(realloc(buffer->bytes, capacity));
    buffer->capacity = capacity;
  }
  uint8_t *room = buffer->bytes + buffer->length;
  buffer->length += length;
  return room;
}

void buffer_print(struct buffer *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return;
  }
  /* vsnprintf wants room for a final zero, which is then given back. */
  uint8_t *room = buffer_extend(buffer, (size_t)length + 1);
  va_start(arguments, format);
  vsnprintf((char *)room, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buffer->length--;
}

void buffer_clear(struct buffer *buffer) {
  buffer->length = 0;
}

void buffer_free(struct buffer *buffer) {
  free(buffer->bytes);
  memset(buffer, 0, sizeof *buffer);
}
