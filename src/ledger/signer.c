/* SPDX-License-Identifier: Apache-2.0 */
/* Whose signatures count: certificates that member events brought. */
#include "ledger/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "pki/cert.h"
#include "pki/ossl.h"

#define CACHE_MAX 1024 /* parsed certificates have about 6 KiB each; larger groups pay a look-up */

void signer_free(struct signer *s) {
	if (s == NULL)
		return;
	X509_free(s->cert);
	free(s);
}

OWN_DEFINE(signer, struct signer, signer_free)

/* Everything but chain and purpose. */
static int describe(X509 *cert, struct signer *s, struct err *e) {
	OWN(own_free) char *name = NULL;
	const uint8_t *ski;
	size_t len;
	int r;

	if (X509_up_ref(cert) != 1)
		return ossl_err(e, ERR_FAIL, "ledger: certificate");
	s->cert = cert;
	if ((ski = cert_ski(cert, &len)) == NULL || len != SKI_LEN)
		return err_set(
		    e, ERR_DAMAGED, "certificate: RFC 5280 4.2.1.2: no subject key identifier of %d bytes", SKI_LEN);
	memcpy(s->ski, ski, SKI_LEN);
	if ((r = cert_name(cert, &name, e)) != 0)
		return r;
	memcpy(s->name, name, strlen(name) + 1);
	cert_sha256(cert, s->sha256);
	s->serial_len = cert_serial(cert, s->serial);
	return 0;
}

int signer_make(const struct chain *chain, X509 *cert, struct signer **out, struct err *e) {
	OWN(own_signer) struct signer *s = xcalloc(1, sizeof *s);
	int r;

	*out = NULL;
	s->gateway = chain_check(chain, cert, PURPOSE_SERVER, NULL) == VERDICT_GOOD;
	if (!s->gateway && chain_check(chain, cert, PURPOSE_SIGNER, e) != VERDICT_GOOD)
		return err_recode(e, ERR_DAMAGED);
	if ((r = describe(cert, s, e)) != 0)
		return r;
	*out = s;
	s = NULL;
	return 0;
}

static struct signer **bucket(struct ledger *l, const uint8_t *ski) {
	return &l->signers[ski[0]];
}

static void keep(struct ledger *l, struct signer *s) {
	struct signer **b = bucket(l, s->ski);

	s->next = *b;
	*b = s;
	l->n_signers++;
}

void signers_flush(struct ledger *l) {
	for (size_t i = 0; i < SIGNER_BUCKETS; i++)
		while (l->signers[i] != NULL) {
			struct signer *s = l->signers[i];

			l->signers[i] = s->next;
			signer_free(s);
		}
	l->n_signers = 0;
}

void signers_trim(struct ledger *l) {
	if (l->n_signers > CACHE_MAX)
		signers_flush(l);
}

/* The chain keeps a parsed copy of what it found good, and every synchronisation asks for the same few. Whether it is
 * revoked stands in the tables, and is asked there each time. */
static int parse_stored(const struct chain *chain, const uint8_t *der, size_t len, X509 **cert, struct err *e) {
	uint8_t hash[32];

	ossl_sha256(der, len, hash);
	*cert = chain_known(chain, hash);
	return *cert != NULL ? 0 : cert_parse(der, len, cert, e);
}

/* What the tables know was checked when it was stored. */
static int load(struct ledger *l, struct db_rows *rows, struct signer **out, struct err *e) {
	OWN(own_signer) struct signer *s = xcalloc(1, sizeof *s);
	OWN(own_x509) X509 *cert = NULL;
	const uint8_t *der;
	size_t len;

	der = db_blob(rows, 0, &len);
	if (parse_stored(l->chain, der, len, &cert, e) != 0 || describe(cert, s, e) != 0)
		return err_add(e, "ledger: stored certificate");
	s->gateway = db_int(rows, 1) != 0;
	s->seen = (uint64_t)db_int(rows, 2);
	s->revoked = db_int(rows, 3) != 0;
	keep(l, *out = s);
	s = NULL;
	return 0;
}

