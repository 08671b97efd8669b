/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody can do to gateway.db who has taken over a gateway and holds its key: entries altered, taken away or put in, with the hashes
 * computed anew, so that the gateway signs a head that fits them. No other gateway may run meanwhile.
 *     hostile_log GATEWAY-DIR list                            "INDEX OP PATH" a line
 *     hostile_log GATEWAY-DIR drop INDEX | cut SIZE | swap INDEX INDEX
 *     hostile_log GATEWAY-DIR edit INDEX signature|text|path|salt|serials|certificate
 *     hostile_log GATEWAY-DIR put|replace|remove DIR PATH [AGO [INDEX [AS-DIR]]]
 * The last: an event by the key and certificate in DIR (a member's or a gateway's), dated AGO seconds back, at the end or as INDEX (by
 * one who saw what stood there then), that claims to be signed by the certificate in AS-DIR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/gwconf.h"
#include "gateway/identity.h"
#include "gateway/rest.h"
#include "ledger/seal.h"
#include "ledger/tree.h"
#include "lib/rawlog.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/signed.h"

struct gate {
	struct gwconf conf;
	struct chain *chain;
	struct identity id;
	struct state *state;
	struct secret path_key;
	struct ledger *ledger;
	struct rawlog log;
};

static void must(int r, const struct err *e) {
	if (r == 0)
		return;
	(void)fprintf(stderr, "hostile_log: %s\n", e->text);
	exit(EXIT_FAILURE);
}

static void usage(void) {
	(void)fputs("hostile_log: wrong arguments\n", stderr);
	exit(EXIT_FAILURE);
}

static void gate_open(struct gate *g, const char *dir) {
	OWN(own_free) char *conf = file_join(dir, FILE_CONF);
	OWN(own_free) char *db = file_join(dir, FILE_DB);
	struct memgate view = {0};
	struct err e = ERR_INIT;

	must(gwconf_load(conf, &g->conf, &e), &e);
	must(identity_chain(&g->conf, &g->chain, &e), &e);
	must(identity_load(&g->id, &(struct identity_source){ .conf = &g->conf, .chain = g->chain }, &e), &e);
	must(state_open(&g->state, db, false, &e), &e);
	must(rest_load_path_key(g->state, &g->id, &g->path_key, &e), &e);
	must(ledger_open(&g->ledger, state_db(g->state), g->chain, &g->path_key, &e), &e);
	view.ledger = g->ledger;
	rawlog_copy(&g->log, &view);
}

static void gate_close(struct gate *g) {
	rawlog_wipe(&g->log);
	ledger_close(g->ledger);
	secret_wipe(&g->path_key);
	state_close(&g->state);
	identity_wipe(&g->id);
	chain_free(g->chain);
	gwconf_wipe(&g->conf);
}

static struct entry entry_at(const struct gate *g, size_t i) {
	struct err e = ERR_INIT;
	struct entry en;

	must(entry_parse(g->log.entry[i].data, g->log.entry[i].len, &en, &e), &e);
	return en;
}

/* --- writing it back --- */

static void store_entry(const struct gate *g, const struct seal *seal, size_t i, struct tree *t) {
	uint8_t leaf[32], root[32], done[TREE_HEIGHT_MAX][32];
	const struct entry en = entry_at(g, i);
	OWN(buf_wipe) struct buf name = {0};
	struct err e = ERR_INIT;
	unsigned levels;

	tree_leaf(en.event, en.event_len, leaf);
	levels = tree_add(t, leaf, done);
	tree_root(t, root);
	if (en.salt != NULL)
		must(seal_name(seal, i, en.salt, en.path, en.path_len, &name, &e), &e);
	must(db_run(state_db(g->state), &e,
		 "INSERT INTO ledger_entries (n, event, name, cert, revoked, root, nodes, latest_s) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
		 "ibbbbbb", (int64_t)i, en.event, en.event_len, name.data, name.len, en.cert, en.cert_len, en.revoked, en.revoked_len, root,
		 sizeof root, done, (size_t)levels * 32), &e);
}

