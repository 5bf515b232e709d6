/*
 * ping: measures the time that a datagram takes there and back, and how many are lost.
 *
 *   cc ping.c $(pkg-config --cflags --libs eddy) -o ping
 *   ./ping serve 127.0.0.1:7010 &
 *   ./ping 127.0.0.1:7010 10
 *
 * It shows UDP, bound and connected, answers in batches, and a repeating timer.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL (50 * EDDY_MILLISECOND)
/* How long the last answer is waited for. */
#define PATIENCE (500 * EDDY_MILLISECOND)
#define MOST_PINGS 100000

/* What travels. Only the sender reads it, so its own byte order will do. */
struct ping {
  uint64_t sent_at;
  uint64_t number;
};

struct program {
  eddy_loop *loop;
  eddy_udp *udp;
  eddy_timer *timer; /* null in the server */
  eddy_signal *signals[2];
  char *answered; /* whether each has come back: UDP may also double them */
  uint64_t count, sent, received;
  uint64_t least, most, sum; /* nanoseconds */
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "ping: %s: %s\n", what, eddy_error_message(result));
    exit(result == EDDY_EADDRFORMAT ? 2 : 1);
  }
}

static void end(struct program *program) {
  eddy_udp_close(program->udp, NULL);
  if (program->timer != NULL) {
    eddy_timer_close(program->timer, NULL);
  }
  eddy_signal_close(program->signals[0], NULL);
  eddy_signal_close(program->signals[1], NULL);
}

/* No more is sent; the answer that may be on its way is waited for. */
static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  struct program *program = context;
  (void)watcher, (void)signal_number;
  if (program->timer == NULL || program->received == program->sent) {
    end(program);
    return;
  }
  program->count = program->sent;
  eddy_timer_start(program->timer, PATIENCE, 0);
}

/* The server: each datagram holds the peer that sent it, so what came can go back as it is. What
 * the kernel has no room for is dropped, as UDP does anyway. */
static void on_request(eddy_udp *udp, const eddy_datagram *datagrams, size_t count, void *context) {
  (void)context;
  eddy_udp_send_batch(udp, datagrams, count);
}

/* The client. */

static void on_answer(eddy_udp *udp, const eddy_datagram *datagrams, size_t count, void *context) {
  struct program *program = context;
  (void)udp;
  for (size_t i = 0; i < count; i++) {
    struct ping ping;
    if (datagrams[i].length != sizeof ping) {
      continue;
    }
    memcpy(&ping, datagrams[i].data, sizeof ping);
    if (ping.number >= program->sent || program->answered[ping.number]) {
      continue;
    }
    uint64_t time = eddy_loop_now(program->loop) - ping.sent_at;
    program->answered[ping.number] = 1;
    program->received++;
    program->sum += time;
    program->least = program->received == 1 || time < program->least ? time : program->least;
    program->most = time > program->most ? time : program->most;
    printf("%llu: %.3f ms\n", (unsigned long long)ping.number, (double)time / EDDY_MILLISECOND);
  }
  if (program->received == program->count) {
    end(program);
  }
}

/* Nobody listens there, for example. Somebody may yet: what is lost is counted in the end. */
static void on_error(eddy_udp *udp, int error, void *context) {
  (void)udp, (void)context;
  fprintf(stderr, "ping: %s\n", eddy_error_message(error));
}

static void on_timer(eddy_timer *timer, void *context) {
  struct program *program = context;
  if (program->sent == program->count) {
    end(program); /* PATIENCE is over */
    return;
  }
  eddy_loop_update_now(program->loop); /* the clock, not the beginning of the turn */
  struct ping ping = {eddy_loop_now(program->loop), program->sent++};
  int status = eddy_udp_send(program->udp, &ping, sizeof ping, NULL);
  if (status < 0 && status != EDDY_EAGAIN) {
    on_error(program->udp, status, program);
  }
  if (program->sent == program->count) {
    eddy_timer_start(timer, PATIENCE, 0);
  }
}

static void start_client(struct program *program, const char *text) {
  eddy_address server;
  eddy_udp_config config = EDDY_UDP_CONFIG_INIT;
  config.context = program;
  config.on_receive = on_answer;
  config.on_error = on_error;
  check(eddy_address_parse(text, &server), text);
  check(
      eddy_udp_open(program->loop, *text == '[' ? "[::]:0" : "0.0.0.0:0", &config, &program->udp),
      "socket");
  check(eddy_udp_connect(program->udp, &server), text);
  check(eddy_timer_create(program->loop, on_timer, program, &program->timer), "timer");
  check(eddy_timer_start(program->timer, 0, INTERVAL), "timer");
}

static void start_server(struct program *program, const char *text) {
  eddy_address address;
  char bound[128];
  eddy_udp_config config = EDDY_UDP_CONFIG_INIT;
  config.on_receive = on_request;
  check(eddy_udp_open(program->loop, text, &config, &program->udp), text);
  check(eddy_udp_address(program->udp, &address), "address");
  check(eddy_address_format(&address, bound, sizeof bound), "address");
  printf("listening on %s; Ctrl-C ends\n", bound);
  fflush(stdout);
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct program program = {0};
  int serves = argc == 3 && strcmp(argv[1], "serve") == 0;
  char *rest = NULL;
  long count = argc == 3 && !serves ? strtol(argv[2], &rest, 10) : 0;
  if (!serves && (count < 1 || count > MOST_PINGS || *rest != 0)) {
    fprintf(stderr, "usage: ping serve ADDRESS\n       ping ADDRESS COUNT\n");
    return 2;
  }
  program.count = (uint64_t)count;
  program.answered = calloc((size_t)count + 1, 1);
  check(program.answered == NULL ? EDDY_ENOMEM : 0, "memory");
  check(eddy_loop_create(NULL, &program.loop), "loop");
  (serves ? start_server : start_client)(&program, argv[serves ? 2 : 1]);
  check(eddy_udp_receive_start(program.udp), "receive");
  for (int i = 0; i < 2; i++) {
    check(eddy_signal_create(program.loop, on_signal, &program, &program.signals[i]), "signal");
    check(eddy_signal_start(program.signals[i], numbers[i]), "signal");
  }
  check(eddy_loop_run(program.loop, EDDY_RUN_UNTIL_IDLE), "run");
  check(eddy_loop_destroy(program.loop), "destroy");
  free(program.answered);
  if (serves) {
    return 0;
  }
  printf(
      "%llu sent, %llu received, %.0f %% lost\n", (unsigned long long)program.sent,
      (unsigned long long)program.received,
      program.sent == 0 ? 0.0
                        : 100.0 * (double)(program.sent - program.received) / (double)program.sent);
  if (program.received == 0) {
    return 1;
  }
  printf(
      "%.3f / %.3f / %.3f ms least / mean / most\n", (double)program.least / EDDY_MILLISECOND,
      (double)program.sum / (double)program.received / EDDY_MILLISECOND,
      (double)program.most / EDDY_MILLISECOND);
  return 0;
}
