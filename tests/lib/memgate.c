/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/memgate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "pki/ossl.h"

static void must(int rc, const struct err *e) {
	if (rc != 0) {
		fprintf(stderr, "memgate: %s\n", e->text);
		abort();
	}
}

static struct ledger_signer signer(const struct memgate *g) {
	return (struct ledger_signer){.key = g->id->key, .cert = g->id->cert, .now_s = g->now_s};
}

int memgate_append(
    struct memgate *g, const struct buf *entry, const struct ledger_how *how, struct ledger_result *r, struct err *e) {
	struct ledger_result ignored;
	struct entry en;
	int rc;

	if ((rc = entry_parse(entry->data, entry->len, &en, e)) != 0)
		return rc;
	must(db_begin(g->db, e), e);
	must(ledger_reload(g->ledger, e), e); /* other processes of a test may write too */
	if ((rc = ledger_append(g->ledger, &en, how, r != NULL ? r : &ignored, e)) == 0) {
		must(db_commit(g->db, e), e);
		return 0;
	}
	db_rollback(g->db);
	must(ledger_reload(g->ledger, NULL), e);
	return rc;
}

static void append_own(struct memgate *g, const struct buf *entry) {
	const struct ledger_how how = {.mode = LEDGER_OWN};
	struct err e = ERR_INIT;

	must(memgate_append(g, entry, &how, NULL, &e), &e);
}

void memgate_member(struct memgate *g, X509 *cert) {
	OWN(buf_wipe) struct buf entry = {0};
	const struct ledger_signer by = signer(g);
	struct err e = ERR_INIT;

	must(ledger_member_entry(g->ledger, cert, &by, &entry, &e), &e);
	append_own(g, &entry);
}

void memgate_epoch(struct memgate *g) {
	OWN(buf_wipe) struct buf entry = {0};
	const struct ledger_signer by = signer(g);
	struct err e = ERR_INIT;
	struct epoch ep = {0};
	int rc = ledger_epoch(g->ledger, ep.key_id, &ep.number, &e);

	must(rc == ERR_NOTFOUND ? 0 : rc, &e);
	ep.number++;
	must(random_bytes(ep.key_id, sizeof ep.key_id, &e), &e);
	must(ledger_epoch_entry(g->ledger, &ep, &by, &entry, &e), &e);
	append_own(g, &entry);
}

void memgate_revoke(struct memgate *g, X509 *cert) {
	OWN(buf_wipe) struct buf der = {0}, entry = {0};
	const struct ledger_signer by = signer(g);
	struct crl_set *now = NULL;
	struct err e = ERR_INIT;
	uint64_t number;
	uint8_t hash[32];

	if (cert != NULL)
		g->revoked[g->n_revoked++] = cert;
	must(ledger_crl(g->ledger, &number, hash, &e), &e);
	fixture_crl(g->f, number + 1, g->revoked, g->n_revoked, CRL_KEY_COMPROMISE, &der);
	must(crl_set_make(der.data, der.len, g->f->ca.cert, &now, &e), &e);
	must(ledger_crl_entry(g->ledger, g->crl, now, der.len, &by, &entry, &e), &e);
	append_own(g, &entry);
	crl_set_free(g->crl);
	g->crl = now;
	buf_clear(&g->crl_der);
	buf_add(&g->crl_der, der.data, der.len);
	memgate_epoch(g);
}

int memgate_post(struct memgate *g, X509 *peer, const struct buf *entry, struct ledger_result *r, struct err *e) {
	const struct ledger_how how = {.mode = LEDGER_POST, .peer = peer, .now_s = g->now_s};
	struct ledger_result ignored;
	bool known;
	int rc;

	if ((rc = ledger_has_signer(g->ledger, peer, &known, e)) != 0)
		return rc;
	if (!known)
		memgate_member(g, peer);
	return memgate_append(g, entry, &how, r != NULL ? r : &ignored, e);
}

int memgate_change(struct memgate *g, struct mirror *m, const struct fixture_id *who, const struct ledger_change *c,
    struct ledger_result *r, struct err *e) {
	const struct ledger_signer by = {.key = who->key, .cert = who->cert, .now_s = g->now_s};
	OWN(buf_wipe) struct buf entry = {0};
	int rc;

	if ((rc = mirror_sync(m, &g->transport, g->crl, g->now_s, e)) != 0 ||
	    (rc = ledger_change(mirror_ledger(m), c, &by, &entry, e)) != 0)
		return rc;
	return memgate_post(g, who->cert, &entry, r, e);
}

void memgate_step(
    struct memgate *g, enum event_op op, const char *path, const struct ledger_file *base, struct memgate_step *s) {
	struct err e = ERR_INIT;
	uint64_t number;
	uint8_t id[16];

	*s = (struct memgate_step){0};
	must(random_bytes(id, sizeof id, &e), &e);
	text_base32_id(id, s->object);
	must(random_bytes(s->file, sizeof s->file, &e), &e);
	ossl_sha256(id, sizeof id, s->digest);
	must(ledger_epoch(g->ledger, s->key_id, &number, &e), &e);
	if (base != NULL)
		memcpy(s->file, base->file, sizeof s->file);
	s->c = (struct ledger_change){
	    .op = op,
	    .path = path,
	    .file = s->file,
	    .base = base != NULL ? base->base : 0,
	    .object = s->object,
	    .object_size = 1000,
	    .object_sha256 = s->digest,
	    .content_sha256 = s->digest,
	    .content_size = 500,
	    .key_id = s->key_id,
	};
}

/* --- what a mirror asks --- */

static int give_head(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) {
	struct memgate *g = arg;
	const struct head_sign by = {
	    .key = g->id->key, .cert = g->id->cert, .nonce = nonce, .nonce_len = nonce_len, .now_s = g->now_s};
	struct head h;
	int rc = ledger_reload(g->ledger, e);

	if (rc != 0)
		return rc;
	ledger_head(g->ledger, &h);
	return head_sign(&h, &by, der, e);
}

static int give_entries(void *arg, uint64_t from, struct buf *der, struct err *e) {
	struct memgate *g = arg;
	uint64_t next;

	return ledger_entries(g->ledger, from, g->batch_bytes, der, &next, e);
}

void memgate_init(struct memgate *g, const struct fixture *f, const char *path) {
	static const char *const migrations[] = {ledger_schema, NULL};
	uint8_t key[32];
	struct err e = ERR_INIT;

	*g = (struct memgate){.f = f, .id = &f->gateway, .now_s = f->now_s, .batch_bytes = ENTRIES_BATCH_BYTES};
	g->transport = (struct mirror_transport){.arg = g, .head = give_head, .entries = give_entries};
	memset(key, 7, sizeof key); /* the same for a copy of the database */
	must(secret_copy(&g->seal, key, sizeof key, &e), &e);
	must(db_open(&g->db, path, migrations, &e), &e);
	must(ledger_open(&g->ledger, g->db, f->chain, &g->seal, &e), &e);
	if (ledger_size(g->ledger) > 0)
		return;
	memgate_member(g, f->gateway.cert);
	memgate_epoch(g);
}

void memgate_wipe(struct memgate *g) {
	ledger_close(g->ledger);
	db_close(&g->db);
	secret_wipe(&g->seal);
	crl_set_free(g->crl);
	buf_wipe(&g->crl_der);
	*g = (struct memgate){0};
}
