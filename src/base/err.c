/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

ERR_PRINTF(3, 0) static void put(struct err *e, int code, const char *fmt, va_list ap) {
	e->code = code;
	/* A text cut at the end still names the thing: it stands first. */
	if (vsnprintf(e->text, sizeof(e->text), fmt, ap) < 0)
		e->text[0] = '\0';
}

int (err_set)(struct err *e, int code, const char *fmt, ...) {
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	put(e, code, fmt, ap);
	va_end(ap);
	return code;
}

int (err_sys)(struct err *e, int code, const char *fmt, ...) {
	int saved = errno;
	va_list ap;
	size_t len;
	char reason[128];

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	put(e, code, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	/* GNU strerror_r returns the text, which need not lie in the buffer. */
	(void)snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerror_r(saved, reason, sizeof(reason)));
	return code;
}

int (err_add)(struct err *e, const char *fmt, ...) {
	char old[ERR_TEXT_MAX];
	va_list ap;
	size_t len;

	if (e == NULL)
		return ERR_FAIL;
	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	put(e, e->code, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	(void)snprintf(e->text + len, sizeof(e->text) - len, ": %s", old);
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
