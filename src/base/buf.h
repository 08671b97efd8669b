/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer. Memory exhaustion ends the process: no caller could do better. */
#ifndef SCG_BASE_BUF_H
#define SCG_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	uint8_t *data; /* len bytes, and one NUL behind them once there was room for any; NULL before */
	size_t len;
	size_t cap;
};

/* Cleanses and releases; the buffer can be used anew. */
void buf_wipe(struct buf *b);
/* Empties, keeping the memory. */
void buf_clear(struct buf *b);
/* Room for n more bytes behind len; returns their address. They count once buf.len is raised. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_addc(struct buf *b, uint8_t byte);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) ERR_PRINTF(2, 3);
/* The content as a string ("" for an empty buffer); borrowed until the next change. */
const char *buf_str(const struct buf *b);
/* Gives the memory away (malloc'd, NUL-terminated, NULL if nothing was added); the buffer is empty after. */
uint8_t *buf_take(struct buf *b, size_t *len);

/* malloc, calloc (array) and strdup that never return NULL. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) ERR_PRINTF(1, 2);

#endif
