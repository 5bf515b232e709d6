/* Decides by memory that was never written. */
#include <stdlib.h>

int main(void) {
  char *volatile memory = malloc(16);
  int result = memory[3] == 1 ? 2 : 0;
  free(memory);
  return result;
}
