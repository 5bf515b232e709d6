/* eddy/file_watcher.h: what one file and one directory tell. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/sightings.h"
#include "harness/tap.h"

enum { NEW = EDDY_FILE_CREATED | EDDY_FILE_MODIFIED /* what make_file does to a new file */ };

static void end(sightings *seen) {
  eddy_loop *loop = seen->loop;
  sightings_close(seen);
  CHECK_EQ(eddy_file_watcher_close(seen->watcher, NULL), EDDY_EALREADY);
  end_loop(loop);
  CHECK_EQ(seen->closed, 1);
}

/* A file. */

static void a_file_that_is_written_is_modified(void) {
  sightings seen;
  make_file("file");
  make_file("other");
  sightings_begin(&seen, make_loop(), "file");
  make_file("other");
  make_file("file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_MODIFIED, "file", NULL);
  sightings_forget(&seen);
  CHECK_EQ(truncate("file", 0), 0);
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_MODIFIED, "file", NULL);
  sightings_forget(&seen);
  change_mode("file", 0400);
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_ATTRIBUTES, "file", NULL);
  end(&seen);
}

static void a_file_that_is_replaced_stays_watched(void) {
  sightings seen;
  make_file("file");
  sightings_begin(&seen, make_loop(), "file");
  make_file("new");
  rename_path("new", "file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_CREATED, "file", NULL);
  sightings_forget(&seen);
  make_file("file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_MODIFIED, "file", NULL);
  end(&seen);
}

static void a_file_that_is_deleted_and_made_again_stays_watched(void) {
  sightings seen;
  make_file("file");
  sightings_begin(&seen, make_loop(), "file");
  remove_path("file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_DELETED, "file", NULL);
  sightings_forget(&seen);
  make_file("file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, NEW, "file", NULL);
  sightings_forget(&seen);
  remove_path("file"); /* all in one turn */
  make_file("file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, NEW | EDDY_FILE_DELETED, "file", NULL);
  end(&seen);
}

static void a_file_need_not_be_there(void) {
  sightings seen;
  sightings_begin(&seen, make_loop(), "file");
  sightings_expect_none(&seen);
  make_file("file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, NEW, "file", NULL);
  end(&seen);
}

static void check_link_is_watched(const char *target) {
  sightings seen;
  CHECK_EQ(symlink(target, "link"), 0);
  sightings_begin(&seen, make_loop(), "link");
  CHECK_EQ(unlink("link"), 0);
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_DELETED, "link", NULL);
  end(&seen);
}

static void a_link_that_leads_to_no_directory_is_watched_itself(void) {
  make_file("file");
  check_link_is_watched("file");
  check_link_is_watched("nothing");
  check_link_is_watched("file/nothing");
  check_link_is_watched("link");
}

static void a_file_that_is_moved_away_is_gone(void) {
  sightings seen;
  make_file("file");
  make_directory("elsewhere");
  sightings_begin(&seen, make_loop(), "file");
  rename_path("file", "other"); /* within the directory */
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_DELETED, "file", NULL);
  sightings_forget(&seen);
  make_file("other");
  sightings_expect_none(&seen);
  rename_path("other", "file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_CREATED, "file", NULL);
  sightings_forget(&seen);
  rename_path("file", "elsewhere/file"); /* out of it */
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_DELETED, "file", NULL);
  sightings_forget(&seen);
  rename_path("elsewhere/file", "file"); /* and in */
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_CREATED, "file", NULL);
  sightings_forget(&seen);
  rename_path("file", "other"); /* there and back in one turn */
  rename_path("other", "file");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, EDDY_FILE_DELETED | EDDY_FILE_CREATED, "file", NULL);
  end(&seen);
}

static void a_path_takes_every_form(void) {
  static const char *const forms[] = {"below/file", "./below/file", "below/../below//file"};
  char absolute[PATH_MAX + 16];
  eddy_loop *loop = make_loop();
  sightings seen[4];
  size_t index;
  make_directory("below");
  for (index = 0; index < 3; index++) {
    sightings_begin(&seen[index], loop, forms[index]);
  }
  CHECK(getcwd(absolute, PATH_MAX) != NULL);
  strcat(absolute, "/below/file");
  sightings_begin(&seen[3], loop, absolute);
  make_file("below/file");
  for (index = 0; index < 4; index++) {
    sightings_await(&seen[index], 1);
    sightings_check(&seen[index], 0, NEW, "file", NULL);
    sightings_close(&seen[index]);
  }
  end_loop(loop);
}

static void a_path_may_start_at_the_root(void) {
  eddy_loop *loop = make_loop();
  sightings seen;
  sightings_begin(&seen, loop, "/no-such-file-of-libeddys-tests");
  sightings_close(&seen);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  sightings_begin(&seen, loop, "/");
  end(&seen);
}

/* A directory. */

static void a_directory_tells_of_its_entries(void) {
  sightings seen;
  make_directory("directory");
  sightings_begin(&seen, make_loop(), "directory");
  make_file("directory/a");
  make_directory("directory/below");
  make_file("directory/below/c"); /* not of those of directories in it */
  make_file("directory/b");
  make_file("directory/a");
  sightings_await(&seen, 3);
  sightings_check(&seen, 0, NEW, "a", NULL);
  sightings_check(&seen, 1, EDDY_FILE_CREATED, "below", NULL);
  sightings_check(&seen, 2, NEW, "b", NULL);
  sightings_forget(&seen);
  remove_path("directory/a");
  change_mode("directory/b", 0400);
  sightings_await(&seen, 2);
  sightings_check(&seen, 0, EDDY_FILE_DELETED, "a", NULL);
  sightings_check(&seen, 1, EDDY_FILE_ATTRIBUTES, "b", NULL);
  end(&seen);
}

static void a_directory_is_told_from_a_file_by_its_slash(void) {
  eddy_loop *loop = make_loop();
  sightings seen;
  make_directory("directory");
  make_file("file");
  CHECK_EQ(sightings_try(&seen, loop, "not-there/"), EDDY_ENOENT);
  CHECK_EQ(sightings_try(&seen, loop, "file/"), EDDY_ENOTDIR);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  sightings_begin(&seen, loop, "directory/");
  make_file("directory/a");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, NEW, "a", NULL);
  sightings_close(&seen);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  sightings_begin(&seen, loop, ".");
  make_file("b");
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, NEW, "b", NULL);
  end(&seen);
}

