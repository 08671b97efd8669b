/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"

/* errno as an error about path; a full disk and a missing file keep their own classes. */
static int path_error(const char *path, const char *what, struct err *e) {
	int code = errno == ENOENT ? ERR_NOTFOUND : errno == EEXIST ? ERR_EXISTS : ERR_FAIL;

	(void)err_sys(e, code, "%s", what);
	return text_about(path, code, e);
}

static int load_fd(int fd, const char *path, size_t max, struct buf *out, struct err *e) {
	size_t start = out->len;

	for (;;) {
		/* One byte more than allowed shows that there is more. */
		size_t want = max - (out->len - start) + 1, chunk = want < 65536 ? want : 65536;
		ssize_t n = read(fd, buf_room(out, chunk), chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return path_error(path, "cannot read", e);
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		out->data[out->len] = 0;
		if (out->len - start > max) {
			(void)err_set(e, ERR_FAIL, "more than %zu bytes", max);
			return text_about(path, ERR_FAIL, e);
		}
	}
}

static int load(const char *path, bool secret, size_t max, struct buf *out, struct err *e) {
	OWN(own_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return path_error(path, "cannot open", e);
	if (fstat(fd, &st) != 0)
		return path_error(path, "cannot stat", e);
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_FAIL, "not a regular file");
		return text_about(path, ERR_FAIL, e);
	}
	if (secret && (st.st_mode & 077) != 0) {
		(void)err_set(e, ERR_FAIL, "holds a key, but its mode %04o lets others in; chmod 600 it", (unsigned)(st.st_mode & 07777));
		return text_about(path, ERR_FAIL, e);
	}
	return load_fd(fd, path, max, out, e);
}

int file_load(const char *path, size_t max, struct buf *out, struct err *e) {
	return load(path, false, max, out, e);
}

int file_load_private(const char *path, size_t max, struct buf *out, struct err *e) {
	return load(path, true, max, out, e);
}

char *file_folder(const char *path) {
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	if (slash == path)
		return xstrdup("/");
	return xasprintf("%.*s", (int)(slash - path), path);
}

