/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry changes in the tables, and the entry itself. */
#include "ledger/step.h"

#include <string.h>

#include "base/own.h"

/* An id is never used again, whatever became of its object. */
static int name_object(struct step *s) {
	int r = db_run(s->l->db, s->e,
	    "INSERT INTO ledger_objects (object, file) VALUES (?, ?) ON CONFLICT (object) DO NOTHING", "sb",
	    s->ev->object, s->ev->file, sizeof s->ev->file);

	if (r != 0)
		return r;
	return db_changes(s->l->db) == 1 ? 0 : step_refuse(s, "the object's id was used before");
}

/* The row as the event leaves it; what it keeps was checked to be the same. */
static void take_event(struct step *s, uint64_t index) {
	struct ledger_file *f = &s->row.f;
	const struct event *ev = s->ev;

	memcpy(f->file, ev->file, sizeof f->file);
	memcpy(f->name, ev->name, sizeof f->name);
	memcpy(f->object, ev->object, sizeof f->object);
	memcpy(f->object_sha256, ev->object_sha256, sizeof f->object_sha256);
	memcpy(f->content_sha256, ev->content_sha256, sizeof f->content_sha256);
	memcpy(f->key_id, ev->key_id, sizeof f->key_id);
	f->object_size = ev->object_size;
	f->content_size = ev->content_size;
	f->version = ev->version;
	f->base = index;
	f->event_time_s = ev->time_s;
	if (is(s, OP(PUT) | OP(REPLACE))) {
		f->content_index = index;
		f->time_s = ev->time_s;
		memcpy(f->author, s->signer->name, sizeof f->author);
	}
	if (is(s, OP(PUT) | OP(RENAME))) {
		s->row.named = index;
		s->row.placed = true;
		memcpy(s->row.lookup, s->at.key[s->at.n - 1], sizeof s->row.lookup);
	}
	if (is(s, OP(REMOVE)))
		s->row.placed = false;
}

static int apply_file(struct step *s, uint64_t index) {
	int r = 0;

	take_event(s, index);
	if (is(s, OP(PUT) | OP(REPLACE) | OP(REKEY)))
		r = name_object(s);
	if (r == 0 && is(s, OP(RENAME) | OP(REMOVE)))
		r = place_count(s->l, &s->from, -1, s->e);
	if (r == 0 && is(s, OP(PUT) | OP(RENAME)))
		r = place_count(s->l, &s->at, 1, s->e);
	if (r != 0)
		return r;
	return is(s, OP(PUT)) ? row_insert(s->l, &s->row, s->e) : row_update(s->l, &s->row, s->e);
}

static int apply_epoch(struct step *s, uint64_t index) {
	const struct event *ev = s->ev;
	int r = db_run(s->l->db, s->e,
	    "INSERT INTO ledger_epochs (number, key_id, n) VALUES (?, ?, ?) ON CONFLICT (key_id) DO NOTHING", "ibi",
	    (int64_t)ev->version, ev->key_id, sizeof ev->key_id, (int64_t)index);

	if (r != 0)
		return r;
	if (db_changes(s->l->db) != 1)
		return step_refuse(s, "the key id was used before");
	s->l->epoch = ev->version;
	memcpy(s->l->key_id, ev->key_id, sizeof s->l->key_id);
	return 0;
}

struct revoking {
	struct step *s;
	uint64_t index;
};

static int revoke_one(void *arg, const uint8_t *serial, size_t len, struct err *e) {
	const struct revoking *v = arg;
	struct db *db = v->s->l->db;
	int r = db_run(db, e, "INSERT INTO ledger_revoked (serial, n) VALUES (?, ?) ON CONFLICT (serial) DO NOTHING",
	    "bi", serial, len, (int64_t)v->index);

	if (r != 0)
		return r;
	return db_changes(db) == 1 ? 0 : step_refuse(v->s, "it revokes a serial number a second time");
}

