/*
 * resolve: looks up host names, all at once, within a time limit.
 *
 *   cc resolve.c $(pkg-config --cflags --libs eddy) -o resolve
 *   ./resolve 5 443 localhost example.org example.net
 *
 * It shows lookups that run beside each other, each with a deadline, and addresses as values that
 * outlive the callback. The answers are printed in the order of the names, whichever came first.
 */
#include <eddy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct query {
  const char *name;
  int status;
  eddy_address *addresses; /* the best first */
  size_t count;
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "resolve: %s: %s\n", what, eddy_error_message(result));
    exit(1);
  }
}

/* The addresses are only lent, but are plain values: copied, they are ours. */
static void on_done(
    eddy_lookup *lookup, int status, const eddy_address *addresses, size_t count, void *context) {
  struct query *query = context;
  query->status = status;
  if (status == 0) {
    query->addresses = malloc(count * sizeof *addresses);
    check(query->addresses == NULL ? EDDY_ENOMEM : 0, query->name);
    memcpy(query->addresses, addresses, count * sizeof *addresses);
    query->count = count;
  }
  eddy_lookup_close(lookup, NULL);
}

/* As a program would give them to connect(2): with the port. Returns whether there are any. */
static int print(const struct query *query) {
  if (query->status < 0) {
    fprintf(stderr, "resolve: %s: %s\n", query->name, eddy_error_message(query->status));
    return 0;
  }
  for (size_t i = 0; i < query->count; i++) {
    char text[128];
    check(eddy_address_format(&query->addresses[i], text, sizeof text), query->name);
    printf("%s %s\n", query->name, text);
  }
  return 1;
}

int main(int argc, char **argv) {
  char *after_seconds = NULL, *after_port = NULL;
  double seconds = argc > 3 ? strtod(argv[1], &after_seconds) : 0;
  long port = argc > 3 ? strtol(argv[2], &after_port, 10) : 0;
  if (!(seconds > 0 && seconds < 1e6) || *after_seconds != 0 || port < 1 || port > 65535 ||
      *after_port != 0) {
    fprintf(stderr, "usage: resolve SECONDS PORT NAME...     for example 5 443 localhost\n");
    return 2;
  }
  size_t count = (size_t)argc - 3;
  struct query *queries = calloc(count, sizeof *queries);
  check(queries == NULL ? EDDY_ENOMEM : 0, "queries");
  eddy_loop *loop;
  check(eddy_loop_create(NULL, &loop), "loop");
  for (size_t i = 0; i < count; i++) {
    eddy_lookup_config config = EDDY_LOOKUP_CONFIG_INIT;
    eddy_lookup *lookup;
    config.context = &queries[i];
    config.on_done = on_done;
    config.timeout = (uint64_t)(seconds * EDDY_SECOND);
    queries[i].name = argv[i + 3];
    /* What fails here is no lookup at all, such as an empty name; on_done does not come then. */
    queries[i].status = eddy_lookup_start(loop, queries[i].name, (int)port, &config, &lookup);
  }
  check(eddy_loop_run(loop, EDDY_RUN_UNTIL_IDLE), "run"); /* until the last lookup is closed */
  check(eddy_loop_destroy(loop), "destroy");
  int all = 1;
  for (size_t i = 0; i < count; i++) {
    all &= print(&queries[i]);
    free(queries[i].addresses);
  }
  free(queries);
  return all ? 0 : 1;
}
