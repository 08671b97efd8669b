/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "ledger/state.h"
#include "pki/ossl.h"

/* entries: all that is sent again, the root at size n + 1, and the hashes of the subtrees that the leaf completed
 * (tree.h). name: salt and path (seal.h). files: lookup is the place by which a path is found, NULL once removed;
 * named, newest, content: indices of events. */
const char ledger_schema[] =
    "CREATE TABLE ledger_entries (n INTEGER PRIMARY KEY, event BLOB NOT NULL, name BLOB, cert BLOB, revoked BLOB,"
    " root BLOB NOT NULL, nodes BLOB NOT NULL, latest_s INTEGER NOT NULL);"
    "CREATE TABLE ledger_files (file BLOB PRIMARY KEY NOT NULL, lookup BLOB UNIQUE, named INTEGER NOT NULL,"
    " newest INTEGER NOT NULL, content INTEGER NOT NULL, version INTEGER NOT NULL, name BLOB NOT NULL,"
    " object TEXT NOT NULL, object_size INTEGER NOT NULL, object_sha256 BLOB NOT NULL, content_sha256 BLOB NOT NULL,"
    " content_size INTEGER NOT NULL, key_id BLOB NOT NULL, author TEXT NOT NULL, time_s INTEGER NOT NULL,"
    " event_time_s INTEGER NOT NULL);"
    "CREATE TABLE ledger_folders (lookup BLOB PRIMARY KEY NOT NULL, files INTEGER NOT NULL);"
    "CREATE TABLE ledger_objects (object TEXT PRIMARY KEY NOT NULL, file BLOB NOT NULL);"
    "CREATE TABLE ledger_signers (ski BLOB PRIMARY KEY NOT NULL, n INTEGER NOT NULL, serial BLOB NOT NULL,"
    " name TEXT NOT NULL, gateway INTEGER NOT NULL, seen INTEGER NOT NULL);"
    "CREATE TABLE ledger_epochs (number INTEGER PRIMARY KEY, key_id BLOB NOT NULL UNIQUE, n INTEGER NOT NULL);"
    "CREATE TABLE ledger_crls (number INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, n INTEGER NOT NULL);"
    "CREATE TABLE ledger_revoked (serial BLOB PRIMARY KEY NOT NULL, n INTEGER NOT NULL);";

int ledger_open(
    struct ledger **out, struct db *d, const struct chain *chain, const struct secret *seal, struct err *e) {
	struct ledger *l = xcalloc(1, sizeof *l);
	int r;

	*out = NULL;
	l->db = d;
	l->chain = chain;
	if ((r = seal_init(&l->seal, seal, e)) != 0 || (r = ledger_reload(l, e)) != 0) {
		ledger_close(l);
		return r;
	}
	*out = l;
	return 0;
}

void ledger_close(struct ledger *l) {
	if (l == NULL)
		return;
	signers_flush(l);
	seal_wipe(&l->seal);
	free(l);
}

struct nodes {
	struct ledger *l;
	struct err *e;
};

static int get_node(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]) {
	const struct nodes *n = arg;
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *p;
	size_t len;
	int r;

	if ((r = db_query(n->l->db, &rows, n->e, "SELECT nodes FROM ledger_entries WHERE n = ?", "i", (int64_t)leaf)) !=
		0 ||
	    (r = db_row(&rows, n->e)) < 0)
		return r;
	if (r == 0 || (p = db_blob(&rows, 0, &len), len < ((size_t)level + 1) * 32))
		return err_set(n->e, ERR_DAMAGED, "ledger: damaged table of entries");
	memcpy(out, p + (size_t)level * 32, 32);
	return 0;
}

/* The newest entry gives size, root and latest time. */
int ledger_tip(struct ledger *l, uint64_t *size, uint8_t root[static 32], int64_t *latest_s, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *p;
	size_t len;
	int r;

	*size = 0;
	*latest_s = 0;
	ossl_sha256("", 0, root);
	if ((r = db_query(
		 l->db, &rows, e, "SELECT n, root, latest_s FROM ledger_entries ORDER BY n DESC LIMIT 1", "")) != 0 ||
	    (r = db_row(&rows, e)) <= 0)
		return r;
	p = db_blob(&rows, 1, &len);
	if (len != 32)
		return err_set(e, ERR_DAMAGED, "ledger: damaged table of entries");
	*size = (uint64_t)db_int(&rows, 0) + 1;
	memcpy(root, p, 32);
	*latest_s = db_int(&rows, 2);
	return 0;
}