int file_sync_dir(const char *path, struct err *e) {
	OWN(own_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return path_error(path, "cannot open", e);
	/* Some network file systems cannot sync a folder and say EINVAL: nothing more can be done there. */
	if (fsync(fd) != 0 && errno != EINVAL)
		return path_error(path, "cannot sync", e);
	return 0;
}

#define TMP_PREFIX ".scg-"
#define TMP_SUFFIX ".tmp"
#define TMP_DIGITS 16

/* A hidden name that nobody has; malloc'd, NULL without random bytes. */
static char *temporary_name(const char *folder, struct err *e) {
	uint8_t r[TMP_DIGITS / 2];
	char hex[TMP_DIGITS + 1];

	if (random_bytes(r, sizeof(r), e) != 0)
		return NULL;
	text_hex(r, sizeof(r), hex);
	return xasprintf("%s/" TMP_PREFIX "%s" TMP_SUFFIX, folder, hex);
}

bool file_is_temporary(const char *name) {
	size_t start = strlen(TMP_PREFIX);

	return strncmp(name, TMP_PREFIX, start) == 0 && strspn(name + start, "0123456789abcdef") == TMP_DIGITS &&
	       strcmp(name + start + TMP_DIGITS, TMP_SUFFIX) == 0;
}

/* As long as a file has a temporary name its writer holds this lock, so that file_sweep leaves it alone; where there are no locks nothing is
 * swept either. False: a sweep has it already, or had it: a file is there before it can be locked. */
static bool hold(int fd) {
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno != EWOULDBLOCK;
	return fstat(fd, &st) != 0 || st.st_nlink > 0;
}

static void forget_name(struct file_out *o) {
	free(o->tmp);
	o->tmp = NULL;
}

#define NAMED_TRIES 4 /* the last one is taken as it is: some file systems count no links */

/* A hidden name next to the final one, for file systems without O_TMPFILE. */
static int open_named(struct file_out *o, const char *folder, mode_t mode, struct err *e) {
	for (int i = 1;; i++) {
		if ((o->tmp = temporary_name(folder, e)) == NULL)
			return ERR_FAIL;
		o->fd = open(o->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		if (o->fd < 0) {
			forget_name(o);
			return path_error(o->path, "cannot create", e);
		}
		if (hold(o->fd) || i == NAMED_TRIES)
			return 0;
		(void)close(o->fd);
		(void)unlink(o->tmp);
		forget_name(o);
	}
}

int file_out_open(struct file_out *o, const char *path, mode_t mode, struct err *e) {
	OWN(own_free) char *folder = file_folder(path);
	struct stat st;

	*o = (struct file_out){ .fd = -1, .path = xstrdup(path) };
	if (path[0] == '\0' || path[strlen(path) - 1] == '/' || (stat(path, &st) == 0 && S_ISDIR(st.st_mode))) {
		(void)err_set(e, ERR_FAIL, "is a folder, not a file");
		return text_about(path, ERR_FAIL, e);
	}
	if (file_is_special(path)) {
		(void)err_set(e, ERR_FAIL, "is a device or a pipe, not a file");
		return text_about(path, ERR_FAIL, e);
	}
	o->fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, mode);
	if (o->fd >= 0)
		return 0;
	return open_named(o, folder, mode, e);
}

/* Gives an O_TMPFILE a temporary name, so that rename can put it over what is there. */
static int name_tmpfile(struct file_out *o, const char *as) {
	char proc[64];

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", o->fd);
	return linkat(AT_FDCWD, proc, AT_FDCWD, as, AT_SYMLINK_FOLLOW);
}

static int place_new(struct file_out *o, struct err *e) {
	if (o->tmp == NULL)
		return name_tmpfile(o, o->path) == 0 ? 0 : path_error(o->path, "cannot create", e);
	if (link(o->tmp, o->path) == 0) {
		if (unlink(o->tmp) != 0)
			return path_error(o->tmp, "cannot remove", e);
		forget_name(o);
		return 0;
	}
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return path_error(o->path, "cannot create", e);
	/* FAT and some network file systems have no links; there a rename that refuses to replace serves. */
	if (renameat2(AT_FDCWD, o->tmp, AT_FDCWD, o->path, RENAME_NOREPLACE) != 0)
		return path_error(o->path, "cannot create", e);
	forget_name(o);
	return 0;
}

static int name_for_a_moment(struct file_out *o, const char *folder, struct err *e) {
	if ((o->tmp = temporary_name(folder, e)) == NULL)
		return ERR_FAIL;
	(void)hold(o->fd);
	if (name_tmpfile(o, o->tmp) == 0)
		return 0;
	forget_name(o);
	return path_error(o->path, "cannot create", e);
}

static int place_over(struct file_out *o, const char *folder, struct err *e) {
	int r;

	if (o->tmp == NULL) {
		/* Where nothing is replaced there is no moment with another name. */
		if (name_tmpfile(o, o->path) == 0)
			return 0;
		if (errno != EEXIST)
			return path_error(o->path, "cannot create", e);
		if ((r = name_for_a_moment(o, folder, e)) != 0)
			return r;
	}
	if (rename(o->tmp, o->path) != 0)
		return path_error(o->path, "cannot replace", e);
	forget_name(o);
	return 0;
}

int file_out_keep(struct file_out *o, bool replace, struct err *e) {
	OWN(own_free) char *folder = file_folder(o->path);
	int r;

	if (fsync(o->fd) != 0)
		return path_error(o->path, "cannot write to disk", e);
	r = replace ? place_over(o, folder, e) : place_new(o, e);
	if (r != 0)
		return r;
	r = close(o->fd);
	o->fd = -1;
	if (r != 0)
		return path_error(o->path, "cannot close", e);
	return file_sync_dir(folder, e);
}

void file_out_wipe(struct file_out *o) {
	if (o->fd >= 0)
		(void)close(o->fd);
	if (o->tmp != NULL)
		(void)unlink(o->tmp);
	free(o->tmp);
	free(o->path);
	*o = (struct file_out){ .fd = -1 };
}

static int save(const char *path, const void *data, size_t len, mode_t mode, bool replace, struct err *e) {
	OWN(file_out_wipe) struct file_out o = { .fd = -1 };
	int r = file_out_open(&o, path, mode, e);

	if (r == 0 && fchmod(o.fd, mode) != 0)
		r = path_error(path, "cannot set its mode", e);
	if (r == 0)
		r = file_write_all(o.fd, data, len, path, e);
	if (r == 0)
		r = file_out_keep(&o, replace, e);
	return r;
}

static int write_through(const char *path, const void *data, size_t len, struct err *e) {
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return path_error(path, "cannot open", e);
	r = file_write_all(fd, data, len, path, e);
	if (close(fd) != 0 && r == 0)
		r = path_error(path, "cannot close", e);
	return r;
}

int file_save(const char *path, const void *data, size_t len, mode_t mode, struct err *e) {
	return file_is_special(path) ? write_through(path, data, len, e) : save(path, data, len, mode, true, e);
}

int file_save_new(const char *path, const void *data, size_t len, mode_t mode, struct err *e) {
	return save(path, data, len, mode, false, e);
}

int file_mkdir(const char *path, mode_t mode, bool parents, struct err *e) {
	OWN(own_free) char *up = NULL;
	struct stat st;
	int r;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		(void)err_set(e, ERR_FAIL, "is there already and is no folder");
		return text_about(path, ERR_FAIL, e);
	}
	up = file_folder(path);
	if (parents && strcmp(up, path) != 0 && strcmp(up, ".") != 0) {
		r = file_mkdir(up, mode, true, e);
		if (r != 0)
			return r;
	}
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return path_error(path, "cannot create folder", e);
	return 0;
}

/* /dev/stdout and its like are links to what is open, and that may be a file. */
static bool is_link_to_descriptor(const char *path) {
	struct stat st;

	return (strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0) && lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

bool file_is_special(const char *path) {
	struct stat st;

	return (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) || is_link_to_descriptor(path);
}

bool file_is_same(const char *a, const char *b) {
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

const char *file_is_one_of(const char *dir, const char *const *names, const char *path) {
	for (; *names != NULL; names++) {
		OWN(own_free) char *own = file_join(dir, *names);

		if (file_is_same(own, path))
			return *names;
	}
	return NULL;
}

bool file_exists(const char *path) {
	struct stat st;

	return lstat(path, &st) == 0;
}

char *file_join(const char *dir, const char *name) {
	size_t len = strlen(dir);

	return xasprintf("%s%s%s", dir, len > 0 && dir[len - 1] == '/' ? "" : "/", name);
}

int file_lock(const char *path, int wait_ms, int *fd, struct err *e) {
	int64_t until = clock_mono_ms() + wait_ms;
	int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (f < 0)
		return path_error(path, "cannot open lock", e);
	while (flock(f, LOCK_EX | LOCK_NB) != 0) {
		struct timespec pause = { 0, 20000000 };

		if (errno != EWOULDBLOCK && errno != EINTR) {
			int r = path_error(path, "cannot lock", e);
			(void)close(f);
			return r;
		}
		if (clock_mono_ms() >= until) {
			(void)close(f);
			(void)err_set(e, ERR_UNREACHABLE, "in use by another process");
			return text_about(path, ERR_UNREACHABLE, e);
		}
		(void)nanosleep(&pause, NULL);
	}
	*fd = f;
	return 0;
}
