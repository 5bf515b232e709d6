/* eddy/file_watcher.h: several watchers, closing them, and what ends or breaks the watching. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/sightings.h"
#include "harness/tap.h"

enum {
  NEW = EDDY_FILE_CREATED | EDDY_FILE_MODIFIED, /* what make_file does to a new file */
  SHORT_EVENT = 32                              /* bytes of an event with a name of up to 15 */
};

/* A read(2) before the C library's, also for libeddy: while there is a limit it takes no more. */
static size_t read_limit;

ssize_t read(int fd, void *data, size_t length) {
  if (read_limit != 0 && length > read_limit) {
    length = read_limit;
  }
  return syscall(SYS_read, fd, data, length);
}

static void run_idle(eddy_loop *loop) {
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
}

/* Sharing. */

static void watchers_share_a_descriptor_while_there_are_any(void) {
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors(), index;
  sightings seen[3];
  make_directory("directory");
  sightings_begin(&seen[0], loop, "directory");
  sightings_begin(&seen[1], loop, ".");
  sightings_begin(&seen[2], loop, "file");
  CHECK_EQ(count_descriptors(), descriptors + 1);
  for (index = 0; index < 3; index++) {
    CHECK_EQ(eddy_loop_alive(loop), 1);
    sightings_close(&seen[index]);
  }
  CHECK_EQ(count_descriptors(), descriptors);
  run_idle(loop);
  sightings_begin(&seen[0], loop, "directory");
  make_file("directory/a");
  sightings_await(&seen[0], 1);
  sightings_close(&seen[0]);
  end_loop(loop);
}

static void watchers_of_one_directory_are_all_told(void) {
  eddy_loop *loop = make_loop();
  sightings first, second, file, other_file;
  make_directory("directory");
  CHECK_EQ(symlink("directory", "link"), 0);
  sightings_begin(&first, loop, "directory");
  sightings_begin(&second, loop, "link"); /* the same directory by another path */
  sightings_begin(&file, loop, "directory/a");
  sightings_begin(&other_file, loop, "directory/b");
  make_file("directory/a");
  sightings_await(&first, 1);
  CHECK_EQ(second.count, 1);
  CHECK_EQ(file.count, 1);
  CHECK_EQ(other_file.count, 0);
  sightings_close(&first);
  rename_path("directory/a", "directory/b");
  sightings_await(&second, 2);
  sightings_check(&second, 1, EDDY_FILE_RENAMED, "a", "b");
  sightings_check(&file, 1, EDDY_FILE_DELETED, "a", NULL);
  sightings_check(&other_file, 0, EDDY_FILE_CREATED, "b", NULL);
  sightings_close(&second);
  sightings_close(&file);
  make_file("directory/b");
  sightings_await(&other_file, 2);
  CHECK_EQ(second.count, 2);
  sightings_close(&other_file);
  end_loop(loop);
}

static void many_directories_are_told_apart(void) {
  enum { COUNT = 100 };
  static sightings seen[COUNT];
  eddy_loop *loop = make_loop();
  char path[32];
  int index;
  for (index = 0; index < COUNT; index++) {
    snprintf(path, sizeof path, "directory-%d", index);
    make_directory(path);
    sightings_begin(&seen[index], loop, path);
  }
  for (index = 0; index < COUNT; index += 3) { /* from the ends and the middle of the table */
    sightings_close(&seen[index]);
  }
  for (index = 0; index < COUNT; index++) {
    snprintf(path, sizeof path, "directory-%d/%d", index, index);
    make_file(path);
  }
  sightings_await(&seen[1], 1);
  for (index = 0; index < COUNT; index++) {
    if (index % 3 == 0) {
      CHECK_EQ(seen[index].count, 0);
      continue;
    }
    snprintf(path, sizeof path, "%d", index);
    CHECK_EQ(seen[index].count, 1);
    sightings_check(&seen[index], 0, NEW, path, NULL);
    sightings_close(&seen[index]);
  }
  end_loop(loop);
}

/* Callbacks that close and create. */

static void a_watcher_closes_itself(void) {
  eddy_loop *loop = make_loop();
  sightings seen;
  sightings_begin(&seen, loop, ".");
  seen.on_event = sightings_close;
  make_file("a");
  make_file("b");
  run_idle(loop);
  CHECK_EQ(seen.count, 1);
  CHECK_EQ(seen.closed, 1);
  end_loop(loop);
}

static void close_both(sightings *seen) {
  sightings_close(seen);
  sightings_close(seen->other);
}

static void check_closing_each_other(const char *first_path, const char *second_path) {
  eddy_loop *loop = make_loop();
  sightings first, second;
  sightings_begin(&first, loop, first_path);
  sightings_begin(&second, loop, second_path);
  first.other = &second;
  second.other = &first;
  first.on_event = second.on_event = close_both;
  make_file("one/a");
  make_file("two/a");
  make_file("one/a");
  run_idle(loop);
  CHECK_EQ(first.count + second.count, 1);
  CHECK_EQ(first.closed, 1);
  CHECK_EQ(second.closed, 1);
  end_loop(loop);
}

