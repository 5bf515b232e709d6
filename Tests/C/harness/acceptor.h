/* A listener on 127.0.0.1 with what it has seen, for the tests of what comes over it. */
#ifndef HARNESS_ACCEPTOR_H
#define HARNESS_ACCEPTOR_H

#include <eddy.h>

typedef struct acceptor {
  eddy_loop *loop;
  eddy_listener *listener;
  int port;
  int accepted, last_fd; /* last_fd is the test's to close, unless on_accept is set */
  int errors, last_error;
  int closed;
  void (*on_accept)(struct acceptor *acceptor, int fd); /* called after each connection */
} acceptor;

/* Listens on a port that the system chooses. The error callback counts. */
void acceptor_open(acceptor *acceptor, eddy_loop *loop);

/* Runs the loop until there are `count` connections. */
void acceptor_await(acceptor *acceptor, int count);

/* Closes the listener; the close callback counts in `closed`. */
void acceptor_close(acceptor *acceptor);

#endif
