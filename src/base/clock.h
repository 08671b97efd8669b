/* SPDX-License-Identifier: Apache-2.0 */
/* The time: one seam that tests replace. Seconds are since 1970-01-01 UTC. */
#ifndef SCG_BASE_CLOCK_H
#define SCG_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

int64_t clock_now_s(void);   /* wall clock + the test offset */
int64_t clock_mono_ms(void); /* monotonic */
/* Shifts clock_now_s() in this process (unit tests only; no program exposes it). */
void clock_shift_s(int64_t by);
/* From now on each reading of clock_mono_ms() is by so much later than the time says (unit tests only, likewise). */
void clock_step_mono_ms(int64_t by);
/* clock_mono_ms() stands still from now on (unit tests only, likewise): no limit of time ends before it is moved. */
void clock_stop_mono(void);
/* clock_mono_ms() is later by so much at once (unit tests only, likewise). */
void clock_move_mono_ms(int64_t by);

/* Everybody's clock is assumed right within so much (5 minutes). */
#define CLOCK_SKEW_S 300
/* Does a time that somebody else wrote down lie further ahead of clock_now_s() than that? Then one of the two clocks was wrong, or lied. */
bool clock_is_ahead(int64_t t_s);

#define CLOCK_TEXT 21 /* "2026-01-02T03:04:05Z" and NUL */
/* RFC 3339, UTC, whole seconds; years 1970..9999 (others are clamped). */
void clock_print(int64_t t_s, char out[static CLOCK_TEXT]);
/* Seconds of year (1970..9999), month (1..12), day, hour, minute, second (0..59); false if there is no such time. */
bool clock_civil(const int field[static 6], int64_t *t_s);
/* Exactly that form. */
int clock_parse(const char *s, int64_t *t_s, struct err *e) MUST_CHECK;
/* What a person gives as an option's argument: that form, or 2026-01-02 alone, which is the midnight (UTC) that it begins with. */
int clock_parse_given(const char *s, int64_t *t_s, struct err *e) MUST_CHECK;

#endif
