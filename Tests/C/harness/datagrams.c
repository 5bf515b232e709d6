#include "datagrams.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fixture.h"
#include "tap.h"

/* The kernel's answers. */

static int refuses, refusal;
static size_t room;
static int batches_sent;

void udp_refuse_after(size_t count, int error) {
  refuses = 1;
  refusal = error;
  room = count;
}

int udp_batches_sent(void) {
  return batches_sent;
}

/* How many of `wanted` datagrams may go; 0 once, with errno, when the room is gone. */
static size_t take_room(size_t wanted) {
  if (!refuses) {
    return wanted;
  }
  if (room == 0) {
    refuses = 0;
    errno = refusal;
    return 0;
  }
  if (wanted > room) {
    wanted = room;
  }
  room -= wanted;
  return wanted;
}

/* Under another name in C: <sys/socket.h> declares sendto with a union that ISO C knows nothing of.
 */
ssize_t send_to(
    int fd, const void *data, size_t length, int flags, const struct sockaddr *address,
    socklen_t address_length) __asm__("sendto");

ssize_t send_to(
    int fd, const void *data, size_t length, int flags, const struct sockaddr *address,
    socklen_t address_length) {
  if (take_room(1) == 0) {
    return -1;
  }
  return syscall(SYS_sendto, fd, data, length, flags, address, address_length);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  size_t taken = take_room(count);
  batches_sent++;
  if (taken == 0) {
    return -1;
  }
  return (int)syscall(SYS_sendmmsg, fd, messages, (unsigned)taken, flags);
}

/* An end. */

static void
note_receive(eddy_udp *udp, const eddy_datagram *datagrams, size_t count, void *context) {
  udp_end *end = context;
  size_t index;
  CHECK(udp == end->udp);
  CHECK_EQ(end->closed, 0);
  CHECK(count > 0);
  end->calls++;
  if (count > end->largest_call) {
    end->largest_call = count;
  }
  for (index = 0; index < count; index++) {
    const eddy_datagram *datagram = &datagrams[index];
    size_t at = end->received++;
    end->peer = datagram->peer;
    if (at < KEPT_DATAGRAMS) {
      size_t kept = datagram->length < KEPT_BYTES - 1 ? datagram->length : KEPT_BYTES - 1;
      memcpy(end->texts[at], datagram->data, kept);
      end->texts[at][kept] = 0;
      end->lengths[at] = datagram->length;
      end->truncated[at] = datagram->truncated;
    }
  }
  if (end->on_receive != NULL) {
    end->on_receive(end);
  }
}

static void note_error(eddy_udp *udp, int error, void *context) {
  udp_end *end = context;
  CHECK(udp == end->udp);
  CHECK_EQ(end->closed, 0);
  end->errors++;
  end->error = error;
  if (end->on_error != NULL) {
    end->on_error(end);
  }
}

static void note_writable(eddy_udp *udp, void *context) {
  udp_end *end = context;
  CHECK(udp == end->udp);
  CHECK_EQ(end->closed, 0);
  end->writables++;
  if (end->on_writable != NULL) {
    end->on_writable(end);
  }
}

static void note_closed(void *context) {
  udp_end *end = context;
  end->closed++;
}

void udp_end_init(udp_end *end, eddy_loop *loop) {
  static const eddy_udp_config initial = EDDY_UDP_CONFIG_INIT;
  memset(end, 0, sizeof *end);
  end->loop = loop;
  end->config = initial;
  end->config.context = end;
  end->config.on_receive = note_receive;
  end->config.on_error = note_error;
  end->config.on_writable = note_writable;
}

void udp_end_open(udp_end *end, const char *address) {
  CHECK_EQ(eddy_udp_open(end->loop, address, &end->config, &end->udp), 0);
  CHECK_EQ(eddy_udp_address(end->udp, &end->address), 0);
  CHECK_EQ(eddy_udp_receive_start(end->udp), 0);
}

void udp_end_make(udp_end *end, eddy_loop *loop, const char *address) {
  udp_end_init(end, loop);
  udp_end_open(end, address);
}

void udp_end_send(udp_end *end, const char *text, const eddy_address *peer) {
  CHECK_EQ(eddy_udp_send(end->udp, text, strlen(text), peer), 0);
}

void udp_end_close(udp_end *end) {
  CHECK_EQ(eddy_udp_close(end->udp, note_closed), 0);
  CHECK_EQ(end->closed, 0);
}

void udp_end_await(udp_end *end, size_t count) {
  while (end->received < count) {
    CHECK_EQ(eddy_loop_run(end->loop, EDDY_RUN_ONCE), 1);
  }
}

void udp_settle(eddy_loop *loop) {
  run_for(loop, 20 * EDDY_MILLISECOND); /* loopback delivers within the call that sends */
}
