/*
 * fixture.h: what several tests need: loops that must end cleanly, clocks, sockets.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include <eddy.h>

/* A loop with the defaults. */
eddy_loop *make_loop(void);

/* Runs what is left (close callbacks, above all) and destroys the loop, which must be possible. */
void end_loop(eddy_loop *loop);

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t clock_now(void);

/* CPU time of the process, in nanoseconds. */
uint64_t cpu_now(void);

/* Sleeps, whatever signals come. */
void sleep_ns(uint64_t duration);

/* Stops `loop` (an eddy_loop *) when `duration` is over, so that a test can watch nothing happen.
 */
void run_for(eddy_loop *loop, uint64_t duration);

/* Lets the loop's clock fall behind by `duration`, as in a host's loop that has had nothing for it.
 */
void leave_at_rest(eddy_loop *loop, uint64_t duration);

/* A close callback that adds one to the int that its context is. */
void count_close(void *context);

/* Two connected, blocking stream sockets. */
void make_socket_pair(int fds[2]);

/* A blocking TCP socket that listens on 127.0.0.1; its port goes to *out_port. */
int listen_plain(int backlog, int *out_port);

/* A blocking TCP connection to 127.0.0.1. */
int connect_plain(int port);

/* Reads exactly `length` bytes; fails the test at an end or error before. */
void read_fully(int fd, void *data, size_t length);

/* The same from a non-blocking descriptor, by turns with the loop; checks that no more has come. */
void run_and_read(eddy_loop *loop, int fd, void *data, size_t length);

/* Skips the test where pidfd_open(2) is missing, as in valgrind before 3.20. */
void require_pidfd(void);

/* Number of open descriptors of this process. */
int count_descriptors(void);

#endif
