/* SPDX-License-Identifier: Apache-2.0 */
#include "client_gate.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "client/download.h"
#include "client/groupfile.h"
#include "ledger/entry.h"
#include "ledger/proof.h"
#include "lib/tmp.h"
#include "net/fetch.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

#define AUDIT_MAX 64

struct client_gate gate;

struct fetch {
	X509 *cert;
	bool (*accept)(void *arg, X509 *server, struct err *e);
	void *accept_arg;
	bool shaken; /* the handshake is done */
};

int fetch_new(struct fetch **f, const struct fetch_config *c, struct err *e) {
	(void)e;
	ck_assert_str_eq(c->url, GATE_URL);
	*f = xcalloc(1, sizeof(**f));
	**f = (struct fetch){ .cert = c->cert, .accept = c->accept, .accept_arg = c->accept_arg };
	return 0;
}

void fetch_free(struct fetch *f) {
	free(f);
}

void fetch_reconnect(struct fetch *f) {
	f->shaken = false;
}

static void must(int r, const struct err *e) {
	ck_assert_msg(r == 0, "%s", e->text);
}

static void problem(struct fetch_reply *r, int status, const char *type) {
	r->status = status;
	r->problem_type = xstrdup(type);
}

/* The key of an epoch, made of its id: memgate knows only the id. */
static void add_epoch(void) {
	struct err e = ERR_INIT;
	struct epoch ep = { .created_s = gate.f.now_s };
	uint8_t key[SHA256_LEN];

	must(ledger_epoch(gate.g.ledger, ep.key_id, &ep.number, &e), &e);
	ossl_sha256(ep.key_id, sizeof(ep.key_id), key);
	must(secret_copy(&ep.key, key, sizeof(key), &e), &e);
	gate.keys.v = xrealloc(gate.keys.v, gate.keys.n + 1, sizeof(*gate.keys.v));
	memmove(gate.keys.v + 1, gate.keys.v, gate.keys.n * sizeof(*gate.keys.v));
	if (gate.keys.n > 0)
		gate.keys.v[1].retired_s = gate.f.now_s;
	gate.keys.v[0] = ep;
	gate.keys.n++;
}

void gate_rotate(void) {
	memgate_epoch(&gate.g);
	add_epoch();
}

void gate_revoke(X509 *cert) {
	memgate_revoke(&gate.g, cert);
	add_epoch();
}

static uint64_t crl_number(void) {
	struct err e = ERR_INIT;
	uint64_t number = crl_set_number(gate.g.crl);

	if (gate.crl != NULL)
		must(crl_peek_number(gate.crl->data, gate.crl->len, &number, &e), &e);
	return number;
}

static bool is_due(unsigned *n) {
	return *n > 0 && --*n == 0;
}

static void give_group(struct fetch_reply *r) {
	char key_id[KEY_ID_HEX];

	if (is_due(&gate.rotate_at_group))
		gate_rotate();
	if (is_due(&gate.refuse_at_group)) {
		gate.refuse = "revoked";
		problem(r, 403, gate.refuse);
		return;
	}
	text_hex(gate.keys.v[0].key_id, KEY_ID_LEN, key_id);
	buf_addf(&r->body,
	    "{\"group\": \"%s\", \"epoch\": %llu, \"key_id\": \"%s\", \"ledger_size\": %llu, \"crl_number\": %llu, ",
	    gate.group != NULL ? gate.group : "lab", (unsigned long long)gate.keys.v[0].number, key_id,
	    (unsigned long long)ledger_size(gate.g.ledger), (unsigned long long)crl_number());
	buf_addf(&r->body, "\"store\": \"directory:%s\", \"time\": \"2026-01-01T00:00:00Z\"}", tmp_path("drive"));
}

static size_t nonce_of(const char *path, uint8_t nonce[static 32]) {
	const char *hex = strstr(path, "nonce=") + strlen("nonce=");
	size_t len = strlen(hex) / 2;
	struct err e = ERR_INIT;

	must(text_unhex(hex, nonce, len, &e), &e);
	if (gate.wrong_nonce)
		nonce[0] ^= 1;
	return len;
}

/* The audit log of this size: one leaf after the other, and the hashes that proofs are made of. */
static uint8_t audit_node[AUDIT_MAX][TREE_HEIGHT_MAX][32];

static void audit_head_now(struct head *h) {
	struct tree t = {0};

	*h = (struct head){ .audit = !gate.audit_ledger, .group = "lab", .size = gate.audit_size };
	ck_assert_uint_le(gate.audit_size, AUDIT_MAX);
	for (uint64_t i = 0; i < gate.audit_size; i++) {
		uint8_t content[2] = { (uint8_t)i, gate.audit_other && i > 0 };
		uint8_t leaf[32];

		tree_leaf(content, sizeof(content), leaf);
		(void)tree_add(&t, leaf, audit_node[i]);
	}
	tree_root(&t, h->root);
}

static int audit_get(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]) {
	(void)arg;
	memcpy(out, audit_node[leaf][level], 32);
	return 0;
}

