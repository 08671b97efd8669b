/* SPDX-License-Identifier: Apache-2.0 */
/* A local or mounted folder as the drive: XX/ID.cms, XX being the id's first two characters, so that no folder gets
 * long for desktop clients and SharePoint. What lies elsewhere, at most one folder deep, is found as well: restored
 * backups come flattened. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "store/store.h"

#define SUFFIX ".cms"
#define OBJECT_NAME (STORE_ID_LEN + sizeof(SUFFIX)) /* with the NUL */
#define SHARD 2

struct directory {
	char *path;
	int fd;
	mode_t mode; /* of the folder: who may read and write there may read and write what we add */
};

struct directory_put {
	struct file_out out;
};

static int error_at(const char *path, int code, const char *what, struct err *e) {
	return text_about(path, err_sys(e, code, "%s", what), e);
}

static int directory_open(void **state, const char *where, const struct store_env *env, struct err *e) {
	struct stat st;
	int fd;

	(void)env;
	/* Never created here: an empty folder where a drive should be mounted would look like one that lost
	 * everything. */
	fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_at(
		    where, errno == ENOENT ? ERR_UNREACHABLE : ERR_FAIL, "cannot open the drive's folder", e);
	if (fstat(fd, &st) != 0) {
		(void)close(fd);
		return error_at(where, ERR_FAIL, "cannot stat", e);
	}
	struct directory *d = xcalloc(1, sizeof(*d));
	*d = (struct directory){ .path = xstrdup(where), .fd = fd, .mode = st.st_mode & 07777 };
	*state = d;
	return 0;
}

static void directory_close(void *state) {
	struct directory *d = state;

	(void)close(d->fd);
	free(d->path);
	free(d);
}

/* "ID.cms" to "ID"; false for any other name. */
static bool object_of(const char *name, char id[static STORE_ID_LEN + 1]) {
	if (strlen(name) != OBJECT_NAME - 1 || strcmp(name + STORE_ID_LEN, SUFFIX) != 0)
		return false;
	memcpy(id, name, STORE_ID_LEN);
	id[STORE_ID_LEN] = '\0';
	return text_is_base32_id(id);
}

/* Called for the drive's folder and for each folder in it; a non-zero return stops and is handed on. */
typedef int folder_fn(void *arg, int dir_fd, struct err *e);

/* Hidden folders are where desktop clients keep what was deleted; a link is never followed. */
static int visit_sub(int root, const char *name, folder_fn *f, void *arg, struct err *e) {
	OWN(own_fd) int sub = -1;

	if (name[0] == '.')
		return 0;
	sub = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (sub >= 0)
		return f(arg, sub, e);
	/* What is no folder, and what others put there and closed to us, is passed over; a folder of objects is not. */
	if (errno == EACCES && strlen(name) == SHARD)
		return err_sys(e, ERR_FAIL, "cannot open the drive's folder %s", name);
	return 0;
}

static int each_folder(const struct directory *d, folder_fn *f, void *arg, struct err *e) {
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *ent;
	struct stat st;
	int r;

	if (dir == NULL) {
		r = error_at(d->path, ERR_UNREACHABLE, "cannot open the drive's folder", e);
		own_fd(&fd);
		return r;
	}
	if (fstat(fd, &st) != 0 || st.st_nlink == 0)
		r = err_set(e, ERR_UNREACHABLE, "the drive's folder is gone");
	else
		r = f(arg, fd, e);
	while (r == 0 && (errno = 0, ent = readdir(dir)) != NULL)
		r = visit_sub(fd, ent->d_name, f, arg, e);
	if (r == 0 && errno != 0)
		r = error_at(d->path, ERR_UNREACHABLE, "cannot read the drive's folder", e);
	(void)closedir(dir);
	return r;
}

typedef int file_fn(void *arg, int dir_fd, const char *name, const struct stat *st, struct err *e);

struct files {
	file_fn *f;
	void *arg;
};

