/*
 * eddy/process.h: child processes, watched by a pidfd (pidfd_open(2)).
 *
 * No SIGCHLD handler is needed, and any loop may have children. The host must
 * not ignore SIGCHLD, nor reap children that are not its own (wait(2)).
 */
#ifndef EDDY_PROCESS_H
#define EDDY_PROCESS_H

#include "base.h"

EDDY_BEGIN_DECLS

/** A child process. */
typedef struct eddy_process eddy_process;

/**
 * Called once, when the child has ended. With `new_group`, whatever it left
 * running in its group has been killed by then.
 *
 * @param exit_status   of exit(3), or 0 if a signal ended it.
 * @param signal_number the signal that ended it, or 0.
 */
typedef void (*eddy_exit_cb)(
    eddy_process *process, int exit_status, int signal_number, void *context);

/** What a child's descriptor 0, 1 or 2 may be, other than a descriptor of the caller. */
enum {
  /** /dev/null. */
  EDDY_STDIO_NULL = -1,
  /** A pipe, whose other end eddy_process_take_fd gives. */
  EDDY_STDIO_PIPE = -2,
  /** The caller's own descriptor of the same number. */
  EDDY_STDIO_INHERIT = -3
};

/** What to run. */
typedef struct eddy_process_config {
  size_t size;
  void *context;
  eddy_exit_cb on_exit; /**< required */
  /**
   * The program: a path, from `directory` on if it does not begin with a slash, or a name that is
   * looked up in the caller's PATH. Required.
   */
  const char *file;
  /** Its arguments, argv[0] first, ended by a null. Required. */
  const char *const *arguments;
  /** Its environment, "NAME=value", ended by a null. Null: the caller's. */
  const char *const *environment;
  /** Its working directory. Null: the caller's. */
  const char *directory;
  /**
   * Its descriptors 0, 1 and 2: open descriptors of the caller, which stay the
   * caller's, or one of EDDY_STDIO_…. No other descriptor is passed on.
   */
  int standard_input;
  int standard_output; /**< the same */
  int standard_error;  /**< the same */
  /** 1: a process group of its own, so that eddy_process_kill_group reaches its children too. */
  int new_group;
} eddy_process_config;

/** An eddy_process_config with every default. */
#define EDDY_PROCESS_CONFIG_INIT                                                                   \
  { sizeof(eddy_process_config), NULL, NULL, NULL, NULL, NULL, NULL, -1, -1, -1, 0 }

/**
 * Starts a child with default signal dispositions and no signal blocked
 * (posix_spawn(3)). While it runs it keeps the loop alive.
 *
 * @return 0; EDDY_ENOENT, EDDY_EACCES, EDDY_ENOEXEC, EDDY_E2BIG and others of execve(2);
 * EDDY_EAGAIN if the system gives no more processes; EDDY_EMFILE, EDDY_ENFILE; EDDY_EBADF for a
 * descriptor that is not open; EDDY_EINVAL; EDDY_ENOMEM. Then there is no child, and no pipe.
 * Since 0.1.
 */
int eddy_process_spawn(
    eddy_loop *loop, const eddy_process_config *config, eddy_process **out_process);

/**
 * The caller's end of a pipe that EDDY_STDIO_PIPE has made: close-on-exec, ready for
 * eddy_stream_open. It becomes the caller's, to be closed by it or by its stream. An end that was
 * not taken is closed by eddy_process_close.
 *
 * @param process the child, which may have ended.
 * @param number  0 for the end that writes to the child's input, 1 or 2 for those that read its
 * output.
 * @return the descriptor; EDDY_ENOENT if there is no such pipe, or it was taken before;
 * EDDY_EINVAL. Since 0.2.
 */
int eddy_process_take_fd(eddy_process *process, int number);

/** The child's process id; EDDY_EINVAL. Since 0.1. */
int eddy_process_pid(const eddy_process *process);

/**
 * Sends a signal to the child, and to no other process that came by its id
 * (pidfd_send_signal(2)).
 *
 * @return 0, also when it has ended and on_exit is still to come; EDDY_ESRCH from on_exit on;
 * EDDY_EPERM; EDDY_EINVAL. Since 0.1.
 */
int eddy_process_kill(eddy_process *process, int signal_number);

/**
 * Sends a signal to every process of the child's group.
 *
 * @return 0; EDDY_ESRCH from on_exit on; EDDY_EPERM; EDDY_EINVAL, also without new_group. Since
 * 0.1.
 */
int eddy_process_kill_group(eddy_process *process, int signal_number);

/**
 * Gives the handle back. A child that still runs is killed (SIGKILL, its group
 * with new_group) and reaped before the close callback, and on_exit is not called.
 *
 * @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.1.
 */
int eddy_process_close(eddy_process *process, eddy_close_cb callback);

/**
 * A pipe (pipe2(2)), both ends close-on-exec: give one end to a child, and open
 * a stream on the other, which eddy_stream_open makes non-blocking.
 *
 * @param out_fds receives the reading end, then the writing end; both are the caller's.
 * @return 0; EDDY_EMFILE; EDDY_ENFILE; EDDY_EINVAL. Any thread. Since 0.1.
 */
int eddy_pipe(int out_fds[2]);

EDDY_END_DECLS

#endif
