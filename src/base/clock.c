/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_9999_END 253402300799 /* 9999-12-31T23:59:59Z */

static _Atomic int64_t shift_s;

int64_t clock_now_s(void) {
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec + shift_s;
}

int64_t clock_mono_ms(void) {
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void clock_shift_s(int64_t by) {
	shift_s += by;
}

void clock_print(int64_t t_s, char out[static CLOCK_TEXT]) {
	time_t t = (time_t)(t_s < 0 ? 0 : t_s > YEAR_9999_END ? YEAR_9999_END : t_s);
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	if (strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

static int digits(const char *s, int n) {
	int v = 0;

	while (n-- > 0)
		v = v * 10 + (*s++ - '0');
	return v;
}

/* One digit for each 'd', all else literally. */
static int has_form(const char *s, const char *form) {
	for (; *form != '\0'; form++, s++)
		if (*form == 'd' ? *s < '0' || *s > '9' : *s != *form)
			return 0;
	return *s == '\0';
}

int clock_parse(const char *s, int64_t *t_s, struct err *e) {
	struct tm tm = {0};
	char again[CLOCK_TEXT];
	int64_t t;

	if (!has_form(s, "dddd-dd-ddTdd:dd:ddZ"))
		return err_set(e, ERR_FAIL, "a time has the form 2026-01-02T03:04:05Z (RFC 3339)");
	tm.tm_year = digits(s, 4) - 1900;
	tm.tm_mon = digits(s + 5, 2) - 1;
	tm.tm_mday = digits(s + 8, 2);
	tm.tm_hour = digits(s + 11, 2);
	tm.tm_min = digits(s + 14, 2);
	tm.tm_sec = digits(s + 17, 2);
	t = (int64_t)timegm(&tm);
	clock_print(t, again);
	/* timegm takes the 31st of February for the 3rd of March. */
	if (strcmp(s, again) != 0)
		return err_set(e, ERR_FAIL, "no such time (RFC 3339 5.7)");
	*t_s = t;
	return 0;
}
