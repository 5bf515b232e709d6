/* eddy/udp.h: opening, receiving, closing. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/datagrams.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static void check_address(const eddy_address *address, const char *expected) {
  char text[128];
  CHECK(eddy_address_format(address, text, sizeof text) > 0);
  CHECK_STR(text, expected);
}

static int port_of(const eddy_address *address) {
  char text[128];
  int port = 0;
  CHECK(eddy_address_format(address, text, sizeof text) > 0);
  CHECK(sscanf(strrchr(text, ':'), ":%d", &port) == 1);
  return port;
}

static void require_ipv6(void) {
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd < 0) {
    tap_skip("this system has no IPv6");
  }
  close(fd);
}

/* Opening. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_udp_config config = EDDY_UDP_CONFIG_INIT;
  eddy_address address = EDDY_ADDRESS_INIT;
  eddy_datagram datagram;
  eddy_udp *udp = NULL;
  memset(&datagram, 0, sizeof datagram);
  CHECK_EQ(eddy_udp_open(NULL, "127.0.0.1:0", NULL, &udp), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_open(loop, NULL, NULL, &udp), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_open(loop, "127.0.0.1:0", NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_open(loop, "127.0.0.1", NULL, &udp), EDDY_EADDRFORMAT);
  CHECK_EQ(eddy_udp_open(loop, "unix:/tmp/socket", NULL, &udp), EDDY_EADDRFORMAT);
  CHECK_EQ(eddy_udp_open(loop, "192.0.2.1:0", NULL, &udp), EDDY_EADDRNOTAVAIL);
  config.datagram_size = 65536;
  CHECK_EQ(eddy_udp_open(loop, "127.0.0.1:0", &config, &udp), EDDY_EINVAL);
  config.datagram_size = (size_t)-1;
  CHECK_EQ(eddy_udp_open(loop, "127.0.0.1:0", &config, &udp), EDDY_EINVAL);
  config.datagram_size = 0;
  config.size = sizeof config + 1;
  CHECK_EQ(eddy_udp_open(loop, "127.0.0.1:0", &config, &udp), EDDY_EINVAL);
  CHECK(udp == NULL);
  CHECK_EQ(eddy_udp_open(loop, "127.0.0.1:0", NULL, &udp), 0);
  CHECK_EQ(eddy_udp_receive_start(udp), EDDY_EINVAL); /* without an on_receive */
  CHECK_EQ(eddy_udp_receive_start(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_receive_stop(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_connect(NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_connect(udp, &address), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_send(NULL, "", 0, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_send(udp, NULL, 1, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_send_batch(NULL, &datagram, 1), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_send_batch(udp, NULL, 1), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_send_batch(udp, NULL, 0), 0);
  CHECK_EQ(eddy_udp_address(udp, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_address(NULL, &address), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_fd(NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_close(NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_close(udp, NULL), 0);
  end_loop(loop);
}

static void a_socket_has_the_address_it_was_bound_to(void) {
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors(), type = 0;
  socklen_t size = sizeof type;
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK(port_of(&end.address) > 0);
  CHECK_EQ(getsockopt(eddy_udp_fd(end.udp), SOL_SOCKET, SO_TYPE, &type, &size), 0);
  CHECK_EQ(type, SOCK_DGRAM);
  udp_end_close(&end);
  CHECK_EQ(eddy_udp_fd(end.udp), EDDY_EINVAL);
  end_loop(loop);
  CHECK_EQ(end.closed, 1);
  CHECK(count_descriptors() <= descriptors);
}

static void a_port_is_shared_only_if_all_want_to(void) {
  eddy_loop *loop = make_loop();
  char address[64];
  udp_end first, second, third;
  udp_end_init(&first, loop);
  first.config.reuse_port = 1;
  udp_end_open(&first, "127.0.0.1:0");
  snprintf(address, sizeof address, "127.0.0.1:%d", port_of(&first.address));
  udp_end_init(&second, loop);
  CHECK_EQ(eddy_udp_open(loop, address, &second.config, &second.udp), EDDY_EADDRINUSE);
  udp_end_init(&third, loop);
  third.config.reuse_port = 1;
  udp_end_open(&third, address);
  udp_end_close(&first);
  udp_end_close(&third);
  end_loop(loop);
}

static void an_ipv6_socket_receives_both_families_unless_told(void) {
  eddy_loop *loop = make_loop();
  udp_end both, only, ipv4;
  char address[64];
  require_ipv6();
  udp_end_make(&both, loop, "[::]:0");
  udp_end_init(&only, loop);
  only.config.ipv6_only = 1;
  udp_end_open(&only, "[::]:0");
  udp_end_make(&ipv4, loop, "127.0.0.1:0");
  snprintf(address, sizeof address, "127.0.0.1:%d", port_of(&both.address));
  CHECK_EQ(eddy_address_parse(address, &both.address), 0);
  udp_end_send(&ipv4, "hello", &both.address);
  udp_end_await(&both, 1);
  udp_end_send(&both, "answer", &both.peer); /* an IPv4 address in IPv6's clothes */
  udp_end_await(&ipv4, 1);
  udp_end_send(&both, "again", &ipv4.address); /* and a plain one */
  udp_end_await(&ipv4, 2);
  snprintf(address, sizeof address, "127.0.0.1:%d", port_of(&only.address));
  CHECK_EQ(eddy_address_parse(address, &only.address), 0);
  udp_end_send(&ipv4, "hello", &only.address);
  udp_settle(loop);
  CHECK_EQ(only.received, 0);
  udp_end_close(&both);
  udp_end_close(&only);
  udp_end_close(&ipv4);
  end_loop(loop);
}

/* Receiving. */

static void check_round_trip(const char *address) {
  eddy_loop *loop = make_loop();
  udp_end client, server;
  udp_end_make(&server, loop, address);
  udp_end_make(&client, loop, address);
  udp_end_send(&client, "ping", &server.address);
  CHECK_EQ(server.received, 0); /* always from the loop */
  udp_end_await(&server, 1);
  CHECK_STR(server.texts[0], "ping");
  CHECK_EQ(server.peer.length, client.address.length);
  CHECK(memcmp(&server.peer, &client.address, server.peer.length) == 0);
  udp_end_send(&server, "pong", &server.peer);
  udp_end_await(&client, 1);
  CHECK_STR(client.texts[0], "pong");
  udp_end_close(&client);
  udp_end_close(&server);
  end_loop(loop);
}

static void a_datagram_goes_there_and_back_over_ipv4(void) {
  check_round_trip("127.0.0.1:0");
}

static void a_datagram_goes_there_and_back_over_ipv6(void) {
  require_ipv6();
  check_round_trip("[::1]:0");
}

static void an_empty_datagram_is_one(void) {
  eddy_loop *loop = make_loop();
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_send(end.udp, NULL, 0, &end.address), 0);
  udp_end_await(&end, 1);
  CHECK_EQ(end.lengths[0], 0);
  CHECK_EQ(end.truncated[0], 0);
  udp_end_close(&end);
  end_loop(loop);
}

static void what_is_too_long_is_cut_and_said_to_be(void) {
  eddy_loop *loop = make_loop();
  udp_end end;
  udp_end_init(&end, loop);
  end.config.datagram_size = 4;
  udp_end_open(&end, "127.0.0.1:0");
  udp_end_send(&end, "1234", &end.address);
  udp_end_send(&end, "12345", &end.address);
  udp_end_send(&end, "123", &end.address);
  udp_end_await(&end, 3);
  CHECK_STR(end.texts[0], "1234");
  CHECK_EQ(end.truncated[0], 0);
  CHECK_STR(end.texts[1], "1234");
  CHECK_EQ(end.truncated[1], 1);
  CHECK_STR(end.texts[2], "123");
  CHECK_EQ(end.truncated[2], 0);
  udp_end_close(&end);
  end_loop(loop);
}

static void what_has_arrived_comes_64_at_a_time_in_order(void) {
  eddy_loop *loop = make_loop();
  udp_end end;
  int index;
  udp_end_init(&end, loop);
  end.config.datagram_size = 1024;
  udp_end_open(&end, "127.0.0.1:0");
  for (index = 0; index < 100; index++) {
    char text[16];
    snprintf(text, sizeof text, "%d", index);
    udp_end_send(&end, text, &end.address);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_NOWAIT), 1);
  CHECK_EQ(end.calls, 1); /* others get their turn between the calls */
  udp_end_await(&end, 100);
  CHECK_EQ(end.calls, 2);
  CHECK_EQ(end.largest_call, 64);
  for (index = 0; index < 100; index++) {
    char text[16];
    snprintf(text, sizeof text, "%d", index);
    CHECK_STR(end.texts[index], text);
  }
  udp_end_close(&end);
  end_loop(loop);
}

static void longer_datagrams_are_fewer_at_once(void) {
  static char data[65507];
  eddy_loop *loop = make_loop();
  udp_end longest, middle;
  udp_end_init(&longest, loop);
  longest.config.datagram_size = 65535;
  udp_end_open(&longest, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_send(longest.udp, data, sizeof data, &longest.address), 0);
  CHECK_EQ(eddy_udp_send(longest.udp, data, sizeof data, &longest.address), 0);
  udp_end_await(&longest, 2);
  CHECK_EQ(longest.calls, 2);
  CHECK_EQ(longest.lengths[0], sizeof data);
  CHECK_EQ(longest.lengths[1], sizeof data);
  CHECK_EQ(longest.truncated[0], 0);
  udp_end_init(&middle, loop);
  middle.config.datagram_size = 65536 / 4;
  udp_end_open(&middle, "127.0.0.1:0");
  {
    int index;
    for (index = 0; index < 5; index++) {
      udp_end_send(&middle, "x", &middle.address);
    }
  }
  udp_end_await(&middle, 5);
  CHECK_EQ(middle.largest_call, 4);
  udp_end_close(&longest);
  udp_end_close(&middle);
  end_loop(loop);
}

static void a_datagram_size_is_within_the_loops_buffer(void) {
  eddy_loop_config config = EDDY_LOOP_CONFIG_INIT;
  eddy_loop *loop = NULL;
  udp_end end;
  config.read_buffer_size = 4096;
  CHECK_EQ(eddy_loop_create(&config, &loop), 0);
  udp_end_init(&end, loop);
  end.config.datagram_size = 4097;
  CHECK_EQ(eddy_udp_open(loop, "127.0.0.1:0", &end.config, &end.udp), EDDY_EINVAL);
  end.config.datagram_size = 4096;
  udp_end_open(&end, "127.0.0.1:0");
  udp_end_send(&end, "x", &end.address);
  udp_end_await(&end, 1);
  udp_end_close(&end);
  end_loop(loop);
}

static void sockets_of_different_sizes_share_a_loop(void) {
  eddy_loop *loop = make_loop();
  udp_end small, large;
  int round;
  udp_end_init(&small, loop);
  small.config.datagram_size = 8;
  udp_end_open(&small, "127.0.0.1:0");
  udp_end_make(&large, loop, "127.0.0.1:0");
  for (round = 0; round < 3; round++) {
    udp_end_send(&large, "0123456789", &small.address);
    udp_end_send(&small, "0123456789", &large.address);
    udp_end_await(&small, (size_t)round + 1);
    udp_end_await(&large, (size_t)round + 1);
    CHECK_STR(small.texts[round], "01234567");
    CHECK_STR(large.texts[round], "0123456789");
  }
  udp_end_close(&small);
  udp_end_close(&large);
  end_loop(loop);
}

static void a_socket_that_has_stopped_does_not_keep_the_loop_alive(void) {
  eddy_loop *loop = make_loop();
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_udp_receive_stop(end.udp), 0);
  CHECK_EQ(eddy_udp_receive_stop(end.udp), 0);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  udp_end_send(&end, "kept", &end.address);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.received, 0);
  CHECK_EQ(eddy_udp_receive_start(end.udp), 0);
  CHECK_EQ(eddy_udp_receive_start(end.udp), 0);
  udp_end_await(&end, 1);
  CHECK_STR(end.texts[0], "kept");
  udp_end_close(&end);
  CHECK_EQ(eddy_udp_receive_start(end.udp), EDDY_EALREADY);
  CHECK_EQ(eddy_udp_connect(end.udp, NULL), EDDY_EALREADY);
  CHECK_EQ(eddy_udp_close(end.udp, NULL), EDDY_EALREADY);
  end_loop(loop);
}

/* Closing in callbacks. */

static void close_both(udp_end *end) {
  udp_end_close(end);
  udp_end_close(end->other);
}

static void a_socket_closes_itself_and_another_when_both_have_received(void) {
  eddy_loop *loop = make_loop();
  udp_end first, second;
  udp_end_make(&first, loop, "127.0.0.1:0");
  udp_end_make(&second, loop, "127.0.0.1:0");
  first.other = &second;
  second.other = &first;
  first.on_receive = second.on_receive = close_both;
  udp_end_send(&first, "a", &second.address);
  udp_end_send(&first, "b", &first.address);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(first.received + second.received, 1);
  CHECK_EQ(first.closed, 1);
  CHECK_EQ(second.closed, 1);
  end_loop(loop);
}

static void stop_receiving(udp_end *end) {
  CHECK_EQ(eddy_udp_receive_stop(end->udp), 0);
}

static void a_socket_stops_receiving_in_its_callback(void) {
  eddy_loop *loop = make_loop();
  udp_end end;
  int index;
  udp_end_init(&end, loop);
  end.config.datagram_size = 1024;
  udp_end_open(&end, "127.0.0.1:0");
  end.on_receive = stop_receiving;
  for (index = 0; index < 70; index++) {
    udp_end_send(&end, "x", &end.address);
  }
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.received, 64);
  udp_end_close(&end);
  end_loop(loop);
}

static void the_address_stays_that_of_opening(void) {
  eddy_loop *loop = make_loop();
  udp_end end, peer;
  eddy_address address;
  char expected[64];
  udp_end_make(&end, loop, "0.0.0.0:0");
  udp_end_make(&peer, loop, "127.0.0.1:0");
  snprintf(expected, sizeof expected, "0.0.0.0:%d", port_of(&end.address));
  CHECK_EQ(eddy_udp_connect(end.udp, &peer.address), 0);
  CHECK_EQ(eddy_udp_address(end.udp, &address), 0);
  check_address(&address, expected);
  udp_end_close(&end);
  udp_end_close(&peer);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_socket_has_the_address_it_was_bound_to),
    TAP_TEST(a_port_is_shared_only_if_all_want_to),
    TAP_TEST(an_ipv6_socket_receives_both_families_unless_told),
    TAP_TEST(a_datagram_goes_there_and_back_over_ipv4),
    TAP_TEST(a_datagram_goes_there_and_back_over_ipv6),
    TAP_TEST(an_empty_datagram_is_one),
    TAP_TEST(what_is_too_long_is_cut_and_said_to_be),
    TAP_TEST(what_has_arrived_comes_64_at_a_time_in_order),
    TAP_TEST(longer_datagrams_are_fewer_at_once),
    TAP_TEST(a_datagram_size_is_within_the_loops_buffer),
    TAP_TEST(sockets_of_different_sizes_share_a_loop),
    TAP_TEST(a_socket_that_has_stopped_does_not_keep_the_loop_alive),
    TAP_TEST(a_socket_closes_itself_and_another_when_both_have_received),
    TAP_TEST(a_socket_stops_receiving_in_its_callback),
    TAP_TEST(the_address_stays_that_of_opening),
};
TAP_MAIN(tests)
