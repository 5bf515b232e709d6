/* eddy/udp.h: multicast, on the loopback interface. */
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/datagrams.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static void require_interface(void) {
  if (if_nametoindex("lo") == 0) {
    tap_skip("there is no interface lo");
  }
}

/* The address of a group with the port of a socket. */
static eddy_address group_of(const char *group, const udp_end *end) {
  eddy_address result;
  char own[128], text[128];
  CHECK(eddy_address_format(&end->address, own, sizeof own) > 0);
  snprintf(text, sizeof text, "%s%s", group, strrchr(own, ':'));
  CHECK_EQ(eddy_address_parse(text, &result), 0);
  return result;
}

static void a_group_is_received_until_it_is_left(void) {
  eddy_loop *loop = make_loop();
  udp_end receiver, sender;
  eddy_address group;
  require_interface();
  udp_end_make(&receiver, loop, "0.0.0.0:0");
  udp_end_make(&sender, loop, "0.0.0.0:0");
  group = group_of("239.1.2.3", &receiver);
  CHECK_EQ(eddy_udp_join(receiver.udp, "239.1.2.3", "lo"), 0);
  CHECK_EQ(eddy_udp_set_multicast(sender.udp, 1, 1, "lo"), 0);
  udp_end_send(&sender, "one", &group);
  udp_end_await(&receiver, 1);
  CHECK_STR(receiver.texts[0], "one");
  CHECK_EQ(eddy_udp_leave(receiver.udp, "239.1.2.3", "lo"), 0);
  udp_end_send(&sender, "two", &group);
  udp_settle(loop);
  CHECK_EQ(receiver.received, 1);
  udp_end_close(&receiver);
  udp_end_close(&sender);
  end_loop(loop);
}

/* Joins the group on the first interface over which it can be sent to, and sends to it. */
static int join_anywhere(udp_end *receiver, udp_end *sender, char *interface) {
  struct if_nameindex *all = if_nameindex(), *each;
  int result = -1;
  CHECK(all != NULL);
  for (each = all; each->if_index != 0 && result != 0; each++) {
    char text[64];
    eddy_address group;
    snprintf(text, sizeof text, "[ff01::1234%%%s]", each->if_name);
    group = group_of(text, receiver);
    strcpy(interface, each->if_name);
    CHECK_EQ(eddy_udp_join(receiver->udp, "ff01::1234", interface), 0);
    CHECK_EQ(eddy_udp_set_multicast(sender->udp, 1, 1, interface), 0);
    result = eddy_udp_send(sender->udp, "one", 3, &group);
    if (result != 0) {
      CHECK_EQ(eddy_udp_leave(receiver->udp, "ff01::1234", interface), 0);
    }
  }
  if_freenameindex(all);
  return result;
}

/* ff01::/16 never leaves the host (RFC 4291, section 2.7), whichever interface it is sent over. The
 * interface lo often has no route for multicasts of IPv6. */
static void an_ipv6_group_is_received_until_it_is_left(void) {
  eddy_loop *loop = make_loop();
  char interface[IF_NAMESIZE], text[64];
  udp_end receiver, sender;
  eddy_address group;
  udp_end_make(&receiver, loop, "[::]:0");
  udp_end_make(&sender, loop, "[::]:0");
  if (join_anywhere(&receiver, &sender, interface) != 0) {
    udp_end_close(&receiver);
    udp_end_close(&sender);
    end_loop(loop);
    tap_skip("no interface has a route for multicasts of IPv6");
  }
  snprintf(text, sizeof text, "[ff01::1234%%%s]", interface);
  group = group_of(text, &receiver);
  udp_end_await(&receiver, 1);
  CHECK_STR(receiver.texts[0], "one");
  CHECK_EQ(eddy_udp_set_multicast(sender.udp, 1, strcmp(interface, "lo") == 0, interface), 0);
  udp_end_send(&sender, "two", &group); /* but for lo itself, which loops all, not to this host */
  CHECK_EQ(eddy_udp_set_multicast(sender.udp, 1, 1, interface), 0);
  udp_end_send(&sender, "three", &group);
  udp_settle(loop);
  CHECK_EQ(receiver.received, strcmp(interface, "lo") == 0 ? 3 : 2);
  CHECK_STR(receiver.texts[receiver.received - 1], "three");
  CHECK_EQ(eddy_udp_leave(receiver.udp, "ff01::1234", interface), 0);
  udp_end_send(&sender, "four", &group);
  udp_settle(loop);
  CHECK_STR(receiver.texts[receiver.received - 1], "three");
  udp_end_close(&receiver);
  udp_end_close(&sender);
  end_loop(loop);
}

static void an_ipv6_socket_joins_an_ipv4_group(void) {
  eddy_loop *loop = make_loop();
  udp_end receiver, sender;
  eddy_address group;
  require_interface();
  udp_end_make(&receiver, loop, "[::]:0");
  udp_end_make(&sender, loop, "0.0.0.0:0");
  group = group_of("239.1.2.3", &receiver);
  CHECK_EQ(eddy_udp_join(receiver.udp, "239.1.2.3", "lo"), 0);
  CHECK_EQ(eddy_udp_set_multicast(sender.udp, 1, 1, "lo"), 0);
  udp_end_send(&sender, "hello", &group);
  udp_end_await(&receiver, 1);
  CHECK_STR(receiver.texts[0], "hello");
  udp_end_close(&receiver);
  udp_end_close(&sender);
  end_loop(loop);
}

