/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: the head of a reply, line by line, under a cap. */
#ifndef SCG_NET_HEAD_H
#define SCG_NET_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HEAD_TYPE_MAX 64
#define HEAD_RETRY_AFTER_MAX 3600 /* more seconds are taken for so many */

struct head {
	size_t max, bytes;         /* of all lines together, those of interim replies and trailers too */
	int status;                /* 0: none yet */
	bool went_on;              /* there was a 100 Continue before it */
	bool ended;                /* what comes now belongs to the body */
	char type[HEAD_TYPE_MAX];  /* media type, lower case, without parameters */
	char coding[16];           /* Content-Encoding, "" for identity */
	int64_t date_s;            /* Date, 0: none */
	bool has_length;
	uint64_t length;           /* Content-Length */
	char *location, *range, *content_range; /* as sent, or NULL */
	unsigned retry_delta_s;    /* Retry-After in seconds ... */
	int64_t retry_date_s;      /* ... or as a date */
};
void head_init(struct head *h, size_t max);
void head_wipe(struct head *h);
/* One line, as libcurl hands it on: of the status, of a header, or the empty one behind them. Behind an interim reply (1xx) another one
 * begins. False: stop, why says it. */
bool head_line(struct head *h, const char *line, size_t len, struct err *why);
/* Retry-After (RFC 9110 10.2.3), where it is a date: from the server's own Date. 0: none. */
unsigned head_retry_after_s(const struct head *h);
/* The type is the one that is expected (NULL: any is); else ERR_DAMAGED. */
int head_check_type(const struct head *h, const char *expect, struct err *e) MUST_CHECK;

#endif
