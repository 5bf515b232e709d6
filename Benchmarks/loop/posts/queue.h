/*
 * queue.h: what one writes beside uv_async_send(3) or ev_async_send(3), which carry no message: a
 * queue under a mutex. The loop's thread takes all of it at once, so that it holds the mutex for
 * two assignments, and only a push that finds the queue empty need wake it.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stdlib.h>

#include "../common/bench.h"
#include "posts.h"

typedef struct node {
  struct node *next;
  post_callback callback;
  void *context;
} node;

typedef struct queue {
  pthread_mutex_t mutex;
  node *first, **end;
} queue;

static inline void queue_init(queue *queue) {
  CHECK(pthread_mutex_init(&queue->mutex, NULL) == 0);
  queue->first = NULL;
  queue->end = &queue->first;
}

/* 1 if the queue was empty. */
static inline int queue_push(queue *queue, post_callback callback, void *context) {
  node *added = malloc(sizeof *added);
  CHECK(added != NULL);
  added->next = NULL;
  added->callback = callback;
  added->context = context;
  pthread_mutex_lock(&queue->mutex);
  int was_empty = queue->first == NULL;
  *queue->end = added;
  queue->end = &added->next;
  pthread_mutex_unlock(&queue->mutex);
  return was_empty;
}

/* Takes what is queued, and runs it. */
static inline void queue_run(queue *queue) {
  pthread_mutex_lock(&queue->mutex);
  node *first = queue->first;
  queue->first = NULL;
  queue->end = &queue->first;
  pthread_mutex_unlock(&queue->mutex);
  while (first != NULL) {
    node *taken = first;
    first = taken->next;
    taken->callback(taken->context);
    free(taken);
  }
}

/* Frees an empty queue. */
static inline void queue_destroy(queue *queue) {
  pthread_mutex_destroy(&queue->mutex);
}

#endif
