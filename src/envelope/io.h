/* SPDX-License-Identifier: Apache-2.0 */
/* Where envelopes are read from and written to. */
#ifndef SCG_ENVELOPE_IO_H
#define SCG_ENVELOPE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* read_at and write_at are called from several threads at once; read and write by one at a time, in order. A source or a sink is
 * used in one of the two ways during one call, never in both. */
struct source {
	void *arg;
	/* Up to len bytes, short only at the end. */
	int (*read)(void *arg, void *data, size_t len, size_t *got, struct err *e);
	/* NULL unless seekable at the cost of a system call (headers are read one by one); then size is the number of bytes, and read
	 * may be NULL. */
	int (*read_at)(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e);
	uint64_t size;
};
struct sink { /* write is always there: in what order and by which way is the callee's choice */
	void *arg;
	int (*write)(void *arg, const void *data, size_t len, struct err *e);
	/* The same without a copy, NULL where there is no such way: whoever reads may see these bytes as long as he likes, so the caller
	 * never changes them again but unmaps them. */
	int (*give)(void *arg, const void *data, size_t len, struct err *e);
	int (*write_at)(void *arg, const void *data, size_t len, uint64_t off, struct err *e); /* NULL unless seekable */
	/* Called once when all was written with write_at; may be NULL. */
	int (*end)(void *arg, uint64_t size, struct err *e);
};

/* Over a descriptor that stays the caller's; seekable if it is a regular file at offset 0 (to read: that tells its size; to write: not in
 * append mode).
 * what names it in errors and is borrowed, as io is. After success the descriptor stands behind what was written. */
struct io_fd { int fd; const char *what; };
int source_fd(struct io_fd *io, struct source *s, struct err *e) MUST_CHECK;
int sink_fd(struct io_fd *io, struct sink *s, struct err *e) MUST_CHECK;

#endif
