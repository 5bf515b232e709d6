#include "names.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { MAXIMUM_NAMES = 16 };

typedef struct known_name {
  const char *name;
  const char *const *addresses;
  int error, system_error, hangs;
} known_name;

/* Under `mutex`: names are told on the test's thread and asked for on others. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static known_name names[MAXIMUM_NAMES];
static size_t name_count;
static int is_released, hanging, asked;

static void add(known_name name) {
  CHECK(pthread_mutex_lock(&mutex) == 0);
  CHECK(name_count < MAXIMUM_NAMES);
  names[name_count++] = name;
  CHECK(pthread_mutex_unlock(&mutex) == 0);
}

void name_fails(const char *name, int error, int system_error) {
  known_name entry = {name, NULL, error, system_error, 0};
  add(entry);
}

void name_has(const char *name, const char *const *addresses) {
  known_name entry = {name, addresses, 0, 0, 0};
  add(entry);
}

void name_hangs(const char *name) {
  known_name entry = {name, NULL, EAI_NONAME, 0, 1};
  add(entry);
}

void names_release(void) {
  CHECK(pthread_mutex_lock(&mutex) == 0);
  is_released = 1;
  CHECK(pthread_cond_broadcast(&released) == 0);
  CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static int read_under_mutex(const int *value) {
  int result;
  CHECK(pthread_mutex_lock(&mutex) == 0);
  result = *value;
  CHECK(pthread_mutex_unlock(&mutex) == 0);
  return result;
}

int names_hanging(void) {
  return read_under_mutex(&hanging);
}

int names_asked(void) {
  return read_under_mutex(&asked);
}

/* What a test has said of a name; its own hang is over. 0: nothing. */
static int find(const char *name, known_name *out_entry) {
  size_t index;
  int found = 0;
  CHECK(pthread_mutex_lock(&mutex) == 0);
  asked++;
  for (index = 0; index < name_count && !found; index++) {
    found = strcmp(names[index].name, name) == 0;
    *out_entry = names[index];
  }
  if (found && out_entry->hangs) {
    hanging++;
    while (!is_released) {
      CHECK(pthread_cond_wait(&released, &mutex) == 0);
    }
    hanging--;
  }
  CHECK(pthread_mutex_unlock(&mutex) == 0);
  return found;
}

/* One piece of memory an address, as freeaddrinfo of the C library expects it. */
static struct addrinfo *make_entry(const char *address, const struct addrinfo *hints) {
  struct addrinfo *entry = calloc(1, sizeof *entry + sizeof(struct sockaddr_in6));
  struct sockaddr_in *ipv4 = (struct sockaddr_in *)(entry + 1);
  struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(entry + 1);
  CHECK(entry != NULL);
  entry->ai_addr = (struct sockaddr *)(entry + 1);
  entry->ai_socktype = hints->ai_socktype;
  if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
    entry->ai_family = ipv4->sin_family = AF_INET;
    entry->ai_addrlen = sizeof *ipv4;
  } else {
    CHECK(inet_pton(AF_INET6, address, &ipv6->sin6_addr) == 1);
    entry->ai_family = ipv6->sin6_family = AF_INET6;
    entry->ai_addrlen = sizeof *ipv6;
  }
  if (hints->ai_family != AF_UNSPEC && hints->ai_family != entry->ai_family) {
    free(entry);
    return NULL;
  }
  return entry;
}

static int
answer(const known_name *name, const struct addrinfo *hints, struct addrinfo **out_list) {
  struct addrinfo **end = out_list;
  const char *const *address;
  if (name->error != 0) {
    errno = name->system_error;
    return name->error;
  }
  *out_list = NULL;
  for (address = name->addresses; *address != NULL; address++) {
    *end = make_entry(*address, hints);
    if (*end != NULL) {
      end = &(*end)->ai_next;
    }
  }
  return *out_list != NULL ? 0 : EAI_NODATA;
}

typedef int (*getaddrinfo_function)(
    const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(
    const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **out_list) {
  getaddrinfo_function next;
  known_name name;
  if ((hints->ai_flags & AI_NUMERICHOST) == 0 && find(host, &name)) {
    return answer(&name, hints, out_list);
  }
  /* A conversion that ISO C leaves out and POSIX has (dlsym(3)). */
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  CHECK(next != NULL);
  return next(host, service, hints, out_list);
}