static void a_watcher_closes_another_that_is_still_to_be_told(void) {
  make_directory("one");
  make_directory("two");
  check_closing_each_other("one", "one");
  check_closing_each_other("one", "two");
  check_closing_each_other("one/a", "one");
  check_closing_each_other("one/a", "two/a");
}

/* Closes itself, and has another watch the same directory. */
static void replace(sightings *seen) {
  sightings_close(seen);
  sightings_begin(seen->other, seen->loop, ".");
}

static void a_watcher_that_a_callback_creates_sees_what_comes_later(void) {
  eddy_loop *loop = make_loop();
  sightings first, second, witness;
  sightings_begin(&first, loop, ".");
  sightings_begin(&witness, loop, "."); /* the directory stays watched */
  first.on_event = replace;
  first.other = &second;
  memset(&second, 0, sizeof second);
  make_file("a");
  make_file("b");
  sightings_await(&witness, 2);
  CHECK_EQ(first.closed, 1);
  CHECK_EQ(second.count, 0);
  make_file("c");
  sightings_await(&second, 1);
  sightings_check(&second, 0, NEW, "c", NULL);
  sightings_close(&second);
  sightings_close(&witness);
  run_idle(loop);
  sightings_begin(&first, loop, "."); /* and now without a witness */
  first.on_event = replace;
  first.other = &second;
  make_file("d");
  make_file("e");
  run_for(loop, 20 * EDDY_MILLISECOND);
  CHECK_EQ(first.count, 1);
  CHECK_EQ(second.count, 0);
  make_file("f");
  sightings_await(&second, 1);
  sightings_check(&second, 0, NEW, "f", NULL);
  sightings_close(&second);
  end_loop(loop);
}

/* The end of a directory. */

static void a_directory_that_is_removed_is_told_last(void) {
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors();
  sightings directory, file;
  make_directory("directory");
  make_file("directory/a");
  sightings_begin(&directory, loop, "directory");
  sightings_begin(&file, loop, "directory/a");
  remove_path("directory/a");
  remove_path("directory");
  run_idle(loop); /* what is no longer watched keeps no loop alive */
  CHECK_EQ(directory.count, 2);
  sightings_check(&directory, 0, EDDY_FILE_DELETED, "a", NULL);
  sightings_check(&directory, 1, EDDY_FILE_UNWATCHED, NULL, NULL);
  CHECK_EQ(file.count, 2);
  sightings_check(&file, 0, EDDY_FILE_DELETED, "a", NULL);
  sightings_check(&file, 1, EDDY_FILE_UNWATCHED, NULL, NULL);
  CHECK_EQ(count_descriptors(), descriptors);
  make_directory("directory");
  make_file("directory/a");
  run_idle(loop);
  CHECK_EQ(directory.count, 2);
  sightings_close(&directory);
  run_idle(loop);
  sightings_begin(&directory, loop, "directory"); /* watched anew */
  make_file("directory/b");
  sightings_await(&directory, 1);
  CHECK_EQ(file.count, 2);
  sightings_close(&directory);
  sightings_close(&file);
  end_loop(loop);
}

static void a_directory_that_is_moved_is_no_longer_watched(void) {
  eddy_loop *loop = make_loop();
  sightings seen, above;
  make_directory("directory");
  sightings_begin(&seen, loop, "directory");
  sightings_begin(&above, loop, ".");
  rename_path("directory", "moved");
  make_file("moved/a");
  sightings_await(&above, 1);
  sightings_check(&above, 0, EDDY_FILE_RENAMED, "directory", "moved");
  sightings_check(&seen, 0, EDDY_FILE_UNWATCHED, NULL, NULL);
  make_file("moved/b");
  run_for(loop, 20 * EDDY_MILLISECOND);
  CHECK_EQ(seen.count, 1);
  sightings_close(&seen);
  sightings_close(&above);
  end_loop(loop);
}

static void a_watcher_closes_itself_and_another_at_the_end_of_the_directory(void) {
  eddy_loop *loop = make_loop();
  sightings first, second;
  make_directory("directory");
  sightings_begin(&first, loop, "directory");
  sightings_begin(&second, loop, "directory/a");
  first.other = &second;
  second.other = &first;
  first.on_event = second.on_event = close_both;
  remove_path("directory");
  run_idle(loop);
  CHECK_EQ(first.count + second.count, 1);
  CHECK_EQ(first.closed + second.closed, 2);
  end_loop(loop);
}

/* What does not come as it should. */

static void a_rename_that_comes_in_two_reads_is_one(void) {
  sightings seen;
  make_file("a");
  sightings_begin(&seen, make_loop(), ".");
  read_limit = SHORT_EVENT;
  rename_path("a", "b");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_RENAMED, "a", "b");
  sightings_forget(&seen);
  read_limit = 2 * SHORT_EVENT; /* an event and a half of a rename; the rest, and one more */
  make_file("b");
  rename_path("b", "a");
  make_file("a");
  sightings_await(&seen, 3);
  sightings_check(&seen, 0, EDDY_FILE_MODIFIED, "b", NULL);
  sightings_check(&seen, 1, EDDY_FILE_RENAMED, "b", "a");
  sightings_check(&seen, 2, EDDY_FILE_MODIFIED, "a", NULL);
  read_limit = 0;
  sightings_close(&seen);
  end_loop(seen.loop);
}

