/*
 * eddy/stream.h: byte streams over TCP, Unix sockets and pipes.
 *
 * An address is text: "127.0.0.1:8888", "[::1]:8888" or "unix:/run/x.sock".
 */
#ifndef EDDY_STREAM_H
#define EDDY_STREAM_H

#include "base.h"

EDDY_BEGIN_DECLS

/** A stream. */
typedef struct eddy_stream eddy_stream;

/**
 * Called once for a stream of eddy_stream_connect.
 *
 * @param status 0 when connected; else why not (EDDY_ECONNREFUSED, EDDY_ETIMEDOUT, …; EDDY_EAGAIN:
 *               the backlog of a Unix socket is full, connect(2)), and the stream can only be
 *               closed.
 */
typedef void (*eddy_stream_connect_cb)(eddy_stream *stream, int status, void *context);

/**
 * Called with what the peer sent.
 *
 * @param data   the bytes, in a buffer that all streams of the loop share: they
 *               are valid until the callback returns. Null when length < 0.
 * @param length > 0; or EDDY_EOF when the peer has ended its side (this side can
 *               still write), or another error. After a negative length no
 *               further read callback comes.
 */
typedef void (*eddy_stream_read_cb)(
    eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context);

/**
 * Called when the write queue, having been above the low mark, has fallen to it
 * or below.
 *
 * @param status 0; or why the queue was dropped (EDDY_EPIPE, EDDY_ECONNRESET, …):
 *               then nothing more can be written.
 */
typedef void (*eddy_stream_drain_cb)(eddy_stream *stream, int status, void *context);

/**
 * Called when no byte has come or gone for idle_timeout. The time then starts anew.
 *
 * @param stream  often to be closed now.
 * @param context of the configuration.
 */
typedef void (*eddy_stream_idle_cb)(eddy_stream *stream, void *context);

/**
 * Called once for each write that keeps the caller's buffer or file, always from the loop: from
 * here on they are the caller's again. When the stream is closed first, it is called before the
 * close callback.
 *
 * @param status  0: the kernel has all of it; EDDY_ECANCELED: the stream was closed first;
 *                EDDY_EPIPE, EDDY_ECONNRESET: the peer is gone; EDDY_EOF: the file ended too early,
 *                and what the peer got is short by the rest; or an error of sendfile(2).
 * @param context the pointer that the write was given.
 */
typedef void (*eddy_write_cb)(int status, void *context);

/** A region of memory to be written. */
typedef struct eddy_buffer {
  const void *data; /**< may be null if length is 0 */
  size_t length;    /**< bytes */
} eddy_buffer;

/** What a stream may be told. A zero means the default. */
typedef struct eddy_stream_config {
  size_t size;
  void *context;
  eddy_stream_connect_cb on_connect; /**< required by eddy_stream_connect */
  eddy_stream_read_cb on_read;       /**< required before eddy_stream_read_start */
  eddy_stream_drain_cb on_drain;     /**< may be null */
  /** Nanoseconds from the call of eddy_stream_connect to on_connect. Default: 30 s. */
  uint64_t connect_timeout;
  /** At this many queued bytes a write is refused. Default: 1 MiB. */
  size_t write_high_mark;
  /** Where on_drain is called. Default: 0, the queue is empty. Below the high mark. */
  size_t write_low_mark;
  /** Nanoseconds without a byte in or out, from the opening on, until on_idle. Default: 0, for
   * ever. */
  uint64_t idle_timeout;
  eddy_stream_idle_cb on_idle; /**< required with idle_timeout */
  /** As keep_alive of eddy/listener.h; nothing where it is no TCP connection. Default: 0, as the
   * descriptor has it. */
  uint64_t keep_alive;
  /** 1: the kernel may collect small writes (TCP_NODELAY off, tcp(7)). Default: it sends at once.
   */
  int delay_writes;
  /**
   * 1: the descriptor comes from an eddy_accept_cb, untouched. It is ready for use, which saves
   * eddy_stream_open its system calls. Default: 0.
   */
  int accepted;
  /**
   * eddy_stream_connect_host: nanoseconds after which the next address is tried beside the last.
   * Default: 250 ms (RFC 8305, section 8); at least 10 ms.
   */
  uint64_t attempt_delay;
} eddy_stream_config;

/** An eddy_stream_config with every default. */
#define EDDY_STREAM_CONFIG_INIT                                                                    \
  { sizeof(eddy_stream_config), NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, 0, 0, 0, 0 }

