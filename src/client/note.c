/* SPDX-License-Identifier: Apache-2.0 */
#include "client/note.h"

#include <stdarg.h>
#include <stdio.h>

#define NOTE_MAX 1024

void note(const char *fmt, ...) {
	char line[NOTE_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= 0)
		(void)fprintf(stderr, PROGRAM ": %s\n", line);
}
