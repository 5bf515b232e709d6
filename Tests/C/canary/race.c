/* Two threads write one variable. */
#include <pthread.h>
#include <stddef.h>

static int shared;

static void *write_shared(void *context) {
  shared++;
  return context;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, write_shared, NULL) != 0) {
    return 0;
  }
  shared++;
  pthread_join(thread, NULL);
  return 0;
}