static void give_audit_proof(const char *path, struct fetch_reply *r) {
	uint8_t proof[PROOF_MAX][32];
	unsigned long long from, to;
	size_t n;

	if (gate.audit_no_proof) {
		problem(r, 404, "not-found");
		return;
	}
	ck_assert_int_eq(sscanf(path, "/v1/audit/consistency?from=%llu&to=%llu", &from, &to), 2); // NOLINT(cert-err34-c)
	ck_assert_int_eq(proof_make(from, to, audit_get, NULL, proof, &n), 0);
	buf_adds(&r->body, "{\"consistency\":[");
	for (size_t i = 0; i < n; i++) {
		buf_adds(&r->body, i > 0 ? ",\"" : "\"");
		text_base64(proof[i], 32, &r->body);
		buf_adds(&r->body, "\"");
	}
	buf_adds(&r->body, "]}");
}

static void give_keys(const struct fetch *f, const char *path, struct fetch_reply *r) {
	const struct fixture_id *by = gate.foreign_keys ? &gate.f.foreign_gateway : &gate.f.gateway;
	struct keyring given = gate.keys;
	OWN(buf_wipe) struct buf sealed = {0}, head = {0};
	struct err e = ERR_INIT;
	X509 *to = f->cert;
	struct head h;
	uint8_t nonce[32];
	struct signed_make sign = { .key = by->key, .cert = gate.keys_by != NULL ? gate.keys_by : by->cert, .nonce = nonce,
		.time_s = gate.f.now_s };
	size_t len = nonce_of(path, nonce);

	if (gate.old_keys) {
		given.v++;
		given.n--;
		given.v[0].retired_s = 0;
	}
	must(keyring_seal(&given, &to, 1, 0, &sealed, &e), &e);
	sign.nonce_len = len;
	if (gate.audit_size > 0) {
		audit_head_now(&h);
		head_print(&h, &head);
		sign.log_head = buf_str(&head);
	}
	must(keyring_reply_make(sealed.data, sealed.len, &sign, &r->body, &e), &e);
}

static void give_head(const char *path, struct fetch_reply *r) {
	uint8_t nonce[32];
	size_t len = nonce_of(path, nonce);
	struct err e = ERR_INIT;

	must(gate.g.transport.head(gate.g.transport.arg, nonce, len, &r->body, &e), &e);
}

static void give_entries(const char *path, struct fetch_reply *r) {
	struct err e = ERR_INIT;
	uint64_t from;

	must(text_u64(strstr(path, "from=") + strlen("from="), UINT64_MAX, &from, &e), &e);
	must(gate.g.transport.entries(gate.g.transport.arg, from, &r->body, &e), &e);
}

static void append(const struct fetch *f, const struct fetch_request *q, struct fetch_reply *r) {
	OWN(buf_wipe) struct buf one = {0};
	struct ledger_result result;
	struct err e = ERR_INIT;
	struct entry en;
	struct der run;
	int rc;

	must(entries_open(q->body, q->body_len, &run, &e), &e);
	must(entry_take(&run, &en, &e), &e);
	entry_print(&en, &one);
	rc = memgate_post(&gate.g, f->cert, &one, &result, &e);
	if (rc == 0)
		r->status = 201;
	else
		problem(r, rc == ERR_CONFLICT ? 409 : rc == ERR_REFUSED ? 403 : 400, e.text);
}

static bool take(unsigned *n) {
	return *n > 0 && (*n)-- > 0;
}

static int post(const struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct err *e) {
	void (*first)(void *) = gate.before_post;

	gate.posts++;
	gate.before_post = NULL;
	if (first != NULL)
		first(gate.arg);
	if (take(&gate.lose_requests))
		return err_set(e, ERR_UNREACHABLE, "lost on the way");
	if (take(&gate.rotate))
		gate_rotate();
	if (take(&gate.swallow)) {
		r->status = 201;
		return 0;
	}
	append(f, q, r);
	if (gate.refuse_then != NULL) {
		gate.refuse = gate.refuse_then;
		problem(r, 403, gate.refuse);
	}
	return take(&gate.lose_replies) ? err_set(e, ERR_UNREACHABLE, "the answer was lost") : 0;
}

static bool begins(const char *s, const char *with) {
	return strncmp(s, with, strlen(with)) == 0;
}

static int shake(struct fetch *f, struct err *e) {
	if (gate.unreachable)
		return err_set(e, ERR_UNREACHABLE, "connection refused");
	if (!f->shaken && f->accept != NULL && !f->accept(f->accept_arg, gate.server, e))
		return e->code;
	f->shaken = true;
	return 0;
}

