/* Reads memory that was freed. */
#include <stdlib.h>

int main(void) {
  char *volatile memory = malloc(16);
  char *freed = memory;
  free(memory);
  return *(volatile char *)freed == 1 ? 2 : 0;
}
