/* SPDX-License-Identifier: Apache-2.0 */
/* Writes into the current folder what a gateway answers to two members with an EC and an RSA key, and what stock tools need to read it:
 * ca.pem, ec.pem, ec.key, ec.p7, rsa.pem ..., and expected ("KEY KEYID" in hexadecimal, newest epoch first). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "keyring/keyring.h"
#include "lib/fixture.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

#define EPOCHS 3

static int save_cert(const char *path, const X509 *cert, struct err *e) {
	OWN(buf_wipe) struct buf pem = {0};
	int r = cert_pem(cert, &pem, e);
	return r == 0 ? file_save(path, pem.data, pem.len, 0600, e) : r;
}

static int save_expected(const struct keyring *k, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	char key[2 * GROUP_KEY_LEN + 1], id[KEY_ID_HEX];

	for (size_t i = 0; i < k->n; i++) {
		text_hex(k->v[i].key.data, GROUP_KEY_LEN, key);
		text_hex(k->v[i].key_id, KEY_ID_LEN, id);
		buf_addf(&text, "%s %s\n", key, id);
	}
	return file_save("expected", text.data, text.len, 0600, e);
}

static int save_member(const struct fixture *f, const struct keyring *k, const char *name, const char *spec, struct err *e) {
	OWN(fixture_id_wipe) struct fixture_id id = {0};
	OWN(own_free) char *cert = xasprintf("%s.pem", name), *key = xasprintf("%s.key", name), *reply = xasprintf("%s.p7", name);
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(buf_wipe) struct buf der = {0};
	const struct secret no_pass = {0};
	const struct signed_make by = { .key = f->gateway.key, .cert = f->gateway.cert, .nonce = (const uint8_t *)"0123456789abcdef",
		.nonce_len = 16, .time_s = f->now_s };
	int r;

	fixture_issue(&f->ca, ROLE_MEMBER, name, spec, f->now_s - PROFILE_SKEW_S, f->now_s + FIXTURE_DAY_S, &id);
	if ((r = save_cert(cert, id.cert, e)) != 0 || (r = key_save_new(key, id.key, &no_pass, e)) != 0
	    || (r = keyring_seal(k, &id.cert, 1, 0, &sealed, e)) != 0
	    || (r = keyring_reply_make(sealed.data, sealed.len, &by, &der, e)) != 0)
		return r;
	return file_save(reply, der.data, der.len, 0600, e);
}

static int write_all(struct err *e) {
	OWN(fixture_wipe) struct fixture f;
	OWN(keyring_wipe) struct keyring k = { .group = xstrdup("0123456789abcdef0123456789abcdef") }; /* looks like a key id */
	int r;

	fixture_init(&f);
	for (int i = 0; i < EPOCHS; i++)
		if ((r = keyring_rotate(&k, f.now_s - EPOCHS + i, e)) != 0)
			return r;
	if ((r = save_cert("ca.pem", f.ca.cert, e)) != 0 || (r = save_expected(&k, e)) != 0 || (r = save_member(&f, &k, "ec", NULL, e)) != 0)
		return r;
	return save_member(&f, &k, "rsa", "rsa:3072", e);
}

int main(void) {
	struct err e = ERR_INIT;

	if (write_all(&e) == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "%s\n", e.text);
	return EXIT_FAILURE;
}
