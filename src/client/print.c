/* SPDX-License-Identifier: Apache-2.0 */
#include "client/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

int print_json(const json_t *doc, struct err *e) {
	if (doc == NULL || json_dumpf(doc, stdout, JSON_INDENT(2)) != 0 || fputc('\n', stdout) == EOF)
		return err_set(e, ERR_FAIL, "standard output: cannot write the result");
	return 0;
}

json_t *print_text(const char *s) {
	return s != NULL ? json_string(s) : json_null();
}

json_t *print_u64(uint64_t v) {
	return json_integer((json_int_t)v);
}

json_t *print_time(int64_t t_s) {
	char text[CLOCK_TEXT];

	if (t_s == 0)
		return json_null();
	clock_print(t_s, text);
	return json_string(text);
}

json_t *print_hex(const uint8_t *data, size_t len) {
	OWN(own_free) char *hex = xmalloc(2 * len + 1);

	text_hex(data, len, hex);
	return json_string(hex);
}

void print_line(const char *fmt, ...) {
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)fputc('\n', stdout);
}

char *print_safe(const char *s) {
	struct buf b = {0};

	text_escape(s, strlen(s), &b);
	return b.data == NULL ? xstrdup("") : (char *)buf_take(&b, NULL);
}
