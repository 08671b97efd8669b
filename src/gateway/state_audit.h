/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log's tables, a part of what lies behind state.h. */
#ifndef SCG_GATEWAY_STATE_AUDIT_H
#define SCG_GATEWAY_STATE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct state;

/* SQL of the tables, for state_open's migrations. */
extern const char state_audit_schema[];

/* One row: an entry and the hashes of the subtrees that its leaf completed (ledger/tree.h). */
struct state_audit_row {
	uint64_t n;
	const uint8_t *entry, *nodes;
	size_t entry_len, nodes_len;
};
/* Entry n, which must not be there yet. */
int state_audit_add(struct state *s, const struct state_audit_row *row, struct err *e) MUST_CHECK;
/* One more than the highest number, and the entry of that number (appended to newest; nothing if there is none). */
int state_audit_size(struct state *s, uint64_t *size, struct buf *newest, struct err *e) MUST_CHECK;
/* The hash of this level that the leaf completed; ERR_DAMAGED where it is not there. */
int state_audit_node(struct state *s, uint64_t n, unsigned level, uint8_t out[static 32], struct err *e) MUST_CHECK;
/* Each row in order, as of one moment; non-zero from f ends it (handed on). */
int state_audit_each(
    struct state *s, int (*f)(void *arg, const struct state_audit_row *row, struct err *e), void *arg, struct err *e) MUST_CHECK;

/* A head that was signed (DER) at this size and time. Of each day (UTC) the last one stays. */
int state_audit_head_put(struct state *s, uint64_t size, int64_t time_s, const void *der, size_t len, struct err *e) MUST_CHECK;
/* Heads by rising size, newest last; only the newest where last says so. */
int state_audit_heads(struct state *s, bool last, int (*f)(void *arg, uint64_t size, const uint8_t *der, size_t len, struct err *e), void *arg,
    struct err *e) MUST_CHECK;

#endif
