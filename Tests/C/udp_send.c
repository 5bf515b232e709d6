/* eddy/udp.h: sending, connecting, and what the network says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness/datagrams.h"
#include "harness/fixture.h"
#include "harness/tap.h"

/* A port of 127.0.0.1 that was free a moment ago. */
static eddy_address find_closed_port(eddy_loop *loop) {
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  udp_end_close(&end);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  return end.address;
}

/* Connecting. */

static void a_connected_socket_hears_its_peer_alone(void) {
  eddy_loop *loop = make_loop();
  udp_end end, peer, stranger;
  udp_end_make(&end, loop, "127.0.0.1:0");
  udp_end_make(&peer, loop, "127.0.0.1:0");
  udp_end_make(&stranger, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, NULL), EDDY_EDESTADDRREQ);
  CHECK_EQ(eddy_udp_connect(end.udp, &peer.address), 0);
  udp_end_send(&end, "to the peer", NULL);
  udp_end_await(&peer, 1);
  CHECK_STR(peer.texts[0], "to the peer");
  udp_end_send(&stranger, "from a stranger", &end.address);
  udp_end_send(&peer, "from the peer", &end.address);
  udp_end_await(&end, 1);
  udp_settle(loop);
  CHECK_EQ(end.received, 1);
  CHECK_STR(end.texts[0], "from the peer");
  udp_end_close(&end);
  udp_end_close(&peer);
  udp_end_close(&stranger);
  end_loop(loop);
}

static void a_socket_that_is_connected_no_longer_keeps_its_port(void) {
  eddy_loop *loop = make_loop();
  udp_end end, peer, stranger;
  udp_end_make(&end, loop, "127.0.0.1:0");
  udp_end_make(&peer, loop, "127.0.0.1:0");
  udp_end_make(&stranger, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_connect(end.udp, &peer.address), 0);
  CHECK_EQ(eddy_udp_connect(end.udp, NULL), 0);
  CHECK_EQ(eddy_udp_connect(end.udp, NULL), 0);
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, NULL), EDDY_EDESTADDRREQ);
  udp_end_send(&stranger, "hello", &end.address);
  udp_end_await(&end, 1);
  CHECK_STR(end.texts[0], "hello");
  udp_end_send(&end, "answer", &end.peer);
  udp_end_await(&stranger, 1);
  CHECK(memcmp(&stranger.peer, &end.address, end.address.length) == 0);
  CHECK_EQ(eddy_udp_connect(end.udp, &stranger.address), 0);
  udp_end_send(&end, "again", NULL);
  udp_end_await(&stranger, 2);
  udp_end_close(&end);
  udp_end_close(&peer);
  udp_end_close(&stranger);
  end_loop(loop);
}

static void a_peer_that_is_not_there_is_told_from_the_loop(void) {
  eddy_loop *loop = make_loop();
  eddy_address closed = find_closed_port(loop);
  udp_end end, other;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_connect(end.udp, &closed), 0);
  udp_end_send(&end, "anybody?", NULL);
  CHECK_EQ(end.errors, 0);
  while (end.errors == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_EQ(end.error, EDDY_ECONNREFUSED);
  udp_settle(loop);
  CHECK_EQ(end.errors, 1);
  udp_end_make(&other, loop, "127.0.0.1:0"); /* receiving goes on */
  CHECK_EQ(eddy_udp_connect(end.udp, &other.address), 0);
  udp_end_send(&other, "here", &end.address);
  udp_end_await(&end, 1);
  udp_end_close(&end);
  udp_end_close(&other);
  end_loop(loop);
}

static void a_peer_that_is_not_there_fails_the_next_send(void) {
  eddy_loop *loop = make_loop();
  eddy_address closed = find_closed_port(loop);
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_connect(end.udp, &closed), 0);
  udp_end_send(&end, "anybody?", NULL);
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, NULL), EDDY_ECONNREFUSED);
  udp_settle(loop);
  CHECK_EQ(end.errors, 0);
  udp_end_close(&end);
  end_loop(loop);
}

