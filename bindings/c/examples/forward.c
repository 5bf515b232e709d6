/*
 * forward: hands each connection on to another address.
 *
 *   cc forward.c $(pkg-config --cflags --libs eddy) -o forward
 *   ./forward 127.0.0.1:7009 127.0.0.1:80
 *   ./forward 127.0.0.1:7009 localhost:80
 *
 * It shows outgoing connections, also to a host of which only the name is known and any of whose
 * addresses will do, backpressure from one stream to another, and half-close: each
 * direction ends by itself, and the connection when both have.
 */
#include <eddy.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct server {
  eddy_loop *loop;
  eddy_listener *listener;
  eddy_signal *signals[2];
  const char *target;
  char host[256]; /* of the target, if it is a name and a port; else empty */
  int port;
  struct link *links;
};

/* One of the two streams of a connection that is handed on. */
struct side {
  struct link *link;
  struct side *other;
  eddy_stream *stream;
  int ended; /* nothing more comes from it */
};

struct link {
  struct server *server;
  struct link *next, *previous;
  struct side client, target;
  int open; /* streams whose close callback has not been called */
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "forward: %s: %s\n", what, eddy_error_message(result));
    exit(result == EDDY_EADDRFORMAT ? 2 : 1);
  }
}

static void on_closed(void *context) {
  struct link *link = ((struct side *)context)->link;
  if (--link->open == 0) {
    free(link);
  }
}

static void close_link(struct link *link) {
  *(link->previous != NULL ? &link->previous->next : &link->server->links) = link->next;
  if (link->next != NULL) {
    link->next->previous = link->previous;
  }
  eddy_stream_close(link->client.stream, on_closed);
  if (link->target.stream != NULL) {
    eddy_stream_close(link->target.stream, on_closed);
  }
}

/* Closing drops what is queued, so both queues must be empty. */
static void close_if_done(struct link *link) {
  if (link->client.ended && link->target.ended && eddy_stream_queued(link->client.stream) == 0 &&
      eddy_stream_queued(link->target.stream) == 0) {
    close_link(link);
  }
}

static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  struct side *side = context;
  if (length == EDDY_EOF) {
    /* The other side is told once its queue is written. Its own bytes go on coming back. */
    side->ended = 1;
    eddy_stream_shutdown(side->other->stream);
    close_if_done(side->link);
    return;
  }
  ptrdiff_t queued =
      length < 0 ? length : eddy_stream_write(side->other->stream, data, (size_t)length);
  if (queued < 0) {
    close_link(side->link); /* reset by either peer: no byte can arrive any more */
  } else if (queued > 0) {
    eddy_stream_read_stop(stream); /* so that the sender is slowed down, not this program filled */
  }
}

static void on_drain(eddy_stream *stream, int status, void *context) {
  struct side *side = context;
  (void)stream;
  if (status < 0) {
    close_link(side->link);
    return;
  }
  if (!side->other->ended) {
    eddy_stream_read_start(side->other->stream);
  }
  close_if_done(side->link);
}

static void on_connect(eddy_stream *stream, int status, void *context) {
  struct side *target = context;
  if (status < 0) {
    fprintf(stderr, "forward: %s: %s\n", target->link->server->target, eddy_error_message(status));
    close_link(target->link);
    return;
  }
  eddy_stream_read_start(stream);
  eddy_stream_read_start(target->other->stream); /* until now the client had to wait */
}

static void on_accept(eddy_listener *listener, int fd, void *context) {
  struct server *server = context;
  struct link *link = calloc(1, sizeof *link);
  (void)listener;
  check(link == NULL ? EDDY_ENOMEM : 0, "connection");
  link->server = server;
  link->client.link = link->target.link = link;
  link->client.other = &link->target;
  link->target.other = &link->client;
  link->next = server->links;
  if (link->next != NULL) {
    link->next->previous = link;
  }
  server->links = link;
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.on_read = on_read;
  config.on_drain = on_drain;
  config.on_connect = on_connect;
  config.context = &link->client;
  check(eddy_stream_open(server->loop, fd, &config, &link->client.stream), "connection");
  link->open++;
  config.context = &link->target;
  int status =
      server->host[0] == 0
          ? eddy_stream_connect(server->loop, server->target, &config, &link->target.stream)
          : eddy_stream_connect_host(
                server->loop, server->host, server->port, &config, &link->target.stream);
  if (status < 0) { /* out of descriptors, for example: the server goes on */
    fprintf(stderr, "forward: %s: %s\n", server->target, eddy_error_message(status));
    close_link(link);
  } else {
    link->open++;
  }
}

static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  struct server *server = context;
  (void)watcher, (void)signal_number;
  eddy_signal_close(server->signals[0], NULL);
  eddy_signal_close(server->signals[1], NULL);
  eddy_listener_close(server->listener, NULL);
  while (server->links != NULL) {
    close_link(server->links);
  }
}

/* Looks at the target now, not at each connection. An address stays as it is; a name and its port
 * are taken apart. */
static void read_target(struct server *server, const char *text) {
  eddy_address address;
  int result = eddy_address_parse(text, &address);
  const char *colon = strrchr(text, ':');
  char *rest = NULL;
  long port = colon != NULL ? strtol(colon + 1, &rest, 10) : 0;
  server->target = text;
  if (result == 0) {
    return;
  }
  if (port < 1 || port > 65535 || *rest != 0 || colon == text ||
      colon != text + strcspn(text, ":[]") || (size_t)(colon - text) >= sizeof server->host) {
    check(result, text);
  }
  memcpy(server->host, text, (size_t)(colon - text));
  server->port = (int)port;
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct server server = {0};
  char text[128];
  if (argc != 3) {
    fprintf(stderr, "usage: forward ADDRESS TARGET     for example 127.0.0.1:7009 localhost:80\n");
    return 2;
  }
  read_target(&server, argv[2]);
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
