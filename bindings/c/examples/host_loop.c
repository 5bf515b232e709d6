/*
 * host_loop: a program whose own loop, around poll(2), drives Eddy's.
 *
 *   cc host_loop.c $(pkg-config --cflags --libs eddy) -o host_loop
 *   ./host_loop        each line is handed to the loop; "slow" holds it up; the end (Ctrl-D) ends
 *
 * It shows what a host needs to wait for both loops at once, a hook in each turn, the counters, and
 * how a callback that holds the loop up is found.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include <eddy.h>

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK (100 * EDDY_MILLISECOND)
/* What takes longer holds everybody else up noticeably. */
#define SLOW (20 * EDDY_MILLISECOND)

struct host {
  eddy_loop *loop;
  unsigned long turns, ticks;
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "host_loop: %s: %s\n", what, eddy_error_message(result));
    exit(1);
  }
}

static void on_turn(eddy_hook *hook, void *context) {
  struct host *host = context;
  (void)hook;
  host->turns++;
}

static void on_tick(eddy_timer *timer, void *context) {
  struct host *host = context;
  (void)timer;
  host->ticks++;
}

/* The callbacks of a line, which belongs to them. */

static void on_line(void *context) {
  printf("line: %s\n", (char *)context);
  fflush(stdout);
  free(context);
}

static void on_slow_line(void *context) {
  const struct timespec pause = {0, 3 * (long)SLOW};
  nanosleep(&pause, NULL); /* as a program does that computes, or reads from a slow disk */
  on_line(context);
}

/* A program with many callbacks would ask dladdr(3) for the name. */
static void on_slow_callback(const eddy_slow_callback *slow, void *context) {
  int is_known = slow->function == (void *)(uintptr_t)on_slow_line;
  (void)context;
  printf(
      "%s took %llu ms\n", is_known ? "on_slow_line" : "a callback",
      (unsigned long long)(slow->duration / EDDY_MILLISECOND));
  fflush(stdout);
}

static void post(struct host *host, const char *line, size_t length) {
  char *copy = malloc(length + 1);
  check(copy == NULL ? EDDY_ENOMEM : 0, "line");
  memcpy(copy, line, length);
  copy[length] = 0;
  int is_slow = strcmp(copy, "slow") == 0;
  check(eddy_loop_post(host->loop, is_slow ? on_slow_line : on_line, copy), "post");
}

/* Posts what standard input has, line by line. Returns 0 at its end. */
static int read_lines(struct host *host) {
  static char buffer[4096]; /* a longer line comes in parts */
  static size_t used;
  ssize_t count = read(STDIN_FILENO, buffer + used, sizeof buffer - used);
  used += count > 0 ? (size_t)count : 0;
  char *line = buffer, *end;
  while ((end = memchr(line, '\n', used)) != NULL) {
    post(host, line, (size_t)(end - line));
    used -= (size_t)(end + 1 - line);
    line = end + 1;
  }
  if (used > 0 && (count <= 0 || used == sizeof buffer)) {
    post(host, line, used);
    used = 0;
  }
  memmove(buffer, line, used);
  return count > 0;
}

/* In poll(2)'s milliseconds: rounded up, so that a timer is due when the time is over. */
static int poll_timeout(uint64_t nanoseconds) {
  if (nanoseconds == EDDY_NEVER) {
    return -1;
  }
  uint64_t milliseconds = (nanoseconds + EDDY_MILLISECOND - 1) / EDDY_MILLISECOND;
  return milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
}

int main(void) {
  struct host host = {NULL, 0, 0};
  eddy_hook *hook;
  eddy_timer *timer;
  check(eddy_loop_create(NULL, &host.loop), "loop");
  check(eddy_loop_watch_callbacks(host.loop, SLOW, on_slow_callback, NULL), "watch");
  check(eddy_hook_create(host.loop, EDDY_HOOK_BEFORE_BLOCKING, on_turn, &host, &hook), "hook");
  check(eddy_hook_start(hook), "hook");
  check(eddy_timer_create(host.loop, on_tick, &host, &timer), "timer");
  check(eddy_timer_start(timer, TICK, TICK), "timer");

  struct pollfd ready[] = {{STDIN_FILENO, POLLIN, 0}, {eddy_loop_fd(host.loop), POLLIN, 0}};
  check(ready[1].fd, "descriptor");
  int more = 1;
  while (more) {
    /* What a timer or a line has started may be due at once: turns, until it is time to wait. */
    do {
      check(eddy_loop_run(host.loop, EDDY_RUN_NOWAIT), "run");
    } while (eddy_loop_timeout(host.loop) == 0);
    poll(ready, 2, poll_timeout(eddy_loop_timeout(host.loop)));
    if (ready[0].revents != 0) {
      more = read_lines(&host);
    }
  }

  eddy_timer_close(timer, NULL);
  check(eddy_loop_run(host.loop, EDDY_RUN_UNTIL_IDLE), "run"); /* the last lines */
  eddy_loop_metrics metrics = EDDY_LOOP_METRICS_INIT;
  check(eddy_loop_read_metrics(host.loop, &metrics), "metrics");
  printf(
      "%llu turns (the hook counted %lu), %llu events, of them %lu ticks, %llu posts, %llu wakes; "
      "longest callback %llu ms\n",
      (unsigned long long)metrics.turns, host.turns, (unsigned long long)metrics.events, host.ticks,
      (unsigned long long)metrics.posts, (unsigned long long)metrics.wakes,
      (unsigned long long)(metrics.longest_callback / EDDY_MILLISECOND));
  eddy_hook_close(hook, NULL);
  check(eddy_loop_destroy(host.loop), "destroy");
  return 0;
}
