/* SPDX-License-Identifier: Apache-2.0 */
/* What processes that were killed left under temporary names. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"

/* Where there is no O_TMPFILE (network file systems) locks may not be seen by other machines; who writes is heard of within this time. */
#define QUIET_S 60

static void close_dir(DIR **d) {
	if (*d != NULL)
		(void)closedir(*d);
}

/* The folder that this process looked into last. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static dev_t last_dev;
static ino_t last_ino;

static bool was_last(int dir_fd) {
	struct stat st;
	bool same;

	if (fstat(dir_fd, &st) != 0)
		return true;
	(void)pthread_mutex_lock(&lock);
	same = st.st_dev == last_dev && st.st_ino == last_ino;
	last_dev = st.st_dev;
	last_ino = st.st_ino;
	(void)pthread_mutex_unlock(&lock);
	return same;
}

static bool sees_all_locks(const char *folder) {
	OWN(own_fd) int fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	return fd >= 0;
}

/* A writer holds a lock for as long as the file has its temporary name, and the kernel gives it up when he is gone. */
static void sweep_one(const char *folder, int dir_fd, const char *name) {
	OWN(own_fd) int fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st, named;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) != 0)
		return;
	/* It may have got its name for good meanwhile. */
	if (fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || named.st_dev != st.st_dev || named.st_ino != st.st_ino)
		return;
	if (time(NULL) - st.st_mtime >= QUIET_S || sees_all_locks(folder))
		(void)unlinkat(dir_fd, name, 0);
}

void file_sweep(const char *folder) {
	OWN(close_dir) DIR *d = opendir(folder);
	const struct dirent *entry;

	if (d == NULL || was_last(dirfd(d)))
		return;
	while ((entry = readdir(d)) != NULL) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		if (file_is_temporary(entry->d_name))
			sweep_one(folder, dirfd(d), entry->d_name);
}