/**
 * A stream over an open descriptor: a connected stream socket (from a listener, or of the
 * caller's making), or one end of a pipe.
 *
 * @param fd made non-blocking and close-on-exec; owned by the stream from here
 *           on if the result is 0. TCP_NODELAY is set on a TCP socket.
 * @return 0; EDDY_EINVAL, also for a socket that is no stream, a low mark that is not below the
 * high one, idle_timeout without on_idle, and a time of more than 146 years (2^62 ns); EDDY_EBADF;
 * EDDY_ENOMEM. Since 0.1.
 */
int eddy_stream_open(
    eddy_loop *loop, int fd, const eddy_stream_config *config, eddy_stream **out_stream);

/**
 * Starts to connect. on_connect tells the outcome, always from the loop.
 *
 * @param address text, as the top of this header says.
 * @return 0; EDDY_EADDRFORMAT; EDDY_ENAMETOOLONG for a path of more than 107 bytes (unix(7));
 * EDDY_EMFILE and others of socket(2); EDDY_EINVAL, as eddy_stream_open; EDDY_ENOMEM. Since 0.1.
 */
int eddy_stream_connect(
    eddy_loop *loop, const char *address, const eddy_stream_config *config,
    eddy_stream **out_stream);

/**
 * Starts to connect to a host by its name: looks it up (eddy/lookup.h), and tries its addresses,
 * IPv6 and IPv4 in turn, each a little after the last, until one is connected (Happy Eyeballs,
 * RFC 8305). on_connect tells the outcome, always from the loop: EDDY_ENONAME and others of
 * eddy_lookup_cb, EDDY_ETIMEDOUT when connect_timeout, which holds for all of it, is over, or why
 * the last of the addresses could not be connected.
 *
 * @param loop       the loop.
 * @param host       a name, or an address as text without brackets. Copied.
 * @param port       1 to 65,535.
 * @param config     on_connect is required.
 * @param out_stream receives the stream, to be given back by eddy_stream_close, which also ends the
 *                   attempts.
 * @return 0; as eddy_lookup_start. Since 0.2.
 */
int eddy_stream_connect_host(
    eddy_loop *loop, const char *host, int port, const eddy_stream_config *config,
    eddy_stream **out_stream);

/**
 * Starts to read, or goes on after a pause.
 *
 * @return 0; EDDY_EINVAL without an on_read; EDDY_ENOTCONN before it is connected, or for a pipe
 * that was ended by eddy_stream_shutdown; EDDY_EOF after the end was told; EDDY_EALREADY when
 * closing. Since 0.1.
 */
int eddy_stream_read_start(eddy_stream *stream);

/**
 * Pauses reading: the kernel's buffer fills, and the peer is slowed down. A
 * stream that neither reads nor has bytes to write does not keep the loop alive, unless its
 * idle_timeout runs.
 *
 * @return 0; EDDY_EINVAL. Since 0.1.
 */
int eddy_stream_read_stop(eddy_stream *stream);

/**
 * Writes: at once what the kernel takes, the rest is copied and queued.
 *
 * @param data read before the function returns.
 * @return the number of bytes that are queued now (0: all of it is with the
 * kernel); EDDY_EAGAIN if the queue had reached the high mark, and then nothing
 * was taken: wait for on_drain; EDDY_ENOTCONN before it is connected; EDDY_EPIPE after
 * eddy_stream_shutdown or when the peer is gone; EDDY_ECONNRESET; EDDY_EALREADY
 * when closing; EDDY_EINVAL; EDDY_ENOMEM: nothing was taken, or, if the kernel had a part of it
 * already, nothing more can be written. Since 0.1.
 */
ptrdiff_t eddy_stream_write(eddy_stream *stream, const void *data, size_t length);

/**
 * The same for several regions at once, in their order, with one system call (writev(2)).
 *
 * @param buffers the regions, read before the function returns.
 * @param count   of the regions; any number.
 * @return as eddy_stream_write. Since 0.2.
 */
ptrdiff_t eddy_stream_writev(eddy_stream *stream, const eddy_buffer *buffers, size_t count);

/**
 * The same without a copy: what the kernel does not take at once is written from the caller's
 * memory later. Queued bytes count like copied ones, and keep their order with them.
 *
 * (MSG_ZEROCOPY is not used: it pays only for large writes to other hosts, and its notices come
 * late.)
 *
 * @param buffers the regions; the array itself is read before the function returns, the memory that
 *                it names must stay as it is until `done`.
 * @param count   of the regions; any number.
 * @param done    required; called once if the result is >= 0, never from inside this function.
 * @param context passed to `done`.
 * @return as eddy_stream_write. Since 0.2.
 */
