/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile gateway: it has the gateway's key, and serves whatever entries it likes under a head that fits them. */
#ifndef SCG_TESTS_RAWLOG_H
#define SCG_TESTS_RAWLOG_H

#include "lib/memgate.h"

#define RAWLOG_MAX 64

struct rawlog {
	const struct fixture_id *id; /* who signs heads */
	int64_t now_s;
	struct buf entry[RAWLOG_MAX];
	size_t n;
	uint64_t claim;     /* not 0: what the head says instead of n */
	bool old_nonce;     /* the head answers another question */
	struct mirror_transport transport;
};

/* All that the gateway has. */
void rawlog_copy(struct rawlog *r, struct memgate *g);
void rawlog_wipe(struct rawlog *r);
void rawlog_add(struct rawlog *r, const struct buf *entry);
void rawlog_insert(struct rawlog *r, size_t at, const struct buf *entry);
void rawlog_drop(struct rawlog *r, size_t at);
void rawlog_swap(struct rawlog *r, size_t a, size_t b);
/* Takes the entry apart, lets change have it, and prints it again. */
void rawlog_edit(struct rawlog *r, size_t at, void (*change)(struct entry *en));

#endif
