/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_9999_END INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DAY_S 86400

static _Atomic int64_t shift_s;
static _Atomic int64_t step_ms, stepped_ms;
static _Atomic int64_t stopped_ms; /* 0: it runs */

int64_t clock_now_s(void) {
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec + shift_s;
}

int64_t clock_mono_ms(void) {
	int64_t stopped = stopped_ms;
	struct timespec ts;

	stepped_ms += step_ms;
	if (stopped != 0)
		return stopped + stepped_ms;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + stepped_ms;
}

void clock_shift_s(int64_t by) {
	shift_s += by;
}

void clock_step_mono_ms(int64_t by) {
	step_ms = by;
}

void clock_stop_mono(void) {
	stopped_ms = clock_mono_ms() - stepped_ms;
}

void clock_move_mono_ms(int64_t by) {
	stepped_ms += by;
}

bool clock_is_ahead(int64_t t_s) {
	return t_s > clock_now_s() + CLOCK_SKEW_S;
}

/* Days since 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is the last one. */
static int64_t days(int year, int month, int day) {
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

static int days_in(int year, int month) {
	static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return n[month - 1] + (month == 2 && leap);
}

bool clock_civil(const int field[static 6], int64_t *t_s) {
	int year = field[0], month = field[1], day = field[2], hour = field[3], minute = field[4], second = field[5];

	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return false;
	*t_s = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
	return true;
}

static void fill(char *s, int n, int64_t v) {
	for (; n-- > 0; v /= 10)
		s[n] = (char)('0' + v % 10);
}

/* Without gmtime(3), whose time_t may end in 2038. */
void clock_print(int64_t t_s, char out[static CLOCK_TEXT]) {
	int64_t t = t_s < 0 ? 0 : t_s > YEAR_9999_END ? YEAR_9999_END : t_s;
	int64_t day = t / DAY_S, second = t % DAY_S;
	int year = 1970 + (int)(day / 366), month = 1;

	while (days(year + 1, 1, 1) <= day)
		year++;
	while (month < 12 && days(year, month + 1, 1) <= day)
		month++;
	memcpy(out, "0000-00-00T00:00:00Z", CLOCK_TEXT);
	fill(out, 4, year);
	fill(out + 5, 2, month);
	fill(out + 8, 2, day - days(year, month, 1) + 1);
	fill(out + 11, 2, second / 3600);
	fill(out + 14, 2, second / 60 % 60);
	fill(out + 17, 2, second % 60);
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
	static const int at[6] = { 0, 5, 8, 11, 14, 17 };
	int field[6];

	if (!has_form(s, "dddd-dd-ddTdd:dd:ddZ"))
		return err_set(e, ERR_FAIL, "a time has the form 2026-01-02T03:04:05Z (RFC 3339)");
	for (int i = 0; i < 6; i++)
		field[i] = digits(s + at[i], i == 0 ? 4 : 2);
	if (!clock_civil(field, t_s))
		return err_set(e, ERR_FAIL, "no such time (RFC 3339 5.7)");
	return 0;
}

int clock_parse_given(const char *s, int64_t *t_s, struct err *e) {
	char whole[CLOCK_TEXT];

	if (!has_form(s, "dddd-dd-dd"))
		return clock_parse(s, t_s, e);
	(void)snprintf(whole, sizeof whole, "%sT00:00:00Z", s);
	return clock_parse(whole, t_s, e);
}
