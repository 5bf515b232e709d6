#include "options.h"

#include "decimal.h"
#include "help.h"
#include "random.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_URL "http://127.0.0.1:8888"
#define DEFAULT_TASK "sha256"
#define PARK_TASK "sleep"

/* One option: which member its value goes to, its limits, and what would be right. */
enum kind { KIND_URL, KIND_TASK, KIND_COUNT, KIND_SEED, KIND_SECONDS, KIND_SHARE };

struct option {
  const char *flag;
  enum kind kind;
  size_t member;
  double least;
  double most;
  const char *right;
};

#define MEMBER(name) offsetof(struct options, name)

enum option_index {
  OPTION_URL,
  OPTION_TASK,
  OPTION_JOBS,
  OPTION_CONNECTIONS,
  OPTION_PIPELINE,
  OPTION_DROP,
  OPTION_WAIT,
  OPTION_DEADLINE,
  OPTION_SEED,
  OPTION_SIZE,
  OPTION_PARK,
  OPTION_SLEEP,
  OPTION_COUNT
};

/* The limit of --wait is the protocol's. */
static const struct option option_table[OPTION_COUNT] = {
    [OPTION_URL] = {"--url", KIND_URL, MEMBER(url), 0, 0, ""},
    [OPTION_TASK] =
        {"--task", KIND_TASK, MEMBER(task), 0, 0, "write letters, digits, '-', '_' and '.'"},
    [OPTION_JOBS] =
        {"--jobs", KIND_COUNT, MEMBER(jobs), 1, 1e7, "write a number from 1 to 10000000"},
    [OPTION_CONNECTIONS] =
        {"--connections", KIND_COUNT, MEMBER(connections), 1, 6e4,
         "write a number from 1 to 60000"},
    [OPTION_PIPELINE] =
        {"--pipeline", KIND_COUNT, MEMBER(pipeline), 1, PIPELINE_LIMIT,
         "write a number from 1 to 16"},
    [OPTION_DROP] =
        {"--drop", KIND_SHARE, MEMBER(drop), 0, 0.9,
         "write a share from 0% to 90%, or from 0 to 0.9"},
    [OPTION_WAIT] = {"--wait", KIND_SECONDS, MEMBER(wait), 0, 180, "write seconds from 0 to 180"},
    [OPTION_DEADLINE] =
        {"--deadline", KIND_SECONDS, MEMBER(deadline), 0.1, 86400,
         "write seconds from 0.1 to 86400"},
    [OPTION_SEED] =
        {"--seed", KIND_SEED, MEMBER(seed), 0, 0, "write a number from 0 to 18446744073709551615"},
    [OPTION_SIZE] =
        {"--size", KIND_COUNT, MEMBER(size), 32, 16777216, "write bytes from 32 to 16777216"},
    [OPTION_PARK] = {"--park", KIND_COUNT, MEMBER(park), 1, 6e4, "write a number from 1 to 60000"},
    [OPTION_SLEEP] =
        {"--sleep", KIND_SECONDS, MEMBER(sleep), 0, 3600, "write seconds from 0 to 3600"},
};

static enum options_result refuse(const char *flag, const char *value, const char *right) {
  const char *space = *value != '\0' ? " " : "";
  fprintf(stderr, "eddy-client: %s%s%s: %s\n", flag, space, value, right);
  fputs("Try `eddy-client --help`.\n", stderr);
  return OPTIONS_REFUSED;
}

/* Digits with a point: what strtod(3) takes besides (a sign, an exponent, nan) is refused. */
static bool read_decimal(const char *text, double *number) {
  char *end;
  if (*text == '\0' || text[strspn(text, "0123456789.")] != '\0') {
    return false;
  }
  *number = strtod(text, &end);
  return *end == '\0';
}

/* "30%" or "0.3". */
static bool read_share(const char *text, double *share) {
  char number[32];
  size_t length = strlen(text);
  if (length == 0 || length >= sizeof number) {
    return false;
  }
  bool percent = text[length - 1] == '%';
  length -= percent;
  memcpy(number, text, length);
  number[length] = '\0';
  if (!read_decimal(number, share)) {
    return false;
  }
  *share /= percent ? 100 : 1;
  return true;
}

static bool is_task_name(const char *text) {
  return *text != '\0' &&
         text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] ==
             '\0';
}

