/*
 * digest: checksums of many files, computed on several threads.
 *
 *   cc digest.c $(pkg-config --cflags --libs eddy) -o digest
 *   ./digest 4 *.iso        four threads; Ctrl-C leaves out what has not begun
 *
 * It shows two work pools, so that a short work need not wait behind long ones; posts from the
 * works' threads, for what there is to tell meanwhile; and works that are cancelled.
 *
 * The checksum is FNV-1a of 64 bits, which is short, and no protection against anybody.
 */
#include <eddy.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A thread tells of each 8 MiB that it has read of a file. */
#define STEP ((size_t)8 << 20)
#define MIB (1 << 20)

struct program {
  eddy_loop *loop;
  eddy_pool *digests, *surveys;
  eddy_signal *signals[2];
  struct file *files;
  size_t count;
  size_t under_way; /* works that have not completed */
  size_t skipped;
  uint64_t total; /* bytes; the survey's own until it is done */
  uint64_t read;  /* bytes, as far as told */
};

struct file {
  struct program *program;
  eddy_work *work; /* null once it has completed */
  const char *path;
  uint64_t digest;
  int status; /* errno, or EDDY_ECANCELED */
};

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "digest: %s: %s\n", what, eddy_error_message(result));
    exit(1);
  }
}

/* On the loop's thread. */

static void on_step(void *context) {
  struct program *program = context;
  program->read += STEP;
  fprintf(stderr, "digest: %llu MiB read\n", (unsigned long long)(program->read / MIB));
}

static void complete_one(struct program *program) {
  if (--program->under_way == 0) {
    eddy_pool_close(program->digests, NULL, NULL);
    eddy_pool_close(program->surveys, NULL, NULL);
    eddy_signal_close(program->signals[0], NULL);
    eddy_signal_close(program->signals[1], NULL);
  }
}

static void on_survey_done(int status, void *context) {
  struct program *program = context;
  (void)status;
  fprintf(stderr, "digest: %llu MiB to read\n", (unsigned long long)(program->total / MIB));
  complete_one(program);
}

static void on_digest_done(int status, void *context) {
  struct file *file = context;
  if (status < 0) {
    file->status = status;
  }
  file->work = NULL;
  complete_one(file->program);
}

/* What runs already goes on to its end. A second Ctrl-C ends the program, as without Eddy. */
static void on_signal(eddy_signal *watcher, int signal_number, void *context) {
  struct program *program = context;
  (void)watcher, (void)signal_number;
  eddy_signal_stop(program->signals[0]);
  eddy_signal_stop(program->signals[1]);
  for (size_t i = 0; i < program->count; i++) {
    eddy_work *work = program->files[i].work;
    program->skipped += work != NULL && eddy_work_cancel(work) == 0;
  }
  fprintf(stderr, "digest: %zu files skipped\n", program->skipped);
}

/* On a pool's thread: only what is the work's own may be touched, and the loop by a post. */

static void survey(void *context) {
  struct program *program = context;
  struct stat status;
  for (size_t i = 0; i < program->count; i++) {
    if (stat(program->files[i].path, &status) == 0 && S_ISREG(status.st_mode)) {
      program->total += (uint64_t)status.st_size;
    }
  }
}

static void digest(void *context) {
  struct file *file = context;
  unsigned char buffer[65536];
  size_t count, untold = 0;
  FILE *input = fopen(file->path, "rb");
  if (input == NULL) {
    file->status = errno;
    return;
  }
  file->digest = 14695981039346656037u; /* FNV's offset basis and prime for 64 bits */
  while ((count = fread(buffer, 1, sizeof buffer, input)) > 0) {
    for (size_t i = 0; i < count; i++) {
      file->digest = (file->digest ^ buffer[i]) * 1099511628211u;
    }
    untold += count;
    if (untold >= STEP) {
      eddy_loop_post(file->program->loop, on_step, file->program);
      untold -= STEP;
    }
  }
  file->status = ferror(input) ? errno : 0;
  fclose(input);
}

static void start(struct program *program, size_t threads, char **paths) {
  eddy_pool_config config = EDDY_POOL_CONFIG_INIT;
  config.threads = 1;
  check(eddy_pool_create(program->loop, &config, &program->surveys), "pool");
  config.threads = threads;
  config.queue_capacity = program->count;
  check(eddy_pool_create(program->loop, &config, &program->digests), "pool");
  program->files = calloc(program->count, sizeof *program->files);
  check(program->files == NULL ? EDDY_ENOMEM : 0, "files");
  for (size_t i = 0; i < program->count; i++) {
    program->files[i].program = program;
    program->files[i].path = paths[i];
  }
  program->under_way = program->count + 1;
  check(eddy_pool_submit(program->surveys, survey, on_survey_done, program), "survey");
  for (size_t i = 0; i < program->count; i++) {
    struct file *file = &program->files[i];
    int result = eddy_pool_submit_work(program->digests, digest, on_digest_done, file, &file->work);
    check(result, file->path);
  }
}

int main(int argc, char **argv) {
  static const int numbers[] = {SIGINT, SIGTERM};
  struct program program = {0};
  char *rest = NULL;
  long threads = argc > 2 ? strtol(argv[1], &rest, 10) : 0;
  if (threads < 1 || threads > 1024 || *rest != 0) {
    fprintf(stderr, "usage: digest THREADS FILE...\n");
    return 2;
  }
  program.count = (size_t)argc - 2;
  check(eddy_loop_create(NULL, &program.loop), "loop");
  for (int i = 0; i < 2; i++) {
    check(eddy_signal_create(program.loop, on_signal, &program, &program.signals[i]), "signal");
    check(eddy_signal_start(program.signals[i], numbers[i]), "signal");
  }
  start(&program, (size_t)threads, argv + 2);
  check(eddy_loop_run(program.loop, EDDY_RUN_UNTIL_IDLE), "run");
  check(eddy_loop_destroy(program.loop), "destroy");
  int failed = program.skipped > 0;
  for (size_t i = 0; i < program.count; i++) {
    const struct file *file = &program.files[i];
    if (file->status == 0) {
      printf("%016llx  %s\n", (unsigned long long)file->digest, file->path);
    } else if (file->status > 0) { /* and not skipped */
      fprintf(stderr, "digest: %s: %s\n", file->path, strerror(file->status));
      failed = 1;
    }
  }
  free(program.files);
  return failed;
}