static void two_sockets_receive_one_multicast(void) {
  eddy_loop *loop = make_loop();
  udp_end ends[2], sender;
  eddy_address group;
  char address[128];
  int index;
  require_interface();
  for (index = 0; index < 2; index++) {
    udp_end_init(&ends[index], loop);
    ends[index].config.reuse_address = 1;
    if (index == 0) {
      udp_end_open(&ends[0], "0.0.0.0:0");
      CHECK(eddy_address_format(&ends[0].address, address, sizeof address) > 0);
    } else {
      udp_end_open(&ends[1], address);
    }
    CHECK_EQ(eddy_udp_join(ends[index].udp, "239.1.2.3", "lo"), 0);
  }
  udp_end_make(&sender, loop, "0.0.0.0:0");
  CHECK_EQ(eddy_udp_set_multicast(sender.udp, 1, 1, "lo"), 0);
  group = group_of("239.1.2.3", &ends[0]);
  udp_end_send(&sender, "both", &group);
  for (index = 0; index < 2; index++) {
    udp_end_await(&ends[index], 1);
    CHECK_STR(ends[index].texts[0], "both");
    udp_end_close(&ends[index]);
  }
  udp_end_close(&sender);
  end_loop(loop);
}

static void what_cannot_be_joined_is_refused(void) {
  eddy_loop *loop = make_loop();
  udp_end ipv4, ipv6;
  require_interface();
  udp_end_make(&ipv4, loop, "0.0.0.0:0");
  udp_end_init(&ipv6, loop);
  ipv6.config.ipv6_only = 1;
  udp_end_open(&ipv6, "[::]:0");
  CHECK_EQ(eddy_udp_join(NULL, "239.1.2.3", "lo"), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_join(ipv4.udp, NULL, "lo"), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "group", "lo"), EDDY_EADDRFORMAT);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "239.1.2.3:80", "lo"), EDDY_EADDRFORMAT);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "127.0.0.1", "lo"), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "ff02::1234", "lo"), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_join(ipv6.udp, "::1", "lo"), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_join(ipv6.udp, "239.1.2.3", "lo"), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "239.1.2.3", "no-such-one"), EDDY_ENODEV);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "239.1.2.3", ""), EDDY_ENODEV);
  CHECK_EQ(eddy_udp_leave(NULL, "239.1.2.3", "lo"), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_leave(ipv4.udp, "239.1.2.3", "lo"), EDDY_EADDRNOTAVAIL);
  CHECK_EQ(eddy_udp_leave(ipv6.udp, "ff02::1234", "lo"), EDDY_EADDRNOTAVAIL);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "239.1.2.3", "lo"), 0);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "239.1.2.3", "lo"), EDDY_EADDRINUSE);
  CHECK_EQ(eddy_udp_join(ipv6.udp, "ff02::1234", "lo"), 0);
  CHECK_EQ(eddy_udp_join(ipv6.udp, "ff02::1234", "lo"), EDDY_EADDRINUSE);
  udp_end_close(&ipv4);
  udp_end_close(&ipv6);
  CHECK_EQ(eddy_udp_join(ipv4.udp, "239.1.2.3", "lo"), EDDY_EALREADY);
  CHECK_EQ(eddy_udp_leave(ipv4.udp, "239.1.2.3", "lo"), EDDY_EALREADY);
  CHECK_EQ(eddy_udp_set_multicast(ipv4.udp, 1, 1, NULL), EDDY_EALREADY);
  end_loop(loop);
}

static int option_of(const udp_end *end, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK_EQ(getsockopt(eddy_udp_fd(end->udp), level, option, &value, &size), 0);
  return value;
}

static void how_multicasts_are_sent_is_set_for_both_families(void) {
  eddy_loop *loop = make_loop();
  udp_end ipv4, both;
  require_interface();
  udp_end_make(&ipv4, loop, "127.0.0.1:0");
  udp_end_make(&both, loop, "[::]:0");
  CHECK_EQ(eddy_udp_set_multicast(ipv4.udp, 7, 0, "lo"), 0);
  CHECK_EQ(option_of(&ipv4, IPPROTO_IP, IP_MULTICAST_TTL), 7);
  CHECK_EQ(option_of(&ipv4, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
  CHECK_EQ(eddy_udp_set_multicast(both.udp, 255, 0, "lo"), 0);
  CHECK_EQ(option_of(&both, IPPROTO_IP, IP_MULTICAST_TTL), 255);
  CHECK_EQ(option_of(&both, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
  CHECK_EQ(option_of(&both, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 255);
  CHECK_EQ(option_of(&both, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 0);
  CHECK_EQ(option_of(&both, IPPROTO_IPV6, IPV6_MULTICAST_IF), if_nametoindex("lo"));
  CHECK_EQ(eddy_udp_set_multicast(both.udp, 1, 1, NULL), 0);
  CHECK_EQ(option_of(&both, IPPROTO_IPV6, IPV6_MULTICAST_IF), 0);
  CHECK_EQ(option_of(&both, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 1);
  CHECK_EQ(eddy_udp_set_multicast(NULL, 1, 1, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_set_multicast(both.udp, 0, 1, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_set_multicast(both.udp, 256, 1, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_set_multicast(both.udp, 1, 2, NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_udp_set_multicast(both.udp, 1, 1, "no-such-one"), EDDY_ENODEV);
  udp_end_close(&ipv4);
  udp_end_close(&both);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_group_is_received_until_it_is_left),
    TAP_TEST(an_ipv6_group_is_received_until_it_is_left),
    TAP_TEST(an_ipv6_socket_joins_an_ipv4_group),
    TAP_TEST(two_sockets_receive_one_multicast),
    TAP_TEST(what_cannot_be_joined_is_refused),
    TAP_TEST(how_multicasts_are_sent_is_set_for_both_families),
};
TAP_MAIN(tests)
