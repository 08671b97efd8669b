/* SPDX-License-Identifier: Apache-2.0 */
/* scg ledger audit: is all that the mirror stores what its own entries give? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ledger/mirror_state.h"
#include "pki/ossl.h"

#define BATCH_BYTES (1u << 20)

/* What replay makes of the entries: table, columns (how many), primary key. */
static const struct table {
	const char *name, *columns;
	int n;
	const char *key;
} tables[] = {
    {"ledger_files",
	"file, lookup, named, newest, content, version, name, object, object_size, object_sha256, content_sha256,"
	" content_size, key_id, author, time_s, event_time_s",
	16, "file"},
    {"ledger_folders", "lookup, files", 2, "lookup"},
    {"ledger_objects", "object, file", 2, "object"},
    {"ledger_signers", "ski, n, serial, name, gateway, seen", 6, "ski"},
    {"ledger_epochs", "number, key_id, n", 3, "number"},
    {"ledger_crls", "number, sha256, n", 3, "number"},
    {"ledger_revoked", "serial, n", 2, "serial"},
};
#define N_TABLES (sizeof tables / sizeof tables[0])

/* Appends presence, length and bytes of each column: no two rows look alike. */
static void add_row(const struct db_rows *rows, int columns, struct buf *out) {
	for (int i = 0; i < columns; i++) {
		size_t len;
		const uint8_t *p = db_blob(rows, i, &len);

		buf_addf(out, "%d %zu ", db_is_null(rows, i), len);
		buf_add(out, p, len);
	}
}

static int digest_table(struct db *d, const struct table *t, uint8_t out[static 32], struct err *e) {
	OWN(own_free) char *sql = xasprintf("SELECT %s FROM %s ORDER BY %s", t->columns, t->name, t->key);
	OWN(db_done) struct db_rows rows = {0};
	OWN(buf_wipe) struct buf b = {0};
	int r;

	memset(out, 0, 32);
	if ((r = db_query(d, &rows, e, sql, "")) != 0)
		return r;
	while ((r = db_row(&rows, e)) == 1) {
		buf_clear(&b);
		buf_add(&b, out, 32);
		add_row(&rows, t->n, &b);
		ossl_sha256(b.data, b.len, out);
	}
	return r;
}

static int digest_tables(struct db *d, uint8_t out[static N_TABLES][32], struct err *e) {
	int r = 0;

	for (size_t i = 0; i < N_TABLES && r == 0; i++)
		r = digest_table(d, &tables[i], out[i], e);
	return r;
}

static int clear_tables(struct mirror *m, struct err *e) {
	int r = 0;

	for (size_t i = 0; i < N_TABLES && r == 0; i++) {
		OWN(own_free) char *sql = xasprintf("DELETE FROM %s", tables[i].name);

		r = db_run(m->db, e, sql, "");
	}
	return r;
}

/* As if nothing had been replayed yet; the entries stay and are compared one by one. */
static void forget(struct ledger *l) {
	signers_flush(l);
	l->tree = (struct tree){0};
	tree_root(&l->tree, l->root);
	l->latest_s = 0;
	l->epoch = 0;
	l->crl = 0;
	l->audit = true;
}

static int fetch_stored(void *arg, uint64_t from, struct buf *der, struct err *e) {
	uint64_t next;

	return ledger_entries(arg, from, BATCH_BYTES, der, &next, e);
}

static int check_end(struct mirror *m, const struct head *h, struct err *e) {
	uint8_t root[32];
	int64_t beyond;
	int r;

	if ((r = ledger_root(m->ledger, h->size, root, e)) != 0)
		return r;
	if (memcmp(root, h->root, sizeof root) != 0)
		return err_set(e, ERR_DAMAGED, "ledger: the entries do not give the root of the signed head");
	if ((r = db_get_int(
		 m->db, e, &beyond, "SELECT count(*) FROM ledger_entries WHERE n >= ?", "i", (int64_t)h->size)) != 0)
		return r;
	return beyond == 0
	    ? 0
	    : err_set(e, ERR_DAMAGED, "ledger: %" PRId64 " entries more than the signed head says", beyond);
}

static int replay_and_compare(struct mirror *m, const struct head *h, struct err *e) {
	const struct replay p = {.l = m->ledger, .upto = h->size, .fetch = fetch_stored, .arg = m->ledger};
	uint8_t before[N_TABLES][32], after[N_TABLES][32];
	int r;

	if ((r = digest_tables(m->db, before, e)) != 0 || (r = clear_tables(m, e)) != 0)
		return r;
	forget(m->ledger);
	if ((r = replay_run(&p, e)) != 0 || (r = check_end(m, h, e)) != 0 || (r = digest_tables(m->db, after, e)) != 0)
		return r;
	for (size_t i = 0; i < N_TABLES; i++)
		if (memcmp(before[i], after[i], sizeof before[i]) != 0)
			return err_set(e, ERR_DAMAGED, "ledger: table %s is not what the entries give", tables[i].name);
	return 0;
}

static int audit(struct mirror *m, const struct crl_set *crl, struct err *e) {
	struct head h = {0};
	int64_t fetched_s;
	int r = mirror_head(m, &h, NULL, &fetched_s, e);

	if (r == ERR_NOTFOUND) /* nothing was ever fetched: then there is nothing */
		tree_root(&(struct tree){0}, h.root);
	else if (r != 0)
		return r;
	if ((r = replay_and_compare(m, &h, e)) != 0)
		return r;
	return crl != NULL ? mirror_check_crl(m, crl, true, e) : 0;
}

/* Within one transaction that is never committed: others go on reading, and a kill leaves nothing. */
int mirror_audit(struct mirror *m, const struct crl_set *crl, struct err *e) {
	int r, again;

	if ((r = mirror_begin(m, e)) != 0)
		return r;
	r = audit(m, crl, e);
	db_rollback(m->db);
	m->ledger->audit = false;
	again = ledger_reload(m->ledger, r == 0 ? e : NULL);
	return r != 0 ? r : again;
}