/* The gateway looks its signers' certificates up by index: it must go on to write true entries behind the forged ones. */
static void move_signer(const struct gate *g, size_t i) {
	const struct entry en = entry_at(g, i);
	OWN(own_x509) X509 *cert = NULL;
	struct err e = ERR_INIT;
	const uint8_t *ski;
	size_t len;

	if (en.cert == NULL)
		return;
	must(cert_parse(en.cert, en.cert_len, &cert, &e), &e);
	ski = cert_ski(cert, &len);
	must(db_run(state_db(g->state), &e, "UPDATE ledger_signers SET n = ? WHERE ski = ?", "ib", (int64_t)i, ski, len), &e);
}

static void gate_save(struct gate *g) {
	struct db *d = state_db(g->state);
	struct err e = ERR_INIT;
	struct tree t = {0};
	struct seal seal;

	must(seal_init(&seal, &g->path_key, &e), &e);
	must(db_begin(d, &e), &e);
	must(db_run(d, &e, "DELETE FROM ledger_entries", ""), &e);
	must(db_run(d, &e, "UPDATE ledger_signers SET n = -1", ""), &e);
	for (size_t i = 0; i < g->log.n; i++) {
		store_entry(g, &seal, i, &t);
		move_signer(g, i);
	}
	must(db_run(d, &e, "DELETE FROM ledger_signers WHERE n < 0", ""), &e);
	must(db_commit(d, &e), &e);
	seal_wipe(&seal);
}

/* --- what is done to the log --- */

static void list(struct gate *g) {
	for (size_t i = 0; i < g->log.n; i++) {
		const struct entry en = entry_at(g, i);
		const char *op = memmem(en.event, en.event_len, "\nop ", 4);

		if (op == NULL)
			usage();
		(void)printf("%zu %.*s %.*s\n", i, (int)strcspn(op + 4, "\n"), op + 4, (int)en.path_len, en.path != NULL ? en.path : "");
	}
}

static uint8_t *writable(const uint8_t *p) { return (uint8_t *)(uintptr_t)p; }

static void edit_signature(struct entry *en) { writable(en->event)[en->event_len - 1] ^= 1; }
static void edit_text(struct entry *en) {
	uint8_t *at = memmem(writable(en->event), en->event_len, "\nversion ", 9);

	if (at == NULL)
		usage();
	at[9]++;
}
static void edit_path(struct entry *en) { writable((const uint8_t *)en->path)[0] ^= 2; }
static void edit_salt(struct entry *en) { writable(en->salt)[0] ^= 1; }
static void edit_serials(struct entry *en) { en->revoked_len = 0; }

static const X509 *other_cert;
static void edit_certificate(struct entry *en) {
	static struct buf der; /* until the process ends */
	struct err e = ERR_INIT;

	must(cert_der(other_cert, &der, &e), &e);
	en->cert = der.data;
	en->cert_len = der.len;
}

static const struct edit {
	const char *name;
	void (*change)(struct entry *en);
} edits[] = {
	{ "signature", edit_signature }, { "text", edit_text }, { "path", edit_path }, { "salt", edit_salt }, { "serials", edit_serials },
	{ "certificate", edit_certificate },
};

static void edit(struct gate *g, size_t i, const char *what) {
	other_cert = g->id.cert;
	for (size_t k = 0; k < sizeof edits / sizeof edits[0]; k++)
		if (strcmp(edits[k].name, what) == 0) {
			rawlog_edit(&g->log, i, edits[k].change);
			return;
		}
	usage();
}

/* --- forged events --- */

struct forger {
	EVP_PKEY *key;
	X509 *cert;
};

static char *first_of(const char *dir, const char *name, const char *other) {
	OWN(own_free) char *path = file_join(dir, name);

	return file_exists(path) ? xstrdup(path) : file_join(dir, other);
}

static void forger_load(struct forger *f, const char *dir) {
	OWN(own_free) char *key = first_of(dir, "key.pem", FILE_KEY);
	OWN(own_free) char *cert = first_of(dir, "cert.pem", FILE_CERT);
	struct err e = ERR_INIT;

	must(key_load(key, NULL, &f->key, &e), &e);
	must(cert_load(cert, &f->cert, &e), &e);
}

