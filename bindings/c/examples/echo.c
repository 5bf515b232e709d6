/*
 * echo: sends back whatever each client sends.
 *
 *   cc echo.c $(pkg-config --cflags --libs eddy) -o echo
 *   ./echo 127.0.0.1:7007        (or unix:/tmp/echo.sock)
 *   nc 127.0.0.1 7007
 *
 * It shows a listener, streams, backpressure, and an orderly end on Ctrl-C.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct server {
  eddy_loop *loop;
  eddy_listener *listener;
  eddy_signal *signals[2];
  struct client *clients; /* a list, so that the end can close them */
};

struct client {
  struct server *server;
  eddy_stream *stream;
  struct client *next;
  struct client *previous;
  int ended; /* the peer has sent its last byte */
};

/* The last callback of a stream: only now may its context go. */
static void on_closed(void *context) {
  free(context);
}

static void close_client(struct client *client) {
  if (client->previous != NULL) {
    client->previous->next = client->next;
  } else {
    client->server->clients = client->next;
  }
  if (client->next != NULL) {
    client->next->previous = client->previous;
  }
  eddy_stream_close(client->stream, on_closed);
}

static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  struct client *client = context;
  if (length < 0) {
    /* EDDY_EOF ends the client's side; what is still queued for it goes out first. */
    client->ended = 1;
    if (length != EDDY_EOF || eddy_stream_queued(stream) == 0) {
      close_client(client);
    }
    return;
  }
  ptrdiff_t queued = eddy_stream_write(stream, data, (size_t)length);
  if (queued < 0) {
    close_client(client);
  } else if (queued > 0) {
    /* The client reads more slowly than it writes: take nothing more until on_drain. */
    eddy_stream_read_stop(stream);
  }
}

static void on_drain(eddy_stream *stream, int status, void *context) {
  struct client *client = context;
  if (status < 0 || client->ended) {
    close_client(client);
  } else {
    eddy_stream_read_start(stream);
  }
}

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "echo: %s: %s\n", what, eddy_error_message(result));
    exit(result == EDDY_EADDRFORMAT ? 2 : 1);
  }
}

/* The descriptor is ours: it becomes a stream, or is closed with it. */
static void on_accept(eddy_listener *listener, int fd, void *context) {
  struct server *server = context;
  struct client *client = calloc(1, sizeof *client);
  (void)listener;
  check(client == NULL ? EDDY_ENOMEM : 0, "client");
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.context = client;
  config.on_read = on_read;
  config.on_drain = on_drain;
  config.accepted = 1;
  check(eddy_stream_open(server->loop, fd, &config, &client->stream), "client");
  client->server = server;
  client->next = server->clients;
  if (client->next != NULL) {
    client->next->previous = client;
  }
  server->clients = client;
  eddy_stream_read_start(client->stream);
}

/* With every handle closed the loop has nothing left to wait for, and eddy_loop_run returns. */
static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  struct server *server = context;
  (void)watcher, (void)signal_number;
  eddy_signal_close(server->signals[0], NULL);
  eddy_signal_close(server->signals[1], NULL);
  eddy_listener_close(server->listener, NULL);
  while (server->clients != NULL) {
    close_client(server->clients);
  }
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct server server = {NULL, NULL, {NULL, NULL}, NULL};
  char text[128];
  if (argc != 2) {
    fprintf(stderr, "usage: echo ADDRESS     for example 127.0.0.1:7007 or unix:/tmp/echo.sock\n");
    return 2;
  }
  check(eddy_loop_create(NULL, &server.loop), "loop");
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  config.context = &server;
  config.on_accept = on_accept;
  check(eddy_listener_create(server.loop, argv[1], &config, &server.listener), argv[1]);
  for (int i = 0; i < 2; i++) {
    check(eddy_signal_create(server.loop, on_signal, &server, &server.signals[i]), "signal");
    check(eddy_signal_start(server.signals[i], numbers[i]), "signal");
  }
  check(eddy_listener_address(server.listener, text, sizeof text), "address");
  printf("listening on %s; Ctrl-C ends\n", text);
  fflush(stdout);
  check(eddy_loop_run(server.loop, EDDY_RUN_UNTIL_IDLE), "run");
  check(eddy_loop_destroy(server.loop), "destroy");
  return 0;
}