static void a_socket_without_an_on_error_goes_on(void) {
  eddy_loop *loop = make_loop();
  eddy_address closed = find_closed_port(loop);
  udp_end end;
  udp_end_init(&end, loop);
  end.config.on_error = NULL;
  udp_end_open(&end, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_connect(end.udp, &closed), 0);
  udp_end_send(&end, "anybody?", NULL);
  udp_settle(loop);
  CHECK_EQ(eddy_udp_connect(end.udp, NULL), 0);
  udp_end_send(&end, "myself", &end.address);
  udp_end_await(&end, 1);
  udp_end_close(&end);
  end_loop(loop);
}

static void a_socket_closes_itself_on_an_error(void) {
  eddy_loop *loop = make_loop();
  eddy_address closed = find_closed_port(loop);
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  end.on_error = udp_end_close;
  CHECK_EQ(eddy_udp_connect(end.udp, &closed), 0);
  udp_end_send(&end, "anybody?", NULL);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.errors, 1);
  CHECK_EQ(end.closed, 1);
  end_loop(loop);
}

/* One datagram. */

static void what_is_too_long_to_send_is_refused(void) {
  static char data[65508];
  eddy_loop *loop = make_loop();
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_send(end.udp, data, sizeof data, &end.address), EDDY_EMSGSIZE);
  CHECK_EQ(eddy_udp_send(end.udp, data, sizeof data - 1, &end.address), 0);
  udp_end_await(&end, 1);
  CHECK_EQ(end.truncated[0], 1);
  udp_end_close(&end);
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, &end.address), EDDY_EALREADY);
  end_loop(loop);
}

static void a_peer_that_is_no_address_is_invalid(void) {
  eddy_loop *loop = make_loop();
  eddy_address none = EDDY_ADDRESS_INIT, wrong;
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, &none), EDDY_EDESTADDRREQ);
  wrong = end.address;
  wrong.length = 28;
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, &wrong), EDDY_EINVAL);
  udp_end_close(&end);
  end_loop(loop);
}

static void broadcasting_needs_permission(void) {
  eddy_loop *loop = make_loop();
  udp_end without, with;
  eddy_address everybody;
  char text[128], address[128];
  udp_end_make(&without, loop, "127.0.0.1:0");
  udp_end_init(&with, loop);
  with.config.broadcast = 1;
  udp_end_open(&with, "0.0.0.0:0");
  CHECK(eddy_address_format(&with.address, text, sizeof text) > 0);
  snprintf(address, sizeof address, "127.255.255.255%s", strrchr(text, ':')); /* loopback's own */
  CHECK_EQ(eddy_address_parse(address, &everybody), 0);
  CHECK_EQ(eddy_udp_send(without.udp, "x", 1, &everybody), EDDY_EACCES);
  udp_end_send(&with, "hello, everybody", &everybody);
  udp_end_await(&with, 1);
  CHECK_STR(with.texts[0], "hello, everybody");
  udp_end_close(&without);
  udp_end_close(&with);
  end_loop(loop);
}

/* A kernel without room. */

static void a_socket_is_told_once_when_there_is_room_again(void) {
  eddy_loop *loop = make_loop();
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_receive_stop(end.udp), 0);
  udp_refuse_after(0, EAGAIN);
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, &end.address), EDDY_EAGAIN);
  CHECK_EQ(end.writables, 0); /* always from the loop */
  CHECK_EQ(eddy_loop_alive(loop), 1);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.writables, 1);
  udp_refuse_after(0, EAGAIN);
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, &end.address), EDDY_EAGAIN);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.writables, 2);
  udp_end_close(&end);
  end_loop(loop);
}

static void without_an_on_writable_nothing_waits_for_room(void) {
  eddy_loop *loop = make_loop();
  udp_end end;
  udp_end_init(&end, loop);
  end.config.on_writable = NULL;
  udp_end_open(&end, "127.0.0.1:0");
  CHECK_EQ(eddy_udp_receive_stop(end.udp), 0);
  udp_refuse_after(0, EAGAIN);
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, &end.address), EDDY_EAGAIN);
  CHECK_EQ(eddy_loop_alive(loop), 0);
  udp_end_close(&end);
  end_loop(loop);
}