/* The signature stays, the name of who made it changes. */
static void claim(struct buf *entry, const X509 *is, const char *as_dir) {
	struct forger as = {0};
	size_t len;
	uint8_t *at = memmem(entry->data, entry->len, cert_ski(is, &len), 20);

	forger_load(&as, as_dir);
	if (at == NULL)
		usage();
	memcpy(at, cert_ski(as.cert, &len), 20);
	EVP_PKEY_free(as.key);
	X509_free(as.cert);
}

/* The ledger as it was at this size, for what is signed by it (what was seen, the epoch), until the rollback. */
static void go_back(const struct gate *g, size_t size) {
	struct db *d = state_db(g->state);
	struct err e = ERR_INIT;

	must(db_begin(d, &e), &e);
	must(db_run(d, &e, "DELETE FROM ledger_entries WHERE n >= ?", "i", (int64_t)size), &e);
	must(db_run(d, &e, "DELETE FROM ledger_epochs WHERE n >= ?", "i", (int64_t)size), &e);
	must(ledger_reload(g->ledger, &e), &e);
}

static void forge(struct gate *g, enum event_op op, char **argv, int argc) {
	OWN(ledger_file_wipe) struct ledger_file base = {0};
	struct memgate view = {.ledger = g->ledger};
	OWN(buf_wipe) struct buf entry = {0};
	struct ledger_signer by = {.now_s = clock_now_s() - (argc > 2 ? strtol(argv[2], NULL, 10) : 0)};
	size_t at = argc > 3 && *argv[3] != '\0' ? strtoul(argv[3], NULL, 10) : g->log.n;
	struct memgate_step step;
	struct err e = ERR_INIT;
	struct forger f = {0};

	forger_load(&f, argv[0]);
	by.key = f.key;
	by.cert = f.cert;
	go_back(g, at);
	if (op != EVENT_PUT)
		must(ledger_find(g->ledger, argv[1], &base, &e), &e);
	memgate_step(&view, op, argv[1], op != EVENT_PUT ? &base : NULL, &step);
	must(ledger_change(g->ledger, &step.c, &by, &entry, &e), &e);
	db_rollback(state_db(g->state));
	if (argc > 4)
		claim(&entry, f.cert, argv[4]);
	rawlog_insert(&g->log, at, &entry);
	EVP_PKEY_free(f.key);
	X509_free(f.cert);
}

static bool is(const char *word, const char *what, int argc, int want) {
	return strcmp(word, what) == 0 && argc >= want;
}

static void change(struct gate *g, const char *what, char **argv, int argc) {
	size_t a = argc > 0 ? strtoul(argv[0], NULL, 10) : 0, b = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	if (is(what, "drop", argc, 1) && a < g->log.n)
		rawlog_drop(&g->log, a);
	else if (is(what, "swap", argc, 2) && a < g->log.n && b < g->log.n)
		rawlog_swap(&g->log, a, b);
	else if (is(what, "edit", argc, 2) && a < g->log.n)
		edit(g, a, argv[1]);
	else if (is(what, "put", argc, 2))
		forge(g, EVENT_PUT, argv, argc);
	else if (is(what, "replace", argc, 2))
		forge(g, EVENT_REPLACE, argv, argc);
	else if (is(what, "remove", argc, 2))
		forge(g, EVENT_REMOVE, argv, argc);
	else if (is(what, "cut", argc, 1))
		while (g->log.n > a)
			rawlog_drop(&g->log, g->log.n - 1);
	else
		usage();
}

int main(int argc, char **argv) {
	struct gate g = {0};

	if (argc < 3)
		usage();
	gate_open(&g, argv[1]);
	if (strcmp(argv[2], "list") == 0) {
		list(&g);
	} else {
		change(&g, argv[2], argv + 3, argc - 3);
		gate_save(&g);
	}
	gate_close(&g);
	return EXIT_SUCCESS;
}
