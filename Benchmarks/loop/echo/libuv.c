#include "../common/peer_libuv.h"
#include "../common/sockets.h"
#include "echo.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* A write of what the kernel has not taken at once. */
typedef struct rest {
  uv_write_t request;
  char data[];
} rest;

static uv_loop_t loop;
static uv_tcp_t listening;
static char buffer[READ_SIZE];

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static void close_connection(uv_stream_t *connection) {
  uv_close((uv_handle_t *)connection, on_closed);
  echo_closed();
}

static void lend_buffer(uv_handle_t *handle, size_t suggested_size, uv_buf_t *out_buffer) {
  (void)handle;
  (void)suggested_size;
  *out_buffer = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *connection, ssize_t count, const uv_buf_t *data);

static void on_written(uv_write_t *request, int status) {
  uv_stream_t *connection = request->handle;
  free(request->data);
  if (status == 0) {
    CHECK_UV(uv_read_start(connection, lend_buffer, on_read));
  } else if (status != UV_ECANCELED) {
    close_connection(connection);
  }
}

static void write_rest(uv_stream_t *connection, const char *data, size_t length) {
  rest *rest = malloc(sizeof *rest + length);
  CHECK(rest != NULL);
  memcpy(rest->data, data, length);
  rest->request.data = rest;
  uv_read_stop(connection);
  uv_buf_t buf = uv_buf_init(rest->data, (unsigned)length);
  CHECK_UV(uv_write(&rest->request, connection, &buf, 1, on_written));
  echo_must_wait();
}

static void on_read(uv_stream_t *connection, ssize_t count, const uv_buf_t *data) {
  if (count <= 0) {
    if (count < 0) {
      close_connection(connection);
    }
    return;
  }
  echo_received((size_t)count);
  uv_buf_t buf = uv_buf_init(data->base, (unsigned)count);
  int sent = uv_try_write(connection, &buf, 1);
  if (sent == UV_EAGAIN) {
    sent = 0;
  }
  if (sent < 0) {
    close_connection(connection);
  } else if (sent < count) {
    write_rest(connection, data->base + sent, (size_t)(count - sent));
  }
}

static void on_connection(uv_stream_t *server, int status) {
  CHECK_UV(status);
  uv_tcp_t *connection = malloc(sizeof *connection);
  CHECK(connection != NULL);
  CHECK_UV(uv_tcp_init(&loop, connection));
  CHECK_UV(uv_accept(server, (uv_stream_t *)connection));
  CHECK_UV(uv_read_start((uv_stream_t *)connection, lend_buffer, on_read));
  echo_opened();
}

int peer_open(void) {
  CHECK_UV(uv_loop_init(&loop));
  CHECK_UV(uv_tcp_init(&loop, &listening));
  struct sockaddr_in address;
  CHECK_UV(uv_ip4_addr("127.0.0.1", 0, &address));
  CHECK_UV(uv_tcp_bind(&listening, (struct sockaddr *)&address, 0));
  CHECK_UV(uv_tcp_nodelay(&listening, 1)); /* connections inherit it, as with the other peers */
  CHECK_UV(uv_listen((uv_stream_t *)&listening, BACKLOG, on_connection));
  uv_os_fd_t fd;
  CHECK_UV(uv_fileno((uv_handle_t *)&listening, &fd));
  return port_of(fd);
}

void peer_run(void) {
  uv_run(&loop, UV_RUN_DEFAULT);
}

void peer_stop(void) {
  uv_stop(&loop);
}

void peer_close(void) {
  uv_close((uv_handle_t *)&listening, NULL);
  end_loop(&loop);
}
