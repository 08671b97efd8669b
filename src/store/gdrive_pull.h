/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of something on Drive, in order, taken up again after a break. */
#ifndef SCG_STORE_GDRIVE_PULL_H
#define SCG_STORE_GDRIVE_PULL_H

#include "store/gdrive_state.h"

#define GDRIVE_END_UNKNOWN UINT64_MAX

struct gdrive_pull {
	struct gdrive *g;
	const char *path;  /* below the API; alt=media is added */
	uint64_t pos;      /* the byte that is wanted next */
	uint64_t end;      /* one behind the last that is wanted, or GDRIVE_END_UNKNOWN: all */
	int (*take)(void *arg, const void *data, size_t len, struct err *e); /* an error ends it (handed on) */
	void *arg;
	/* Of the attempt under way. */
	struct rest_reply reply;
	uint64_t skip, left; /* bytes to leave out, and then to take */
	uint64_t total;      /* of the whole thing, once it was said; else GDRIVE_END_UNKNOWN */
	bool judged, enough, page; /* page: HTML came in place of it */
	struct gdrive_luck luck;
};
/* Until end, or the end of the thing, what comes first. ERR_NOTFOUND; ERR_UNREACHABLE where it breaks again and again; ERR_DAMAGED where Drive sends
 * another range than was asked for. */
int gdrive_pull(struct gdrive_pull *p, struct err *e) MUST_CHECK;
/* The same into memory; *got is short only at the end. */
int gdrive_pull_into(
    struct gdrive *g, const char *path, uint64_t off, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;

#endif
