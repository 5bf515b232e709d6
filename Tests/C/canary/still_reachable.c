/* Ends with memory that was not freed, but could still be. */
#include <stdlib.h>

static char *volatile memory;

int main(void) {
  memory = malloc(16);
  return memory == NULL;
}
