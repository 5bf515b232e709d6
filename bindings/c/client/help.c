#include "help.h"

#include <eddy.h>

#define TEXT_OF(number) #number
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

static const char *const help_sections[] = {
    "Usage: eddy-client [OPTION]...\n"
    "\n"
    "Checks a job server: submits jobs, polls for their results over keep-alive\n"
    "connections, breaks off a share of the exchanges on purpose, and repeats them on\n"
    "new connections. Each job carries a nonce of its own, and its result must be the\n"
    "SHA-256 of just that nonce; so a result that reached the wrong job proves itself.\n"
    "\n",
    "Where and what\n"
    "  --url URL          http://HOST:PORT or unix:/PATH     [http://127.0.0.1:8888]\n"
    "  --task NAME        a task that answers with the hexadecimal SHA-256 of its\n"
    "                     input, as sha256sum(1) writes it   [sha256]\n"
    "  --jobs N           how many jobs                      [1000]\n"
    "  --connections C    at most so many at once            [100]\n"
    "  --pipeline K       send up to K requests of different jobs on a connection\n"
    "                     without waiting, and check the order of the answers, 1 to 16 [1]\n"
    "  --size BYTES       length of a job's input            [64]\n"
    "  --wait SECONDS     how long a poll asks to be held    [30]\n"
    "  --no-acknowledge   leave the results at the server\n"
    "\n",
    "What goes wrong on purpose\n"
    "  --drop SHARE       break off this share of the exchanges, such as 30% or 0.3 [0]:\n"
    "                     in the middle of the request, before the answer, or in the\n"
    "                     middle of it, by an end (FIN) or by a reset (RST)\n"
    "  --seed NUMBER      repeats nonces and choices of an earlier run [random]\n"
    "\n",
    "Many parked polls\n"
    "  --park N           park N polls at once, each on a connection, on jobs of the\n"
    "                     `sleep` task; --jobs M spreads them over M jobs [N]\n"
    "  --sleep SECONDS    how long those jobs sleep: long enough that the last poll is\n"
    "                     parked before the first is answered [5]\n"
    "\n",
    "The run\n"
    "  --deadline SECONDS jobs that are unfinished by then are lost [120]\n"
    "  --json             print the outcome as JSON\n"
    "  --help, --version\n"
    "\n",
    "Examples\n"
    "  eddy-client\n"
    "      1,000 jobs over 100 connections; nothing goes wrong.\n"
    "  eddy-client --jobs 5000 --connections 200 --drop 30%\n"
    "      The same promise, kept while 30% of the exchanges are broken off.\n"
    "  eddy-client --url unix:/run/eddyd.sock --jobs 100 --pipeline 8\n"
    "      Over a Unix socket, eight requests at once on each connection.\n"
    "  eddy-client --park 5000 --sleep 10\n"
    "      5,000 polls are held at once, and all are answered when the jobs end.\n"
    "\n"
    "Exit status: 0 when every job got its own result and nothing else happened; 1\n"
    "when one is lost, misdelivered or met an error; 2 for bad usage.\n",
};

void help_print(FILE *out) {
  for (size_t i = 0; i < sizeof help_sections / sizeof help_sections[0]; i++) {
    fputs(help_sections[i], out);
  }
}

void help_print_version(FILE *out) {
  fprintf(
      out, "eddy-client %s (libeddy %s)\n",
      DOTTED(EDDY_VERSION_MAJOR, EDDY_VERSION_MINOR, EDDY_VERSION_PATCH), eddy_version_string());
}
