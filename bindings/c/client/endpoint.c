#define _POSIX_C_SOURCE 200809L

#include "endpoint.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What a URL of the http scheme means without a port (RFC 9110 §4.2.1). */
#define DEFAULT_PORT "80"
#define PORT_LIMIT 65535

static const char right_form[] = "write http://127.0.0.1:8888, http://[::1]:8888 or unix:/path";

static int copy(char *target, const char *text, size_t length) {
  if (length == 0 || length >= ENDPOINT_TEXT_LIMIT) {
    return -1;
  }
  memcpy(target, text, length);
  target[length] = '\0';
  return 0;
}

static int is_port(const char *text) {
  unsigned long number = 0;
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 5 || text[digits] != '\0') {
    return 0;
  }
  for (; *text != '\0'; text++) {
    number = number * 10 + (unsigned long)(*text - '0');
  }
  return number >= 1 && number <= PORT_LIMIT;
}

/* Splits "host:port", "[v6]:port", or either without a port. */
static int split_authority(const char *authority, char *host, char *port) {
  const char *after;
  if (authority[0] == '[') {
    const char *bracket = strchr(authority, ']');
    if (bracket == NULL || copy(host, authority + 1, (size_t)(bracket - authority) - 1) != 0) {
      return -1;
    }
    after = bracket + 1;
  } else {
    size_t length = strcspn(authority, ":");
    if (copy(host, authority, length) != 0 || strpbrk(host, "@?# ") != NULL) {
      return -1;
    }
    after = authority + length;
  }
  if (*after == '\0') {
    return copy(port, DEFAULT_PORT, strlen(DEFAULT_PORT));
  }
  return *after == ':' && is_port(after + 1) ? copy(port, after + 1, strlen(after + 1)) : -1;
}

/* IPv4 first: a server on 127.0.0.1 alone is then found by the name localhost. */
static int look_up(const char *host, const char *port, char *address, int *lookup_error) {
  static const int families[] = {AF_INET, AF_INET6};
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    struct addrinfo hints = {0};
    struct addrinfo *found = NULL;
    hints.ai_family = families[i];
    hints.ai_socktype = SOCK_STREAM;
    *lookup_error = getaddrinfo(host, port, &hints, &found);
    if (*lookup_error != 0) {
      continue;
    }
    char number[ENDPOINT_TEXT_LIMIT - 16];
    *lookup_error = getnameinfo(
        found->ai_addr, found->ai_addrlen, number, sizeof number, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    if (*lookup_error == 0) {
      const char *form = families[i] == AF_INET ? "%s:%s" : "[%s]:%s";
      snprintf(address, ENDPOINT_TEXT_LIMIT, form, number, port);
      return 0;
    }
  }
  return -1;
}

int endpoint_parse(const char *url, struct endpoint *endpoint, char *error, size_t error_size) {
  static const char http[] = "http://";
  char authority[ENDPOINT_TEXT_LIMIT];
  char host[ENDPOINT_TEXT_LIMIT];
  char port[ENDPOINT_TEXT_LIMIT];
  int lookup_error;
  if (strncmp(url, "unix:/", 6) == 0 && copy(endpoint->address, url, strlen(url)) == 0) {
    return copy(endpoint->host, "localhost", strlen("localhost"));
  }
  if (strncmp(url, http, strlen(http)) != 0) {
    snprintf(error, error_size, "%s", right_form);
    return -1;
  }
  const char *start = url + strlen(http);
  size_t length = strcspn(start, "/");
  if (start[length] == '/' && start[length + 1] != '\0') {
    snprintf(error, error_size, "no path may follow; %s", right_form);
    return -1;
  }
  if (copy(authority, start, length) != 0 || split_authority(authority, host, port) != 0) {
    snprintf(error, error_size, "%s", right_form);
    return -1;
  }
  if (look_up(host, port, endpoint->address, &lookup_error) != 0) {
    snprintf(error, error_size, "%s: %s", host, gai_strerror(lookup_error));
    return -1;
  }
  return copy(endpoint->host, authority, length);
}