static int load_tree(struct ledger *l, struct err *e) {
	struct nodes n = {l, e};
	uint8_t root[32];
	uint64_t size;
	int r;

	if ((r = ledger_tip(l, &size, l->root, &l->latest_s, e)) != 0 ||
	    (r = tree_load(&l->tree, size, get_node, &n)) != 0)
		return r;
	tree_root(&l->tree, root);
	return memcmp(root, l->root, sizeof root) == 0
	    ? 0
	    : err_set(e, ERR_DAMAGED, "ledger: stored hashes do not fit together");
}

int ledger_epoch_number(struct ledger *l, const uint8_t key_id[static KEY_ID_LEN], uint64_t *number, struct err *e) {
	int64_t v;
	int r = db_get_int(
	    l->db, e, &v, "SELECT number FROM ledger_epochs WHERE key_id = ?", "b", key_id, (size_t)KEY_ID_LEN);

	if (r == ERR_NOTFOUND)
		return err_set(e, r, "ledger: no such epoch");
	*number = (uint64_t)v;
	return r;
}

/* The first row, if there is one: a number and a blob of len bytes. */
static int load_newest(struct ledger *l, const char *sql, uint64_t *number, uint8_t *blob, size_t len, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *p;
	size_t n;
	int r;

	*number = 0;
	if ((r = db_query(l->db, &rows, e, sql, "")) != 0 || (r = db_row(&rows, e)) <= 0)
		return r;
	p = db_blob(&rows, 1, &n);
	if (n != len)
		return err_set(e, ERR_DAMAGED, "ledger: damaged table");
	*number = (uint64_t)db_int(&rows, 0);
	memcpy(blob, p, n);
	return 0;
}

static int load_epoch(struct ledger *l, uint64_t *number, uint8_t key_id[static KEY_ID_LEN], struct err *e) {
	return load_newest(
	    l, "SELECT number, key_id FROM ledger_epochs ORDER BY number DESC LIMIT 1", number, key_id, KEY_ID_LEN, e);
}

int ledger_epoch(struct ledger *l, uint8_t key_id[static KEY_ID_LEN], uint64_t *number, struct err *e) {
	int r = load_epoch(l, number, key_id, e);

	return r == 0 && *number == 0 ? err_set(e, ERR_NOTFOUND, "ledger: no epoch yet") : r;
}

int ledger_crl(struct ledger *l, uint64_t *number, uint8_t sha256[static 32], struct err *e) {
	memset(sha256, 0, 32);
	return load_newest(
	    l, "SELECT number, sha256 FROM ledger_crls ORDER BY number DESC LIMIT 1", number, sha256, 32, e);
}

int ledger_reload(struct ledger *l, struct err *e) {
	uint8_t sha256[32];
	int r;

	signers_flush(l);
	if ((r = load_tree(l, e)) != 0 || (r = load_epoch(l, &l->epoch, l->key_id, e)) != 0)
		return r;
	return ledger_crl(l, &l->crl, sha256, e);
}

uint64_t ledger_size(const struct ledger *l) {
	return l->tree.size;
}

int64_t ledger_latest_s(const struct ledger *l) {
	return l->latest_s;
}

int ledger_root(struct ledger *l, uint64_t n, uint8_t root[static 32], struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *p;
	size_t len;
	int r;

	if (n > l->tree.size)
		return err_set(e, ERR_NOTFOUND, "ledger: it has %" PRIu64 " entries, not %" PRIu64, l->tree.size, n);
	if (n == 0) {
		ossl_sha256("", 0, root);
		return 0;
	}
	if (n == l->tree.size) {
		memcpy(root, l->root, 32);
		return 0;
	}
	if ((r = db_query(l->db, &rows, e, "SELECT root FROM ledger_entries WHERE n = ?", "i", (int64_t)n - 1)) != 0 ||
	    (r = db_row(&rows, e)) < 0)
		return r;
	if (r == 0 || (p = db_blob(&rows, 0, &len), len != 32))
		return err_set(e, ERR_DAMAGED, "ledger: damaged table of entries");
	memcpy(root, p, 32);
	return 0;
}