static int answer(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct err *e) {
	int rc = shake(f, e);

	gate.requests++;
	if (rc != 0)
		return rc;
	r->status = 200;
	if (strcmp(q->path, "/crl") == 0)
		buf_add(&r->body, gate.crl != NULL ? gate.crl->data : gate.g.crl_der.data,
		    gate.crl != NULL ? gate.crl->len : gate.g.crl_der.len);
	else if (gate.refuse != NULL)
		problem(r, 403, gate.refuse);
	else if (strcmp(q->path, "/v1/group") == 0)
		give_group(r);
	else if (begins(q->path, "/v1/keys?"))
		give_keys(f, q->path, r);
	else if (begins(q->path, "/v1/audit/consistency?"))
		give_audit_proof(q->path, r);
	else if (begins(q->path, "/v1/ledger/head?"))
		give_head(q->path, r);
	else if (begins(q->path, "/v1/ledger/entries?"))
		give_entries(q->path, r);
	else if (strcmp(q->method, "POST") == 0)
		return post(f, q, r, e);
	else
		problem(r, 404, "not-found");
	return 0;
}

/* Workers ask side by side, and a hook asks within a request: a recursive lock. */
static pthread_mutex_t lock;

int fetch(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct err *e) {
	int rc;

	(void)pthread_mutex_lock(&lock);
	rc = answer(f, q, r, e);
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

static void make_lock(void) {
	pthread_mutexattr_t attr;

	ck_assert_int_eq(pthread_mutexattr_init(&attr), 0);
	ck_assert_int_eq(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE), 0);
	ck_assert_int_eq(pthread_mutex_init(&lock, &attr), 0);
	(void)pthread_mutexattr_destroy(&attr);
}

void gate_setup(void) {
	struct err e = ERR_INIT;

	tmp_make();
	make_lock();
	gate = (struct client_gate){0};
	fixture_init(&gate.f);
	gate.server = gate.f.gateway.cert;
	memgate_init(&gate.g, &gate.f, tmp_path("gate.db"));
	gate.keys.group = xstrdup("lab");
	add_epoch();
	gate_revoke(NULL);
	must(file_mkdir(tmp_path("drive"), 0700, false, &e), &e);
	gate_member("alice", &gate.f.alice);
	gate_member("bob", &gate.f.bob);
}

void gate_teardown(void) {
	keyring_wipe(&gate.keys);
	memgate_wipe(&gate.g);
	fixture_wipe(&gate.f);
	tmp_drop();
}

static void save_cert(const char *dir, const char *name, const X509 *cert) {
	OWN(own_free) char *path = file_join(dir, name);
	OWN(buf_wipe) struct buf pem = {0};
	struct err e = ERR_INIT;

	must(cert_pem(cert, &pem, &e), &e);
	must(file_save(path, pem.data, pem.len, 0644, &e), &e);
}

void gate_member(const char *name, const struct fixture_id *id) {
	const char *dir = tmp_path(name);
	OWN(own_free) char *key = file_join(dir, KEY_FILE), *conf = file_join(dir, CONF_FILE);
	OWN(buf_wipe) struct buf text = {0};
	const struct secret none = {0};
	struct err e = ERR_INIT;

	must(file_mkdir(dir, 0700, false, &e), &e);
	must(key_save_new(key, id->key, &none, &e), &e);
	save_cert(dir, CERT_FILE, id->cert);
	save_cert(dir, CA_FILE, gate.f.ca.cert);
	settings_print(GATE_URL, &text);
	must(file_save(conf, text.data, text.len, 0644, &e), &e);
}

int gate_try_session(const char *name, bool stale_ok, struct session *s, struct err *e) {
	struct session_need need = { .dir = tmp_path(name), .stale_ok = stale_ok };
	int r = session_open(s, &need, e);

	return r != 0 ? r : session_connect(s, &need, e);
}

void gate_session(const char *name, struct session *s) {
	struct err e = ERR_INIT;

	must(gate_try_session(name, false, s, &e), &e);
	must(session_store(s, &e), &e);
}

static int count(void *arg, const struct store_stat *st, struct err *e) {
	(void)st;
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

unsigned gate_objects(void) {
	OWN(own_free) char *spec = xasprintf("directory:%s", tmp_path("drive"));
	struct store *s = NULL;
	struct err e = ERR_INIT;
	unsigned n = 0;

	must(store_open(&s, spec, &e), &e);
	must(store_list(s, count, &n, &e), &e);
	store_close(s);
	return n;
}

const char *gate_file(const char *name, const char *text) {
	return tmp_file(name, text, strlen(text), 0600);
}

void gate_reads(const char *who, const char *name, const char *text) {
	OWN(session_wipe) struct session s = {0};
	OWN(buf_wipe) struct buf got = {0};
	char *operand = (char *)(uintptr_t)name;
	struct download_job job = { .names = &operand, .n = 1, .out = tmp_path("got"), .workers = 1 };
	struct err e = ERR_INIT;

	gate_session(who, &s);
	ck_assert_msg(download(&s, &job, &e) == 0, "%s", e.text);
	ck_assert_int_eq(file_load(tmp_path("got"), 1000, &got, &e), 0);
	ck_assert_str_eq(buf_str(&got), text);
}

void gate_find(const char *name, struct ledger_file *f) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	gate_session("bob", &s);
	ck_assert_msg(groupfile_find(&s, name, f, &e) == 0, "%s", e.text);
}