int signers_find(struct ledger *l, const uint8_t ski[static SKI_LEN], struct signer **out, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int r;

	for (struct signer *s = *bucket(l, ski); s != NULL; s = s->next)
		if (memcmp(s->ski, ski, SKI_LEN) == 0) {
			*out = s;
			return 0;
		}
	*out = NULL;
	if ((r = db_query(l->db, &rows, e,
		 "SELECT e.cert, s.gateway, s.seen,"
		 " EXISTS (SELECT 1 FROM ledger_revoked r WHERE r.serial = s.serial)"
		 " FROM ledger_signers s JOIN ledger_entries e ON e.n = s.n WHERE s.ski = ?",
		 "b", ski, (size_t)SKI_LEN)) != 0 ||
	    (r = db_row(&rows, e)) <= 0)
		return r;
	return load(l, &rows, out, e);
}

int signers_add(struct ledger *l, struct signer *s, uint64_t index, struct err *e) {
	keep(l, s);
	return db_run(l->db, e,
	    "INSERT INTO ledger_signers (ski, n, serial, name, gateway, seen) VALUES (?, ?, ?, ?, ?, 0)", "bibsi",
	    s->ski, (size_t)SKI_LEN, (int64_t)index, s->serial, s->serial_len, s->name, (int64_t)s->gateway);
}

int signers_saw(struct ledger *l, struct signer *s, uint64_t seen, struct err *e) {
	if (seen == s->seen)
		return 0;
	s->seen = seen;
	return db_run(
	    l->db, e, "UPDATE ledger_signers SET seen = ? WHERE ski = ?", "ib", (int64_t)seen, s->ski, (size_t)SKI_LEN);
}

int signers_refresh(struct ledger *l, struct err *e) {
	int r = 0;

	for (size_t i = 0; i < SIGNER_BUCKETS && r == 0; i++)
		for (struct signer *s = l->signers[i]; s != NULL && r == 0; s = s->next)
			if (!s->revoked)
				r = ledger_is_revoked(l, s->serial, s->serial_len, &s->revoked, e);
	return r;
}

/* A member who was here before is known in memory, and signers_refresh keeps that up to date: of a million serial numbers none is looked for. */
int ledger_was_revoked(struct ledger *l, const X509 *cert, bool *yes, struct err *e) {
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(cert, serial), ski_len;
	const uint8_t *ski = cert_ski(cert, &ski_len);

	if (ski != NULL && ski_len == SKI_LEN)
		for (const struct signer *s = *bucket(l, ski); s != NULL; s = s->next)
			if (s->serial_len == len && memcmp(s->serial, serial, len) == 0) {
				*yes = s->revoked;
				return 0;
			}
	return ledger_is_revoked(l, serial, len, yes, e);
}

int ledger_has_signer(struct ledger *l, const X509 *cert, bool *yes, struct err *e) {
	struct signer *s;
	uint8_t hash[32];
	const uint8_t *ski;
	size_t len;
	int r;

	*yes = false;
	if ((ski = cert_ski(cert, &len)) == NULL || len != SKI_LEN)
		return err_set(
		    e, ERR_REFUSED, "certificate: RFC 5280 4.2.1.2: no subject key identifier of %d bytes", SKI_LEN);
	if ((r = signers_find(l, ski, &s, e)) != 0 || s == NULL)
		return r;
	cert_sha256(cert, hash);
	if (memcmp(hash, s->sha256, sizeof hash) != 0)
		return err_set(e, ERR_REFUSED, "certificate: another one with the same key is known");
	*yes = true;
	return 0;
}

int ledger_count_members(struct ledger *l, uint64_t *n, struct err *e) {
	int64_t v = 0;
	int r = db_get_int(l->db, e, &v,
	    "SELECT COUNT(DISTINCT name) FROM ledger_signers WHERE gateway = 0"
	    " AND serial NOT IN (SELECT serial FROM ledger_revoked)",
	    "");

	*n = (uint64_t)v;
	return r;
}