/* Each plain file of one folder. */
static int each_file(void *arg, int dir_fd, struct err *e) {
	const struct files *files = arg;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *ent;
	struct stat st;
	int r = 0;

	if (dir == NULL) {
		r = err_sys(e, ERR_FAIL, "cannot open a folder of the drive");
		own_fd(&fd);
		return r;
	}
	while (r == 0 && (errno = 0, ent = readdir(dir)) != NULL)
		if (fstatat(fd, ent->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			r = files->f(files->arg, fd, ent->d_name, &st, e);
	if (r == 0 && ent == NULL && errno != 0)
		r = err_sys(e, ERR_FAIL, "cannot read a folder of the drive");
	(void)closedir(dir);
	return r;
}

struct search {
	char name[OBJECT_NAME];
	int fd; /* -1: not found yet */
};

static int open_in(void *arg, int dir_fd, struct err *e) {
	struct search *s = arg;

	(void)e;
	s->fd = openat(dir_fd, s->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return s->fd >= 0 ? 1 : 0;
}

static void search_for(const char *id, struct search *s) {
	(void)snprintf(s->name, sizeof(s->name), "%s" SUFFIX, id);
	s->fd = -1;
}

/* The folder where the object belongs, -1 (errno) if there is none. */
static int open_shard(const struct directory *d, const char *id) {
	char shard[SHARD + 1] = { id[0], id[1], '\0' };

	return openat(d->fd, shard, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int object_open(const struct directory *d, const char *id, int *fd, struct stat *st, struct err *e) {
	OWN(own_fd) int shard = open_shard(d, id);
	struct search s;
	int r;

	search_for(id, &s);
	if (shard >= 0 && open_in(&s, shard, e) == 0 && errno != ENOENT && errno != ELOOP)
		return err_sys(e, ERR_FAIL, "object %s", id);
	if (s.fd < 0) {
		r = each_folder(d, open_in, &s, e);
		if (r < 0)
			return r;
	}
	if (s.fd < 0)
		return err_set(e, ERR_NOTFOUND, "object %s is not on the drive", id);
	if (fstat(s.fd, st) != 0 || !S_ISREG(st->st_mode)) {
		(void)close(s.fd);
		return err_set(e, ERR_NOTFOUND, "object %s is not a plain file on the drive", id);
	}
	*fd = s.fd;
	return 0;
}

static int directory_stat(void *state, const char *id, struct store_stat *out, struct err *e) {
	OWN(own_fd) int fd = -1;
	struct stat st;
	int r = object_open(state, id, &fd, &st, e);

	if (r != 0)
		return r;
	memcpy(out->id, id, sizeof(out->id));
	out->size = (uint64_t)st.st_size;
	out->modified_s = st.st_mtime;
	return 0;
}

static int directory_get(
    void *state, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	OWN(own_fd) int fd = -1;
	struct stat st;
	int r = object_open(state, id, &fd, &st, e);

	return r != 0 ? r : file_pread_full(fd, data, len, off, got, id, e);
}

/* The sub-folder takes the mode of the drive's folder, whatever our umask is: the others of the group write there
 * too. */
static int make_shard(const struct directory *d, const char *shard, struct err *e) {
	struct stat st;

	if (mkdirat(d->fd, shard, 0700) == 0) {
		if (fchmodat(d->fd, shard, d->mode, 0) != 0 && errno != EPERM && errno != EOPNOTSUPP)
			return error_at(d->path, ERR_FAIL, "cannot set a folder's mode", e);
		return fsync(d->fd) == 0 || errno == EINVAL ? 0 : error_at(d->path, ERR_FAIL, "cannot sync", e);
	}
	if (errno != EEXIST)
		return error_at(d->path, ERR_FAIL, "cannot create a folder", e);
	if (fstatat(d->fd, shard, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ERR_FAIL, "drive: %s is no folder", shard);
	return 0;
}

static int directory_put_open(void *state, const char *id, bool fresh, void **put, struct err *e) {
	struct directory *d = state;
	char shard[SHARD + 1] = { id[0], id[1], '\0' };
	OWN(own_free) char *path = xasprintf("%s/%s/%s" SUFFIX, d->path, shard, id);
	int r = make_shard(d, shard, e);

	(void)fresh; /* asking costs nothing here */
	if (r != 0)
		return r;
	if (file_exists(path))
		return err_set(e, ERR_EXISTS, "object %s is on the drive already", id);
	struct directory_put *p = xcalloc(1, sizeof(*p));
	r = file_out_open(&p->out, path, 0600, e);
	if (r == 0 && fchmod(p->out.fd, d->mode & 0666) != 0 && errno != EPERM && errno != EOPNOTSUPP)
		r = error_at(path, ERR_FAIL, "cannot set its mode", e);
	if (r != 0) {
		file_out_wipe(&p->out);
		free(p);
		return r;
	}
	*put = p;
	return 0;
}

static int directory_put_write(void *put, const void *data, size_t len, struct err *e) {
	struct directory_put *p = put;

	return file_write_all(p->out.fd, data, len, p->out.path, e);
}

static int directory_put_commit(void *put, struct err *e) {
	struct directory_put *p = put;

	return file_out_keep(&p->out, false, e);
}

static void directory_put_free(void *put) {
	struct directory_put *p = put;

	file_out_wipe(&p->out);
	free(p);
}

struct listing {
	int (*f)(void *arg, const struct store_stat *st, struct err *e);
	void *arg;
};

static int list_one(void *arg, int dir_fd, const char *name, const struct stat *st, struct err *e) {
	const struct listing *l = arg;
	struct store_stat s;

	(void)dir_fd;
	if (!object_of(name, s.id))
		return 0;
	s.size = (uint64_t)st->st_size;
	s.modified_s = st->st_mtime;
	return l->f(l->arg, &s, e);
}

static int directory_list(
    void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	struct listing l = { f, arg };
	struct files files = { list_one, &l };

	return each_folder(state, each_file, &files, e);
}

static int unlink_error(const char *name, struct err *e) {
	bool ours = errno != EACCES && errno != EPERM && errno != EROFS;

	return err_sys(e, ours ? ERR_FAIL : ERR_REFUSED, "cannot destroy %s on the drive", name);
}

/* 0 also where nothing bears the name. */
static int unlink_in(void *arg, int dir_fd, struct err *e) {
	const struct search *s = arg;

	if (unlinkat(dir_fd, s->name, 0) != 0)
		return errno == ENOENT ? 0 : unlink_error(s->name, e);
	return fsync(dir_fd) == 0 || errno == EINVAL ? 0 : err_sys(e, ERR_FAIL, "cannot sync the drive's folder");
}

static int directory_destroy(void *state, const char *id, struct err *e) {
	const struct directory *d = state;
	OWN(own_fd) int shard = open_shard(d, id);
	struct search s;
	struct stat st;
	int r;

	search_for(id, &s);
	/* Where nothing lies at the object's own place, all that bears its name goes. */
	if (shard < 0 || (fstatat(shard, s.name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT))
		return each_folder(d, unlink_in, &s, e);
	r = unlink_in(&s, shard, e);
	if (r == 0 && fstatat(shard, s.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		r = err_set(e, ERR_FAIL, "object %s is still on the drive after it was destroyed", id);
	return r;
}

struct sweep {
	int64_t before_s;
	uint64_t n;
};

static int sweep_one(void *arg, int dir_fd, const char *name, const struct stat *st, struct err *e) {
	struct sweep *s = arg;

	if (!file_is_temporary(name) || st->st_mtime >= s->before_s)
		return 0;
	if (unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT)
		return unlink_error(name, e);
	s->n++;
	return 0;
}

static int directory_sweep(void *state, int64_t before_s, uint64_t *n, struct err *e) {
	struct sweep s = { before_s, 0 };
	struct files files = { sweep_one, &s };
	int r = each_folder(state, each_file, &files, e);

	*n = s.n;
	return r;
}

const struct store_kind store_directory = {
	.name = "directory",
	.open = directory_open,
	.close = directory_close,
	.put_open = directory_put_open,
	.put_write = directory_put_write,
	.put_commit = directory_put_commit,
	.put_free = directory_put_free,
	.stat = directory_stat,
	.get = directory_get,
	.list = directory_list,
	.destroy = directory_destroy,
	.sweep = directory_sweep,
};
