/*
 * array.h: queue.h with an array in place of the list: no malloc and no cache line of its own for
 * each post, and a few lines more. Two arrays take turns: one is filled while the other is run.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stdlib.h>

#include "../common/bench.h"
#include "posts.h"

enum { FIRST_CAPACITY = 64 };

typedef struct entry {
  post_callback callback;
  void *context;
} entry;

typedef struct entries {
  entry *first;
  size_t count, capacity;
} entries;

typedef struct queue {
  pthread_mutex_t mutex;
  entries waiting;
  entries running; /* the loop's thread alone uses it */
} queue;

static inline void queue_init(queue *queue) {
  CHECK(pthread_mutex_init(&queue->mutex, NULL) == 0);
  queue->waiting = queue->running = (entries){0};
}

/* 1 if the queue was empty. */
static inline int queue_push(queue *queue, post_callback callback, void *context) {
  pthread_mutex_lock(&queue->mutex);
  entries *waiting = &queue->waiting;
  if (waiting->count == waiting->capacity) {
    waiting->capacity = waiting->capacity == 0 ? FIRST_CAPACITY : 2 * waiting->capacity;
    waiting->first = realloc(waiting->first, waiting->capacity * sizeof(entry));
    CHECK(waiting->first != NULL);
  }
  waiting->first[waiting->count] = (entry){callback, context};
  int was_empty = waiting->count++ == 0;
  pthread_mutex_unlock(&queue->mutex);
  return was_empty;
}

/* Takes what is queued, and runs it. */
static inline void queue_run(queue *queue) {
  pthread_mutex_lock(&queue->mutex);
  entries taken = queue->waiting;
  queue->waiting = queue->running;
  pthread_mutex_unlock(&queue->mutex);
  for (size_t i = 0; i < taken.count; i++) {
    taken.first[i].callback(taken.first[i].context);
  }
  taken.count = 0;
  queue->running = taken;
}

/* Frees an empty queue. */
static inline void queue_destroy(queue *queue) {
  free(queue->waiting.first);
  free(queue->running.first);
  pthread_mutex_destroy(&queue->mutex);
}

#endif