static void half_a_rename_is_a_deletion_whatever_comes_next(void) {
  eddy_loop *loop = make_loop();
  sightings seen;
  make_directory("watched");
  make_file("watched/a");
  sightings_begin(&seen, loop, "watched");
  read_limit = SHORT_EVENT;
  rename_path("watched/a", "a");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_DELETED, "a", NULL);
  sightings_forget(&seen);
  rename_path("a", "watched/a");
  rename_path("watched/a", "a"); /* and another that comes right behind */
  rename_path("a", "watched/b");
  sightings_await(&seen, 3);
  sightings_check(&seen, 0, EDDY_FILE_CREATED, "a", NULL);
  sightings_check(&seen, 1, EDDY_FILE_DELETED, "a", NULL);
  sightings_check(&seen, 2, EDDY_FILE_CREATED, "b", NULL);
  rename_path("watched/b", "b");
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1); /* half of it has been read */
  CHECK_EQ(seen.count, 3);
  sightings_close(&seen);
  end_loop(loop);
  CHECK_EQ(seen.count, 3);
}

static long queue_length(void) {
  FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
  long length = 0;
  if (file == NULL || fscanf(file, "%ld", &length) != 1) {
    tap_skip("the length of inotify's queue is unknown");
  }
  fclose(file);
  return length;
}

static void lost_events_are_told_to_all(void) {
  eddy_loop *loop = make_loop();
  long length = queue_length(), index;
  sightings directory, file, elsewhere;
  if (length > 100000) {
    tap_skip("inotify's queue is too long to be filled");
  }
  make_file("a");
  make_file("b");
  make_directory("elsewhere");
  sightings_begin(&directory, loop, ".");
  sightings_begin(&file, loop, "a");
  sightings_begin(&elsewhere, loop, "elsewhere");
  for (index = 0; index <= length; index++) { /* in turns: equal neighbours would be one event */
    change_mode(index % 2 == 0 ? "a" : "b", 0600);
  }
  while (elsewhere.count == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  sightings_check(&elsewhere, 0, EDDY_FILE_OVERFLOW, NULL, NULL);
  CHECK(directory.count < KEPT_SIGHTINGS);
  sightings_check(&directory, directory.count - 1, EDDY_FILE_OVERFLOW, NULL, NULL);
  sightings_check(&file, file.count - 1, EDDY_FILE_OVERFLOW, NULL, NULL);
  sightings_forget(&directory);
  make_file("c"); /* it goes on */
  sightings_await(&directory, 1);
  sightings_check(&directory, 0, NEW, "c", NULL);
  sightings_close(&directory);
  sightings_close(&file);
  sightings_close(&elsewhere);
  end_loop(loop);
}

static void without_a_descriptor_nothing_is_watched(void) {
  eddy_loop *loop = make_loop();
  struct rlimit limit;
  sightings seen;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 0;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_EQ(sightings_try(&seen, loop, "."), EDDY_EMFILE);
  CHECK_EQ(sightings_try(&seen, loop, "file"), EDDY_EMFILE);
  limit.rlim_cur = limit.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  sightings_begin(&seen, loop, ".");
  sightings_close(&seen);
  end_loop(loop);
}

static void a_loop_with_watchers_is_not_for_a_child(void) {
  eddy_loop *loop = make_loop();
  sightings seen;
  sightings_begin(&seen, loop, ".");
  CHECK_EQ(eddy_loop_fork(loop), EDDY_EBUSY);
  CHECK_EQ(eddy_loop_destroy(loop), EDDY_EBUSY);
  sightings_close(&seen);
  run_idle(loop);
  CHECK_EQ(eddy_loop_fork(loop), 0);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(watchers_share_a_descriptor_while_there_are_any),
    TAP_TEST(watchers_of_one_directory_are_all_told),
    TAP_TEST(many_directories_are_told_apart),
    TAP_TEST(a_watcher_closes_itself),
    TAP_TEST(a_watcher_closes_another_that_is_still_to_be_told),
    TAP_TEST(a_watcher_that_a_callback_creates_sees_what_comes_later),
    TAP_TEST(a_directory_that_is_removed_is_told_last),
    TAP_TEST(a_directory_that_is_moved_is_no_longer_watched),
    TAP_TEST(a_watcher_closes_itself_and_another_at_the_end_of_the_directory),
    TAP_TEST(a_rename_that_comes_in_two_reads_is_one),
    TAP_TEST(half_a_rename_is_a_deletion_whatever_comes_next),
    TAP_TEST(lost_events_are_told_to_all),
    TAP_TEST(without_a_descriptor_nothing_is_watched),
    TAP_TEST(a_loop_with_watchers_is_not_for_a_child),
};
TAP_MAIN(tests)
