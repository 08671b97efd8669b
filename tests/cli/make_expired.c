/* SPDX-License-Identifier: Apache-2.0 */
/* Writes into the current folder two files that a member sealed whose certificate ended an hour ago: "in-time", signed two hours ago, and
 * "too-late", signed now; and what is needed to open them: expired.ca, expired.crl, expired.keys (the group's key in hex).
 *     make_expired DIR KEY-ID KEY AHEAD OUT
 * instead seals such a file for that group by the member in DIR, whose clock is so many seconds ahead. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "envelope/envelope.h"
#include "lib/fixture.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

#define TWO_HOURS_S 7200

static const char text[] = "the minutes of the meeting\n";

static int read_text(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	const char **left = arg;

	(void)e;
	*got = strlen(*left) < len ? strlen(*left) : len;
	memcpy(data, *left, *got);
	*left += *got;
	return 0;
}

static int add(void *arg, const void *data, size_t len, struct err *e) {
	(void)e;
	buf_add(arg, data, len);
	return 0;
}

static int seal(EVP_PKEY *key, X509 *cert, const struct keyring *k, const char *path, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	OWN(buf_wipe) struct buf sealed = {0};
	const char *left = text;
	struct source in = { .arg = &left, .read = read_text };
	struct sink out = { .arg = &sealed, .write = add };
	struct envelope_seal s = { .epoch = keyring_current(k), .group = "lab", .name = "minutes", .version = 1,
				   .key = key, .cert = cert };
	int rc = envelope_seal(&s, &in, &out, &r, e);

	return rc == 0 ? file_save(path, sealed.data, sealed.len, 0600, e) : rc;
}

static int save_rest(const struct fixture *f, const struct keyring *k, struct err *e) {
	OWN(buf_wipe) struct buf pem = {0};
	OWN(buf_wipe) struct buf crl = {0};
	char key[2 * GROUP_KEY_LEN + 1];
	int r;

	fixture_crl(f, 1, NULL, 0, 0, &crl);
	text_hex(keyring_current(k)->key.data, GROUP_KEY_LEN, key);
	if ((r = cert_pem(f->ca.cert, &pem, e)) != 0 || (r = file_save("expired.ca", pem.data, pem.len, 0600, e)) != 0 ||
	    (r = file_save("expired.crl", crl.data, crl.len, 0600, e)) != 0)
		return r;
	return file_save("expired.keys", key, sizeof key - 1, 0600, e);
}

static int write_all(struct err *e) {
	OWN(fixture_wipe) struct fixture f;
	OWN(keyring_wipe) struct keyring k = { .group = xstrdup("lab") };
	int r;

	fixture_init(&f);
	if ((r = keyring_rotate(&k, f.now_s - FIXTURE_DAY_S, e)) != 0 || (r = save_rest(&f, &k, e)) != 0 ||
	    (r = seal(f.expired.key, f.expired.cert, &k, "too-late", e)) != 0)
		return r;
	clock_shift_s(-TWO_HOURS_S);
	return seal(f.expired.key, f.expired.cert, &k, "in-time", e);
}

static int write_ahead(char *const arg[static 5], struct err *e) {
	OWN(own_free) char *key_path = file_join(arg[0], "key.pem"), *cert_path = file_join(arg[0], "cert.pem");
	OWN(keyring_wipe) struct keyring k = { .group = xstrdup("lab") };
	uint8_t bytes[GROUP_KEY_LEN];
	uint64_t ahead_s;
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(own_x509) X509 *cert = NULL;
	int r;

	if ((r = keyring_rotate(&k, clock_now_s(), e)) != 0 || (r = key_load(key_path, NULL, &key, e)) != 0 ||
	    (r = cert_load(cert_path, &cert, e)) != 0 || (r = text_unhex(arg[1], k.v[0].key_id, KEY_ID_LEN, e)) != 0 ||
	    (r = text_unhex(arg[2], bytes, sizeof bytes, e)) != 0 || (r = text_u64(arg[3], FIXTURE_DAY_S, &ahead_s, e)) != 0)
		return r;
	memcpy(k.v[0].key.data, bytes, sizeof bytes);
	clock_shift_s((int64_t)ahead_s);
	return seal(key, cert, &k, arg[4], e);
}

int main(int argc, char **argv) {
	struct err e = ERR_INIT;
	int r = argc == 6 ? write_ahead(argv + 1, &e) : write_all(&e);

	if (r != 0)
		(void)fprintf(stderr, "make_expired: %s\n", e.text);
	return err_status(r);
}
