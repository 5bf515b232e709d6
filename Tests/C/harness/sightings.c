#include "sightings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "tap.h"

static void note_event(eddy_file_watcher *watcher, const eddy_file_event *event, void *context) {
  sightings *seen = context;
  CHECK(watcher == seen->watcher);
  CHECK_EQ(seen->closed, 0);
  CHECK_EQ(event->size, sizeof *event);
  CHECK(event->events != 0);
  CHECK(((event->events & EDDY_FILE_RENAMED) != 0) == (event->new_name != NULL));
  if (seen->count < KEPT_SIGHTINGS) {
    sighting *kept = &seen->seen[seen->count];
    kept->events = event->events;
    snprintf(kept->name, sizeof kept->name, "%s", event->name == NULL ? "" : event->name);
    snprintf(
        kept->new_name, sizeof kept->new_name, "%s",
        event->new_name == NULL ? "" : event->new_name);
  }
  seen->count++;
  if (seen->on_event != NULL) {
    seen->on_event(seen);
  }
}

static void note_closed(void *context) {
  sightings *seen = context;
  seen->closed++;
}

int sightings_try(sightings *seen, eddy_loop *loop, const char *path) {
  memset(seen, 0, sizeof *seen);
  seen->loop = loop;
  return eddy_file_watcher_create(loop, path, note_event, seen, &seen->watcher);
}

void sightings_begin(sightings *seen, eddy_loop *loop, const char *path) {
  CHECK_EQ(sightings_try(seen, loop, path), 0);
  CHECK_EQ(eddy_loop_alive(loop), 1);
}

void sightings_close(sightings *seen) {
  CHECK_EQ(eddy_file_watcher_close(seen->watcher, note_closed), 0);
  CHECK_EQ(seen->closed, 0);
}

/* The events are queued by the time that the call that causes them has returned; a rename's first
 * half is held for 2 ms. */
enum { SETTLING = 20 };

void sightings_await(sightings *seen, size_t count) {
  while (seen->count < count) {
    CHECK_EQ(eddy_loop_run(seen->loop, EDDY_RUN_ONCE), 1);
  }
  run_for(seen->loop, SETTLING * EDDY_MILLISECOND);
  CHECK_EQ(seen->count, count);
}

void sightings_expect_none(sightings *seen) {
  sightings_await(seen, 0);
}

void sightings_check(
    const sightings *seen, size_t index, int events, const char *name, const char *new_name) {
  CHECK(index < seen->count);
  CHECK_EQ(seen->seen[index].events, events);
  CHECK_STR(seen->seen[index].name, name == NULL ? "" : name);
  CHECK_STR(seen->seen[index].new_name, new_name == NULL ? "" : new_name);
}

void sightings_forget(sightings *seen) {
  seen->count = 0;
}

void make_file(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, "x", 1), 1);
  CHECK_EQ(close(fd), 0);
}

void make_directory(const char *path) {
  CHECK_EQ(mkdir(path, 0700), 0);
}

void remove_path(const char *path) {
  CHECK_EQ(remove(path), 0);
}

void rename_path(const char *from, const char *to) {
  CHECK_EQ(rename(from, to), 0);
}

void change_mode(const char *path, unsigned mode) {
  CHECK_EQ(chmod(path, mode), 0);
}
