/* SPDX-License-Identifier: Apache-2.0 */
/* The half of file.h that moves bytes. */
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"

static int io_error(const char *what, const char *verb, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	int saved = errno;

	text_escape(what, strlen(what), &b);
	errno = saved;
	return err_sys(e, ERR_FAIL, "%s: cannot %s", buf_str(&b), verb);
}

int file_write_all(int fd, const void *data, size_t len, const char *what, struct err *e) {
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_error(what, "write", e);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_pwrite_all(int fd, const void *data, size_t len, uint64_t off, const char *what, struct err *e) {
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_error(what, "write", e);
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* off NULL: from where the descriptor stands. */
static int read_all(int fd, void *data, size_t len, const uint64_t *off, size_t *got, const char *what, struct err *e) {
	uint8_t *p = data;
	ssize_t n;

	for (*got = 0; *got < len; *got += (size_t)n) {
		do
			n = off != NULL ? pread(fd, p + *got, len - *got, (off_t)(*off + *got)) : read(fd, p + *got, len - *got);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return io_error(what, "read", e);
		if (n == 0)
			break;
	}
	return 0;
}

int file_read_full(int fd, void *data, size_t len, size_t *got, const char *what, struct err *e) {
	return read_all(fd, data, len, NULL, got, what, e);
}

int file_pread_full(int fd, void *data, size_t len, uint64_t off, size_t *got, const char *what, struct err *e) {
	return read_all(fd, data, len, &off, got, what, e);
}
