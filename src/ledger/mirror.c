/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/mirror.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "ledger/mirror_state.h"
#include "pki/ossl.h"

#define NONCE_LEN 16
/* For another process that makes its first sync: 100,000 entries over a slow line take minutes. */
#define WAIT_MS INT64_C(600000)
#define EVIDENCE_MAX 64 /* rows: a gateway that forges at each call must not fill the disk */
#define CULPRIT_MAX (64u << 10) /* bytes of the entry at fault that are kept */

/* head: the last one that was verified; entries always end where it says. bases: content that the member knows (design:
 * base of an upload). checked: SHA-256 of the newest list whose serials were all found revoked. */
static const char mirror_schema[] =
    "CREATE TABLE mirror_head (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, der BLOB NOT NULL,"
    " fetched_s INTEGER NOT NULL);"
    "CREATE TABLE mirror_bases (file BLOB PRIMARY KEY NOT NULL, content INTEGER NOT NULL);"
    "CREATE TABLE mirror_checked (sha256 BLOB PRIMARY KEY NOT NULL);"
    "CREATE TABLE mirror_evidence (id INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, reason TEXT NOT NULL,"
    " head BLOB NOT NULL, own BLOB NOT NULL, entry BLOB NOT NULL);";

/* Sorting a list of names must not leave them in a temporary file elsewhere. A long replay writes its pages once or
 * twice instead of ten times when 8 MiB of them stay in memory (half of its system time). */
static int tune(struct db *d, struct err *e) {
	int r = db_run(d, e, "PRAGMA temp_store = MEMORY", "");

	return r != 0 ? r : db_run(d, e, "PRAGMA cache_size = -8192", "");
}

int mirror_open(struct mirror **out, const char *path, const struct chain *chain, const X509 *own, struct err *e) {
	static const char *const migrations[] = {ledger_schema, mirror_schema, mirror_mine_schema, NULL};
	struct mirror *m = xcalloc(1, sizeof *m);
	const uint8_t *ski;
	size_t len;
	int r;

	*out = NULL;
	m->chain = chain;
	if (own != NULL && (ski = cert_ski(own, &len)) != NULL && len == SKI_LEN) {
		memcpy(m->own, ski, SKI_LEN);
		m->has_own = true;
	}
	if ((r = db_open(&m->db, path, migrations, e)) != 0 || (r = tune(m->db, e)) != 0 ||
	    (r = ledger_open(&m->ledger, m->db, chain, NULL, e)) != 0) {
		mirror_close(m);
		return r;
	}
	*out = m;
	return 0;
}

void mirror_close(struct mirror *m) {
	if (m == NULL)
		return;
	ledger_close(m->ledger);
	db_close(&m->db);
	free(m);
}

struct ledger *mirror_ledger(struct mirror *m) {
	return m->ledger;
}

int mirror_stored_head(struct mirror *m, struct head *h, struct buf *der, int64_t *fetched_s, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *p;
	size_t len;
	int r;

	*h = (struct head){0};
	if ((r = db_query(m->db, &rows, e, "SELECT der, fetched_s, size FROM mirror_head WHERE id = 1", "")) != 0 ||
	    (r = db_row(&rows, e)) < 0)
		return r;
	if (r == 0)
		return err_set(e, ERR_NOTFOUND, "ledger: never fetched yet");
	p = db_blob(&rows, 0, &len);
	buf_add(der, p, len);
	*fetched_s = db_int(&rows, 1);
	h->size = (uint64_t)db_int(&rows, 2);
	return 0;
}

int mirror_head(struct mirror *m, struct head *h, struct buf *der, int64_t *fetched_s, struct err *e) {
	OWN(buf_wipe) struct buf copy = {0};
	OWN(own_x509) X509 *signer = NULL;
	struct head_check c = {.chain = m->chain};
	int r = mirror_stored_head(m, h, &copy, fetched_s, e);

	if (r != 0)
		return r;
	c.at_s = *fetched_s;
	if (head_open(copy.data, copy.len, &c, h, &signer, e) != 0)
		return err_add(e, "stored");
	if (der != NULL)
		buf_add(der, copy.data, copy.len);
	return 0;
}

/* --- synchronising --- */

