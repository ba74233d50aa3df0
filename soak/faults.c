/* Makes writes into SOAK_FOLDER fail: SOAK_COUNT of them from number SOAK_AT
   on, with the error number SOAK_ERRNO. Preloaded, so that what TensorFlow
   writes fails as what Python writes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

static int is_inside(const char *path) {
  const char *folder = getenv("SOAK_FOLDER");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int fails(int is_ours) {
  if (!is_ours) return 0;
  long call = atomic_fetch_add(&calls, 1) - number("SOAK_AT");
  if (call < 0 || call >= number("SOAK_COUNT")) return 0;
  errno = (int)number("SOAK_ERRNO");
  return 1;
}

static int fd_fails(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fails(is_inside(path));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
  return fd > 2 && fd_fails(fd) ? -1 : REAL(write)(fd, data, size);
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
  return fd_fails(fileno(file)) ? 0 : REAL(fwrite)(data, size, count, file);
}

int fsync(int fd) { return fd_fails(fd) ? -1 : REAL(fsync)(fd); }

int rename(const char *from, const char *to) {
  return fails(is_inside(to)) ? -1 : REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode) {
  return fails(is_inside(path)) ? -1 : REAL(mkdir)(path, mode);
}

#define OPEN(name)                                              \
  int name(const char *path, int flags, ...) {                  \
    va_list rest;                                               \
    va_start(rest, flags);                                      \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;   \
    va_end(rest);                                               \
    int writes = (flags & O_ACCMODE) != O_RDONLY;               \
    if (fails(writes && is_inside(path))) return -1;            \
    return REAL(name)(path, flags, mode);                       \
  }
OPEN(open)
OPEN(open64)
