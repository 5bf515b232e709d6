/*
 * eddy/udp.h: datagrams over UDP.
 *
 * There is no queue: a datagram that the kernel has no room for is refused with EDDY_EAGAIN, and
 * the program decides whether it is still worth sending when on_writable comes. UDP loses datagrams
 * anyway, and a queue would only make them late.
 */
#ifndef EDDY_UDP_H
#define EDDY_UDP_H

#include "address.h"
#include "base.h"

EDDY_BEGIN_DECLS

/** A UDP socket. */
typedef struct eddy_udp eddy_udp;

/** A datagram that was received. */
typedef struct eddy_datagram {
  const void *data; /**< its bytes */
  size_t length;    /**< their number, which may be 0 */
  /** Who sent it. */
  eddy_address peer;
  /** 1: it was longer than datagram_size, and its end is lost. */
  int truncated;
} eddy_datagram;

/**
 * Called with what has arrived: up to 64 datagrams at once, as recvmmsg(2) takes them.
 *
 * @param udp       the socket.
 * @param datagrams valid until the function returns, their data too.
 * @param count     at least 1.
 * @param context   of the configuration.
 */
typedef void (*eddy_udp_receive_cb)(
    eddy_udp *udp, const eddy_datagram *datagrams, size_t count, void *context);

/**
 * Called with an error that the network has reported about an earlier datagram, such as
 * EDDY_ECONNREFUSED for a connected socket whose peer's port is closed. Receiving goes on.
 */
typedef void (*eddy_udp_error_cb)(eddy_udp *udp, int error, void *context);

/** Called once when, after an EDDY_EAGAIN, the kernel has room again. */
typedef void (*eddy_udp_writable_cb)(eddy_udp *udp, void *context);

/** What a UDP socket may be told. A zero means the default. */
typedef struct eddy_udp_config {
  size_t size;
  void *context;
  eddy_udp_receive_cb on_receive;   /**< required before eddy_udp_receive_start */
  eddy_udp_error_cb on_error;       /**< may be null */
  eddy_udp_writable_cb on_writable; /**< may be null */
  /**
   * The longest datagram that is received whole, in bytes; at most 65,535 and the loop's read
   * buffer. Default: 2,048, above what an Ethernet frame carries. A longer one means fewer at once.
   */
  size_t datagram_size;
  /** 1: SO_REUSEPORT, so that several processes share the port (socket(7)). */
  int reuse_port;
  /** 1: SO_REUSEADDR, so that several programs of this host receive one multicast (ip(7)). */
  int reuse_address;
  /** 1: an IPv6 socket leaves IPv4 alone (IPV6_V6ONLY). Default: "[::]:53" receives both. */
  int ipv6_only;
  /** 1: may send to broadcast addresses (SO_BROADCAST). */
  int broadcast;
} eddy_udp_config;

/** An eddy_udp_config with every default. */
#define EDDY_UDP_CONFIG_INIT                                                                       \
  { sizeof(eddy_udp_config), NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0 }

/**
 * Opens a socket and binds it.
 *
 * @param loop    the loop.
 * @param address where it receives, as eddy/address.h has it; port 0 lets the system choose.
 * @param config  null for the defaults.
 * @param out_udp receives the socket, to be given back by eddy_udp_close.
 * @return 0; EDDY_EADDRFORMAT; EDDY_EADDRINUSE, EDDY_EACCES and others of bind(2); EDDY_EMFILE and
 * others of socket(2); EDDY_EINVAL; EDDY_ENOMEM. Since 0.2.
 */
int eddy_udp_open(
    eddy_loop *loop, const char *address, const eddy_udp_config *config, eddy_udp **out_udp);

/**
 * Connects: from here on it sends to this peer and receives from it alone (connect(2)).
 *
 * @param udp  the socket.
 * @param peer null ends the connection.
 * @return 0; EDDY_ENETUNREACH and others of connect(2); EDDY_EINVAL; EDDY_EALREADY when closing.
 * Since 0.2.
 */
int eddy_udp_connect(eddy_udp *udp, const eddy_address *peer);

/** Starts to receive. It keeps the loop alive. @return 0; EDDY_EINVAL without an on_receive;
 * EDDY_ENOMEM; EDDY_EALREADY when closing. Since 0.2. */
int eddy_udp_receive_start(eddy_udp *udp);

/** Stops receiving; what arrives waits in the kernel. @return 0; EDDY_EINVAL. Since 0.2. */
int eddy_udp_receive_stop(eddy_udp *udp);

/**
 * Sends one datagram.
 *
 * @param udp    the socket.
 * @param data   read before the function returns.
 * @param length at most 65,507 bytes over IPv4 (udp(7)).
 * @param peer   null on a connected socket.
 * @return 0; EDDY_EAGAIN when the kernel has no room: on_writable will be called; EDDY_EMSGSIZE;
 * EDDY_EDESTADDRREQ without a peer; EDDY_ECONNREFUSED, EDDY_ENETUNREACH and others of send(2);
 * EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.2.
 */
int eddy_udp_send(eddy_udp *udp, const void *data, size_t length, const eddy_address *peer);

/**
 * Sends several datagrams with as few calls of sendmmsg(2) as can be.
 *
 * @param udp       the socket.
 * @param datagrams their data, length and peer count; a peer of length 0 stands for the connected
 * one.
 * @param count     any number.
 * @return how many were sent, in order, which may be fewer than count: then either on_writable will
 * be called, or sending the next one alone tells the error. If the first can't be sent: its error,
 * as eddy_udp_send has it. Since 0.2.
 */
ptrdiff_t eddy_udp_send_batch(eddy_udp *udp, const eddy_datagram *datagrams, size_t count);

/**
 * Joins a multicast group (ip(7), ipv6(7)).
 *
 * @param udp       the socket.
 * @param group     an address without a port: "239.1.2.3" or "ff02::1234".
 * @param interface a name such as "eth0"; null lets the system choose.
 * @return 0; EDDY_EADDRFORMAT; EDDY_ENODEV for no such interface; EDDY_EADDRINUSE if it has been
 * joined; EDDY_EINVAL for no multicast address; EDDY_EALREADY when closing. Since 0.2.
 */
int eddy_udp_join(eddy_udp *udp, const char *group, const char *interface);

/**
 * Leaves a multicast group.
 *
 * @param udp       the socket.
 * @param group     as it was joined.
 * @param interface as it was joined.
 * @return as eddy_udp_join; EDDY_EADDRNOTAVAIL if it was not joined. Since 0.2.
 */
int eddy_udp_leave(eddy_udp *udp, const char *group, const char *interface);

/**
 * How multicasts are sent.
 *
 * @param udp       the socket.
 * @param hops      1 to 255: how many routers pass them on, less one. The system's default is 1.
 * @param loopback  1: this host receives them too (the system's default); 0: it does not.
 * @param interface where they go out; null lets the system choose.
 * @return 0; EDDY_EINVAL; EDDY_ENODEV; EDDY_EALREADY when closing. Since 0.2.
 */
int eddy_udp_set_multicast(eddy_udp *udp, int hops, int loopback, const char *interface);

/**
 * The address that it is bound to, with the port that the system chose.
 *
 * @return 0; EDDY_EINVAL. Since 0.2.
 */
int eddy_udp_address(const eddy_udp *udp, eddy_address *out_address);

/** The descriptor, which stays the socket's; EDDY_EINVAL. Since 0.2. */
int eddy_udp_fd(const eddy_udp *udp);

/** Closes the socket. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.2. */
int eddy_udp_close(eddy_udp *udp, eddy_close_cb callback);

EDDY_END_DECLS

#endif
