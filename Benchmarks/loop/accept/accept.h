/*
 * accept.h: connections that come and go. In the one mode a peer closes them as soon as they are
 * accepted; in the other it reads from each as from any stream, and closes it when the client has
 * ended it.
 */
#ifndef ACCEPT_H
#define ACCEPT_H

/* Called by a peer for each connection when it closes it. Calls peer_stop for the last one. */
void connection_closed(void);

/* What each peer implements. */

/* Makes a loop and listens on 127.0.0.1. Returns the port.
 * `reads_the_end`: 0 for the first mode, 1 for the second. */
int peer_open(int reads_the_end);

/* Runs the loop until peer_stop. */
void peer_run(void);

void peer_stop(void);

void peer_close(void);

#endif
