/* eddy/address.h. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/fixture.h"
#include "harness/tap.h"

static void an_ipv4_address_is_what_the_system_takes(void) {
  eddy_address address = EDDY_ADDRESS_INIT;
  struct sockaddr_in system;
  CHECK_EQ(eddy_address_parse("192.0.2.7:8080", &address), 0);
  CHECK_EQ(address.length, sizeof system);
  memcpy(&system, &address, sizeof system);
  CHECK_EQ(system.sin_family, AF_INET);
  CHECK_EQ(ntohs(system.sin_port), 8080);
  CHECK_EQ(ntohl(system.sin_addr.s_addr), 0xc0000207);
}

static void an_ipv6_address_is_what_the_system_takes(void) {
  eddy_address address = EDDY_ADDRESS_INIT;
  struct sockaddr_in6 system;
  struct in6_addr expected;
  CHECK_EQ(eddy_address_parse("[2001:db8::1]:65535", &address), 0);
  CHECK_EQ(address.length, sizeof system);
  memcpy(&system, &address, sizeof system);
  CHECK_EQ(system.sin6_family, AF_INET6);
  CHECK_EQ(ntohs(system.sin6_port), 65535);
  CHECK_EQ(system.sin6_scope_id, 0);
  CHECK_EQ(inet_pton(AF_INET6, "2001:db8::1", &expected), 1);
  CHECK(memcmp(&system.sin6_addr, &expected, sizeof expected) == 0);
}

static void equal_texts_give_equal_bytes(void) {
  eddy_address first, second;
  memset(&first, 0x55, sizeof first);
  memset(&second, 0xaa, sizeof second);
  CHECK_EQ(eddy_address_parse("[::1]:80", &first), 0);
  CHECK_EQ(eddy_address_parse("[0:0:0:0:0:0:0:1]:080", &second), 0);
  CHECK_EQ(first.length, second.length);
  CHECK(memcmp(&first, &second, first.length) == 0);
}

static void what_is_written_is_what_was_read(void) {
  static const char *const texts[] = {
      "127.0.0.1:80",
      "0.0.0.0:0",
      "255.255.255.255:65535",
      "[::]:0",
      "[::1]:9",
      "[2001:db8::ff00:42:8329]:10",
      "[::ffff:192.0.2.1]:443",
      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"};
  size_t index;
  for (index = 0; index < sizeof texts / sizeof *texts; index++) {
    eddy_address address;
    char text[128];
    CHECK_EQ(eddy_address_parse(texts[index], &address), 0);
    CHECK_EQ(eddy_address_format(&address, text, sizeof text), strlen(texts[index]));
    CHECK_STR(text, texts[index]);
  }
}

static void a_zone_is_an_interface(void) {
  eddy_address by_name, by_number;
  struct sockaddr_in6 system;
  char text[128], number[64];
  unsigned index = if_nametoindex("lo");
  if (index == 0) {
    tap_skip("there is no interface lo");
  }
  CHECK_EQ(eddy_address_parse("[fe80::1%lo]:80", &by_name), 0);
  memcpy(&system, &by_name, sizeof system);
  CHECK_EQ(system.sin6_scope_id, index);
  CHECK_EQ(eddy_address_format(&by_name, text, sizeof text), strlen("[fe80::1%lo]:80"));
  CHECK_STR(text, "[fe80::1%lo]:80");
  snprintf(number, sizeof number, "[fe80::1%%%u]:80", index);
  CHECK_EQ(eddy_address_parse(number, &by_number), 0);
  CHECK(memcmp(&by_name, &by_number, by_name.length) == 0);
}

static void a_zone_without_an_interface_is_written_as_its_number(void) {
  eddy_address address;
  char text[128];
  CHECK_EQ(eddy_address_parse("[fe80::1%4000000000]:80", &address), 0);
  CHECK(eddy_address_format(&address, text, sizeof text) > 0);
  CHECK_STR(text, "[fe80::1%4000000000]:80");
}

static void what_is_no_address_is_refused(void) {
  static const char *const wrong[] = {
      "",
      ":",
      "127.0.0.1",
      "127.0.0.1:",
      ":80",
      "127.0.0.1:65536",
      "127.0.0.1:-1",
      "127.0.0.1:+1",
      "127.0.0.1:80 ",
      " 127.0.0.1:80",
      "127.0.0.1:0x50",
      "127.0.0.1:99999999999999999999",
      "127.1:80",
      "127.0.0.1%lo:80",
      "127.0.0.01:80",
      "256.0.0.1:80",
      "localhost:80",
      "::1:80",
      "[::1]",
      "[::1]:",
      "[::1]80",
      "[::1:80",
      "[127.0.0.1]:80",
      "[]:80",
      "[:]:80",
      "[::1::]:80",
      "[fe80::1%]:80",
      "[fe80::1%0]:80",
      "[fe80::1%no-such-zone]:80",
      "[fe80::1%4294967296]:80",
      "[%lo]:80",
      "[fe80::1%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:80",
      "unix:/run/x.sock"};
  size_t index;
  for (index = 0; index < sizeof wrong / sizeof *wrong; index++) {
    eddy_address address = EDDY_ADDRESS_INIT;
    int result = eddy_address_parse(wrong[index], &address);
    if (result != EDDY_EADDRFORMAT) {
      tap_fail(__FILE__, __LINE__, "\"%s\" gives %d", wrong[index], result);
    }
    CHECK_EQ(address.length, 0); /* untouched */
  }
}

static void bad_arguments_are_invalid(void) {
  eddy_address address = EDDY_ADDRESS_INIT;
  char text[128];
  CHECK_EQ(eddy_address_parse(NULL, &address), EDDY_EINVAL);
  CHECK_EQ(eddy_address_parse("127.0.0.1:80", NULL), EDDY_EINVAL);
  CHECK_EQ(eddy_address_format(&address, text, sizeof text), EDDY_EINVAL);
  CHECK_EQ(eddy_address_format(NULL, text, sizeof text), EDDY_EINVAL);
  CHECK_EQ(eddy_address_parse("127.0.0.1:80", &address), 0);
  CHECK_EQ(eddy_address_format(&address, NULL, sizeof text), EDDY_EINVAL);
  address.length--;
  CHECK_EQ(eddy_address_format(&address, text, sizeof text), EDDY_EINVAL);
}

static void a_buffer_that_is_too_small_is_invalid(void) {
  static const char whole[] = "[2001:db8::1]:80";
  eddy_address address;
  char text[sizeof whole];
  size_t size;
  CHECK_EQ(eddy_address_parse(whole, &address), 0);
  for (size = 0; size < sizeof whole; size++) {
    CHECK_EQ(eddy_address_format(&address, text, size), EDDY_EINVAL);
  }
  CHECK_EQ(eddy_address_format(&address, text, sizeof whole), sizeof whole - 1);
  CHECK_STR(text, whole);
}

static const tap_test tests[] = {
    TAP_TEST(an_ipv4_address_is_what_the_system_takes),
    TAP_TEST(an_ipv6_address_is_what_the_system_takes),
    TAP_TEST(equal_texts_give_equal_bytes),
    TAP_TEST(what_is_written_is_what_was_read),
    TAP_TEST(a_zone_is_an_interface),
    TAP_TEST(a_zone_without_an_interface_is_written_as_its_number),
    TAP_TEST(what_is_no_address_is_refused),
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(a_buffer_that_is_too_small_is_invalid),
};
TAP_MAIN(tests)
