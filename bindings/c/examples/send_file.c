/*
 * send_file: sends one file to each client.
 *
 *   cc send_file.c $(pkg-config --cflags --libs eddy) -o send_file
 *   ./send_file /etc/services 10 127.0.0.1:7011        (10: seconds of silence that it bears)
 *   nc 127.0.0.1 7011
 *   systemd-socket-activate -l 7011 ./send_file /etc/services 10
 *
 * It shows a file that the kernel sends by itself, behind a header that is not copied; a socket
 * that a service manager has opened; an idle deadline, keep-alive, and half-close.
 */
#define _POSIX_C_SOURCE 200809L /* O_CLOEXEC */

#include <eddy.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A peer that vanished without a word is found out after about this long. */
#define KEEP_ALIVE (60 * EDDY_SECOND)

struct server {
  eddy_loop *loop;
  eddy_listener *listener;
  eddy_signal *signals[2];
  struct client *clients; /* a list, so that the end can close them */
  int file;
  uint64_t idle_timeout;
};

struct client {
  struct server *server;
  eddy_stream *stream; /* null once it is closed */
  struct client *next, *previous;
  char size[32]; /* stays as it is until it is written */
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "send_file: %s: %s\n", what, eddy_error_message(result));
    exit(result == EDDY_EADDRFORMAT ? 2 : 1);
  }
}

/* The last callback of a stream: its writes have been told of, and its context may go. */
static void on_closed(void *context) {
  free(context);
}

typedef int close_function(eddy_stream *stream, eddy_close_cb callback);

static void end_client(struct client *client, close_function *close_stream) {
  if (client->stream == NULL) {
    return;
  }
  if (client->previous != NULL) {
    client->previous->next = client->next;
  } else {
    client->server->clients = client->next;
  }
  if (client->next != NULL) {
    client->next->previous = client->previous;
  }
  close_stream(client->stream, on_closed);
  client->stream = NULL;
}

/* What the client says is of no interest; that it ends is: it has got all then, or given up. */
static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  (void)stream, (void)data;
  if (length < 0) {
    end_client(context, eddy_stream_close);
  }
}

/* The client neither takes what it is sent nor ends. */
static void on_idle(eddy_stream *stream, void *context) {
  (void)stream;
  fprintf(stderr, "send_file: a client is idle\n");
  end_client(context, eddy_stream_reset);
}

static void on_written(int status, void *context) {
  if (status < 0 && status != EDDY_ECANCELED) {
    fprintf(stderr, "send_file: %s\n", eddy_error_message(status));
    end_client(context, eddy_stream_reset);
  }
}

/* The end is sent only now: a file that has become shorter (EDDY_EOF) cannot be made good, and the
 * client shall see a reset instead. */
static void on_sent(int status, void *context) {
  struct client *client = context;
  if (status == 0) {
    eddy_stream_shutdown(client->stream);
  } else {
    on_written(status, client);
  }
}

static ptrdiff_t send_all(struct client *client) {
  struct stat status;
  if (fstat(client->server->file, &status) < 0) {
    return EDDY_EBADF;
  }
  int length = snprintf(client->size, sizeof client->size, "%lld", (long long)status.st_size);
  const eddy_buffer header[] = {{"length ", 7}, {client->size, (size_t)length}, {"\n", 1}};
  ptrdiff_t result = eddy_stream_write_buffers(client->stream, header, 3, on_written, client);
  if (result < 0) {
    return result;
  }
  return eddy_stream_sendfile(
      client->stream, client->server->file, 0, (uint64_t)status.st_size, on_sent, client);
}

static void on_accept(eddy_listener *listener, int fd, void *context) {
  struct server *server = context;
  struct client *client = calloc(1, sizeof *client);
  (void)listener;
  check(client == NULL ? EDDY_ENOMEM : 0, "client");
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.context = client;
  config.on_read = on_read;
  config.on_idle = on_idle;
  config.idle_timeout = server->idle_timeout;
  config.accepted = 1;
  check(eddy_stream_open(server->loop, fd, &config, &client->stream), "client");
  client->server = server;
  client->next = server->clients;
  if (client->next != NULL) {
    client->next->previous = client;
  }
  server->clients = client;
  if (send_all(client) < 0 || eddy_stream_read_start(client->stream) < 0) {
    end_client(client, eddy_stream_reset);
  }
}

static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  struct server *server = context;
  (void)watcher, (void)signal_number;
  eddy_signal_close(server->signals[0], NULL);
  eddy_signal_close(server->signals[1], NULL);
  eddy_listener_close(server->listener, NULL);
  while (server->clients != NULL) {
    end_client(server->clients, eddy_stream_close); /* its header tells it what is missing */
  }
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct server server = {0};
  char text[128], *rest = NULL;
  int passed = eddy_listen_fds();
  check(passed, "LISTEN_FDS");
  double seconds = argc == (passed > 0 ? 3 : 4) ? strtod(argv[2], &rest) : 0;
  if (!(seconds > 0 && seconds < 1e6) || *rest != 0) {
    fprintf(
        stderr, "usage: send_file FILE SECONDS [ADDRESS]     ADDRESS unless LISTEN_FDS is set\n");
    return 2;
  }
  server.idle_timeout = (uint64_t)(seconds * EDDY_SECOND);
  server.file = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (server.file < 0) {
    perror(argv[1]);
    return 1;
  }
  check(eddy_loop_create(NULL, &server.loop), "loop");
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  config.context = &server;
  config.on_accept = on_accept;
  config.keep_alive = KEEP_ALIVE;
  if (passed > 0) { /* the first of them, if there are several */
    check(
        eddy_listener_adopt(server.loop, EDDY_LISTEN_FDS_START, &config, &server.listener),
        "LISTEN_FDS");
  } else {
    check(eddy_listener_create(server.loop, argv[3], &config, &server.listener), argv[3]);
  }
  for (int i = 0; i < 2; i++) {
    check(eddy_signal_create(server.loop, on_signal, &server, &server.signals[i]), "signal");
    check(eddy_signal_start(server.signals[i], numbers[i]), "signal");
  }
  check(eddy_listener_address(server.listener, text, sizeof text), "address");
  printf("listening on %s; Ctrl-C ends\n", text);
  fflush(stdout);
  check(eddy_loop_run(server.loop, EDDY_RUN_UNTIL_IDLE), "run");
  check(eddy_loop_destroy(server.loop), "destroy");
  close(server.file);
  return 0;
}
