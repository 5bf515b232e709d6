/* eddy/process.h: the child's descriptors 0, 1 and 2. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/child.h"
#include "harness/endpoint.h"
#include "harness/fixture.h"
#include "harness/tap.h"

static void all_pipes(child *child) {
  child->config.standard_input = EDDY_STDIO_PIPE;
  child->config.standard_output = EDDY_STDIO_PIPE;
  child->config.standard_error = EDDY_STDIO_PIPE;
}

static int take(child *child, int number) {
  int fd = eddy_process_take_fd(child->process, number);
  CHECK(fd >= 0);
  CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  return fd;
}

static void pipes_reach_all_three(void) {
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors();
  endpoint input, output, error;
  child child;
  shell(&child, "tr a-z A-Z; echo problem >&2");
  all_pipes(&child);
  spawn(&child, loop);
  endpoint_open(&input, loop, take(&child, 0));
  endpoint_open(&output, loop, take(&child, 1));
  endpoint_open(&error, loop, take(&child, 2));
  CHECK_EQ(eddy_stream_read_start(output.stream), 0);
  CHECK_EQ(eddy_stream_read_start(error.stream), 0);
  endpoint_write(&input, "quiet");
  CHECK_EQ(eddy_stream_shutdown(input.stream), 0); /* the child sees its input end */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_STR(output.text, "QUIET");
  CHECK_STR(error.text, "problem\n");
  CHECK_EQ(output.end_status, EDDY_EOF); /* so nobody else has the child's ends */
  CHECK_EQ(error.end_status, EDDY_EOF);
  endpoint_close(&input);
  endpoint_close(&output);
  endpoint_close(&error);
  close_child(&child);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(count_descriptors(), descriptors);
  end_loop(loop);
}

static void an_end_is_given_once(void) {
  eddy_loop *loop = make_loop();
  char text[4];
  int fd;
  child child;
  shell(&child, "printf text");
  child.config.standard_output = EDDY_STDIO_PIPE;
  spawn(&child, loop);
  CHECK_EQ(eddy_process_take_fd(NULL, 1), EDDY_EINVAL);
  CHECK_EQ(eddy_process_take_fd(child.process, -1), EDDY_EINVAL);
  CHECK_EQ(eddy_process_take_fd(child.process, 3), EDDY_EINVAL);
  CHECK_EQ(eddy_process_take_fd(child.process, 0), EDDY_ENOENT); /* the null device */
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);         /* also when it has ended */
  fd = take(&child, 1);
  CHECK_EQ(eddy_process_take_fd(child.process, 1), EDDY_ENOENT);
  close_child(&child);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  read_fully(fd, text, sizeof text); /* it has outlived the handle */
  CHECK(memcmp(text, "text", sizeof text) == 0);
  CHECK(close(fd) == 0);
  end_loop(loop);
}

static void what_was_not_taken_is_closed_with_the_handle(void) {
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors();
  child child;
  shell(&child, "cat; echo unread");
  all_pipes(&child);
  spawn(&child, loop);
  CHECK_EQ(count_descriptors(), descriptors + 4); /* three ends, and what watches the child */
  close_child(&child);
  CHECK_EQ(eddy_process_take_fd(child.process, 1), EDDY_ENOENT);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.exits, 0);
  CHECK_EQ(count_descriptors(), descriptors);
  end_loop(loop);
}

static void other_children_do_not_get_the_ends(void) {
  eddy_loop *loop = make_loop();
  endpoint output;
  child reader, other;
  shell(&reader, "cat; echo ended");
  all_pipes(&reader);
  spawn(&reader, loop);
  shell(&other, "sleep 60");
  spawn(&other, loop);
  endpoint_open(&output, loop, take(&reader, 1));
  CHECK_EQ(eddy_stream_read_start(output.stream), 0);
  CHECK(close(take(&reader, 0)) == 0); /* the other child must not hold it open */
  while (output.received == 0) {
    CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_ONCE), 1);
  }
  CHECK_STR(output.text, "ended\n");
  endpoint_close(&output);
  close_child(&reader);
  close_child(&other);
  end_loop(loop);
}

static void inherited_descriptors_are_the_callers(void) {
  eddy_loop *loop = make_loop();
  char text[8];
  int in[2], out[2];
  child child;
  CHECK_EQ(eddy_pipe(in), 0);
  CHECK_EQ(eddy_pipe(out), 0);
  CHECK(dup3(in[0], 0, O_CLOEXEC) == 0); /* inherited even so */
  CHECK(dup3(out[1], 1, O_CLOEXEC) == 1);
  CHECK(write(in[1], "abc", 3) == 3);
  CHECK(close(in[1]) == 0);
  shell(&child, "cat; echo done");
  child.config.standard_input = EDDY_STDIO_INHERIT;
  child.config.standard_output = EDDY_STDIO_INHERIT;
  run_to_end(&child, loop);
  CHECK_EQ(child.status, 0);
  read_fully(out[0], text, sizeof text);
  CHECK(memcmp(text, "abcdone\n", sizeof text) == 0);
  CHECK(fcntl(1, F_GETFD) & FD_CLOEXEC); /* the caller's own are as they were */
  end_loop(loop);
}

