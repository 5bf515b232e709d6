#include "query.h"

#include <string.h>

#include "fixture.h"
#include "tap.h"

static void note_closed(void *context) {
  query *asked = context;
  asked->closed++;
}

static void note_done(
    eddy_lookup *lookup, int status, const eddy_address *addresses, size_t count, void *context) {
  query *asked = context;
  size_t index;
  CHECK(lookup == asked->lookup);
  CHECK_EQ(asked->done, 0);
  CHECK_EQ(asked->closed, 0);
  CHECK((status == 0) == (addresses != NULL));
  CHECK((status == 0) == (count > 0));
  asked->done++;
  asked->status = status;
  asked->count = count;
  if (asked->closes) {
    CHECK_EQ(eddy_lookup_close(lookup, note_closed), 0);
  }
  /* They are still there after a close. */
  for (index = 0; index < count && index < KEPT_ADDRESSES; index++) {
    CHECK(eddy_address_format(&addresses[index], asked->addresses[index], 128) > 0);
  }
}

void query_init(query *asked) {
  static const eddy_lookup_config initial = EDDY_LOOKUP_CONFIG_INIT;
  memset(asked, 0, sizeof *asked);
  asked->config = initial;
  asked->config.context = asked;
  asked->config.on_done = note_done;
}

void query_ask(query *asked, eddy_loop *loop, const char *host) {
  CHECK_EQ(eddy_lookup_start(loop, host, 80, &asked->config, &asked->lookup), 0);
  CHECK_EQ(asked->done, 0); /* always from the loop */
  CHECK_EQ(eddy_loop_alive(loop), 1);
}

void query_close(query *asked) {
  CHECK_EQ(eddy_lookup_close(asked->lookup, note_closed), 0);
  CHECK_EQ(asked->closed, 0);
}

int query_look_up(query *asked, eddy_loop *loop, const char *host) {
  query_ask(asked, loop, host);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked->done, 1);
  query_close(asked);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(asked->closed, 1);
  CHECK_EQ(asked->done, 1);
  return asked->status;
}

int query_status(eddy_loop *loop, const char *host) {
  query asked;
  query_init(&asked);
  return query_look_up(&asked, loop, host);
}
