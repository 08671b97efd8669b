/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"

static const char *const names[] = { "error", "warn", "info", "debug" };
static _Atomic int threshold = LOG_LEVEL_INFO;
static _Thread_local const char *group;

void log_set_level(enum log_level level) {
	threshold = (int)level;
}

void log_set_group(const char *name) {
	group = name;
}

const char *log_group(void) {
	return group;
}

static void add_value(struct buf *line, const char *value) {
	size_t len = strlen(value);

	if (len > 0 && strcspn(value, " =\"\\") == len) {
		text_escape(value, len, line);
		return;
	}
	buf_addc(line, '"');
	text_escape(value, len, line);
	buf_addc(line, '"');
}

static void add_pair(struct buf *line, const char *key, const char *value) {
	buf_addf(line, " %s=", key);
	add_value(line, value);
}

void log_event(enum log_level level, const char *event, ...) {
	OWN(buf_wipe) struct buf line = {0};
	char now[CLOCK_TEXT];
	const char *key, *value;
	va_list ap;

	if ((int)level > threshold)
		return;
	clock_print(clock_now_s(), now);
	buf_addf(&line, "%s %s %s", now, names[level], event);
	if (group != NULL)
		add_pair(&line, "group", group);
	va_start(ap, event);
	while ((key = va_arg(ap, const char *)) != NULL) {
		value = va_arg(ap, const char *);
		if (value != NULL)
			add_pair(&line, key, value);
	}
	va_end(ap);
	buf_addc(&line, '\n');
	/* A log that cannot be written is no reason to stop serving. */
	if (write(STDERR_FILENO, line.data, line.len) < 0)
		return;
}
