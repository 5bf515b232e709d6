/* A program outside of this project that uses the installed library. */
#include <eddy.h>
#include <stdio.h>

static void over(eddy_timer *timer, void *context) {
  (void)context;
  printf("eddy %s\n", eddy_version_string());
  eddy_timer_close(timer, NULL);
}

int main(void) {
  eddy_loop *loop;
  eddy_timer *timer;
  if (eddy_loop_create(NULL, &loop) != 0 || eddy_timer_create(loop, over, NULL, &timer) != 0 ||
      eddy_timer_start(timer, EDDY_MILLISECOND, 0) != 0 ||
      eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE) != 0) {
    return 1;
  }
  return eddy_loop_destroy(loop) == 0 ? 0 : 1;
}
