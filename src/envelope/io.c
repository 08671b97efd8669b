/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/file.h"

/* The kernel's default of 64 KiB costs a change of process for each eighth of this; twice as much falls out of a core's own cache. */
#define PIPE_BYTES (512 << 10)

static int fd_read(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	const struct io_fd *io = arg;

	return file_read_full(io->fd, data, len, got, io->what, e);
}

static int fd_read_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	const struct io_fd *io = arg;

	return file_pread_full(io->fd, data, len, off, got, io->what, e);
}

static int fd_write(void *arg, const void *data, size_t len, struct err *e) {
	const struct io_fd *io = arg;

	return file_write_all(io->fd, data, len, io->what, e);
}

/* vmsplice(2). Its pages are not gifts (SPLICE_F_GIFT): nobody is to take them out of the pipe into a file. */
static int fd_give(void *arg, const void *data, size_t len, struct err *e) {
	const struct io_fd *io = arg;
	struct iovec v = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	while (v.iov_len > 0) {
		ssize_t n = vmsplice(io->fd, &v, 1, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) /* write(2) can do it, or says why not */
			return file_write_all(io->fd, v.iov_base, v.iov_len, io->what, e);
		v.iov_base = (uint8_t *)v.iov_base + n;
		v.iov_len -= (size_t)n;
	}
	return 0;
}

static int fd_write_at(void *arg, const void *data, size_t len, uint64_t off, struct err *e) {
	const struct io_fd *io = arg;

	return file_pwrite_all(io->fd, data, len, off, io->what, e);
}

static int fd_end(void *arg, uint64_t size, struct err *e) {
	const struct io_fd *io = arg;

	if (lseek(io->fd, (off_t)size, SEEK_SET) < 0)
		return err_sys(e, ERR_FAIL, "%s: cannot seek", io->what);
	return 0;
}

static int look(const struct io_fd *io, struct stat *st, bool *seekable, struct err *e) {
	if (fstat(io->fd, st) != 0)
		return err_sys(e, ERR_FAIL, "%s: cannot stat", io->what);
	if (S_ISDIR(st->st_mode))
		return err_set(e, ERR_FAIL, "%s: is a folder", io->what);
	if (S_ISFIFO(st->st_mode))
		(void)fcntl(io->fd, F_SETPIPE_SZ, PIPE_BYTES); /* a wish: limits of the system may forbid it */
	*seekable = S_ISREG(st->st_mode) && lseek(io->fd, 0, SEEK_CUR) == 0;
	return 0;
}

int source_fd(struct io_fd *io, struct source *s, struct err *e) {
	struct stat st;
	bool seekable;
	int r;

	if ((r = look(io, &st, &seekable, e)) != 0)
		return r;
	*s = (struct source){ .arg = io, .read = fd_read };
	if (seekable && st.st_size > 0) { /* files of /proc tell no size: they are read to their end */
		s->read_at = fd_read_at;
		s->size = (uint64_t)st.st_size;
	}
	return 0;
}

int sink_fd(struct io_fd *io, struct sink *s, struct err *e) {
	struct stat st;
	bool seekable;
	int r, flags;

	if ((r = look(io, &st, &seekable, e)) != 0)
		return r;
	if ((flags = fcntl(io->fd, F_GETFL)) < 0)
		return err_sys(e, ERR_FAIL, "%s: cannot get its flags", io->what);
	*s = (struct sink){ .arg = io, .write = fd_write };
	if (S_ISFIFO(st.st_mode))
		s->give = fd_give;
	if (seekable && !(flags & O_APPEND)) { /* pwrite(2) ignores the offset in append mode */
		s->write_at = fd_write_at;
		s->end = fd_end;
	}
	return 0;
}
