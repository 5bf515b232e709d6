/*
 * help.h: what --help and --version print.
 */
#ifndef CLIENT_HELP_H
#define CLIENT_HELP_H

#include <stdio.h>

/** What the program does, its options and examples. */
void help_print(FILE *out);

/** The program's version, and that of the libeddy that runs. */
void help_print_version(FILE *out);

#endif