ptrdiff_t eddy_stream_write_buffers(
    eddy_stream *stream, const eddy_buffer *buffers, size_t count, eddy_write_cb done,
    void *context);

/**
 * Queues a part of a file, which the kernel sends by itself (sendfile(2)). It keeps its order with
 * other writes. A file on a slow disk holds the loop up while the kernel reads it. Where the file
 * may get shorter meanwhile, call eddy_stream_shutdown in `done`, not before: an end that was asked
 * for comes also behind a part that is cut short, and the peer would take what it got for all.
 *
 * @param fd      a regular file, which stays the caller's and must stay open until `done`. Its file
 *                offset is neither used nor moved.
 * @param offset  where the part begins, in bytes.
 * @param length  of the part, in bytes. In the queue it counts as nothing, for it takes no memory.
 * @param done    required; called once if the result is >= 0, never from inside this function.
 * @param context passed to `done`.
 * @return as eddy_stream_write; EDDY_EBADF; EDDY_EINVAL also for what sendfile(2) can't read.
 * Since 0.2.
 */
ptrdiff_t eddy_stream_sendfile(
    eddy_stream *stream, int fd, uint64_t offset, uint64_t length, eddy_write_cb done,
    void *context);

/** Bytes in the write queue; EDDY_EINVAL. Since 0.1. */
ptrdiff_t eddy_stream_queued(const eddy_stream *stream);

/**
 * Half-close: ends this side once the queue is written, so that the peer reads
 * an end. Reading goes on, but on a pipe, whose descriptor has one side only and is closed.
 *
 * @return 0; EDDY_ENOTCONN; EDDY_EALREADY if done before; EDDY_EINVAL. Since 0.1.
 */
int eddy_stream_shutdown(eddy_stream *stream);

/**
 * The descriptor, which stays the stream's; EDDY_EINVAL, also where there is none: before
 * eddy_stream_connect_host has connected one, and once it is closed. Since 0.1.
 */
int eddy_stream_fd(const eddy_stream *stream);

/**
 * The peer's address as text, in the form that the top of this header gives.
 *
 * @param buffer gets the text and a final zero byte; 128 bytes hold every address.
 * @return its length without the zero; EDDY_ENOTCONN; EDDY_EINVAL if the buffer is too small.
 * Since 0.1.
 */
int eddy_stream_peer(const eddy_stream *stream, char *buffer, size_t size);

/**
 * The address of this side, as eddy_stream_peer gives the other's.
 *
 * @param buffer gets the text and a final zero byte; 128 bytes hold every address.
 * @return its length without the zero; EDDY_ENOTCONN; EDDY_EINVAL if the buffer is too small.
 * Since 0.2.
 */
int eddy_stream_local(const eddy_stream *stream, char *buffer, size_t size);

/**
 * Has the kernel probe a silent peer, as keep_alive of eddy/listener.h.
 *
 * @param silence nanoseconds until the first probe; 0 ends it.
 * @return 0; EDDY_ENOTSUP if it is no TCP connection; EDDY_EINVAL; EDDY_EALREADY when closing.
 * Since 0.2.
 */
int eddy_stream_set_keep_alive(eddy_stream *stream, uint64_t silence);

/**
 * Changes idle_timeout.
 *
 * @param timeout nanoseconds, counting from now; 0 ends it.
 * @return 0; EDDY_EINVAL without an on_idle; EDDY_EALREADY when closing. Since 0.2.
 */
int eddy_stream_set_idle_timeout(eddy_stream *stream, uint64_t timeout);

/**
 * Closes the stream and its descriptor at once; what is still queued is
 * dropped. To have it written, eddy_stream_shutdown first and wait for the peer's end.
 *
 * @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1.
 */
int eddy_stream_close(eddy_stream *stream, eddy_close_cb callback);

/**
 * The same, but the peer of a TCP connection gets a reset instead of an end
 * (SO_LINGER of 0, socket(7)), and no TIME-WAIT remains here.
 *
 * @return as eddy_stream_close. Since 0.1.
 */
int eddy_stream_reset(eddy_stream *stream, eddy_close_cb callback);

EDDY_END_DECLS

#endif
