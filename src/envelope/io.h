/* SPDX-License-Identifier: Apache-2.0 */
/* Where envelopes are read from and written to. */
#ifndef SCG_ENVELOPE_IO_H
#define SCG_ENVELOPE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Called from several threads at once only where _at is used; read and write are called under a lock, in order. */
struct source {
	void *arg;
	/* Up to len bytes, short only at the end. */
	int (*read)(void *arg, void *data, size_t len, size_t *got, struct err *e);
	/* NULL unless seekable. */
	int (*read_at)(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e);
	uint64_t size; /* with read_at */
};
struct sink {
	void *arg;
	int (*write)(void *arg, const void *data, size_t len, struct err *e);
	int (*write_at)(void *arg, const void *data, size_t len, uint64_t off, struct err *e); /* NULL unless seekable */
};

/* Over a descriptor that stays the caller's; seekable if it is a regular file (from offset 0). what names it in errors and is borrowed. */
struct io_fd { int fd; const char *what; };
int source_fd(struct io_fd *io, struct source *s, struct err *e) MUST_CHECK;
int sink_fd(struct io_fd *io, struct sink *s, struct err *e) MUST_CHECK;

#endif