void ledger_head(const struct ledger *l, struct head *h) {
	const char *group = chain_group(l->chain);

	*h = (struct head){.size = l->tree.size};
	memcpy(h->group, group, strlen(group) + 1);
	memcpy(h->root, l->root, sizeof h->root);
}

int ledger_object(struct ledger *l, const char *object, enum ledger_standing *standing, struct err *e) {
	int64_t current;
	int r = db_get_int(l->db, e, &current,
	    "SELECT CASE WHEN f.lookup IS NOT NULL AND f.object = o.object THEN 1 ELSE 0 END"
	    " FROM ledger_objects o JOIN ledger_files f ON f.file = o.file WHERE o.object = ?",
	    "s", object);

	if (r != 0 && r != ERR_NOTFOUND)
		return r;
	*standing = r == ERR_NOTFOUND ? LEDGER_OBJECT_UNKNOWN : current ? LEDGER_OBJECT_CURRENT : LEDGER_OBJECT_OLD;
	return 0;
}

int ledger_revoked_at(struct ledger *l, const uint8_t *serial, size_t len, uint64_t *index, struct err *e) {
	int64_t n = 0;
	int r = db_get_int(l->db, e, &n, "SELECT n FROM ledger_revoked WHERE serial = ?", "b", serial, len);

	*index = (uint64_t)n;
	return r;
}

int ledger_is_revoked(struct ledger *l, const uint8_t *serial, size_t len, bool *yes, struct err *e) {
	uint64_t n;
	int r = ledger_revoked_at(l, serial, len, &n, e);

	*yes = r == 0;
	return r == ERR_NOTFOUND ? 0 : r;
}

const char *ledger_why_name(enum ledger_why why) {
	static const char *const names[] = {
	    [LEDGER_WHY_NONE] = "refused",
	    [LEDGER_WHY_BASE] = "conflict-base",
	    [LEDGER_WHY_PATH] = "conflict-path",
	    [LEDGER_WHY_SEEN] = "conflict-seen",
	    [LEDGER_WHY_EPOCH] = "conflict-epoch",
	    [LEDGER_WHY_CLOCK] = "clock",
	};

	return names[why];
}

/* A column that may be NULL. */
static const uint8_t *optional(const struct db_rows *rows, int col, size_t *len) {
	*len = 0;
	return db_is_null(rows, col) ? NULL : db_blob(rows, col, len);
}

static int print_stored(struct ledger *l, const struct db_rows *rows, struct buf *der, struct err *e) {
	OWN(buf_wipe) struct buf name = {0};
	struct entry en = {0};
	const uint8_t *sealed;
	size_t len;
	int r;

	en.event = db_blob(rows, 1, &en.event_len);
	if ((sealed = optional(rows, 2, &len)) != NULL) {
		if ((r = seal_open(&l->seal, (uint64_t)db_int(rows, 0), sealed, len, &name, e)) != 0)
			return r;
		en.salt = name.data;
		en.path = (const char *)name.data + SALT_LEN;
		en.path_len = name.len - SALT_LEN;
	}
	en.cert = optional(rows, 3, &en.cert_len);
	en.revoked = optional(rows, 4, &en.revoked_len);
	entry_print(&en, der);
	return 0;
}

int ledger_entries(struct ledger *l, uint64_t from, size_t max_bytes, struct buf *der, uint64_t *next, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	size_t mark = der->len, whole = mark;
	int r;

	*next = from;
	if (from > INT64_MAX)
		return err_set(e, ERR_NOTFOUND, "ledger: no entry %" PRIu64, from);
	if ((r = db_query(l->db, &rows, e,
		 "SELECT n, event, name, cert, revoked FROM ledger_entries WHERE n >= ? ORDER BY n", "i",
		 (int64_t)from)) != 0)
		return r;
	while ((r = db_row(&rows, e)) == 1) {
		if ((r = print_stored(l, &rows, der, e)) != 0)
			return r;
		if (der->len - mark > max_bytes && whole > mark) {
			der->len = whole; /* the one too many stays for the next call */
			break;
		}
		whole = der->len;
		*next = (uint64_t)db_int(&rows, 0) + 1;
	}
	if (r < 0)
		return r;
	entries_wrap(der, mark);
	return 0;
}
