#include "../common/peer_libuv.h"
#include "../common/sockets.h"
#include "accept.h"

#include <netinet/in.h>
#include <stdlib.h>

static uv_loop_t loop;
static uv_tcp_t listening;
static int reads_end;
static char buffer[65536];

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static void close_connection(uv_stream_t *connection) {
  uv_close((uv_handle_t *)connection, on_closed);
  connection_closed();
}

static void lend_buffer(uv_handle_t *handle, size_t suggested_size, uv_buf_t *out_buffer) {
  (void)handle;
  (void)suggested_size;
  *out_buffer = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *connection, ssize_t count, const uv_buf_t *data) {
  (void)data;
  if (count != 0) {
    CHECK(count == UV_EOF);
    close_connection(connection);
  }
}

static void on_connection(uv_stream_t *server, int status) {
  CHECK_UV(status);
  uv_tcp_t *tcp = malloc(sizeof *tcp);
  CHECK(tcp != NULL);
  uv_stream_t *connection = (uv_stream_t *)tcp;
  CHECK_UV(uv_tcp_init(&loop, tcp));
  CHECK_UV(uv_accept(server, connection));
  if (reads_end) {
    CHECK_UV(uv_read_start(connection, lend_buffer, on_read));
  } else {
    close_connection(connection);
  }
}

int peer_open(int reads_the_end) {
  reads_end = reads_the_end;
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