static void a_socket_closes_itself_when_there_is_room_again(void) {
  eddy_loop *loop = make_loop();
  udp_end end, other;
  udp_end_make(&end, loop, "127.0.0.1:0");
  end.on_writable = udp_end_close;
  udp_refuse_after(0, EAGAIN);
  CHECK_EQ(eddy_udp_send(end.udp, "x", 1, &end.address), EDDY_EAGAIN);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(end.writables, 1);
  CHECK_EQ(end.closed, 1);
  udp_end_make(&other, loop, "127.0.0.1:0");
  udp_refuse_after(0, EAGAIN);
  CHECK_EQ(eddy_udp_send(other.udp, "x", 1, &other.address), EDDY_EAGAIN);
  udp_end_close(&other); /* while it waits for room */
  end_loop(loop);
  CHECK_EQ(other.writables, 0);
}

static void an_interrupted_send_is_made_again(void) {
  eddy_loop *loop = make_loop();
  eddy_datagram datagram;
  udp_end end;
  udp_end_make(&end, loop, "127.0.0.1:0");
  udp_refuse_after(0, EINTR);
  udp_end_send(&end, "one", &end.address);
  memset(&datagram, 0, sizeof datagram);
  datagram.data = "two";
  datagram.length = 3;
  datagram.peer = end.address;
  udp_refuse_after(0, EINTR);
  CHECK_EQ(eddy_udp_send_batch(end.udp, &datagram, 1), 1);
  udp_end_await(&end, 2);
  udp_end_close(&end);
  end_loop(loop);
}

/* Several datagrams. */

enum { BATCH = 150 }; /* less than a receive buffer holds, more than two calls of sendmmsg take */

typedef struct batch {
  eddy_datagram datagrams[BATCH];
  char texts[BATCH][8];
} batch;

static void fill(batch *batch, const eddy_address *peer) {
  size_t index;
  memset(batch, 0, sizeof *batch);
  for (index = 0; index < BATCH; index++) {
    snprintf(batch->texts[index], sizeof batch->texts[index], "%d", (int)index);
    batch->datagrams[index].data = batch->texts[index];
    batch->datagrams[index].length = strlen(batch->texts[index]);
    if (peer != NULL) {
      batch->datagrams[index].peer = *peer;
    }
  }
}

static void check_received(const udp_end *end, const batch *batch, size_t count) {
  size_t index;
  CHECK_EQ(end->received, count);
  for (index = 0; index < count; index++) {
    CHECK_STR(end->texts[index], batch->texts[index]);
  }
}

/* Two sockets on a loop of their own. */
static eddy_loop *make_ends(udp_end *end, udp_end *peer) {
  eddy_loop *loop = make_loop();
  udp_end_make(end, loop, "127.0.0.1:0");
  udp_end_make(peer, loop, "127.0.0.1:0");
  return loop;
}

static void close_ends(udp_end *end, udp_end *peer, eddy_loop *loop) {
  udp_end_close(end);
  udp_end_close(peer);
  end_loop(loop);
}

static void a_batch_is_sent_in_order_with_few_calls(void) {
  batch batch;
  udp_end end, peer;
  eddy_loop *loop = make_ends(&end, &peer);
  fill(&batch, &peer.address);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams, BATCH), BATCH);
  CHECK_EQ(udp_batches_sent(), (BATCH + 63) / 64);
  udp_end_await(&peer, BATCH);
  check_received(&peer, &batch, BATCH);
  udp_end_close(&end);
  udp_end_close(&peer);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams, BATCH), EDDY_EALREADY);
  end_loop(loop);
}

