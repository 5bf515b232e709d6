/* eddy/lookup.h: a thread that has posted its answer, and is slow to wake the loop. */
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/fixture.h"
#include "harness/names.h"
#include "harness/tap.h"

static pid_t loops_thread; /* until it is known, nobody is slow */
static int is_waking;
static ssize_t woken;

/* write(2): on another thread than the loop's, which only wakes the loop, it takes its time. */
ssize_t write(int fd, const void *data, size_t length) {
  pid_t slow_to = __atomic_load_n(&loops_thread, __ATOMIC_SEQ_CST);
  ssize_t result;
  if (slow_to == 0 || slow_to == (pid_t)syscall(SYS_gettid)) {
    return syscall(SYS_write, fd, data, length);
  }
  __atomic_store_n(&is_waking, 1, __ATOMIC_SEQ_CST);
  sleep_ns(100 * EDDY_MILLISECOND);
  result = syscall(SYS_write, fd, data, length);
  __atomic_store_n(&woken, result, __ATOMIC_SEQ_CST);
  return result;
}

static void close_lookup(
    eddy_lookup *lookup, int status, const eddy_address *addresses, size_t count, void *context) {
  (void)status, (void)addresses, (void)count;
  ++*(int *)context;
  CHECK_EQ(eddy_lookup_close(lookup, NULL), 0);
}

/* Its descriptor would be gone by then, or another's. */
static void destroying_waits_for_a_thread_that_wakes_the_loop(void) {
  static const char *const addresses[] = {"192.0.2.1", NULL};
  eddy_loop *loop = make_loop();
  eddy_lookup_config config = EDDY_LOOKUP_CONFIG_INIT;
  eddy_lookup *lookup;
  int answers = 0;
  name_has("a.test", addresses);
  config.context = &answers;
  config.on_done = close_lookup;
  __atomic_store_n(&loops_thread, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  CHECK_EQ(eddy_lookup_start(loop, "a.test", 80, &config, &lookup), 0);
  while (!__atomic_load_n(&is_waking, __ATOMIC_SEQ_CST)) {
    sleep_ns(EDDY_MILLISECOND);
  }
  while (eddy_loop_run(loop, EDDY_RUN_NOWAIT) > 0) {
  }
  CHECK_EQ(answers, 1);
  CHECK_EQ(eddy_loop_destroy(loop), 0);
  CHECK_EQ(__atomic_load_n(&woken, __ATOMIC_SEQ_CST), sizeof(uint64_t));
}

static const tap_test tests[] = {
    TAP_TEST(destroying_waits_for_a_thread_that_wakes_the_loop),
};
TAP_MAIN(tests)
