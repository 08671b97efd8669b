/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_MAX 12288 /* two paths of the longest, and what is wrong with them */
#define HEAD 128
#define GAP "..."

static bool is_inside(char c) { /* of a character in UTF-8 */
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Of a text that is too long the middle goes: the thing stands first, and what is wrong with it last. */
static void fit(struct err *e, const char *whole) {
	size_t len = strlen(whole), head = HEAD, tail;

	if (len < sizeof(e->text)) {
		memcpy(e->text, whole, len + 1);
		return;
	}
	tail = len - (sizeof(e->text) - 1 - HEAD - strlen(GAP));
	while (head > 0 && is_inside(whole[head]))
		head--;
	while (is_inside(whole[tail]))
		tail++;
	(void)snprintf(e->text, sizeof(e->text), "%.*s" GAP "%s", (int)head, whole, whole + tail);
}

/* behind: what follows after ": ", or NULL. */
ERR_PRINTF(2, 0) static void put(struct err *e, const char *fmt, va_list ap, const char *behind) {
	char whole[WHOLE_MAX];
	size_t len;

	if (vsnprintf(whole, sizeof(whole), fmt, ap) < 0)
		whole[0] = '\0';
	len = strlen(whole);
	if (behind != NULL)
		(void)snprintf(whole + len, sizeof(whole) - len, ": %s", behind);
	fit(e, whole);
}

int (err_set)(struct err *e, int code, const char *fmt, ...) {
	va_list ap;

	if (e == NULL)
		return code;
	e->code = code;
	va_start(ap, fmt);
	put(e, fmt, ap, NULL);
	va_end(ap);
	return code;
}

int (err_sys)(struct err *e, int code, const char *fmt, ...) {
	int saved = errno;
	va_list ap;
	char reason[128];

	if (e == NULL)
		return code;
	e->code = code;
	va_start(ap, fmt);
	/* GNU strerror_r returns the text, which need not lie in the buffer. */
	put(e, fmt, ap, strerror_r(saved, reason, sizeof(reason)));
	va_end(ap);
	return code;
}

int (err_add)(struct err *e, const char *fmt, ...) {
	char old[ERR_TEXT_MAX];
	va_list ap;

	if (e == NULL)
		return ERR_FAIL;
	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	put(e, fmt, ap, old);
	va_end(ap);
	return e->code;
}

int err_recode(struct err *e, int code) {
	if (e != NULL)
		e->code = code;
	return code;
}

int err_status(int code) {
	switch (code) {
	case 0:
		return 0;
	case ERR_USAGE:
		return 2;
	case ERR_REFUSED:
		return 3;
	case ERR_DAMAGED:
		return 4;
	case ERR_UNREACHABLE:
		return 5;
	default:
		return 1;
	}
}