static void a_rename_has_both_names_and_its_place(void) {
  sightings seen;
  make_file("a");
  make_file("other");
  sightings_begin(&seen, make_loop(), ".");
  make_file("other");
  make_file("a");
  rename_path("a", "b");
  make_file("b");
  make_file("a");
  make_file("other");
  sightings_await(&seen, 5);
  sightings_check(&seen, 0, EDDY_FILE_MODIFIED, "other", NULL); /* once, before and after */
  sightings_check(&seen, 1, EDDY_FILE_MODIFIED, "a", NULL);
  sightings_check(&seen, 2, EDDY_FILE_RENAMED, "a", "b");
  sightings_check(&seen, 3, EDDY_FILE_MODIFIED, "b", NULL);
  sightings_check(&seen, 4, NEW, "a", NULL);
  sightings_forget(&seen);
  rename_path("a", "b"); /* onto another */
  rename_path("b", "c");
  sightings_await(&seen, 2);
  sightings_check(&seen, 0, EDDY_FILE_RENAMED, "a", "b");
  sightings_check(&seen, 1, EDDY_FILE_RENAMED, "b", "c");
  end(&seen);
}

static void a_move_between_directories_is_an_end_and_a_beginning(void) {
  eddy_loop *loop = make_loop();
  sightings from, to;
  make_directory("from");
  make_directory("to");
  make_directory("unseen");
  make_file("from/file");
  sightings_begin(&from, loop, "from");
  sightings_begin(&to, loop, "to");
  rename_path("from/file", "to/file");
  sightings_await(&from, 1);
  sightings_check(&from, 0, EDDY_FILE_DELETED, "file", NULL);
  sightings_await(&to, 1);
  sightings_check(&to, 0, EDDY_FILE_CREATED, "file", NULL);
  sightings_forget(&to);
  rename_path("to/file", "unseen/file");
  sightings_await(&to, 1);
  sightings_check(&to, 0, EDDY_FILE_DELETED, "file", NULL);
  sightings_forget(&to);
  rename_path("unseen/file", "to/again");
  sightings_await(&to, 1);
  sightings_check(&to, 0, EDDY_FILE_CREATED, "again", NULL);
  sightings_forget(&to);
  rename_path("to/again", "unseen/file"); /* out, and then others */
  make_file("to/new");
  sightings_await(&to, 2);
  sightings_check(&to, 0, EDDY_FILE_DELETED, "again", NULL);
  sightings_check(&to, 1, NEW, "new", NULL);
  sightings_close(&from);
  sightings_close(&to);
  end_loop(loop);
}

static void a_thousand_new_files_are_a_thousand_events(void) {
  sightings seen;
  int index;
  sightings_begin(&seen, make_loop(), ".");
  for (index = 0; index < 1000; index++) {
    char name[16];
    snprintf(name, sizeof name, "%d", index);
    make_file(name);
  }
  CHECK_EQ(eddy_loop_run(seen.loop, EDDY_RUN_ONCE), 1);
  CHECK_EQ(seen.count, 1000); /* with their writes: a read holds 2,048 events of short names */
  sightings_await(&seen, 1000);
  sightings_check(&seen, 0, NEW, "0", NULL);
  sightings_check(&seen, KEPT_SIGHTINGS - 1, NEW, "63", NULL);
  end(&seen);
}

