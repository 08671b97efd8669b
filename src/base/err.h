/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values: a code that becomes the exit status, and one line of text set at the first cause. */
#ifndef SCG_BASE_ERR_H
#define SCG_BASE_ERR_H

#include <stdarg.h>

/* What went wrong, in the classes that a user acts on; err_status() gives the exit status of each. */
enum err_code {
	ERR_FAIL = -1,        /* 1: failed here */
	ERR_USAGE = -2,       /* 2: the command line or configuration is wrong */
	ERR_REFUSED = -3,     /* 3: not a member, revoked, not allowed */
	ERR_DAMAGED = -4,     /* 4: damaged or forged; nothing was written */
	ERR_UNREACHABLE = -5, /* 5: try again */
	ERR_NOTFOUND = -6,    /* 1: no such thing */
	ERR_EXISTS = -7,      /* 1: there already */
	ERR_CONFLICT = -8,    /* 1: somebody else was first */
};

#define ERR_TEXT_MAX 512

struct err {
	int code; /* 0 or an err_code */
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT { 0, "" }

#define ERR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))

/* Sets code and text, replacing what was there; its middle left out above ERR_TEXT_MAX - 1 bytes. e may be NULL. Returns code. */
int err_set(struct err *e, int code, const char *fmt, ...) ERR_PRINTF(3, 4);

/* As err_set, with ": " and strerror(errno) appended. ENOSPC, EACCES and kin: the code stays as given. */
int err_sys(struct err *e, int code, const char *fmt, ...) ERR_PRINTF(3, 4);

/* Puts "fmt: " before the text that is there; the code stays. Returns the code. */
int err_add(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* Another code for the text that is there: what is a mere failure below is damage, say, to who called. Returns code. */
int err_recode(struct err *e, int code);

#ifdef __clang_analyzer__
/* It sees one file at a time, and would follow what happens after an error whose code is 0. */
#define err_set(e, code, ...) ((void)(err_set)(e, code, __VA_ARGS__), code)
#define err_sys(e, code, ...) ((void)(err_sys)(e, code, __VA_ARGS__), code)
#define err_add(e, ...) ((void)(err_add)(e, __VA_ARGS__), ERR_FAIL)
#endif

/* The exit status 0..5 for 0 or an err_code. */
int err_status(int code);

#endif
