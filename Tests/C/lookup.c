/* eddy/lookup.h: what a lookup tells. What names have is decided by harness/names.h. */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "harness/fixture.h"
#include "harness/names.h"
#include "harness/query.h"
#include "harness/tap.h"

/* Answers. */

static void a_name_has_its_addresses_in_the_resolvers_order(void) {
  static const char *const addresses[] = {"2001:db8::1", "192.0.2.1", "192.0.2.2", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_has("many.test", addresses);
  query_init(&asked);
  CHECK_EQ(query_look_up(&asked, loop, "many.test"), 0);
  CHECK_EQ(asked.count, 3);
  CHECK_STR(asked.addresses[0], "[2001:db8::1]:80");
  CHECK_STR(asked.addresses[1], "192.0.2.1:80");
  CHECK_STR(asked.addresses[2], "192.0.2.2:80");
  end_loop(loop);
}

static void a_family_leaves_the_other_out(void) {
  static const char *const addresses[] = {"2001:db8::1", "192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_has("both.test", addresses);
  query_init(&asked);
  asked.config.family = EDDY_FAMILY_IPV4;
  CHECK_EQ(query_look_up(&asked, loop, "both.test"), 0);
  CHECK_EQ(asked.count, 1);
  CHECK_STR(asked.addresses[0], "192.0.2.1:80");
  query_init(&asked);
  asked.config.family = EDDY_FAMILY_IPV6;
  CHECK_EQ(query_look_up(&asked, loop, "both.test"), 0);
  CHECK_EQ(asked.count, 1);
  CHECK_STR(asked.addresses[0], "[2001:db8::1]:80");
  end_loop(loop);
}

static void the_system_knows_localhost(void) {
  eddy_loop *loop = make_loop();
  query asked;
  query_init(&asked);
  asked.config.family = EDDY_FAMILY_IPV4;
  CHECK_EQ(query_look_up(&asked, loop, "localhost"), 0);
  CHECK(asked.count >= 1);
  CHECK_STR(asked.addresses[0], "127.0.0.1:80");
  end_loop(loop);
}

static void an_address_of_the_other_family_is_no_name(void) {
  eddy_loop *loop = make_loop();
  query asked;
  query_init(&asked);
  asked.config.family = EDDY_FAMILY_IPV6;
  CHECK_EQ(query_look_up(&asked, loop, "127.0.0.1"), EDDY_ENONAME);
  CHECK_EQ(names_asked(), 0);
  end_loop(loop);
}

static void what_the_resolver_says_has_its_code(void) {
  static const char *const ipv4_only[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_fails("none.test", EAI_NONAME, 0);
  name_fails("no-data.test", EAI_NODATA, 0);
  name_fails("again.test", EAI_AGAIN, 0);
  name_fails("fail.test", EAI_FAIL, 0);
  name_fails("memory.test", EAI_MEMORY, 0);
  name_fails("system.test", EAI_SYSTEM, EMFILE);
  name_has("ipv4.test", ipv4_only);
  CHECK_EQ(query_status(loop, "none.test"), EDDY_ENONAME);
  CHECK_EQ(query_status(loop, "no-data.test"), EDDY_ENONAME);
  CHECK_EQ(query_status(loop, "again.test"), EDDY_ENAMESERVER);
  CHECK_EQ(query_status(loop, "fail.test"), EDDY_ENAMESERVER);
  CHECK_EQ(query_status(loop, "memory.test"), EDDY_ENOMEM);
  CHECK_EQ(query_status(loop, "system.test"), EDDY_EMFILE);
  query_init(&asked);
  asked.config.family = EDDY_FAMILY_IPV6;
  CHECK_EQ(query_look_up(&asked, loop, "ipv4.test"), EDDY_ENONAME);
  end_loop(loop);
}

/* Deadlines. */

static void a_lookup_that_takes_too_long_times_out(void) {
  eddy_loop *loop = make_loop();
  uint64_t start;
  query asked;
  name_hangs("slow.test");
  query_init(&asked);
  asked.config.timeout = 30 * EDDY_MILLISECOND;
  leave_at_rest(loop, 40 * EDDY_MILLISECOND); /* the time counts from the call */
  start = clock_now();
  query_ask(&asked, loop, "slow.test");
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked.status, EDDY_ETIMEDOUT);
  CHECK(clock_now() - start >= 30 * EDDY_MILLISECOND);
  names_release();
  run_for(loop, 30 * EDDY_MILLISECOND); /* the late answer is dropped */
  CHECK_EQ(asked.done, 1);
  query_close(&asked);
  end_loop(loop);
}

/* Closing. */

static void a_lookup_is_closed_when_its_answer_is_on_its_way(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  query asked;
  name_has("quick.test", addresses);
  query_init(&asked);
  query_ask(&asked, loop, "quick.test");
  while (names_asked() == 0) {
    sleep_ns(EDDY_MILLISECOND);
  }
  sleep_ns(30 * EDDY_MILLISECOND); /* by now it has been posted, most likely */
  query_close(&asked);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked.done, 0);
  CHECK_EQ(asked.closed, 1);
  end_loop(loop);
}

static void a_lookup_of_an_address_is_closed_before_it_is_answered(void) {
  eddy_loop *loop = make_loop();
  query asked;
  query_init(&asked);
  query_ask(&asked, loop, "127.0.0.1");
  query_close(&asked);
  end_loop(loop);
  CHECK_EQ(asked.done, 0);
  CHECK_EQ(asked.closed, 1);
}

static void a_lookup_closes_itself_when_it_is_done(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  static const char *const hosts[] = {"here.test", "127.0.0.1", "none.test"};
  static const int expected[] = {0, 0, EDDY_ENONAME};
  eddy_loop *loop = make_loop();
  int index;
  name_has("here.test", addresses);
  name_fails("none.test", EAI_NONAME, 0);
  for (index = 0; index < 3; index++) {
    query asked;
    query_init(&asked);
    asked.closes = 1;
    query_ask(&asked, loop, hosts[index]);
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
    CHECK_EQ(asked.status, expected[index]);
    CHECK_EQ(asked.closed, 1);
  }
  end_loop(loop);
}

/* Arguments. */

static void bad_arguments_are_invalid(void) {
  eddy_loop *loop = make_loop();
  char long_name[255];
  query asked;
  query_init(&asked);
#define START(loop, host, port, config, out)                                                       \
  eddy_lookup_start((loop), (host), (port), (config), (out))
  CHECK_EQ(START(NULL, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, NULL, 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", 80, NULL, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, NULL), EDDY_EINVAL);
  CHECK_EQ(START(loop, "", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", -1, &asked.config, &asked.lookup), EDDY_EINVAL);
  CHECK_EQ(START(loop, "a.test", 65536, &asked.config, &asked.lookup), EDDY_EINVAL);
  memset(long_name, 'a', sizeof long_name - 1);
  long_name[254] = 0;
  CHECK_EQ(START(loop, long_name, 80, &asked.config, &asked.lookup), EDDY_ENAMETOOLONG);
  asked.config.family = 5;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  query_init(&asked);
  asked.config.timeout = EDDY_NEVER;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  query_init(&asked);
  asked.config.on_done = NULL;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
  query_init(&asked);
  asked.config.size = sizeof asked.config + 1;
  CHECK_EQ(START(loop, "a.test", 80, &asked.config, &asked.lookup), EDDY_EINVAL);
#undef START
  CHECK_EQ(eddy_lookup_close(NULL, NULL), EDDY_EINVAL);
  CHECK_EQ(names_asked(), 0);
  end_loop(loop);
}

static void the_longest_name_and_the_outer_ports_are_taken(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  char name[254];
  query asked;
  memset(name, 'a', sizeof name - 1);
  name[253] = 0;
  name_has(name, addresses);
  CHECK_EQ(query_status(loop, name), 0);
  query_init(&asked);
  asked.closes = 1;
  CHECK_EQ(eddy_lookup_start(loop, "127.0.0.1", 65535, &asked.config, &asked.lookup), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(asked.addresses[0], "127.0.0.1:65535");
  query_init(&asked);
  asked.closes = 1;
  CHECK_EQ(eddy_lookup_start(loop, "::1", 0, &asked.config, &asked.lookup), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(asked.addresses[0], "[::1]:0");
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(a_name_has_its_addresses_in_the_resolvers_order),
    TAP_TEST(a_family_leaves_the_other_out),
    TAP_TEST(the_system_knows_localhost),
    TAP_TEST(an_address_of_the_other_family_is_no_name),
    TAP_TEST(what_the_resolver_says_has_its_code),
    TAP_TEST(a_lookup_that_takes_too_long_times_out),
    TAP_TEST(a_lookup_is_closed_when_its_answer_is_on_its_way),
    TAP_TEST(a_lookup_of_an_address_is_closed_before_it_is_answered),
    TAP_TEST(a_lookup_closes_itself_when_it_is_done),
    TAP_TEST(bad_arguments_are_invalid),
    TAP_TEST(the_longest_name_and_the_outer_ports_are_taken),
};
TAP_MAIN(tests)