static void many_changes_of_one_file_are_one_event(void) {
  sightings seen;
  int index;
  make_file("a");
  make_file("b");
  sightings_begin(&seen, make_loop(), ".");
  for (index = 0; index < 500; index++) { /* in turns: the kernel puts equal neighbours together */
    make_file("a");
    make_file("b");
  }
  sightings_await(&seen, 2);
  sightings_check(&seen, 0, EDDY_FILE_MODIFIED, "a", NULL);
  sightings_check(&seen, 1, EDDY_FILE_MODIFIED, "b", NULL);
  end(&seen);
}

static void the_longest_name_is_told_whole(void) {
  char longest[256];
  sightings seen;
  memset(longest, 'n', 255);
  longest[255] = 0;
  sightings_begin(&seen, make_loop(), ".");
  make_file(longest);
  sightings_await(&seen, 1);
  sightings_check(&seen, 0, NEW, longest, NULL);
  end(&seen);
}

static void a_directorys_own_attributes_have_no_name(void) {
  eddy_loop *loop = make_loop();
  sightings directory, file;
  make_directory("directory");
  sightings_begin(&directory, loop, "directory");
  sightings_begin(&file, loop, "directory/file");
  change_mode("directory", 0500);
  sightings_await(&directory, 1);
  sightings_check(&directory, 0, EDDY_FILE_ATTRIBUTES, NULL, NULL);
  CHECK_EQ(file.count, 0);
  change_mode("directory", 0700);
  sightings_close(&directory);
  sightings_close(&file);
  end_loop(loop);
}

/* Arguments. */

static void ignore(eddy_file_watcher *watcher, const eddy_file_event *event, void *context) {
  (void)watcher, (void)event, (void)context;
}

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_file_watcher *watcher = NULL;
  char too_long[300];
  int descriptors = count_descriptors();
  CHECK_EQ(eddy_file_watcher_create(NULL, ".", ignore, NULL, &watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_file_watcher_create(loop, NULL, ignore, NULL, &watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_file_watcher_create(loop, "", ignore, NULL, &watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_file_watcher_create(loop, ".", NULL, NULL, &watcher), EDDY_EINVAL);
  CHECK_EQ(eddy_file_watcher_create(loop, ".", ignore, NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_file_watcher_close(NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_file_watcher_create(loop, "none/file", ignore, NULL, &watcher), EDDY_ENOENT);
  make_file("file");
  CHECK_EQ(eddy_file_watcher_create(loop, "file/file", ignore, NULL, &watcher), EDDY_ENOTDIR);
  memset(too_long, 'n', sizeof too_long - 1);
  too_long[sizeof too_long - 1] = 0;
  CHECK_EQ(eddy_file_watcher_create(loop, too_long, ignore, NULL, &watcher), EDDY_ENAMETOOLONG);
  if (geteuid() != 0) {
    make_directory("closed");
    change_mode("closed", 0);
    CHECK_EQ(eddy_file_watcher_create(loop, "closed", ignore, NULL, &watcher), EDDY_EACCES);
  }
  CHECK(watcher == NULL);
  CHECK_EQ(count_descriptors(), descriptors);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_file_that_is_written_is_modified),
    TAP_TEST(a_file_that_is_replaced_stays_watched),
    TAP_TEST(a_file_that_is_deleted_and_made_again_stays_watched),
    TAP_TEST(a_file_need_not_be_there),
    TAP_TEST(a_link_that_leads_to_no_directory_is_watched_itself),
    TAP_TEST(a_file_that_is_moved_away_is_gone),
    TAP_TEST(a_path_takes_every_form),
    TAP_TEST(a_path_may_start_at_the_root),
    TAP_TEST(a_directory_tells_of_its_entries),
    TAP_TEST(a_directory_is_told_from_a_file_by_its_slash),
    TAP_TEST(a_rename_has_both_names_and_its_place),
    TAP_TEST(a_move_between_directories_is_an_end_and_a_beginning),
    TAP_TEST(a_thousand_new_files_are_a_thousand_events),
    TAP_TEST(many_changes_of_one_file_are_one_event),
    TAP_TEST(the_longest_name_is_told_whole),
    TAP_TEST(a_directorys_own_attributes_have_no_name),
    TAP_TEST(bad_arguments_are_invalid),
};
TAP_MAIN(tests)
