/* Lets writes to files below a folder fail as on a full disk, while the file $FANLIGHT_TEST_FULL exists. It contains the
 * path of the folder. Loaded into a program by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_full(int file) {
    const char *flag = getenv("FANLIGHT_TEST_FULL");
    int before = errno, found = 0;
    int opened = flag ? open(flag, O_RDONLY | O_CLOEXEC) : -1;
    if (opened >= 0) {
        char folder[PATH_MAX], path[PATH_MAX], link[64];
        ssize_t length = read(opened, folder, sizeof folder);
        close(opened);
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t end = readlink(link, path, sizeof path);
        found = length > 0 && end > length && memcmp(folder, path, length) == 0 && path[length] == '/';
    }
    errno = before;
    return found;
}

#define REFUSE(result, name, file, parameters, arguments)                                                              \
    result name parameters {                                                                                           \
        static result(*real) parameters;                                                                               \
        if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                               \
        if (is_full(file)) {                                                                                           \
            errno = ENOSPC;                                                                                            \
            return -1;                                                                                                 \
        }                                                                                                              \
        return real arguments;                                                                                         \
    }

REFUSE(ssize_t, write, f, (int f, const void *b, size_t n), (f, b, n))
REFUSE(ssize_t, pwrite, f, (int f, const void *b, size_t n, off_t at), (f, b, n, at))
REFUSE(ssize_t, pwrite64, f, (int f, const void *b, size_t n, off64_t at), (f, b, n, at))
REFUSE(ssize_t, writev, f, (int f, const struct iovec *b, int n), (f, b, n))
REFUSE(int, fallocate, f, (int f, int mode, off_t at, off_t n), (f, mode, at, n))
REFUSE(int, fallocate64, f, (int f, int mode, off64_t at, off64_t n), (f, mode, at, n))
REFUSE(ssize_t, sendfile, f, (int f, int from, off_t *at, size_t n), (f, from, at, n))
REFUSE(ssize_t, sendfile64, f, (int f, int from, off64_t *at, size_t n), (f, from, at, n))
REFUSE(ssize_t, copy_file_range, f, (int from, off64_t *i, int f, off64_t *o, size_t n, unsigned flags),
       (from, i, f, o, n, flags))