static void a_batch_goes_to_the_connected_peer(void) {
  batch batch;
  udp_end end, peer;
  eddy_loop *loop = make_ends(&end, &peer);
  fill(&batch, NULL);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams, BATCH), EDDY_EDESTADDRREQ);
  CHECK_EQ(eddy_udp_connect(end.udp, &peer.address), 0);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams, BATCH), BATCH);
  udp_end_await(&peer, BATCH);
  check_received(&peer, &batch, BATCH);
  close_ends(&end, &peer, loop);
}

static void what_has_arrived_is_sent_on_from_the_callback_itself(void) {
  batch batch;
  udp_end end, peer;
  eddy_loop *loop = make_ends(&end, &peer);
  fill(&batch, &peer.address);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams, BATCH), BATCH);
  udp_end_await(&peer, 64);
  /* The receiving side's slots are laid out for what was received; sending has its own. */
  CHECK_EQ(eddy_udp_send_batch(peer.udp, batch.datagrams, 10), 10);
  udp_end_await(&peer, BATCH + 10);
  close_ends(&end, &peer, loop);
}

static void a_batch_that_finds_no_room_says_how_far_it_came(void) {
  batch batch;
  udp_end end, peer;
  eddy_loop *loop = make_ends(&end, &peer);
  fill(&batch, &peer.address);
  udp_refuse_after(100, EAGAIN);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams, BATCH), 100);
  udp_end_await(&peer, 100);
  CHECK_EQ(end.writables, 1);
  udp_refuse_after(0, EAGAIN);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams + 100, BATCH - 100), EDDY_EAGAIN);
  udp_settle(loop);
  CHECK_EQ(end.writables, 2);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams + 100, BATCH - 100), BATCH - 100);
  udp_end_await(&peer, BATCH);
  check_received(&peer, &batch, BATCH);
  close_ends(&end, &peer, loop);
}

static void a_batch_ends_before_what_cannot_be_sent(void) {
  static char too_long[65508];
  batch batch;
  udp_end end, peer;
  eddy_loop *loop = make_ends(&end, &peer);
  fill(&batch, &peer.address);
  batch.datagrams[70].data = too_long;
  batch.datagrams[70].length = sizeof too_long;
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams, BATCH), 70);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams + 70, BATCH - 70), EDDY_EMSGSIZE);
  batch.datagrams[80].peer.length = 1;
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams + 71, BATCH - 71), 9);
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams + 80, BATCH - 80), EDDY_EINVAL);
  batch.datagrams[81].data = NULL;
  CHECK_EQ(eddy_udp_send_batch(end.udp, batch.datagrams + 81, BATCH - 81), EDDY_EINVAL);
  udp_end_await(&peer, 79);
  CHECK_EQ(end.writables, 0);
  close_ends(&end, &peer, loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_connected_socket_hears_its_peer_alone),
    TAP_TEST(a_socket_that_is_connected_no_longer_keeps_its_port),
    TAP_TEST(a_peer_that_is_not_there_is_told_from_the_loop),
    TAP_TEST(a_peer_that_is_not_there_fails_the_next_send),
    TAP_TEST(a_socket_without_an_on_error_goes_on),
    TAP_TEST(a_socket_closes_itself_on_an_error),
    TAP_TEST(what_is_too_long_to_send_is_refused),
    TAP_TEST(a_peer_that_is_no_address_is_invalid),
    TAP_TEST(broadcasting_needs_permission),
    TAP_TEST(a_socket_is_told_once_when_there_is_room_again),
    TAP_TEST(without_an_on_writable_nothing_waits_for_room),
    TAP_TEST(a_socket_closes_itself_when_there_is_room_again),
    TAP_TEST(an_interrupted_send_is_made_again),
    TAP_TEST(a_batch_is_sent_in_order_with_few_calls),
    TAP_TEST(a_batch_goes_to_the_connected_peer),
    TAP_TEST(what_has_arrived_is_sent_on_from_the_callback_itself),
    TAP_TEST(a_batch_that_finds_no_room_says_how_far_it_came),
    TAP_TEST(a_batch_ends_before_what_cannot_be_sent),
};
TAP_MAIN(tests)