struct sync {
	struct mirror *m;
	const struct mirror_transport *t;
	const struct crl_set *crl;
	int64_t now_s;
	struct buf own; /* the head stored when the nonce was drawn */
	uint64_t own_size;
	struct buf der; /* the gateway's head */
	struct head head;
	X509 *signer;
	struct buf batch; /* fetched before the transaction, from this index on */
	uint64_t from;
	struct buf culprit;
	bool overtaken; /* the head's signer was revoked by an entry that the head does not cover: it may have been honest */
};

static void sync_wipe(struct sync *s) {
	buf_wipe(&s->own);
	buf_wipe(&s->der);
	buf_wipe(&s->batch);
	buf_wipe(&s->culprit);
	X509_free(s->signer);
}

static int load_own(struct sync *s, struct err *e) {
	struct head h;
	int64_t at_s;
	int r = mirror_stored_head(s->m, &h, &s->own, &at_s, e);

	s->own_size = h.size;
	return r == ERR_NOTFOUND ? 0 : r;
}

static int check_signer(struct sync *s, struct err *e) {
	if (s->crl != NULL && crl_set_has_cert(s->crl, s->signer))
		return err_set(e, ERR_DAMAGED, "head: RFC 5280 5.3: signed with a revoked certificate");
	return s->t->gateway != NULL ? s->t->gateway(s->t->arg, s->signer, e) : 0;
}

/* The own head is read before the nonce is drawn: what the gateway signs after that is at least as new. */
static int fetch_head(struct sync *s, struct err *e) {
	uint8_t nonce[NONCE_LEN];
	struct head_check c = {.chain = s->m->chain, .nonce = nonce, .nonce_len = sizeof nonce, .at_s = s->now_s};
	int r;

	if ((r = load_own(s, e)) != 0 || (r = random_bytes(nonce, sizeof nonce, e)) != 0 ||
	    (r = s->t->head(s->t->arg, nonce, sizeof nonce, &s->der, e)) != 0)
		return r;
	if ((r = head_open(s->der.data, s->der.len, &c, &s->head, &s->signer, e)) != 0 || (r = check_signer(s, e)) != 0)
		return r;
	if (s->head.size < s->own_size)
		return err_set(e, ERR_DAMAGED,
		    "ledger: rolled back: the gateway says %" PRIu64 " entries, it said %" PRIu64 " before",
		    s->head.size, s->own_size);
	return 0;
}

static int fetch_entries(void *arg, uint64_t from, struct buf *der, struct err *e) {
	const struct sync *s = arg;
	int r = s->t->entries(s->t->arg, from, der, e);

	if (r == 0 && der->len > ENTRIES_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "ledger: entries of %zu bytes in one reply", der->len);
	return r;
}

/* What this member put or replaced he knows. */
static int note_own(void *arg, uint64_t index, const struct item *it, struct err *e) {
	const struct sync *s = arg;
	struct mirror *m = s->m;

	if (!m->has_own || (it->ev.op != EVENT_PUT && it->ev.op != EVENT_REPLACE) ||
	    memcmp(it->info.ski, m->own, SKI_LEN) != 0)
		return 0;
	return mirror_base_set(m, it->ev.file, index, e);
}

static int replay_all(struct sync *s, struct err *e) {
	const struct replay p = {.l = s->m->ledger,
	    .upto = s->head.size,
	    .fetch = fetch_entries,
	    .aside = true,
	    .applied = note_own,
	    .arg = s,
	    .ahead = &s->batch,
	    .ahead_from = s->from,
	    .culprit = &s->culprit};

	return replay_run(&p, e);
}

static int check_root(struct sync *s, struct err *e) {
	uint8_t root[32];
	int r = ledger_root(s->m->ledger, s->head.size, root, e);

	if (r != 0)
		return r;
	if (memcmp(root, s->head.root, sizeof root) != 0)
		return err_set(e, ERR_DAMAGED,
		    "ledger: forked: at %" PRIu64 " entries the gateway's root is not the one that they give",
		    s->head.size);
	return 0;
}

/* Another process of this member may have fetched the entry that revoked the signer while this head was on its way. */
static int check_overtaken(struct sync *s, const struct signer *known, struct err *e) {
	uint64_t at;
	int r = ledger_revoked_at(s->m->ledger, known->serial, known->serial_len, &at, e);

	if (r != 0)
		return r;
	s->overtaken = at >= s->head.size;
	return err_set(e, ERR_DAMAGED, "head: signed after a crl event revoked the certificate");
}

