/*
 * watch: tells what happens to files and directories.
 *
 *   cc watch.c $(pkg-config --cflags --libs eddy) -o watch
 *   ./watch /tmp notes.txt
 *
 * It shows file watchers: of a directory, which tells of its entries by name, and of a file, which
 * stays watched when another is renamed over it, and need not be there yet.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "watch: %s: %s\n", what, eddy_error_message(result));
    exit(1);
  }
}

/* What happened to one name in one turn comes as one event: a new file that was written to at once
 * is "created modified". The context is the path as it was given. */
static void on_event(eddy_file_watcher *watcher, const eddy_file_event *event, void *context) {
  static const struct {
    int event;
    const char *text;
  } texts[] = {
      {EDDY_FILE_CREATED, "created"},
      {EDDY_FILE_DELETED, "deleted"},
      {EDDY_FILE_MODIFIED, "modified"},
      {EDDY_FILE_ATTRIBUTES, "attributes"},
      {EDDY_FILE_RENAMED, "renamed to"},
      {EDDY_FILE_OVERFLOW, "overflow: some events are lost"},
      {EDDY_FILE_UNWATCHED, "unwatched: it is gone or moved"},
  };
  (void)watcher;
  printf("%s:", (const char *)context);
  if (event->name != NULL) {
    printf(" %s", event->name);
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (event->events & texts[i].event) {
      printf(" %s", texts[i].text);
    }
  }
  if (event->new_name != NULL) {
    printf(" %s", event->new_name);
  }
  printf("\n");
  fflush(stdout);
}

static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  (void)watcher, (void)signal_number;
  eddy_loop_stop(context);
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  eddy_loop *loop;
  eddy_signal *signals[2];
  if (argc < 2) {
    fprintf(stderr, "usage: watch PATH...     for example /tmp notes.txt\n");
    return 2;
  }
  eddy_file_watcher **watchers = calloc((size_t)argc, sizeof *watchers);
  check(watchers == NULL ? EDDY_ENOMEM : 0, "watchers");
  check(eddy_loop_create(NULL, &loop), "loop");
  for (int i = 1; i < argc; i++) {
    check(eddy_file_watcher_create(loop, argv[i], on_event, argv[i], &watchers[i]), argv[i]);
  }
  for (int i = 0; i < 2; i++) {
    check(eddy_signal_create(loop, on_signal, loop, &signals[i]), "signal");
    check(eddy_signal_start(signals[i], numbers[i]), "signal");
  }
  printf("watching %d; Ctrl-C ends\n", argc - 1);
  fflush(stdout);
  /* It also returns when all that was watched is gone: nothing keeps the loop alive then. */
  check(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), "run");
  for (int i = 1; i < argc; i++) {
    eddy_file_watcher_close(watchers[i], NULL);
  }
  eddy_signal_close(signals[0], NULL);
  eddy_signal_close(signals[1], NULL);
  check(eddy_loop_destroy(loop), "destroy");
  free(watchers);
  return 0;
}