static bool is_within(const struct option *option, double number) {
  return number >= option->least && number <= option->most;
}

static enum options_result
read_value(const struct option *option, const char *value, struct options *options) {
  void *member = (char *)options + option->member;
  bool right = false;
  uint64_t integer;
  double decimal;
  switch (option->kind) {
  case KIND_URL: {
    char error[512];
    if (endpoint_parse(value, &options->endpoint, error, sizeof error) != 0) {
      return refuse(option->flag, value, error);
    }
    options->url = value;
    return OPTIONS_RUN;
  }
  case KIND_TASK:
    right = is_task_name(value);
    *(const char **)member = value;
    break;
  case KIND_COUNT:
    right = decimal_parse(value, &integer) && is_within(option, (double)integer);
    *(uint32_t *)member = right ? (uint32_t)integer : 0;
    break;
  case KIND_SEED:
    right = decimal_parse(value, member);
    break;
  case KIND_SECONDS:
  case KIND_SHARE:
    right =
        option->kind == KIND_SHARE ? read_share(value, &decimal) : read_decimal(value, &decimal);
    right = right && is_within(option, decimal);
    *(double *)member = right ? decimal : 0;
    break;
  }
  return right ? OPTIONS_RUN : refuse(option->flag, value, option->right);
}

/* Options without a value. Returns whether this is one. */
static bool read_switch(const char *flag, struct options *options) {
  if (strcmp(flag, "--no-acknowledge") == 0) {
    options->acknowledge = false;
  } else if (strcmp(flag, "--json") == 0) {
    options->json = true;
  } else {
    return false;
  }
  return true;
}

static const struct option *find_option(const char *argument, size_t length) {
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    const char *flag = option_table[i].flag;
    if (strlen(flag) == length && memcmp(flag, argument, length) == 0) {
      return &option_table[i];
    }
  }
  return NULL;
}

/* The defaults that depend on other options. */
static enum options_result settle(struct options *options, const bool given[OPTION_COUNT]) {
  if (!given[OPTION_URL]) {
    enum options_result result = read_value(&option_table[OPTION_URL], DEFAULT_URL, options);
    if (result != OPTIONS_RUN) {
      return result;
    }
  }
  if (options->park == 0) {
    return given[OPTION_SLEEP] ? refuse("--sleep", "", "goes with --park") : OPTIONS_RUN;
  }
  if (given[OPTION_CONNECTIONS] || given[OPTION_PIPELINE] || given[OPTION_SIZE]) {
    return refuse(
        "--park", "", "leave out --connections, --pipeline and --size: each poll has a connection");
  }
  options->connections = options->park;
  if (!given[OPTION_TASK]) {
    options->task = PARK_TASK;
  }
  if (!given[OPTION_JOBS]) {
    options->jobs = options->park;
  }
  if (options->jobs > options->park) {
    return refuse("--jobs", "", "with --park, write at most as many jobs as polls");
  }
  return OPTIONS_RUN;
}

static void set_defaults(struct options *options) {
  memset(options, 0, sizeof *options);
  options->task = DEFAULT_TASK;
  options->jobs = 1000;
  options->connections = 100;
  options->pipeline = 1;
  options->wait = 30;
  options->deadline = 120;
  options->seed = random_from_system();
  options->size = 64;
  options->acknowledge = true;
  options->sleep = 5;
}

enum options_result options_parse(int argc, char **argv, struct options *options) {
  bool given[OPTION_COUNT] = {false};
  set_defaults(options);
  for (int i = 1; i < argc; i++) {
    char *argument = argv[i];
    size_t length = strcspn(argument, "=");
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
      help_print(stdout);
      return OPTIONS_DONE;
    }
    if (strcmp(argument, "--version") == 0) {
      help_print_version(stdout);
      return OPTIONS_DONE;
    }
    if (read_switch(argument, options)) {
      continue;
    }
    const struct option *option = find_option(argument, length);
    if (option == NULL) {
      return refuse(argument, "", "there is no such option");
    }
    const char *value = argument[length] == '=' ? argument + length + 1 : argv[++i];
    if (value == NULL) {
      return refuse(option->flag, "", "a value must follow");
    }
    given[option - option_table] = true;
    enum options_result result = read_value(option, value, options);
    if (result != OPTIONS_RUN) {
      return result;
    }
  }
  return settle(options, given);
}
