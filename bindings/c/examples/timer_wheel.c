/*
 * timer_wheel: sessions that expire when nothing has come from them for a while.
 *
 *   cc timer_wheel.c $(pkg-config --cflags --libs eddy) -o timer_wheel
 *   ./timer_wheel 100000 3       100,000 sessions, watched for 3 seconds
 *
 * It shows a timer for each of very many things. A session is touched much more often than it
 * expires, and each touch starts its timer anew: libeddy does that in O(1), since the deadline only
 * moves later, so that no timing wheel of one's own is needed.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define IDLE_LIMIT (500 * EDDY_MILLISECOND)
#define TICK (10 * EDDY_MILLISECOND)
#define REPORT (500 * EDDY_MILLISECOND)
/* Of a hundred sessions, those that are touched in each tick. Some are missed for longer than
 * IDLE_LIMIT: 0.93 to the power of 50 ticks is 2.7 %. */
#define TOUCHED_PERCENT 7
/* Of a thousand touches, those that log out. */
#define LOGOUT_PERMILLE 2

struct session {
  struct wheel *wheel;
  eddy_timer *expiry;
  int alive;
};

struct wheel {
  eddy_loop *loop;
  eddy_timer *tick, *report, *end;
  eddy_signal *signals[2];
  struct session *sessions;
  long count, alive, touches, expired, logged_out;
  uint64_t began_at;
  uint32_t random;
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "timer_wheel: %s: %s\n", what, eddy_error_message(result));
    exit(1);
  }
}

/* xorshift32: cheap, and the same each time. */
static uint32_t next_random(struct wheel *wheel) {
  wheel->random ^= wheel->random << 13;
  wheel->random ^= wheel->random >> 17;
  wheel->random ^= wheel->random << 5;
  return wheel->random;
}

static void on_expiry(eddy_timer *timer, void *context) {
  struct session *session = context;
  (void)timer; /* it is stopped now, and may be started again */
  session->alive = 0;
  session->wheel->alive--;
  session->wheel->expired++;
}

/* A request of a session that is there, or the first of a new one in the place of one that is gone.
 */
static void touch(struct session *session) {
  struct wheel *wheel = session->wheel;
  if (session->alive && next_random(wheel) % 1000 < LOGOUT_PERMILLE) {
    eddy_timer_stop(session->expiry);
    session->alive = 0;
    wheel->alive--;
    wheel->logged_out++;
    return;
  }
  wheel->alive += !session->alive;
  session->alive = 1;
  wheel->touches++;
  eddy_timer_start(session->expiry, IDLE_LIMIT, 0);
}

static void on_tick(eddy_timer *timer, void *context) {
  struct wheel *wheel = context;
  (void)timer;
  for (long i = wheel->count * TOUCHED_PERCENT / 100; i >= 0; i--) {
    touch(&wheel->sessions[next_random(wheel) % (uint32_t)wheel->count]);
  }
}

static void on_report(eddy_timer *timer, void *context) {
  struct wheel *wheel = context;
  uint64_t passed = eddy_loop_now(wheel->loop) - wheel->began_at;
  (void)timer;
  printf(
      "after %llu ms: %ld alive, %ld touched, %ld expired, %ld logged out\n",
      (unsigned long long)(passed / EDDY_MILLISECOND), wheel->alive, wheel->touches, wheel->expired,
      wheel->logged_out);
  fflush(stdout);
}

/* Once every handle is closed nothing keeps the loop alive, and eddy_loop_run returns. */
static void end(struct wheel *wheel) {
  on_report(wheel->report, wheel);
  for (long i = 0; i < wheel->count; i++) {
    eddy_timer_close(wheel->sessions[i].expiry, NULL);
  }
  eddy_timer_close(wheel->tick, NULL);
  eddy_timer_close(wheel->report, NULL);
  eddy_timer_close(wheel->end, NULL);
  eddy_signal_close(wheel->signals[0], NULL);
  eddy_signal_close(wheel->signals[1], NULL);
}

static void on_end(eddy_timer *timer, void *context) {
  (void)timer;
  end(context);
}

static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  (void)watcher, (void)signal_number;
  end(context);
}

/* A whole number from 1 to `most`; else the program ends. */
static long argument(const char *text, long most) {
  char *rest;
  long value = strtol(text, &rest, 10);
  if (*text == 0 || *rest != 0 || value < 1 || value > most) {
    fprintf(stderr, "usage: timer_wheel SESSIONS SECONDS     for example 100000 3\n");
    exit(2);
  }
  return value;
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct wheel wheel = {0};
  wheel.count = argument(argc == 3 ? argv[1] : "", 10000000);
  long seconds = argument(argv[2], 86400);
  wheel.random = 1;
  wheel.sessions = calloc((size_t)wheel.count, sizeof *wheel.sessions);
  check(wheel.sessions == NULL ? EDDY_ENOMEM : 0, "sessions");
  check(eddy_loop_create(NULL, &wheel.loop), "loop");
  for (long i = 0; i < wheel.count; i++) {
    struct session *session = &wheel.sessions[i];
    session->wheel = &wheel;
    check(eddy_timer_create(wheel.loop, on_expiry, session, &session->expiry), "timer");
  }
  check(eddy_timer_create(wheel.loop, on_tick, &wheel, &wheel.tick), "timer");
  check(eddy_timer_create(wheel.loop, on_report, &wheel, &wheel.report), "timer");
  check(eddy_timer_create(wheel.loop, on_end, &wheel, &wheel.end), "timer");
  for (int i = 0; i < 2; i++) {
    check(eddy_signal_create(wheel.loop, on_signal, &wheel, &wheel.signals[i]), "signal");
    check(eddy_signal_start(wheel.signals[i], numbers[i]), "signal");
  }
  eddy_loop_update_now(wheel.loop); /* the making of the sessions is not to count */
  wheel.began_at = eddy_loop_now(wheel.loop);
  for (long i = 0; i < wheel.count; i++) {
    touch(&wheel.sessions[i]);
  }
  check(eddy_timer_start(wheel.tick, TICK, TICK), "timer");
  check(eddy_timer_start(wheel.report, REPORT, REPORT), "timer");
  check(eddy_timer_start(wheel.end, (uint64_t)seconds * EDDY_SECOND, 0), "timer");
  check(eddy_loop_run(wheel.loop, EDDY_RUN_UNTIL_IDLE), "run");
  check(eddy_loop_destroy(wheel.loop), "destroy");
  free(wheel.sessions);
  return 0;
}
