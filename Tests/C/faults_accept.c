/* eddy/listener.h where accept4(2) fails. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "faults/faults.h"
#include "harness/acceptor.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static void close_accepted(acceptor *acceptor, int fd) {
  (void)acceptor;
  close(fd);
}

static void out_of_something_accepting_pauses_is_told_and_goes_on(void) {
  static const struct {
    int error, code;
  } cases[] = {
      {EMFILE, EDDY_EMFILE}, {ENFILE, EDDY_ENFILE}, {ENOMEM, EDDY_ENOMEM}, {ENOBUFS, EDDY_ENOMEM}};
  eddy_loop *loop = make_loop();
  acceptor acceptor;
  size_t index;
  acceptor_open(&acceptor, loop);
  for (index = 0; index < sizeof cases / sizeof cases[0]; index++) {
    uint64_t start = clock_now();
    int client = connect_plain(acceptor.port);
    fault_none();
    fault_nth(FAULT_ACCEPT4, 1, cases[index].error);
    acceptor_await(&acceptor, (int)index + 1);
    CHECK(clock_now() - start >= 99 * EDDY_MILLISECOND); /* the pause is 100 ms */
    CHECK_EQ(fault_hits(FAULT_ACCEPT4), 1);
    CHECK_EQ(acceptor.errors, (int)index + 1);
    CHECK_EQ(acceptor.last_error, cases[index].code);
    close(acceptor.last_fd);
    close(client);
  }
  fault_none();
  acceptor_close(&acceptor);
  end_loop(loop);
}

static void while_descriptors_are_out_accept_is_not_tried_in_a_spin(void) {
  eddy_loop *loop = make_loop();
  acceptor acceptor;
  int client;
  acceptor_open(&acceptor, loop);
  client = connect_plain(acceptor.port);
  fault_each(FAULT_ACCEPT4, EMFILE);
  run_for(loop, 350 * EDDY_MILLISECOND);
  CHECK(fault_count(FAULT_ACCEPT4) >= 2); /* at once, and each 100 ms */
  CHECK(fault_count(FAULT_ACCEPT4) <= 4 + (tap_under_valgrind() ? 1 : 0));
  CHECK_EQ(acceptor.errors, fault_count(FAULT_ACCEPT4));
  CHECK_EQ(acceptor.accepted, 0);
  fault_none();
  acceptor_await(&acceptor, 1);
  close(acceptor.last_fd);
  close(client);
  acceptor_close(&acceptor);
  end_loop(loop);
}

/* What accept(2) says of one connection says nothing of the next one. */
static void a_connection_that_is_lost_in_accept_costs_no_other(void) {
  static const int errors[] = {ECONNABORTED, EINTR,        EPROTO,      ENETDOWN, ENOPROTOOPT,
                               EHOSTDOWN,    EHOSTUNREACH, ENETUNREACH, ETIMEDOUT};
  eddy_loop *loop = make_loop();
  acceptor acceptor;
  size_t index;
  acceptor_open(&acceptor, loop);
  acceptor.on_accept = close_accepted;
  for (index = 0; index < sizeof errors / sizeof errors[0]; index++) {
    int before = acceptor.accepted, clients[2];
    clients[0] = connect_plain(acceptor.port);
    clients[1] = connect_plain(acceptor.port);
    fault_none();
    fault_nth(FAULT_ACCEPT4, 1, errors[index]);
    acceptor_await(&acceptor, before + 2); /* at once, not after a pause */
    CHECK_EQ(fault_hits(FAULT_ACCEPT4), 1);
    CHECK_EQ(acceptor.errors, 0);
    close(clients[0]);
    close(clients[1]);
  }
  fault_none();
  acceptor_close(&acceptor);
  end_loop(loop);
}

static void interruptions_without_an_end_hold_nothing_up(void) {
  eddy_loop *loop = make_loop();
  acceptor acceptor;
  int client;
  acceptor_open(&acceptor, loop);
  client = connect_plain(acceptor.port);
  fault_each(FAULT_ACCEPT4, EINTR);
  run_for(loop, 20 * EDDY_MILLISECOND); /* the timer runs: the loop turns */
  CHECK(fault_hits(FAULT_ACCEPT4) > 1);
  CHECK_EQ(acceptor.errors, 0);
  fault_none();
  acceptor_await(&acceptor, 1);
  close(acceptor.last_fd);
  close(client);
  acceptor_close(&acceptor);
  end_loop(loop);
}

static void a_listener_that_can_accept_no_more_is_told_and_stops(void) {
  eddy_loop *loop = make_loop();
  acceptor acceptor;
  int client;
  acceptor_open(&acceptor, loop);
  client = connect_plain(acceptor.port);
  fault_each(FAULT_ACCEPT4, EINVAL); /* shutdown(2) of the socket, by somebody who holds it too */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(acceptor.errors, 1);
  CHECK_EQ(acceptor.last_error, EDDY_EINVAL);
  CHECK_EQ(fault_count(FAULT_ACCEPT4), 1);
  fault_none();
  close(client);
  acceptor_close(&acceptor);
  end_loop(loop);
}

static void close_in_error(eddy_listener *listener, int error, void *context) {
  CHECK_EQ(error, EDDY_EMFILE);
  CHECK_EQ(eddy_listener_close(listener, count_close), 0);
  CHECK_EQ(*(int *)context, 0);
}

static void never_accept(eddy_listener *listener, int fd, void *context) {
  (void)listener, (void)fd, (void)context;
  CHECK(0);
}

static void a_listener_may_be_closed_in_its_error_callback(void) {
  eddy_loop *loop = make_loop();
  eddy_listener_config config = EDDY_LISTENER_CONFIG_INIT;
  eddy_listener *listener;
  char address[128];
  int client, closed = 0, port = 0;
  config.context = &closed;
  config.on_accept = never_accept;
  config.on_error = close_in_error;
  CHECK_EQ(eddy_listener_create(loop, "127.0.0.1:0", &config, &listener), 0);
  CHECK(eddy_listener_address(listener, address, sizeof address) > 0);
  CHECK(sscanf(address, "127.0.0.1:%d", &port) == 1);
  client = connect_plain(port);
  fault_each(FAULT_ACCEPT4, EMFILE);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(closed, 1);
  CHECK_EQ(fault_count(FAULT_ACCEPT4), 1);
  close(client);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(out_of_something_accepting_pauses_is_told_and_goes_on),
    TAP_TEST(while_descriptors_are_out_accept_is_not_tried_in_a_spin),
    TAP_TEST(a_connection_that_is_lost_in_accept_costs_no_other),
    TAP_TEST(interruptions_without_an_end_hold_nothing_up),
    TAP_TEST(a_listener_that_can_accept_no_more_is_told_and_stops),
    TAP_TEST(a_listener_may_be_closed_in_its_error_callback),
};
TAP_MAIN(tests)