static void what_cannot_be_passed_is_told(void) {
  eddy_loop *loop = make_loop();
  int descriptors;
  child child;
  shell(&child, "true");
  all_pipes(&child);
  child.config.standard_error = -4;
  descriptors = count_descriptors();
  CHECK_EQ(eddy_process_spawn(loop, &child.config, &child.process), EDDY_EINVAL);
  CHECK_EQ(count_descriptors(), descriptors);
  CHECK(close(0) == 0);
  descriptors = count_descriptors();
  child.config.standard_error = EDDY_STDIO_NULL;
  child.config.standard_input = EDDY_STDIO_INHERIT;
  CHECK_EQ(eddy_process_spawn(loop, &child.config, &child.process), EDDY_EBADF);
  CHECK_EQ(count_descriptors(), descriptors);
  CHECK(waitpid(-1, NULL, WNOHANG) < 0);
  end_loop(loop);
}

/* A host that has closed its own standard descriptors gets them for the ends of pipes. */
static void pipes_may_have_low_numbers(void) {
  eddy_loop *loop = make_loop();
  char text[9];
  int status, in, out;
  child child;
  shell(&child, "cat; printf data");
  all_pipes(&child);
  child.config.standard_error = EDDY_STDIO_NULL;
  CHECK(close(0) == 0);
  CHECK(close(1) == 0);
  status = eddy_process_spawn(loop, &child.config, &child.process);
  in = status < 0 ? -1 : take(&child, 0);
  out = status < 0 ? -1 : take(&child, 1);
  CHECK_EQ(status, 0);
  CHECK(write(in, "meta+", 5) == 5);
  CHECK(close(in) == 0);
  read_fully(out, text, sizeof text);
  CHECK(memcmp(text, "meta+data", sizeof text) == 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.status, 0);
  CHECK(close(out) == 0);
  close_child(&child);
  end_loop(loop);
}

static void a_failed_spawn_leaves_no_pipe(void) {
  eddy_loop *loop = make_loop();
  int descriptors = count_descriptors();
  child child;
  if (tap_under_valgrind()) {
    tap_skip("valgrind turns vfork into fork, so posix_spawn cannot see that execve failed");
  }
  shell(&child, "true");
  all_pipes(&child);
  child.config.file = "/no/such/program";
  CHECK_EQ(eddy_process_spawn(loop, &child.config, &child.process), EDDY_ENOENT);
  CHECK_EQ(count_descriptors(), descriptors);
  end_loop(loop);
}

/* Sees to it that every number below the highest that is open is taken; returns the next one. */
static int fill_descriptors(void) {
  int highest = 4096, fd;
  while (highest > 0 && fcntl(highest, F_GETFD) < 0) {
    highest--;
  }
  while ((fd = dup(highest)) < highest) {
    CHECK(fd >= 0);
  }
  CHECK(close(fd) == 0);
  return fd;
}

/* With room for each number of descriptors below the seven that a spawn needs: three pipes, and
 * what watches the child. */
static void out_of_descriptors_leaves_no_pipe_and_no_child(void) {
  eddy_loop *loop = make_loop();
  int used = fill_descriptors(), descriptors = count_descriptors(), room, refused = 0;
  struct rlimit limit, few;
  child child;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  shell(&child, "exit 4");
  all_pipes(&child);
  for (room = 0; room < 16; room++) {
    int status;
    few = limit;
    few.rlim_cur = (rlim_t)(used + room);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    status = eddy_process_spawn(loop, &child.config, &child.process);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (status == 0) {
      break;
    }
    refused++;
    CHECK_EQ(status, EDDY_EMFILE);
    CHECK_EQ(count_descriptors(), descriptors);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
  }
  CHECK_EQ(refused, 7);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(child.status, 4);
  close_child(&child);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(count_descriptors(), descriptors);
  end_loop(loop);
}

/* More than a pipe holds, both ways at once. */
static void much_passes_both_ways(void) {
  enum { LENGTH = 4 << 20 };
  eddy_loop *loop = make_loop();
  uint8_t *bytes = malloc(LENGTH);
  endpoint input, output;
  child child;
  CHECK(bytes != NULL);
  fill_pattern(bytes, LENGTH, 0);
  shell(&child, "exec cat");
  all_pipes(&child);
  spawn(&child, loop);
  endpoint_open(&input, loop, take(&child, 0));
  endpoint_open(&output, loop, take(&child, 1));
  output.checks_pattern = 1;
  CHECK_EQ(eddy_stream_read_start(output.stream), 0);
  CHECK(eddy_stream_write(input.stream, bytes, LENGTH) > 0);
  CHECK_EQ(eddy_stream_shutdown(input.stream), 0);
  CHECK_EQ(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), 0);
  CHECK_EQ(output.received, LENGTH);
  CHECK_EQ(output.end_status, EDDY_EOF);
  CHECK_EQ(child.status, 0);
  endpoint_close(&input);
  endpoint_close(&output);
  close_child(&child);
  free(bytes);
  end_loop(loop);
}

static const tap_test tests[] = {
    TAP_TEST(pipes_reach_all_three),
    TAP_TEST(an_end_is_given_once),
    TAP_TEST(what_was_not_taken_is_closed_with_the_handle),
    TAP_TEST(other_children_do_not_get_the_ends),
    TAP_TEST(inherited_descriptors_are_the_callers),
    TAP_TEST(what_cannot_be_passed_is_told),
    TAP_TEST(pipes_may_have_low_numbers),
    TAP_TEST(a_failed_spawn_leaves_no_pipe),
    TAP_TEST(out_of_descriptors_leaves_no_pipe_and_no_child),
    TAP_TEST(much_passes_both_ways),
};
TAP_MAIN(tests)
