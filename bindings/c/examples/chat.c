/*
 * chat: what one client writes, all others read.
 *
 *   cc chat.c $(pkg-config --cflags --libs eddy) -o chat
 *   ./chat 127.0.0.1:7008
 *   nc 127.0.0.1 7008            then: /nick Ada
 *
 * It shows one event that goes to many streams, lines out of a byte stream, and a bound on what a
 * client that does not read can cost: the write queue's high mark.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 32
#define LINE_SIZE 1024
/* Text that may wait for a client. Who lags further behind than that is dropped. */
#define HIGH_MARK 65536

struct server {
  eddy_loop *loop;
  eddy_listener *listener;
  eddy_signal *signals[2];
  struct client *clients;
  int names;   /* given so far */
  int dropped; /* some client has `lost` set */
};

struct client {
  struct server *server;
  eddy_stream *stream;
  struct client *next;
  char name[NAME_SIZE];
  char line[LINE_SIZE]; /* what has come of a line that has not ended */
  size_t length;
  int lost;
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "chat: %s: %s\n", what, eddy_error_message(result));
    exit(result == EDDY_EADDRFORMAT ? 2 : 1);
  }
}

/* Marks only: whoever walks the list of clients is not to find it changed. */
static void lose(struct client *client) {
  client->lost = 1;
  client->server->dropped = 1;
}

/* Writes to all but `sender`. A write that is refused has found the queue above its high mark, or
 * the client gone. */
static void tell_others(const struct client *sender, const char *text) {
  for (struct client *client = sender->server->clients; client != NULL; client = client->next) {
    if (client != sender && !client->lost &&
        eddy_stream_write(client->stream, text, strlen(text)) < 0) {
      lose(client);
    }
  }
}

/* Closes the clients that are lost, and tells the others, which may lose some more. */
static void drop_lost(struct server *server) {
  while (server->dropped) {
    server->dropped = 0;
    for (struct client **link = &server->clients; *link != NULL;) {
      struct client *client = *link;
      char text[NAME_SIZE + 16];
      if (!client->lost) {
        link = &client->next;
        continue;
      }
      *link = client->next;
      snprintf(text, sizeof text, "* %s has left\n", client->name);
      tell_others(client, text);
      eddy_stream_close(client->stream, free); /* the context is the client */
    }
  }
}

static void handle_line(struct client *client) {
  char text[NAME_SIZE * 2 + LINE_SIZE];
  if (strncmp(client->line, "/nick ", 6) == 0) {
    snprintf(
        text, sizeof text, "* %s is now %.*s\n", client->name, NAME_SIZE - 1, client->line + 6);
    snprintf(client->name, sizeof client->name, "%.*s", NAME_SIZE - 1, client->line + 6);
  } else {
    snprintf(text, sizeof text, "%s: %s\n", client->name, client->line);
  }
  tell_others(client, text);
}

/* A read brings part of a line, or several: lines are cut here. */
static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  struct client *client = context;
  (void)stream;
  if (length < 0) {
    lose(client);
  }
  for (ptrdiff_t i = 0; i < length && !client->lost; i++) {
    if (data[i] == '\n') {
      client->line[client->length] = 0;
      client->length = 0;
      handle_line(client);
    } else if (client->length == LINE_SIZE - 1) {
      lose(client);              /* nobody types that */
    } else if (data[i] >= ' ') { /* no control characters for the others' terminals */
      client->line[client->length++] = (char)data[i];
    }
  }
  drop_lost(client->server);
}

static void on_accept(eddy_listener *listener, int fd, void *context) {
  struct server *server = context;
  struct client *client = calloc(1, sizeof *client);
  char text[NAME_SIZE + 16];
  (void)listener;
  check(client == NULL ? EDDY_ENOMEM : 0, "client");
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.context = client;
  config.on_read = on_read;
  config.write_high_mark = HIGH_MARK;
  config.accepted = 1;
  check(eddy_stream_open(server->loop, fd, &config, &client->stream), "client");
  client->server = server;
  client->next = server->clients;
  server->clients = client;
  snprintf(client->name, sizeof client->name, "guest%d", ++server->names);
  snprintf(text, sizeof text, "* %s has come\n", client->name);
  tell_others(client, text);
  drop_lost(server);
  eddy_stream_read_start(client->stream);
}

/* With every handle closed the loop has nothing left to wait for, and eddy_loop_run returns. */
static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  struct server *server = context;
  (void)watcher, (void)signal_number;
  eddy_signal_close(server->signals[0], NULL);
  eddy_signal_close(server->signals[1], NULL);
  eddy_listener_close(server->listener, NULL);
  for (struct client *client = server->clients; client != NULL; client = client->next) {
    eddy_stream_close(client->stream, free);
  }
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct server server = {0};
  char text[128];
  if (argc != 2) {
    fprintf(stderr, "usage: chat ADDRESS     for example 127.0.0.1:7008\n");
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
