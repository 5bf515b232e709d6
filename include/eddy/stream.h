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
 * @param status 0 when connected; else why not (EDDY_ECONNREFUSED, EDDY_ETIMEDOUT, …), and
 *               the stream can only be closed.
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

/** What a stream may be told. A zero means the default. */
typedef struct eddy_stream_config {
  size_t size;
  void *context;
  eddy_stream_connect_cb on_connect; /**< required by eddy_stream_connect */
  eddy_stream_read_cb on_read;       /**< required before eddy_stream_read_start */
  eddy_stream_drain_cb on_drain;
  /** Nanoseconds for connect(2). Default: 30 s. */
  uint64_t connect_timeout;
  /** At this many queued bytes a write is refused. Default: 1 MiB. */
  size_t write_high_mark;
  /** Where on_drain is called. Default: 0, the queue is empty. Below the high mark. */
  size_t write_low_mark;
} eddy_stream_config;

#define EDDY_STREAM_CONFIG_INIT                                                                    \
  { sizeof(eddy_stream_config), NULL, NULL, NULL, NULL, 0, 0, 0 }

/**
 * A stream over an open descriptor: a connected stream socket (from a listener, or of the
 * caller's making), or one end of a pipe.
 *
 * @param fd made non-blocking and close-on-exec; owned by the stream from here
 *           on if the result is 0. TCP_NODELAY is set on a TCP socket.
 * @return 0; EDDY_EINVAL; EDDY_EBADF; EDDY_ENOMEM. Since 0.1.
 */
int eddy_stream_open(
    eddy_loop *loop, int fd, const eddy_stream_config *config, eddy_stream **out_stream);

/**
 * Starts to connect. on_connect tells the outcome, always from the loop.
 *
 * @return 0; EDDY_EADDRFORMAT; EDDY_EMFILE and others of socket(2); EDDY_EINVAL; EDDY_ENOMEM. Since
 * 0.1.
 */
int eddy_stream_connect(
    eddy_loop *loop, const char *address, const eddy_stream_config *config,
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
 * stream that neither reads nor has bytes to write does not keep the loop alive.
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
 * when closing; EDDY_EINVAL; EDDY_ENOMEM. Since 0.1.
 */
ptrdiff_t eddy_stream_write(eddy_stream *stream, const void *data, size_t length);

/** Bytes in the write queue; EDDY_EINVAL. Since 0.1. */
ptrdiff_t eddy_stream_queued(const eddy_stream *stream);

/**
 * Half-close: ends this side once the queue is written, so that the peer reads
 * an end. Reading goes on, but on a pipe, whose descriptor has one side only and is closed.
 *
 * @return 0; EDDY_ENOTCONN; EDDY_EALREADY if done before; EDDY_EINVAL. Since 0.1.
 */
int eddy_stream_shutdown(eddy_stream *stream);

/** The descriptor, which stays the stream's; EDDY_EINVAL. Since 0.1. */
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
