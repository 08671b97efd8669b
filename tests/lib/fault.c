/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program under test: at its n-th call that changes a file it is killed, or from then on the disk is full. So a script walks
 * through all states that a kill -9 or a full disk can leave, one by one and the same at each run.
 *
 *     FAULT=kill:N   killed before the n-th call
 *     FAULT=torn:N   the same, but a write has half its bytes on disk
 *     FAULT=full:N   the n-th and all later calls that need room fail with ENOSPC (standard output and error do not)
 *     FAULT=hold:N   the thread that is about to make the n-th write of a MiB or more waits until it is killed; the others go on
 *     FAULT=stop     stopped (SIGSTOP) whenever a file that was written is about to get its name, link and linkat
 *     FAULT_MARK=FILE   appears when it came to a death, to the full disk or to the wait */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define LONG_WRITE ((size_t)1 << 20)

enum need { NO_ROOM_NEEDED, ROOM_NEEDED };

static atomic_long calls;

static void mark(void) {
	const char *path = getenv("FAULT_MARK");

	if (path != NULL) {
		long fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0)
			syscall(SYS_close, fd);
	}
}

/* Counts a call; does not return if it is the one to die at. half writes half of what the call would, or is NULL. */
static bool is_full(enum need need, void (*half)(void *), void *arg) {
	const char *fault = getenv("FAULT"), *colon = fault == NULL ? NULL : strchr(fault, ':');
	long n = colon == NULL ? 0 : strtol(colon + 1, NULL, 10), now;

	if (n == 0 || strncmp(fault, "hold", 4) == 0)
		return false;
	now = atomic_fetch_add(&calls, 1) + 1;
	if (strncmp(fault, "full", 4) == 0) {
		if (now < n || need == NO_ROOM_NEEDED)
			return false;
		mark();
		errno = ENOSPC;
		return true;
	}
	if (now == n) {
		mark();
		if (strncmp(fault, "torn", 4) == 0 && half != NULL)
			half(arg);
		kill(getpid(), SIGKILL);
	}
	return false;
}

#define NEXT(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

struct writing {
	int fd;
	const void *data;
	size_t len;
	off64_t off; /* -1: at the file's position */
};

static void hold(size_t len) {
	const char *fault = getenv("FAULT");

	if (len < LONG_WRITE || fault == NULL || strncmp(fault, "hold:", 5) != 0 || atomic_fetch_add(&calls, 1) + 1 != strtol(fault + 5, NULL, 10))
		return;
	mark();
	for (;;)
		(void)pause();
}

static void write_half(void *arg) {
	const struct writing *w = arg;

	if (w->off < 0)
		syscall(SYS_write, w->fd, w->data, w->len / 2);
	else
		syscall(SYS_pwrite64, w->fd, w->data, w->len / 2, w->off);
}

ssize_t write(int fd, const void *data, size_t len) {
	struct writing w = {fd, data, len, -1};

	hold(len);
	return fd > 2 && is_full(ROOM_NEEDED, write_half, &w) ? -1 : NEXT(write)(fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t off) {
	struct writing w = {fd, data, len, off};

	hold(len);
	return is_full(ROOM_NEEDED, write_half, &w) ? -1 : NEXT(pwrite)(fd, data, len, off);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t off) {
	struct writing w = {fd, data, len, off};

	hold(len);
	return is_full(ROOM_NEEDED, write_half, &w) ? -1 : NEXT(pwrite64)(fd, data, len, off);
}

ssize_t writev(int fd, const struct iovec *v, int n) {
	return fd > 2 && is_full(ROOM_NEEDED, NULL, NULL) ? -1 : NEXT(writev)(fd, v, n);
}

/* A call that the disk's being full does or does not stop. */
#define FREE(name, params, ...) \
	int name params { return is_full(NO_ROOM_NEEDED, NULL, NULL) ? -1 : NEXT(name)(__VA_ARGS__); }
#define COSTS(name, params, ...) \
	int name params { return is_full(ROOM_NEEDED, NULL, NULL) ? -1 : NEXT(name)(__VA_ARGS__); }

FREE(fsync, (int fd), fd)
FREE(fdatasync, (int fd), fd)
FREE(ftruncate, (int fd, off_t len), fd, len)
FREE(ftruncate64, (int fd, off64_t len), fd, len)
FREE(unlink, (const char *path), path)
COSTS(mkdir, (const char *path, mode_t mode), path, mode)
COSTS(rename, (const char *from, const char *to), from, to)

/* raise: this thread goes no further, whatever the others do until they stop too. */
static bool has_no_name(void) {
	const char *fault = getenv("FAULT");

	if (fault != NULL && strcmp(fault, "stop") == 0)
		(void)raise(SIGSTOP);
	return is_full(ROOM_NEEDED, NULL, NULL);
}

int link(const char *from, const char *to) {
	return has_no_name() ? -1 : NEXT(link)(from, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
	return has_no_name() ? -1 : NEXT(linkat)(from_dir, from, to_dir, to, flags);
}

static bool creates(int flags) {
	return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

#define OPEN(name, last, ...) \
	mode_t mode = 0; \
	if (creates(flags)) { \
		va_list ap; \
		va_start(ap, last); \
		mode = va_arg(ap, mode_t); \
		va_end(ap); \
		if (is_full(ROOM_NEEDED, NULL, NULL)) \
			return -1; \
	} \
	return NEXT(name)(__VA_ARGS__, flags, mode)

int open(const char *path, int flags, ...) { OPEN(open, flags, path); }
int open64(const char *path, int flags, ...) { OPEN(open64, flags, path); }
int openat(int dir, const char *path, int flags, ...) { OPEN(openat, flags, dir, path); }
int openat64(int dir, const char *path, int flags, ...) { OPEN(openat64, flags, dir, path); }