/* A ledger without entries has no gateway yet; every other one begins with its certificate. */
static int check_gateway_known(struct sync *s, struct err *e) {
	struct ledger *l = s->m->ledger;
	struct signer *known;
	size_t len;
	int r;

	if (s->head.size == 0)
		return 0;
	if ((r = signers_find(l, cert_ski(s->signer, &len), &known, e)) != 0)
		return r;
	if (known == NULL || X509_cmp(known->cert, s->signer) != 0)
		return err_set(e, ERR_DAMAGED, "head: no member event brought the certificate that signed it");
	return known->revoked ? check_overtaken(s, known, e) : 0;
}

static int find_revoked(void *arg, const struct crl_entry *c, struct err *e) {
	bool revoked;
	int r = ledger_is_revoked(arg, c->serial, c->serial_len, &revoked, e);

	if (r == 0 && !revoked)
		return err_set(e, ERR_DAMAGED,
		    "ledger: a crl event was held back: it revokes not all that the list of revoked certificates does");
	return r;
}

static int same_list(struct ledger *l, const struct crl_set *crl, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *p;
	size_t len;
	int r;

	if ((r = db_query(l->db, &rows, e, "SELECT sha256 FROM ledger_crls WHERE number = ?", "i",
		 (int64_t)crl_set_number(crl))) != 0 ||
	    (r = db_row(&rows, e)) <= 0)
		return r;
	p = db_blob(&rows, 0, &len);
	if (len != 32 || memcmp(p, crl_set_sha256(crl), len) != 0)
		return err_set(
		    e, ERR_DAMAGED, "ledger: RFC 5280 5.2.3: two lists have the number %" PRIu64, crl_set_number(crl));
	return 0;
}

int mirror_check_crl(struct mirror *m, const struct crl_set *crl, bool again, struct err *e) {
	const uint8_t *hash = crl_set_sha256(crl);
	int64_t n;
	int r;

	/* Who is revoked stays so: a list once checked needs no second look, and a long one takes seconds. */
	if (!again &&
	    (r = db_get_int(m->db, e, &n, "SELECT 1 FROM mirror_checked WHERE sha256 = ?", "b", hash, (size_t)32)) !=
		ERR_NOTFOUND)
		return r;
	if ((r = same_list(m->ledger, crl, e)) != 0 || (r = crl_set_new(NULL, crl, find_revoked, m->ledger, e)) != 0)
		return r;
	if ((r = db_run(m->db, e, "DELETE FROM mirror_checked", "")) != 0)
		return r;
	return db_run(m->db, e, "INSERT INTO mirror_checked (sha256) VALUES (?)", "b", hash, (size_t)32);
}

/* A newer head may be there already: another process was faster. */
static int store_head(struct sync *s, struct err *e) {
	return db_run(s->m->db, e,
	    "INSERT INTO mirror_head (id, size, der, fetched_s) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
	    " SET size = excluded.size, der = excluded.der, fetched_s = excluded.fetched_s"
	    " WHERE excluded.size >= mirror_head.size",
	    "ibi", (int64_t)s->head.size, s->der.data, s->der.len, s->now_s);
}

static int take_in(struct sync *s, struct err *e) {
	int r;

	if ((r = ledger_reload(s->m->ledger, e)) != 0 || (r = replay_all(s, e)) != 0 || (r = check_root(s, e)) != 0 ||
	    (r = check_gateway_known(s, e)) != 0 ||
	    (s->crl != NULL && (r = mirror_check_crl(s->m, s->crl, false, e)) != 0))
		return r;
	return store_head(s, e);
}

int mirror_begin(struct mirror *m, struct err *e) {
	int64_t until_ms = clock_mono_ms() + WAIT_MS;
	int r;

	while ((r = db_begin(m->db, e)) == ERR_UNREACHABLE && clock_mono_ms() < until_ms)
		; /* each try waits by itself */
	return r;
}

