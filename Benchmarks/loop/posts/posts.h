/* posts.h: callbacks that other threads hand to the loop's thread. */
#ifndef POSTS_H
#define POSTS_H

typedef void (*post_callback)(void *context);

/* What each peer implements. */

void peer_open(void);

/* Has the loop's thread call `callback` with `context`. Any thread. */
void peer_post(post_callback callback, void *context);

/* Runs the loop on the calling thread until peer_stop, even if nothing waits. */
void peer_run(void);

/* Called by a posted callback. */
void peer_stop(void);

void peer_close(void);

#endif
