/* The command line: what is read, what is refused, and what is then said. */
#define _POSIX_C_SOURCE 200809L

#include "options.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#define ARGUMENTS_LIMIT 64

static struct options options;
static char message[2048];

/* Splits at spaces, and parses with standard error caught in `message`. */
static enum options_result parse(const char *line) {
  static char copy[512];
  static char program[] = "eddy-client";
  char *arguments[ARGUMENTS_LIMIT] = {program};
  int count = 1;
  snprintf(copy, sizeof copy, "%s", line);
  for (char *word = strtok(copy, " "); word != NULL && count < ARGUMENTS_LIMIT - 1;
       word = strtok(NULL, " ")) {
    arguments[count++] = word;
  }
  FILE *caught = tmpfile();
  int saved = dup(STDERR_FILENO);
  dup2(fileno(caught), STDERR_FILENO);
  enum options_result result = options_parse(count, arguments, &options);
  fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
  rewind(caught);
  message[fread(message, 1, sizeof message - 1, caught)] = '\0';
  fclose(caught);
  return result;
}

static void defaults(void) {
  ok(parse("") == OPTIONS_RUN, "no option is needed");
  is_text(options.endpoint.address, "127.0.0.1:8888", "the default address");
  ok(strcmp(options.task, "sha256") == 0 && options.acknowledge && !options.json &&
         options.drop == 0 && options.wait == 30 && options.deadline == 120 && options.park == 0,
     "the defaults are those of --help");
  uint64_t seed = options.seed;
  parse("");
  ok(seed != options.seed, "a seed that is not given differs from run to run");
}

static void values(void) {
  ok(parse("--jobs 5000 --connections=200 --drop 30% --wait 2.5 --deadline 60 --seed "
           "18446744073709551615 --size 70000 --pipeline 4 --no-acknowledge --json --task a-b_1.c "
           "--url unix:/run/eddyd.sock") == OPTIONS_RUN,
     "values follow after a space or an equals sign");
  ok(options.jobs == 5000 && options.connections == 200 && options.drop == 0.3 &&
         options.wait == 2.5 && options.deadline == 60 && options.seed == UINT64_MAX &&
         options.size == 70000 && options.pipeline == 4 && !options.acknowledge && options.json &&
         strcmp(options.task, "a-b_1.c") == 0,
     "and are read");
  is_text(options.endpoint.address, "unix:/run/eddyd.sock", "a Unix socket's address");
  is_text(options.endpoint.host, "localhost", "and its Host");
  ok(parse("--drop 0.25") == OPTIONS_RUN && options.drop == 0.25, "a share as a fraction");
}

static void parking(void) {
  ok(parse("--park 5000 --sleep 10") == OPTIONS_RUN && options.connections == 5000 &&
         options.jobs == 5000 && options.sleep == 10 && strcmp(options.task, "sleep") == 0,
     "--park gives each poll a connection, and a job of the sleep task");
  ok(parse("--park 100 --jobs 3 --task nap") == OPTIONS_RUN && options.jobs == 3 &&
         strcmp(options.task, "nap") == 0,
     "or as many jobs of the task as are asked for");
}

static const char *const urls[][3] = {
    {"http://127.0.0.1", "127.0.0.1:80", "127.0.0.1"},
    {"http://127.0.0.1:8888/", "127.0.0.1:8888", "127.0.0.1:8888"},
    {"http://[::1]:8888", "[::1]:8888", "[::1]:8888"},
    {"http://localhost:65535", "127.0.0.1:65535", "localhost:65535"},
};

static void addresses(void) {
  for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    char line[128];
    snprintf(line, sizeof line, "--url %s", urls[i][0]);
    ok(parse(line) == OPTIONS_RUN, urls[i][0]);
    is_text(options.endpoint.address, urls[i][1], "its address");
    is_text(options.endpoint.host, urls[i][2], "its Host");
  }
}

/* A command line, and what the message must name: the flag with its value, and what is right. */
static const char *const refused[][3] = {
    {"--jobs 0", "--jobs 0:", "from 1 to"},
    {"--jobs 10000001", "--jobs 10000001:", "10000000"},
    {"--jobs x", "--jobs x:", "a number"},
    {"--jobs 1e3", "--jobs 1e3:", "a number"},
    {"--jobs", "--jobs:", "a value must follow"},
    {"--jobs=", "--jobs:", "a number"},
    {"--connections -1", "--connections -1:", "from 1 to"},
    {"--pipeline 17", "--pipeline 17:", "from 1 to 16"},
    {"--drop 30", "--drop 30:", "0% to 90%"},
    {"--drop 95%", "--drop 95%:", "0% to 90%"},
    {"--drop %", "--drop %:", "0% to 90%"},
    {"--drop nan", "--drop nan:", "0% to 90%"},
    {"--wait abc", "--wait abc:", "0 to 180"},
    {"--wait -1", "--wait -1:", "0 to 180"},
    {"--wait 181", "--wait 181:", "0 to 180"},
    {"--wait 1.2.3", "--wait 1.2.3:", "0 to 180"},
    {"--deadline 0", "--deadline 0:", "from 0.1"},
    {"--seed 18446744073709551616", "--seed 18446744073709551616:", "18446744073709551615"},
    {"--size 31", "--size 31:", "from 32"},
    {"--task a/b", "--task a/b:", "letters"},
    {"--sleep 3", "--sleep:", "--park"},
    {"--park 5 --connections 2", "--park:", "leave out --connections"},
    {"--park 5 --jobs 6", "--jobs:", "at most as many"},
    {"--url ftp://x", "--url ftp://x:", "http://127.0.0.1:8888"},
    {"--url http://", "--url http://:", "http://127.0.0.1:8888"},
    {"--url http://127.0.0.1:0", "--url http://127.0.0.1:0:", "unix:/path"},
    {"--url http://127.0.0.1:65536", "--url http://127.0.0.1:65536:", "unix:/path"},
    {"--url http://127.0.0.1/x", "--url http://127.0.0.1/x:", "no path"},
    {"--url http://u@127.0.0.1", "--url http://u@127.0.0.1:", "unix:/path"},
    {"--url http://[::1", "--url http://[::1:", "unix:/path"},
    {"--url unix:run", "--url unix:run:", "unix:/path"},
    {"--nothing", "--nothing:", "no such option"},
    {"--json=1", "--json=1:", "no such option"},
    {"jobs", "jobs:", "no such option"},
};

static void refusals(void) {
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s is refused, and the message says why", refused[i][0]);
    int passed =
        ok(parse(refused[i][0]) == OPTIONS_REFUSED && strstr(message, refused[i][1]) != NULL &&
               strstr(message, refused[i][2]) != NULL,
           name);
    if (!passed) {
      printf("# %s\n", message);
    }
  }
}

int main(void) {
  defaults();
  values();
  parking();
  addresses();
  refusals();
  return tap_done();
}