static int run(struct sync *s, struct err *e) {
	int r;

	if ((r = fetch_head(s, e)) != 0 || (r = ledger_reload(s->m->ledger, e)) != 0)
		return r;
	/* The first batch, mostly the only one, is fetched while nobody has to wait for us. */
	s->from = ledger_size(s->m->ledger);
	if (s->from < s->head.size && (r = fetch_entries(s, s->from, &s->batch, e)) != 0)
		return r;
	if ((r = mirror_begin(s->m, e)) != 0)
		return r;
	if ((r = take_in(s, e)) != 0) {
		db_rollback(s->m->db);
		return r;
	}
	return db_commit(s->m->db, e);
}

/* Kept beside the log that it contradicts; two signed heads that cannot both be true prove the fork to everybody. */
static void keep_evidence(struct sync *s, const struct err *why) {
	size_t der_len = s->der.len < HEAD_MAX_BYTES ? s->der.len : HEAD_MAX_BYTES;
	size_t entry_len = s->culprit.len < CULPRIT_MAX ? s->culprit.len : CULPRIT_MAX;

	/* Where it cannot be kept, the refusal stands all the same. */
	if (db_run(s->m->db, NULL,
		"INSERT INTO mirror_evidence (at_s, reason, head, own, entry) SELECT ?, ?, ?, ?, ?"
		" WHERE (SELECT count(*) FROM mirror_evidence) < ?",
		"isbbbi", s->now_s, why->text, buf_str(&s->der), der_len, buf_str(&s->own), s->own.len,
		buf_str(&s->culprit), entry_len, (int64_t)EVIDENCE_MAX) != 0)
		return;
}

static int sync_once(
    struct mirror *m, const struct mirror_transport *t, const struct crl_set *crl, int64_t now_s, bool *again, struct err *e) {
	OWN(sync_wipe) struct sync s = {.m = m, .t = t, .crl = crl, .now_s = now_s};
	struct err why = ERR_INIT;
	int r = run(&s, &why);

	if (r == 0)
		return 0;
	*again = *again && s.overtaken;
	if (r == ERR_DAMAGED && !*again)
		keep_evidence(&s, &why);
	if (e != NULL)
		*e = why;
	return ledger_reload(m->ledger, NULL) == 0 ? r : err_add(e, "%s", "ledger.db cannot be read");
}

/* A head that was overtaken accuses nobody: the next one is asked for after what overtook it was stored, so that an old one is a rollback. */
int mirror_sync(
    struct mirror *m, const struct mirror_transport *t, const struct crl_set *crl, int64_t now_s, struct err *e) {
	bool again = true, never = false;
	int r = sync_once(m, t, crl, now_s, &again, e);

	return r != 0 && again ? sync_once(m, t, crl, now_s, &never, e) : r;
}

int mirror_evidence(
    struct mirror *m, int (*f)(void *arg, const struct mirror_evidence *ev, struct err *e), void *arg, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int r;

	if ((r = db_query(
		 m->db, &rows, e, "SELECT at_s, reason, head, own, entry FROM mirror_evidence ORDER BY id", "")) != 0)
		return r;
	while ((r = db_row(&rows, e)) == 1) {
		struct mirror_evidence ev = {.at_s = db_int(&rows, 0), .reason = db_text(&rows, 1)};

		ev.head = db_blob(&rows, 2, &ev.head_len);
		ev.own = db_blob(&rows, 3, &ev.own_len);
		ev.entry = db_blob(&rows, 4, &ev.entry_len);
		if ((r = f(arg, &ev, e)) != 0)
			return r;
	}
	return r;
}

int mirror_base_get(struct mirror *m, const uint8_t file[static 16], uint64_t *content_index, struct err *e) {
	int64_t n;
	int r = db_get_int(m->db, e, &n, "SELECT content FROM mirror_bases WHERE file = ?", "b", file, (size_t)16);

	if (r == ERR_NOTFOUND)
		return err_set(e, r, "ledger: no content of this file was uploaded or downloaded here");
	*content_index = (uint64_t)n;
	return r;
}

int mirror_base_set(struct mirror *m, const uint8_t file[static 16], uint64_t content_index, struct err *e) {
	return db_run(m->db, e,
	    "INSERT INTO mirror_bases (file, content) VALUES (?, ?) ON CONFLICT (file) DO UPDATE"
	    " SET content = excluded.content WHERE excluded.content > mirror_bases.content",
	    "bi", file, (size_t)16, (int64_t)content_index);
}
