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
  eddy_accept_cb on_accept;        /**< required */
  eddy_listener_error_cb on_error; /**< may be null */
  /** The backlog of listen(2). Default: 4,096; the system may hold it to less. */
  int backlog;
  /** 1: SO_REUSEPORT, so that several processes share the port. Default: 0. */
  int reuse_port;
  /** 1: "[::]:80" leaves IPv4 alone (IPV6_V6ONLY, ipv6(7)). Default: it accepts both. */
  int ipv6_only;
  /**
   * Nanoseconds of silence after which the kernel probes whether the peer of an accepted TCP
   * connection is still there, rounded up to seconds (TCP_KEEPIDLE, tcp(7)), at most 32,767 s:
   * three probes, a tenth of it apart but at least a second. Default: 0, no probes.
   */
  uint64_t keep_alive;
} eddy_listener_config;

/** An eddy_listener_config with every default. */
#define EDDY_LISTENER_CONFIG_INIT                                                                  \
  { sizeof(eddy_listener_config), NULL, NULL, NULL, 0, 0, 0, 0 }

/**
 * Binds and listens. A Unix socket's file that nobody listens on any more is replaced; the file
 * goes when the listener is closed.
 *
 * @param address text, as the top of this header says.
 * @return 0; EDDY_EADDRFORMAT; EDDY_ENAMETOOLONG for a path of more than 107 bytes (unix(7));
 * EDDY_EADDRINUSE, EDDY_EACCES and others of bind(2); EDDY_EINVAL; EDDY_ENOMEM. Since 0.1.
 */
int eddy_listener_create(
    eddy_loop *loop, const char *address, const eddy_listener_config *config,
    eddy_listener **out_listener);

/**
 * A listener on a socket that another program has opened, for example systemd (see
 * eddy_listen_fds).
 *
 * @param loop         the loop.
 * @param fd           a listening stream socket, TCP or Unix: made non-blocking and close-on-exec,
 * and owned by the listener from here on if the result is 0. `backlog`, `reuse_port` and
 * `ipv6_only` are the opener's; a Unix socket's file stays when it is closed.
 * @param config       required.
 * @param out_listener receives the listener, to be given back by eddy_listener_close.
 * @return 0; EDDY_EBADF; EDDY_EINVAL for a descriptor that is no listening stream socket;
 * EDDY_ENOMEM. Since 0.2.
 */
int eddy_listener_adopt(
    eddy_loop *loop, int fd, const eddy_listener_config *config, eddy_listener **out_listener);

/** The first descriptor that a service manager passes (sd_listen_fds(3)). */
#define EDDY_LISTEN_FDS_START 3

/**
 * How many sockets a service manager has passed to this process, as LISTEN_FDS and LISTEN_PID say
 * (sd_listen_fds(3)): they are the descriptors from EDDY_LISTEN_FDS_START on, and are made
 * close-on-exec here. The variables are left as they are.
 *
 * @return their number; 0 if there are none or they are meant for another process; EDDY_EINVAL if
 * LISTEN_FDS is no number; EDDY_EBADF if one of them is not open. Any thread. Since 0.2.
 */
int eddy_listen_fds(void);

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
