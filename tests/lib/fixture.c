/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/der.h"
#include "base/own.h"
#include "base/secret.h"
#include "pki/key.h"

#define HOUR_S 3600

static void must(int rc, const struct err *e) {
	if (rc < 0) {
		fprintf(stderr, "fixture: %s\n", e->text);
		abort();
	}
}

static void must_hold(int ok, const char *what) {
	struct err e = ERR_INIT;

	must(ok ? 0 : err_set(&e, ERR_FAIL, "%s", what), &e);
}

void fixture_id_wipe(struct fixture_id *id) {
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	*id = (struct fixture_id){0};
}

void fixture_ca(const char *group, const char *spec, struct fixture_id *out) {
	struct err e = ERR_INIT;
	int64_t now = clock_now_s();

	must(key_make(spec, &out->key, &e), &e);
	must(profile_ca(out->key, group, now - FIXTURE_DAY_S, now + 3650 * FIXTURE_DAY_S, &out->cert, &e), &e);
}

void fixture_issue(const struct fixture_id *ca, enum role role, const char *name, const char *spec, int64_t not_before_s, int64_t not_after_s,
    struct fixture_id *out) {
	struct profile_request r = {
	    .role = role,
	    .name = name,
	    .san = role == ROLE_GATEWAY ? "DNS:localhost,IP:127.0.0.1" : NULL,
	    .not_before_s = not_before_s,
	    .not_after_s = not_after_s,
	};
	struct err e = ERR_INIT;

	must(random_bytes(r.serial, sizeof r.serial, &e), &e);
	must(key_make(spec, &out->key, &e), &e);
	must(profile_issue(ca->key, ca->cert, out->key, &r, &out->cert, &e), &e);
}

void fixture_member(const struct fixture *f, const char *name, struct fixture_id *out) {
	fixture_issue(&f->ca, ROLE_MEMBER, name, NULL, f->now_s - PROFILE_SKEW_S, f->now_s + 90 * FIXTURE_DAY_S, out);
}

void fixture_init(struct fixture *f) {
	struct err e = ERR_INIT;
	int64_t now = clock_now_s(), from = now - PROFILE_SKEW_S, to = now + 90 * FIXTURE_DAY_S;

	*f = (struct fixture){.now_s = now};
	fixture_ca("lab", NULL, &f->ca);
	fixture_ca("lab", NULL, &f->foreign_ca);
	fixture_member(f, "alice", &f->alice);
	fixture_member(f, "bob", &f->bob);
	fixture_issue(&f->ca, ROLE_ADMIN, "officer", NULL, from, to, &f->admin);
	fixture_issue(&f->ca, ROLE_GATEWAY, "gw", NULL, from, to, &f->gateway);
	fixture_issue(&f->foreign_ca, ROLE_MEMBER, "alice", NULL, from, to, &f->foreign);
	fixture_issue(&f->foreign_ca, ROLE_GATEWAY, "gw", NULL, from, to, &f->foreign_gateway);
	fixture_issue(&f->ca, ROLE_MEMBER, "eve", NULL, now - FIXTURE_DAY_S, now - HOUR_S, &f->expired);
	fixture_issue(&f->ca, ROLE_MEMBER, "adam", NULL, now + HOUR_S, to, &f->early);
	must(chain_new(f->ca.cert, &f->chain, &e), &e);
}

void fixture_wipe(struct fixture *f) {
	struct fixture_id *ids[] = {&f->ca, &f->alice, &f->bob, &f->admin, &f->gateway, &f->foreign_ca, &f->foreign, &f->foreign_gateway,
	    &f->expired, &f->early};

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		fixture_id_wipe(ids[i]);
	chain_free(f->chain);
	f->chain = NULL;
}

void fixture_sign_body(EVP_PKEY *key, const EVP_MD *md, const X509_ALGOR *alg, const uint8_t *body, size_t len, struct buf *der) {
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t bits[1 + 1024] = {0}; /* no unused bits */
	size_t bits_len = sizeof bits - 1, mark = der->len;
	unsigned char *alg_der = NULL;
	int alg_len = i2d_X509_ALGOR(alg, &alg_der);

	must_hold(alg_len > 0 && ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
		EVP_DigestSign(ctx, bits + 1, &bits_len, body, len) == 1,
	    "cannot sign");
	EVP_MD_CTX_free(ctx);
	buf_add(der, body, len);
	buf_add(der, alg_der, (size_t)alg_len);
	OPENSSL_free(alg_der);
	der_put(der, DER_BIT_STRING, bits, 1 + bits_len);
	der_wrap(der, mark, DER_SEQUENCE);
}

/* Newer libraries sign no certificate that has extensions but is not of version 3: they mend its version. */
static void sign_as_it_is(X509 *cert, EVP_PKEY *key, const EVP_MD *md, struct buf *der) {
	long version = X509_get_version(cert);
	unsigned char *body = NULL;
	int len;

	must_hold(X509_sign(cert, key, md) > 0 && X509_set_version(cert, version) == 1, "cannot sign anew");
	must_hold((len = i2d_re_X509_tbs(cert, &body)) > 0, "cannot encode");
	fixture_sign_body(key, md, X509_get0_tbs_sigalg(cert), body, (size_t)len, der);
	OPENSSL_free(body);
}

X509 *fixture_tamper(const X509 *cert, const struct fixture_id *ca, const EVP_MD *md, void (*change)(X509 *cert)) {
	X509 *copy = X509_dup(cert), *again = NULL;
	OWN(buf_wipe) struct buf der = {0};

	must_hold(copy != NULL, "cannot copy a certificate");
	if (change != NULL)
		change(copy);
	sign_as_it_is(copy, ca->key, md == NULL ? key_digest(ca->key) : md, &der);
	/* Through DER: what OpenSSL keeps beside an object must not outlive the change. */
	const unsigned char *p = der.data;
	must_hold((again = d2i_X509(NULL, &p, (long)der.len)) != NULL, "cannot read it again");
	X509_free(copy);
	return again;
}

void fixture_set_ext(X509 *cert, int nid, const char *value) {
	X509V3_CTX ctx;
	int at = X509_get_ext_by_NID(cert, nid, -1);

	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(cert, at));
	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must_hold(ext != NULL && X509_add_ext(cert, ext, -1) == 1, "cannot add an extension");
	X509_EXTENSION_free(ext);
}
