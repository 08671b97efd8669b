/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that are too many for memory: a file without a name, gone with its last descriptor, and its bytes as memory. */
#ifndef SCG_BASE_SPOOL_H
#define SCG_BASE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A nameless file (0600) in the folder dir, with room for len bytes where the file system can promise it: a full disk is ERR_FAIL now, not in
 * the middle. *fd is the caller's. */
int spool_open(const char *dir, uint64_t len, int *fd, struct err *e) MUST_CHECK;
/* The same in memory (memfd): for what must go on when the disk is full. */
int spool_open_in_memory(int *fd, struct err *e) MUST_CHECK;
/* Closes and sets to -1; -1 is fine. */
void spool_close(int *fd);

/* The bytes of a file, read-only. Only for files that nobody else can cut short: a page that is gone would be a SIGBUS. */
struct spool_map {
	const uint8_t *data; /* NULL: none */
	size_t len;
};
/* The whole file, which may be closed after. ERR_FAIL above max bytes; an empty file gives an empty map. */
int spool_map(int fd, size_t max, struct spool_map *m, struct err *e) MUST_CHECK;
/* Gives the memory back; what is read again comes from the file again. */
void spool_rest(const struct spool_map *m);
void spool_unmap(struct spool_map *m);

#endif
