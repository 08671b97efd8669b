/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

_Noreturn static void out_of_memory(void) {
	static const char text[] = "out of memory\n";

	(void)fwrite(text, 1, sizeof(text) - 1, stderr);
	abort();
}

void *xmalloc(size_t n) {
	void *p = malloc(n > 0 ? n : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size) {
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t n, size_t size) {
	void *q = reallocarray(p, n > 0 ? n : 1, size > 0 ? size : 1);

	if (q == NULL)
		out_of_memory();
	return q;
}

char *xstrdup(const char *s) {
	char *p = strdup(s);

	if (p == NULL)
		out_of_memory();
	return p;
}

char *xasprintf(const char *fmt, ...) {
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return p;
}

void buf_wipe(struct buf *b) {
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->cap);
	free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b) {
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = 0;
}

/* Growing moves by hand, so that the old place is cleansed: a buffer may hold a key for a moment. */
static void grow(struct buf *b, size_t need) {
	size_t cap = b->cap > 0 ? b->cap : 64;
	uint8_t *p;

	while (cap < need) {
		if (cap > SIZE_MAX / 2)
			out_of_memory();
		cap *= 2;
	}
	p = xmalloc(cap);
	if (b->len > 0)
		memcpy(p, b->data, b->len);
	p[b->len] = 0; /* room that stays empty is a text all the same */
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->len);
	free(b->data);
	b->data = p;
	b->cap = cap;
}

uint8_t *buf_room(struct buf *b, size_t n) {
	if (n > SIZE_MAX - 1 - b->len)
		out_of_memory();
	if (b->len + n + 1 > b->cap)
		grow(b, b->len + n + 1);
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len) {
	uint8_t *p = buf_room(b, len);

	if (len > 0)
		memcpy(p, data, len);
	p[len] = 0;
	b->len += len;
}

void buf_addc(struct buf *b, uint8_t byte) {
	buf_add(b, &byte, 1);
}

void buf_adds(struct buf *b, const char *s) {
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...) {
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	char *p = (char *)buf_room(b, (size_t)n);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *buf_str(const struct buf *b) {
	return b->data != NULL ? (const char *)b->data : "";
}

uint8_t *buf_take(struct buf *b, size_t *len) {
	uint8_t *p = b->data;

	if (p != NULL)
		p[b->len] = 0;
	if (len != NULL)
		*len = b->len;
	*b = (struct buf){0};
	return p;
}
