/*
 * eddy/listener.h: accepts connections over TCP and Unix sockets.
 *
 * Addresses are text, as in eddy/stream.h. Port 0 lets the system choose.
 */
#ifndef EDDY_LISTENER_H
#define EDDY_LISTENER_H

#include "base.h"

EDDY_BEGIN_DECLS

/** A listening socket. */
typedef struct eddy_listener eddy_listener;

/**
 * Called for each connection.
 *
 * @param fd the connection, non-blocking and close-on-exec. It is the callee's:
 *           give it to eddy_stream_open, or close(2) it.
 */
typedef void (*eddy_accept_cb)(eddy_listener *listener, int fd, void *context);

/**
 * Called when accept4(2) fails in a way that the program should know of.
 * EDDY_EMFILE, EDDY_ENFILE and EDDY_ENOMEM: accepting pauses for 100 ms and goes on by
 * itself; the connections wait in the backlog.
 */
typedef void (*eddy_listener_error_cb)(eddy_listener *listener, int error, void *context);

/** What eddy_listener_create may be told. A zero means the default. */
typedef struct eddy_listener_config {
  size_t size;
  void *context;
  eddy_accept_cb on_accept; /**< required */
  eddy_listener_error_cb on_error;
  /** The backlog of listen(2). Default: 4,096; the system may hold it to less. */
  int backlog;
  /** 1: SO_REUSEPORT, so that several processes share the port. Default: 0. */
  int reuse_port;
} eddy_listener_config;

#define EDDY_LISTENER_CONFIG_INIT                                                                  \
  { sizeof(eddy_listener_config), NULL, NULL, NULL, 0, 0 }

/**
 * Binds and listens. A Unix socket's file that nobody listens on any more is replaced; the file
 * goes when the listener is closed.
 *
 * @return 0; EDDY_EADDRFORMAT; EDDY_EADDRINUSE, EDDY_EACCES and others of bind(2);
 * EDDY_EINVAL; EDDY_ENOMEM. Since 0.1.
 */
int eddy_listener_create(
    eddy_loop *loop, const char *address, const eddy_listener_config *config,
    eddy_listener **out_listener);

/**
 * The address that it listens on, as text: with the port that the system chose.
 *
 * @param buffer gets the text and a final zero byte; 128 bytes hold every address.
 * @return its length without the zero; EDDY_EINVAL if the buffer is too small. Since 0.1.
 */
int eddy_listener_address(const eddy_listener *listener, char *buffer, size_t size);

/** Stops accepting; connections wait in the backlog. @return 0; EDDY_EINVAL. Since 0.1. */
int eddy_listener_pause(eddy_listener *listener);

/** Accepts again. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1. */
int eddy_listener_resume(eddy_listener *listener);

/** Closes the socket. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1. */
int eddy_listener_close(eddy_listener *listener, eddy_close_cb callback);

EDDY_END_DECLS

#endif
