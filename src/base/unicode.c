/* SPDX-License-Identifier: Apache-2.0 */
/* The half of text.h that knows Unicode. */
#include "base/text.h"

#include "base/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* One code point and its length in bytes; -1 for what is ill-formed. */
static utf8proc_ssize_t next(const char *s, size_t len, utf8proc_int32_t *c) {
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)len, c);

	return n > 0 ? n : -1;
}

bool text_is_utf8(const char *s, size_t len) {
	utf8proc_int32_t c;

	while (len > 0) {
		utf8proc_ssize_t n = next(s, len, &c);

		if (n < 0 || c == 0)
			return false;
		s += n;
		len -= (size_t)n;
	}
	return true;
}

/* What moves the cursor, ends a line or reorders what stands around it (UAX 9 2). */
static bool is_control(utf8proc_int32_t c) {
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
	    c == 0x200f || c == 0x61c || c == 0xfeff;
}

bool text_has_control(const char *s, size_t len) {
	utf8proc_int32_t c;

	while (len > 0) {
		utf8proc_ssize_t n = next(s, len, &c);

		if (n < 0 || is_control(c))
			return true;
		s += n;
		len -= (size_t)n;
	}
	return false;
}

bool text_has_unassigned(const char *s, size_t len) {
	utf8proc_int32_t c;

	while (len > 0) {
		utf8proc_ssize_t n = next(s, len, &c);

		if (n < 0 || utf8proc_category(c) == UTF8PROC_CATEGORY_CN)
			return true;
		s += n;
		len -= (size_t)n;
	}
	return false;
}

static int map(const char *s, utf8proc_option_t options, char **out, struct err *e) {
	utf8proc_uint8_t *p = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s, 0, &p, options);

	if (n < 0)
		return err_set(e, ERR_FAIL, "not UTF-8");
	*out = (char *)p;
	return 0;
}

int text_nfc(const char *s, char **out, struct err *e) {
	return map(s, UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE, out, e);
}

int text_casefold(const char *s, char **out, struct err *e) {
	return map(s, UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD, out, e);
}

void text_escape(const char *s, size_t len, struct buf *out) {
	utf8proc_int32_t c;

	while (len > 0) {
		utf8proc_ssize_t n = next(s, len, &c);

		if (n > 0 && !is_control(c) && c != '"' && c != '\\') {
			buf_add(out, s, (size_t)n);
		} else {
			n = n > 0 ? n : 1;
			for (utf8proc_ssize_t i = 0; i < n; i++)
				buf_addf(out, "\\x%02x", (unsigned)(uint8_t)s[i]);
		}
		s += n;
		len -= (size_t)n;
	}
}

int text_about(const char *name, int code, struct err *e) {
	OWN(buf_wipe) struct buf shown = {0};

	if (e == NULL)
		return code;
	text_escape(name, strlen(name), &shown);
	(void)err_add(e, "%s", buf_str(&shown));
	return code;
}

int text_u64(const char *s, uint64_t max, uint64_t *out, struct err *e) {
	uint64_t v = 0;

	if (*s == '\0' || (s[0] == '0' && s[1] != '\0'))
		return err_set(e, ERR_FAIL, "not a whole number");
	for (; *s != '\0'; s++) {
		uint64_t d = (uint64_t)(*s - '0');

		if (*s < '0' || *s > '9')
			return err_set(e, ERR_FAIL, "not a whole number");
		if (d > max || v > (max - d) / 10)
			return err_set(e, ERR_FAIL, "more than %llu", (unsigned long long)max);
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

void text_size(uint64_t bytes, char out[static 16]) {
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	unsigned u = 0;

	while (v >= 1024 && u < 6) {
		v /= 1024;
		u++;
	}
	(void)snprintf(out, 16, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}
