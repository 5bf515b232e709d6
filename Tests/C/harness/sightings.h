/*
 * sightings.h: a file watcher with what it has told, and the changes to tell of, for the tests of
 * file watchers. Paths are relative to the test's own, empty directory.
 */
#ifndef HARNESS_SIGHTINGS_H
#define HARNESS_SIGHTINGS_H

#include <stddef.h>

#include <eddy.h>

enum { KEPT_SIGHTINGS = 64 };

typedef struct sighting {
  int events;
  char name[256], new_name[256]; /* empty: null */
} sighting;

typedef struct sightings {
  eddy_loop *loop;
  eddy_file_watcher *watcher;
  sighting seen[KEPT_SIGHTINGS]; /* the first ones */
  size_t count;
  int closed;
  void (*on_event)(struct sightings *sightings);
  struct sightings *other; /* for that function */
} sightings;

/* Watches a path, which must work. */
void sightings_begin(sightings *sightings, eddy_loop *loop, const char *path);

/* The same; gives the result. */
int sightings_try(sightings *sightings, eddy_loop *loop, const char *path);

void sightings_close(sightings *sightings);

/* Runs the loop until `count` events have come, and a little longer: no more may come. */
void sightings_await(sightings *sightings, size_t count);

/* Runs the loop for a while: none may have come. */
void sightings_expect_none(sightings *sightings);

/* Checks an event; null names stand for null. */
void sightings_check(
    const sightings *sightings, size_t index, int events, const char *name, const char *new_name);

/* Forgets what has come. */
void sightings_forget(sightings *sightings);

/* Changes, each of which must work. */

void make_file(const char *path); /* creates it if need be, writes a byte behind what is there */
void make_directory(const char *path);
void remove_path(const char *path); /* a file, or an empty directory */
void rename_path(const char *from, const char *to);
void change_mode(const char *path, unsigned mode);

#endif
