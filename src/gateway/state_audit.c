/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/own.h"
#include "gateway/state.h"

#define DAY_S 86400

const char state_audit_schema[] =
    "CREATE TABLE audit ("
    "  n INTEGER NOT NULL PRIMARY KEY,"
    "  entry BLOB NOT NULL,"
    "  nodes BLOB NOT NULL);"
    "CREATE TABLE audit_head ("
    "  day INTEGER NOT NULL PRIMARY KEY,"
    "  size INTEGER NOT NULL,"
    "  head BLOB NOT NULL);";

int state_audit_add(struct state *s, const struct state_audit_row *row, struct err *e) {
	return db_run(state_db(s), e, "INSERT INTO audit (n, entry, nodes) VALUES (?, ?, ?)", "ibb", (int64_t)row->n, row->entry, row->entry_len,
	    row->nodes, row->nodes_len);
}

int state_audit_size(struct state *s, uint64_t *size, struct buf *newest, struct err *e) {
	OWN(db_done) struct db_rows rows = { 0 };
	const uint8_t *entry;
	size_t len;
	int r;

	if (db_query(state_db(s), &rows, e, "SELECT n, entry FROM audit ORDER BY n DESC LIMIT 1", "") != 0 || (r = db_row(&rows, e)) < 0)
		return e->code;
	*size = 0;
	if (r == 0)
		return 0;
	*size = (uint64_t)db_int(&rows, 0) + 1;
	entry = db_blob(&rows, 1, &len);
	buf_add(newest, entry, len);
	return 0;
}

int state_audit_node(struct state *s, uint64_t n, unsigned level, uint8_t out[static 32], struct err *e) {
	OWN(db_done) struct db_rows rows = { 0 };
	const uint8_t *nodes;
	size_t len;
	int r;

	if (db_query(state_db(s), &rows, e, "SELECT nodes FROM audit WHERE n = ?", "i", (int64_t)n) != 0 || (r = db_row(&rows, e)) < 0)
		return e->code;
	if (r == 0)
		return err_set(e, ERR_DAMAGED, "audit log: entry %llu is missing", (unsigned long long)n);
	nodes = db_blob(&rows, 0, &len);
	if (len < ((size_t)level + 1) * 32)
		return err_set(e, ERR_DAMAGED, "audit log: entry %llu lacks hashes", (unsigned long long)n);
	memcpy(out, nodes + (size_t)level * 32, 32);
	return 0;
}

int state_audit_each(
    struct state *s, int (*f)(void *arg, const struct state_audit_row *row, struct err *e), void *arg, struct err *e) {
	OWN(db_done) struct db_rows rows = { 0 };
	int more = 0, rc = 0;

	if (db_query(state_db(s), &rows, e, "SELECT n, entry, nodes FROM audit ORDER BY n", "") != 0)
		return e->code;
	while (rc == 0 && (more = db_row(&rows, e)) > 0) {
		struct state_audit_row row = { .n = (uint64_t)db_int(&rows, 0) };

		row.entry = db_blob(&rows, 1, &row.entry_len);
		row.nodes = db_blob(&rows, 2, &row.nodes_len);
		rc = f(arg, &row, e);
	}
	return more < 0 ? more : rc;
}

int state_audit_head_put(struct state *s, uint64_t size, int64_t time_s, const void *der, size_t len, struct err *e) {
	return db_run(state_db(s), e,
	    "INSERT INTO audit_head (day, size, head) VALUES (?, ?, ?)"
	    " ON CONFLICT (day) DO UPDATE SET size = excluded.size, head = excluded.head",
	    "iib", time_s / DAY_S, (int64_t)size, der, len);
}

int state_audit_heads(struct state *s, bool last, int (*f)(void *arg, uint64_t size, const uint8_t *der, size_t len, struct err *e), void *arg,
    struct err *e) {
	OWN(db_done) struct db_rows rows = { 0 };
	int more = 0, rc = 0;

	if (db_query(state_db(s), &rows, e,
		last ? "SELECT size, head FROM audit_head ORDER BY size DESC LIMIT 1" : "SELECT size, head FROM audit_head ORDER BY size", "") != 0)
		return e->code;
	while (rc == 0 && (more = db_row(&rows, e)) > 0) {
		size_t len;
		const uint8_t *der = db_blob(&rows, 1, &len);

		rc = f(arg, (uint64_t)db_int(&rows, 0), der, len, e);
	}
	return more < 0 ? more : rc;
}