static int apply_crl(struct step *s, uint64_t index) {
	struct revoking v = {s, index};
	int r;

	if ((r = db_run(s->l->db, s->e, "INSERT INTO ledger_crls (number, sha256, n) VALUES (?, ?, ?)", "ibi",
		 (int64_t)s->ev->version, s->ev->content_sha256, sizeof s->ev->content_sha256, (int64_t)index)) != 0 ||
	    (r = entry_serials(&s->it->en, revoke_one, &v, s->e)) != 0)
		return r;
	s->l->crl = s->ev->version;
	return signers_refresh(s->l, s->e);
}

static int apply_member(struct step *s, uint64_t index) {
	struct signer *fresh = s->it->fresh;

	s->it->fresh = NULL;
	return signers_add(s->l, fresh, index, s->e);
}

static int apply(struct step *s, uint64_t index) {
	int r = is(s, MEMBERS) ? apply_file(s, index)
	    : is(s, OP(EPOCH)) ? apply_epoch(s, index)
	    : is(s, OP(CRL))   ? apply_crl(s, index)
			       : apply_member(s, index);

	return r != 0 ? r : signers_saw(s->l, s->signer, s->ev->seen, s->e);
}

/* --- the entry itself --- */

struct leaf {
	uint8_t done[TREE_HEIGHT_MAX][32], root[32];
	unsigned levels;
	int64_t latest_s;
};

static int store_entry(struct step *s, const struct leaf *leaf) {
	OWN(buf_wipe) struct buf name = {0};
	const struct entry *en = &s->it->en;
	uint64_t index = s->l->tree.size;
	int r;

	if (en->salt != NULL && (r = seal_name(&s->l->seal, index, en->salt, en->path, en->path_len, &name, s->e)) != 0)
		return r;
	return db_run(s->l->db, s->e,
	    "INSERT INTO ledger_entries (n, event, name, cert, revoked, root, nodes, latest_s)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	    "ibbbbbbi", (int64_t)index, en->event, en->event_len, name.data, name.len, en->cert, en->cert_len,
	    en->revoked, en->revoked_len, leaf->root, sizeof leaf->root, leaf->done, (size_t)leaf->levels * 32,
	    leaf->latest_s);
}

/* An audit finds each entry stored already: what was computed from it must be what is there. */
static int compare_entry(struct step *s, const struct leaf *leaf) {
	OWN(db_done) struct db_rows rows = {0};
	size_t root_len, nodes_len;
	const uint8_t *root, *nodes;
	int r;

	if ((r = db_query(s->l->db, &rows, s->e, "SELECT root, nodes, latest_s FROM ledger_entries WHERE n = ?", "i",
		 (int64_t)s->l->tree.size)) != 0 ||
	    (r = db_row(&rows, s->e)) < 0)
		return r;
	if (r == 0)
		return err_set(s->e, ERR_DAMAGED, "ledger: an entry vanished");
	root = db_blob(&rows, 0, &root_len);
	nodes = db_blob(&rows, 1, &nodes_len);
	if (root_len != sizeof leaf->root || memcmp(root, leaf->root, root_len) != 0 ||
	    nodes_len != (size_t)leaf->levels * 32 || memcmp(nodes, leaf->done, nodes_len) != 0 ||
	    db_int(&rows, 2) != leaf->latest_s)
		return err_set(s->e, ERR_DAMAGED, "ledger: stored hashes are not the entry's");
	return 0;
}

int step_append(struct step *s) {
	uint64_t index = s->l->tree.size;
	struct tree tree = s->l->tree;
	struct leaf leaf;
	uint8_t hash[32];
	int r;

	tree_leaf(s->it->en.event, s->it->en.event_len, hash);
	leaf.levels = tree_add(&tree, hash, leaf.done);
	tree_root(&tree, leaf.root);
	leaf.latest_s = is(s, MEMBERS) && s->ev->time_s > s->l->latest_s ? s->ev->time_s : s->l->latest_s;
	if ((r = s->l->audit ? compare_entry(s, &leaf) : store_entry(s, &leaf)) != 0 || (r = apply(s, index)) != 0)
		return r;
	s->l->tree = tree;
	memcpy(s->l->root, leaf.root, sizeof s->l->root);
	s->l->latest_s = leaf.latest_s;
	s->r->index = index;
	return 0;
}
