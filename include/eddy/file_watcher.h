/*
 * eddy/file_watcher.h: changes of files and directories (inotify(7)).
 *
 * All watchers of a loop share one inotify descriptor, of which a user has few.
 */
#ifndef EDDY_FILE_WATCHER_H
#define EDDY_FILE_WATCHER_H

#include "base.h"

EDDY_BEGIN_DECLS

/** Watches a file or a directory. */
typedef struct eddy_file_watcher eddy_file_watcher;

/** What has happened; several at once when they were many. */
enum {
  EDDY_FILE_CREATED = 1,    /**< it is there now: made, or moved here from elsewhere */
  EDDY_FILE_DELETED = 2,    /**< it is gone: deleted, or moved away */
  EDDY_FILE_MODIFIED = 4,   /**< its contents were written or cut */
  EDDY_FILE_ATTRIBUTES = 8, /**< permissions, owner, times, or the number of links */
  EDDY_FILE_RENAMED = 16,   /**< moved within the directory, `name` to `new_name` */
  EDDY_FILE_OVERFLOW = 32,  /**< events were lost: look for yourself. No name is given */
  EDDY_FILE_UNWATCHED = 64  /**< the watched directory is gone or moved; no more events come */
};

/** What has happened to one name. */
typedef struct eddy_file_event {
  size_t size;
  /** EDDY_FILE_… together. */
  int events;
  /** The name in the directory. For a watched file: its own. Null for the directory itself. */
  const char *name;
  /** With EDDY_FILE_RENAMED: what it is called now, in the same directory. Otherwise null. */
  const char *new_name;
} eddy_file_event;

/**
 * Called with an event. What happened to one name in one turn comes as one event, but for a rename,
 * which comes in its place between the others. A name that leaves a watched directory may be told
 * of 2 ms late, because it may be the first half of a rename.
 *
 * @param watcher the watcher.
 * @param event   valid until the function returns.
 * @param context the pointer that the watcher was created with.
 */
typedef void (*eddy_file_watcher_cb)(
    eddy_file_watcher *watcher, const eddy_file_event *event, void *context);

/**
 * Watches from here on, and keeps the loop alive.
 *
 * If `path` is a directory, its entries are watched, but not those of directories in it. Otherwise
 * `path` is a file, which need not be there yet: its directory is watched, and what concerns other
 * names is passed over. So a file that is replaced by renaming another over it, as editors do,
 * stays watched: that is an EDDY_FILE_CREATED. A file that is moved away, to another name of its
 * directory, too, is an EDDY_FILE_DELETED. A symbolic link that leads to no directory is itself
 * what is watched. A path that ends in a slash is a directory.
 *
 * A watcher whose directory is gone (EDDY_FILE_UNWATCHED) does not keep the loop alive.
 *
 * @param loop        the loop.
 * @param path        a file or a directory. Copied.
 * @param callback    required.
 * @param context     passed to the callback.
 * @param out_watcher receives the watcher, to be given back by eddy_file_watcher_close.
 * @return 0; EDDY_ENOENT if the directory is not there; EDDY_ENOTDIR; EDDY_EACCES; EDDY_ENOSPC when
 * the user's watches have run out, EDDY_EMFILE when the user's inotify descriptors have
 * (inotify(7), "/proc interfaces"); EDDY_EINVAL; EDDY_ENOMEM. Since 0.2.
 */
int eddy_file_watcher_create(
    eddy_loop *loop, const char *path, eddy_file_watcher_cb callback, void *context,
    eddy_file_watcher **out_watcher);

/** Stops and frees a watcher. @return 0; EDDY_EINVAL; EDDY_EALREADY when closing. Since 0.2. */
int eddy_file_watcher_close(eddy_file_watcher *watcher, eddy_close_cb callback);

EDDY_END_DECLS

#endif
