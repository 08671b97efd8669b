/* SPDX-License-Identifier: Apache-2.0 */
/* pki/crl: revocation lists, made and taken as a set. */
#include "pki/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "lib/fixture.h"
#include "lib/suite.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

static struct fixture f;

static void set_up(void) {
	fixture_init(&f);
}

static void tear_down(void) {
	fixture_wipe(&f);
}

struct crl_owner { struct crl_set *set; };

static void owner_wipe(struct crl_owner *o) {
	crl_set_free(o->set);
}

/* --- entries from an array --- */

struct list { const struct crl_entry *v; size_t n, at; };

static int next_entry(void *arg, struct crl_entry *entry, struct err *e) {
	struct list *l = arg;
	(void)e;
	if (l->at == l->n)
		return 0;
	*entry = l->v[l->at++];
	return 1;
}

static int make(const struct fixture_id *ca, uint64_t number, const struct crl_entry *v, size_t n, struct buf *der, struct err *e) {
	struct list l = { v, n, 0 };
	return crl_make(&(struct crl_make){ca->key, ca->cert, number, f.now_s - 60, f.now_s + FIXTURE_DAY_S, next_entry, &l}, der, e);
}

static void must_make(const struct fixture_id *ca, uint64_t number, const struct crl_entry *v, size_t n, struct buf *der) {
	struct err e = ERR_INIT;
	ck_assert_msg(make(ca, number, v, n, der, &e) == 0, "%s", e.text);
}

static struct crl_entry entry(const char *serial, size_t len, int64_t revoked_s, int reason) {
	struct crl_entry x = { .serial_len = len, .revoked_s = revoked_s, .reason = reason };
	memcpy(x.serial, serial, len);
	return x;
}

static void three(struct crl_entry v[static 3]) {
	v[0] = entry("\x7f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13", 20, f.now_s, CRL_KEY_COMPROMISE);
	v[1] = entry("\x05", 1, f.now_s - 10, CRL_UNSPECIFIED);
	v[2] = entry("\x81\x00", 2, f.now_s - 20, CRL_SUPERSEDED);
}

/* --- what is made is taken --- */

START_TEST(a_list_round_trips_with_every_kind_of_ca_key) {
	static const char *const specs[] = { "ec:P-256", "ec:P-384", "rsa:2048" };

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		OWN(fixture_id_wipe) struct fixture_id ca = {0};
		OWN(buf_wipe) struct buf der = {0};
		OWN(owner_wipe) struct crl_owner o = {0};
		struct err e = ERR_INIT;
		struct crl_entry v[3];
		uint8_t hash[32];

		fixture_ca("lab", specs[i], &ca);
		three(v);
		must_make(&ca, 7, v, 3, &der);
		ck_assert_msg(crl_set_make(der.data, der.len, ca.cert, &o.set, &e) == 0, "%s", e.text);
		ck_assert_uint_eq(crl_set_number(o.set), 7);
		ck_assert_uint_eq(crl_set_count(o.set), 3);
		ck_assert_int_eq(crl_set_this_update(o.set), f.now_s - 60);
		ck_assert_int_eq(crl_set_next_update(o.set), f.now_s + FIXTURE_DAY_S);
		ossl_sha256(der.data, der.len, hash);
		ck_assert_mem_eq(crl_set_sha256(o.set), hash, 32);
	}
} END_TEST

START_TEST(listed_serials_are_found_with_date_and_reason) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(owner_wipe) struct crl_owner o = {0};
	struct crl_entry v[3];

	three(v);
	must_make(&f.ca, 1, v, 3, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &o.set, NULL), 0);
	for (int i = 0; i < 3; i++) {
		int64_t when;
		int reason;
		ck_assert(crl_set_has(o.set, v[i].serial, v[i].serial_len, &when, &reason));
		ck_assert_int_eq(when, v[i].revoked_s);
		ck_assert_int_eq(reason, v[i].reason);
	}
} END_TEST

START_TEST(other_serials_are_not_found) {
	static const uint8_t others[][3] = { { 4 }, { 6 }, { 0x80, 0xff }, { 0x81, 0x01 }, { 0x00, 0x01, 0x05 }, { 0x05, 0x00 }, { 0 } };
	static const size_t lens[] = { 1, 1, 2, 2, 3, 2, 1 };
	OWN(buf_wipe) struct buf der = {0};
	OWN(owner_wipe) struct crl_owner o = {0};
	struct crl_entry v[3];
	static const uint8_t long_serial[SERIAL_MAX + 1] = { 1 };

	three(v);
	must_make(&f.ca, 1, v + 1, 2, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &o.set, NULL), 0);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		ck_assert(!crl_set_has(o.set, others[i], lens[i], NULL, NULL));
	ck_assert(!crl_set_has(o.set, v[0].serial, v[0].serial_len, NULL, NULL));
	ck_assert(!crl_set_has(o.set, long_serial, sizeof(long_serial), NULL, NULL));
	ck_assert(!crl_set_has(o.set, long_serial, 0, NULL, NULL));
} END_TEST

/* The set is as wide as its longest serial number; a longer one that ends in the same octets is another one. */
START_TEST(a_longer_serial_with_the_same_end_is_not_found) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(owner_wipe) struct crl_owner o = {0};
	const struct crl_entry one = { .serial = { 5 }, .serial_len = 1, .revoked_s = f.now_s };
	uint8_t serial[SERIAL_MAX] = { 1 };

	must_make(&f.ca, 1, &one, 1, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &o.set, NULL), 0);
	for (size_t len = 2; len <= sizeof serial; len++) {
		serial[len - 2] = 1;
		serial[len - 1] = 5;
		ck_assert(!crl_set_has(o.set, serial, len, NULL, NULL));
	}
	ck_assert(crl_set_has(o.set, one.serial, 1, NULL, NULL));
} END_TEST

START_TEST(certificates_are_found_by_their_serial) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(owner_wipe) struct crl_owner o = {0};

	fixture_crl(&f, 3, &f.bob.cert, 1, CRL_KEY_COMPROMISE, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &o.set, NULL), 0);
	ck_assert(crl_set_has_cert(o.set, f.bob.cert));
	ck_assert(!crl_set_has_cert(o.set, f.alice.cert));
} END_TEST

START_TEST(an_empty_list_revokes_nobody) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(owner_wipe) struct crl_owner o = {0};

	must_make(&f.ca, 1, NULL, 0, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &o.set, NULL), 0);
	ck_assert_uint_eq(crl_set_count(o.set), 0);
	ck_assert(!crl_set_has_cert(o.set, f.alice.cert));
} END_TEST

START_TEST(many_entries_in_any_order_are_all_found) {
	enum { N = 5000 };
	static struct crl_entry v[N];
	OWN(buf_wipe) struct buf der = {0};
	OWN(owner_wipe) struct crl_owner o = {0};

	for (size_t i = 0; i < N; i++) {
		v[i] = (struct crl_entry){ .serial_len = 16, .revoked_s = f.now_s, .reason = CRL_UNSPECIFIED };
		ck_assert_int_eq(random_bytes(v[i].serial, 16, NULL), 0);
		v[i].serial[0] |= 1;
	}
	must_make(&f.ca, 1, v, N, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &o.set, NULL), 0);
	for (size_t i = 0; i < N; i++)
		ck_assert(crl_set_has(o.set, v[i].serial, v[i].serial_len, NULL, NULL));
} END_TEST

struct seen { uint8_t last[8]; size_t n; };

static int note(void *arg, const struct crl_entry *x, struct err *e) {
	struct seen *s = arg;
	if (s->n == sizeof(s->last))
		return err_set(e, ERR_FAIL, "enough");
	s->last[s->n++] = x->serial[x->serial_len - 1];
	return 0;
}

START_TEST(newly_listed_serials_come_in_ascending_order) {
	OWN(buf_wipe) struct buf before = {0};
	OWN(buf_wipe) struct buf after = {0};
	OWN(owner_wipe) struct crl_owner old = {0};
	OWN(owner_wipe) struct crl_owner now = {0};
	const struct crl_entry a[] = { entry("\x09", 1, f.now_s, 0), entry("\x03", 1, f.now_s, 0), entry("\x30", 1, f.now_s, 0) };
	const struct crl_entry b[] = { entry("\x07", 1, f.now_s, 1), entry("\x09", 1, f.now_s, 0), entry("\x01\x05", 2, f.now_s, 0),
		entry("\x02", 1, f.now_s, 0), entry("\x03", 1, f.now_s, 0) };
	struct seen s = {0}, all = {0};

	must_make(&f.ca, 1, a, 3, &before);
	must_make(&f.ca, 2, b, 5, &after);
	ck_assert_int_eq(crl_set_make(before.data, before.len, f.ca.cert, &old.set, NULL), 0);
	ck_assert_int_eq(crl_set_make(after.data, after.len, f.ca.cert, &now.set, NULL), 0);
	ck_assert_int_eq(crl_set_new(old.set, now.set, note, &s, NULL), 0);
	ck_assert_uint_eq(s.n, 3);
	ck_assert_mem_eq(s.last, "\x02\x07\x05", 3);
	ck_assert_int_eq(crl_set_new(NULL, now.set, note, &all, NULL), 0);
	ck_assert_uint_eq(all.n, 5);
} END_TEST

START_TEST(an_error_of_the_callback_ends_the_walk) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(owner_wipe) struct crl_owner o = {0};
	struct crl_entry v[3];
	struct seen full = { .n = 8 };

	three(v);
	must_make(&f.ca, 1, v, 3, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &o.set, NULL), 0);
	ck_assert_int_eq(crl_set_new(NULL, o.set, note, &full, NULL), ERR_FAIL);
} END_TEST

START_TEST(references_keep_a_set_alive) {
	OWN(buf_wipe) struct buf der = {0};
	struct crl_set *set, *other;

	must_make(&f.ca, 9, NULL, 0, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &set, NULL), 0);
	other = crl_set_ref(set);
	crl_set_free(set);
	ck_assert_uint_eq(crl_set_number(other), 9);
	crl_set_free(other);
	crl_set_free(NULL);
} END_TEST

START_TEST(the_number_is_read_before_any_signature) {
	OWN(buf_wipe) struct buf der = {0};
	uint64_t number = 0;

	must_make(&f.foreign_ca, INT64_MAX, NULL, 0, &der);
	ck_assert_int_eq(crl_peek_number(der.data, der.len, &number, NULL), 0);
	ck_assert_uint_eq(number, INT64_MAX);
	ck_assert_int_eq(crl_peek_number(der.data, der.len - 1, &number, NULL), ERR_DAMAGED);
} END_TEST

START_TEST(whose_list_it_is_is_read_before_any_signature) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf foreign = {0};

	must_make(&f.ca, 1, NULL, 0, &der);
	must_make(&f.foreign_ca, 1, NULL, 0, &foreign);
	ck_assert(crl_peek_is_of(der.data, der.len, f.ca.cert));
	ck_assert(!crl_peek_is_of(foreign.data, foreign.len, f.ca.cert));
	ck_assert(!crl_peek_is_of(der.data, der.len, f.foreign_ca.cert));
	ck_assert(!crl_peek_is_of(der.data, der.len - 1, f.ca.cert));
	ck_assert(!crl_peek_is_of(der.data, 0, f.ca.cert));
} END_TEST

START_TEST(pem_and_der_are_the_same_list) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf pem = {0};
	OWN(buf_wipe) struct buf from_pem = {0};
	OWN(buf_wipe) struct buf from_der = {0};

	must_make(&f.ca, 1, NULL, 0, &der);
	ck_assert_int_eq(crl_pem(der.data, der.len, &pem, NULL), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&pem), "-----BEGIN X509 CRL-----\n"));
	ck_assert_int_eq(crl_der(pem.data, pem.len, &from_pem, NULL), 0);
	ck_assert_int_eq(crl_der(der.data, der.len, &from_der, NULL), 0);
	ck_assert_uint_eq(from_pem.len, der.len);
	ck_assert_mem_eq(from_pem.data, der.data, der.len);
	ck_assert_uint_eq(from_der.len, der.len);
	buf_adds(&pem, "-----BEGIN X509 CRL-----\n");
	ck_assert_int_ne(crl_der(pem.data, pem.len, &from_pem, NULL), 0);
} END_TEST

START_TEST(openssl_reads_and_verifies_the_list) {
	OWN(buf_wipe) struct buf der = {0};
	struct crl_entry v[3];
	X509_REVOKED *found;

	three(v);
	must_make(&f.ca, 77, v, 3, &der);
	const unsigned char *p = der.data;
	OWN(own_x509_crl) X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
	ck_assert_ptr_nonnull(crl);
	ck_assert_ptr_eq(p, der.data + der.len);
	ck_assert_int_eq(X509_CRL_verify(crl, X509_get0_pubkey(f.ca.cert)), 1);
	ck_assert_int_eq(X509_CRL_get_version(crl), 1);
	ck_assert_int_eq(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 3);
	unsigned char *again = NULL;
	ck_assert_int_eq(i2d_X509_CRL(crl, &again), (int)der.len);
	ck_assert_mem_eq(again, der.data, der.len);
	OPENSSL_free(again);
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ck_assert_int_eq(ASN1_INTEGER_set(serial, 0x8100), 1);
	ck_assert_int_eq(X509_CRL_get0_by_serial(crl, &found, serial), 1);
	ASN1_INTEGER_free(serial);
} END_TEST

START_TEST(openssl_refuses_the_revoked_certificate_with_it) {
	OWN(buf_wipe) struct buf der = {0};
	fixture_crl(&f, 1, &f.bob.cert, 1, CRL_CESSATION, &der);
	const unsigned char *p = der.data;
	OWN(own_x509_crl) X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
	OWN(own_x509_store) X509_STORE *store = X509_STORE_new();

	ck_assert_int_eq(X509_STORE_add_cert(store, f.ca.cert), 1);
	ck_assert_int_eq(X509_STORE_add_crl(store, crl), 1);
	ck_assert_int_eq(X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT), 1);
	for (int i = 0; i < 2; i++) {
		OWN(own_x509_store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
		ck_assert_int_eq(X509_STORE_CTX_init(ctx, store, i == 0 ? f.alice.cert : f.bob.cert, NULL), 1);
		ck_assert_int_eq(X509_verify_cert(ctx), i == 0);
		ck_assert_int_eq(X509_STORE_CTX_get_error(ctx), i == 0 ? X509_V_OK : X509_V_ERR_CERT_REVOKED);
	}
} END_TEST

START_TEST(reasons_have_names) {
	for (int i = -1; i <= 11; i++) {
		const char *name = crl_reason_name(i);
		ck_assert_int_eq(name == NULL, i < 0 || i == 7 || i == 8 || i > 10);
		if (name != NULL)
			ck_assert_int_eq(crl_reason_parse(name), i);
	}
	ck_assert_int_eq(crl_reason_parse("removeFromCRL"), -1);
	ck_assert_int_eq(crl_reason_parse(""), -1);
	ck_assert_int_eq(crl_reason_parse("keycompromise"), -1);
} END_TEST

/* --- what is not made --- */

START_TEST(bad_entries_make_no_list) {
	const struct crl_entry bad[] = { entry("\0", 1, f.now_s, 0), entry("", 0, f.now_s, 0), entry("\x05", 1, f.now_s, 8), entry("\x05", 1, f.now_s, 77),
		entry("\xff\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01", 20, f.now_s, 0) };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN(buf_wipe) struct buf der = {0};
		ck_assert_int_ne(make(&f.ca, 1, &bad[i], 1, &der, NULL), 0);
		ck_assert_uint_eq(der.len, 0);
	}
} END_TEST

START_TEST(another_key_makes_no_list) {
	struct list l = {0};
	OWN(buf_wipe) struct buf der = {0};

	ck_assert_int_ne(crl_make(&(struct crl_make){f.alice.key, f.ca.cert, 1, f.now_s, f.now_s + 60, next_entry, &l}, &der, NULL), 0);
	ck_assert_int_ne(crl_make(&(struct crl_make){f.ca.key, f.ca.cert, 1, f.now_s, f.now_s, next_entry, &l}, &der, NULL), 0);
	ck_assert_int_ne(crl_make(&(struct crl_make){f.ca.key, f.ca.cert, UINT64_MAX, f.now_s, f.now_s + 60, next_entry, &l}, &der, NULL), 0);
	ck_assert_uint_eq(der.len, 0);
} END_TEST

/* --- what is not taken --- */

static int take(const struct buf *der, struct err *e) {
	OWN(owner_wipe) struct crl_owner o = {0};
	return crl_set_make(der->data, der->len, f.ca.cert, &o.set, e);
}

START_TEST(a_foreign_list_is_refused) {
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;

	must_make(&f.foreign_ca, 1, NULL, 0, &der);
	ck_assert_int_eq(take(&der, &e), ERR_REFUSED);
} END_TEST

static bool takes(void *arg, const uint8_t *data, size_t len) {
	OWN(owner_wipe) struct crl_owner o = {0};
	(void)arg;
	return crl_set_make(data, len, f.ca.cert, &o.set, NULL) == 0;
}

/* What scg-ca does not write but a CA may: every strong hash, with both kinds of key. */
START_TEST(lists_by_openssl_with_every_strong_hash_are_taken) {
	static const char *const specs[] = { "ec:P-256", "rsa:2048" };
	static const char *const digests[] = { "SHA256", "SHA384", "SHA512", "SHA1", "SHA224" };

	for (size_t i = 0; i < 10; i++) {
		OWN(fixture_id_wipe) struct fixture_id ca = {0};
		OWN(buf_wipe) struct buf der = {0};
		OWN(owner_wipe) struct crl_owner o = {0};
		unsigned char *out = NULL;
		int len, r;

		fixture_ca("lab", specs[i % 2], &ca);
		must_make(&ca, 1, NULL, 0, &der);
		const unsigned char *p = der.data;
		OWN(own_x509_crl) X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
		ck_assert_int_gt(X509_CRL_sign(crl, ca.key, EVP_get_digestbyname(digests[i / 2])), 0);
		len = i2d_X509_CRL(crl, &out);
		r = crl_set_make(out, (size_t)len, ca.cert, &o.set, NULL);
		ck_assert_int_eq(r, i / 2 < 3 ? 0 : ERR_DAMAGED);
		OPENSSL_free(out);
	}
} END_TEST

START_TEST(any_change_is_refused) {
	OWN(buf_wipe) struct buf der = {0};
	struct crl_entry v[3];

	three(v);
	must_make(&f.ca, 5, v, 3, &der);
	sweep_refused(der.data, der.len, takes, NULL);
} END_TEST

START_TEST(bytes_behind_the_list_are_refused) {
	OWN(buf_wipe) struct buf der = {0};

	must_make(&f.ca, 5, NULL, 0, &der);
	ck_assert_int_eq(take(&der, NULL), 0);
	buf_addc(&der, 0);
	ck_assert_int_eq(take(&der, NULL), ERR_DAMAGED);
} END_TEST

START_TEST(a_list_above_its_cap_is_not_read) {
	OWN(buf_wipe) struct buf der = {0};
	struct crl_set *set = NULL;
	struct err e = ERR_INIT;

	must_make(&f.ca, 5, NULL, 0, &der);
	/* Looked at would be what lies behind the buffer. */
	ck_assert_int_eq(crl_set_make(der.data, (size_t)CRL_MAX_BYTES + 1, f.ca.cert, &set, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "above 64 MiB"));
	ck_assert_ptr_null(set);
} END_TEST

/* One rule at a time: lists put together by hand and properly signed. */
#define ALG_ECDSA_SHA256 "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define ALG_ECDSA_SHA384 "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"
#define ALG_ECDSA_SHA1 "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"
#define NUMBER "\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"
#define NUMBER_NEGATIVE "\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x85"
#define NUMBER_OF_9_OCTETS "\x30\x12\x06\x03\x55\x1d\x14\x04\x0b\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff"
#define NUMBER_CRITICAL_FALSE "\x30\x0d\x06\x03\x55\x1d\x14\x01\x01\x00\x04\x03\x02\x01\x05"
#define NUMBER_CRITICAL_OF_2_OCTETS "\x30\x0e\x06\x03\x55\x1d\x14\x01\x02\xff\xff\x04\x03\x02\x01\x05"
#define NUMBER_OF_LONGER_OID "\x30\x0b\x06\x04\x55\x1d\x14\x01\x04\x03\x02\x01\x05"
#define DELTA "\x30\x0d\x06\x03\x55\x1d\x1b\x01\x01\xff\x04\x03\x02\x01\x01"
#define PARTIAL "\x30\x0f\x06\x03\x55\x1d\x1c\x01\x01\xff\x04\x05\x30\x03\x81\x01\xff"
#define DELTA_UNCRITICAL "\x30\x0a\x06\x03\x55\x1d\x1b\x04\x03\x02\x01\x01"
#define PARTIAL_UNCRITICAL "\x30\x0c\x06\x03\x55\x1d\x1c\x04\x05\x30\x03\x81\x01\xff"
#define UNKNOWN "\x30\x0b\x06\x03\x55\x1d\x63\x04\x04\x04\x02\x61\x62"
#define UNKNOWN_CRITICAL "\x30\x0e\x06\x03\x55\x1d\x63\x01\x01\xff\x04\x04\x04\x02\x61\x62"
#define DATE "\x17\x0d" "250102030405Z"
#define ENTRY "\x30\x12\x02\x01\x05" DATE
#define ENTRY_EXT(total, exts, content) "\x30" total "\x02\x01\x05" DATE "\x30" exts content
#define BYTES(x) x, sizeof(x) - 1

enum what {
	AS_IT_IS, UNKNOWN_EXTENSION, INVALIDITY_DATE, N_GOOD,
	VERSION_1 = N_GOOD, NO_VERSION, INNER_ALG, OLD_ALG, OTHER_ISSUER, ISSUER_OF_SAME_LENGTH, TBS_TAG,
	NO_NEXT_UPDATE, DATES_SWAPPED, DATE_GENERALIZED, EMPTY_ENTRIES, NO_EXTENSIONS, NO_NUMBER, TWO_NUMBERS,
	NEGATIVE_NUMBER, LONG_NUMBER, DEFAULT_FALSE, TRUE_OF_2_OCTETS, LONGER_OID, NO_AKI, TWO_AKIS, OTHER_AKI,
	LONGER_AKI, DELTA_LIST, PARTIAL_LIST, DELTA_LIST_UNCRITICAL, PARTIAL_LIST_UNCRITICAL, CRITICAL_EXTENSION,
	SERIAL_ZERO, SERIAL_EMPTY, SERIAL_NEGATIVE, SERIAL_PADDED, SERIAL_LONG, SERIAL_TWICE, REASON_UNKNOWN,
	REASON_REMOVE, REASON_TWICE, REASON_LONG, REASON_EMPTY, ENTRY_CRITICAL, ENTRY_BEHIND, UNUSED_BITS,
	NO_SIGNATURE, SIGNED_BY_OTHER, N_WHATS
};

static void put_entries(enum what w, struct buf *b) {
	size_t mark = b->len;
	if (w == SERIAL_ZERO)
		buf_add(b, BYTES("\x30\x12\x02\x01\x00" DATE));
	else if (w == SERIAL_EMPTY)
		buf_add(b, BYTES("\x30\x11\x02\x00" DATE));
	else if (w == SERIAL_NEGATIVE)
		buf_add(b, BYTES("\x30\x12\x02\x01\x85" DATE));
	else if (w == SERIAL_PADDED)
		buf_add(b, BYTES("\x30\x13\x02\x02\x00\x05" DATE));
	else if (w == SERIAL_LONG)
		buf_add(b, BYTES("\x30\x26\x02\x15" "aaaaaaaaaaaaaaaaaaaaa" DATE));
	else if (w == REASON_UNKNOWN)
		buf_add(b, BYTES(ENTRY_EXT("\x20", "\x0c", "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x07")));
	else if (w == REASON_REMOVE)
		buf_add(b, BYTES(ENTRY_EXT("\x20", "\x0c", "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x08")));
	else if (w == REASON_LONG)
		buf_add(b, BYTES(ENTRY_EXT("\x21", "\x0d", "\x30\x0b\x06\x03\x55\x1d\x15\x04\x04\x0a\x02\x01\x01")));
	else if (w == REASON_EMPTY)
		buf_add(b, BYTES(ENTRY_EXT("\x1f", "\x0b", "\x30\x09\x06\x03\x55\x1d\x15\x04\x02\x0a\x00")));
	else if (w == REASON_TWICE)
		buf_add(b, BYTES(ENTRY_EXT("\x2c", "\x18", "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01")));
	else if (w == ENTRY_CRITICAL) /* certificateIssuer, which makes a list indirect */
		buf_add(b, BYTES(ENTRY_EXT("\x21", "\x0d", "\x30\x0b\x06\x03\x55\x1d\x1d\x01\x01\xff\x04\x01\x30")));
	else if (w == INVALIDITY_DATE)
		buf_add(b, BYTES(ENTRY_EXT("\x2e", "\x1a", "\x30\x18\x06\x03\x55\x1d\x18\x04\x11\x18\x0f" "20250102030405Z")));
	else if (w == ENTRY_BEHIND)
		buf_add(b, BYTES("\x30\x14\x02\x01\x05" DATE "\x05\x00"));
	else if (w != EMPTY_ENTRIES)
		buf_add(b, BYTES(ENTRY));
	if (w == SERIAL_TWICE)
		buf_add(b, BYTES(ENTRY));
	der_wrap(b, mark, DER_SEQUENCE);
}

static void put_aki(enum what w, struct buf *b) {
	size_t mark = b->len, len;
	const uint8_t *ski = cert_ski(w == OTHER_AKI ? f.foreign_ca.cert : f.ca.cert, &len);
	buf_add(b, ski, len);
	if (w == LONGER_AKI)
		buf_addc(b, 0);
	der_wrap(b, mark, DER_CTX(0));
	der_wrap(b, mark, DER_SEQUENCE);
	der_wrap(b, mark, DER_OCTET_STRING);
	OWN(buf_wipe) struct buf value = {0};
	buf_add(&value, b->data + mark, b->len - mark);
	b->len = mark;
	der_put(b, DER_OID, "\x55\x1d\x23", 3);
	buf_add(b, value.data, value.len);
	der_wrap(b, mark, DER_SEQUENCE);
}

static void put_number(enum what w, struct buf *b) {
	if (w == NEGATIVE_NUMBER)
		buf_add(b, BYTES(NUMBER_NEGATIVE));
	else if (w == LONG_NUMBER)
		buf_add(b, BYTES(NUMBER_OF_9_OCTETS));
	else if (w == DEFAULT_FALSE)
		buf_add(b, BYTES(NUMBER_CRITICAL_FALSE));
	else if (w == TRUE_OF_2_OCTETS)
		buf_add(b, BYTES(NUMBER_CRITICAL_OF_2_OCTETS));
	else if (w == LONGER_OID)
		buf_add(b, BYTES(NUMBER_OF_LONGER_OID));
	else if (w != NO_NUMBER)
		buf_add(b, BYTES(NUMBER));
	if (w == TWO_NUMBERS)
		buf_add(b, BYTES(NUMBER));
}

static void put_extensions(enum what w, struct buf *b) {
	size_t mark = b->len;
	if (w == NO_EXTENSIONS)
		return;
	if (w != NO_AKI)
		put_aki(w, b);
	if (w == TWO_AKIS)
		put_aki(w, b);
	put_number(w, b);
	if (w == DELTA_LIST)
		buf_add(b, BYTES(DELTA));
	if (w == PARTIAL_LIST)
		buf_add(b, BYTES(PARTIAL));
	if (w == DELTA_LIST_UNCRITICAL)
		buf_add(b, BYTES(DELTA_UNCRITICAL));
	if (w == PARTIAL_LIST_UNCRITICAL)
		buf_add(b, BYTES(PARTIAL_UNCRITICAL));
	if (w == UNKNOWN_EXTENSION)
		buf_add(b, BYTES(UNKNOWN));
	if (w == CRITICAL_EXTENSION)
		buf_add(b, BYTES(UNKNOWN_CRITICAL));
	der_wrap(b, mark, DER_SEQUENCE);
	der_wrap(b, mark, DER_CTX_CONS(0));
}

static void put_tbs(enum what w, struct buf *b) {
	unsigned char *name = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(w == OTHER_ISSUER ? f.alice.cert : f.ca.cert), &name);

	if (w != NO_VERSION)
		der_put_u64(b, w == VERSION_1 ? 0 : 1);
	if (w == INNER_ALG)
		buf_add(b, BYTES(ALG_ECDSA_SHA384));
	else if (w == OLD_ALG)
		buf_add(b, BYTES(ALG_ECDSA_SHA1));
	else
		buf_add(b, BYTES(ALG_ECDSA_SHA256));
	if (w == ISSUER_OF_SAME_LENGTH)
		name[len - 1] ^= 1;
	buf_add(b, name, (size_t)len);
	OPENSSL_free(name);
	if (w == DATE_GENERALIZED)
		der_put_gentime(b, f.now_s);
	else
		der_put_x509_time(b, w == DATES_SWAPPED ? f.now_s + FIXTURE_DAY_S : f.now_s);
	if (w != NO_NEXT_UPDATE)
		der_put_x509_time(b, f.now_s + FIXTURE_DAY_S);
	put_entries(w, b);
	put_extensions(w, b);
	der_wrap(b, 0, w == TBS_TAG ? DER_SET : DER_SEQUENCE);
}

static void build(enum what w, struct buf *b) {
	OWN(buf_wipe) struct buf sig = {0};
	EVP_PKEY *key = w == SIGNED_BY_OTHER ? f.foreign_ca.key : f.ca.key;
	size_t mark;

	put_tbs(w, b);
	ck_assert_int_eq(sigalg_sign(SIGALG_ECDSA_SHA256, key, b->data, b->len, &sig, NULL), 0);
	if (w == OLD_ALG)
		buf_add(b, BYTES(ALG_ECDSA_SHA1));
	else
		buf_add(b, BYTES(ALG_ECDSA_SHA256));
	mark = b->len;
	if (w != NO_SIGNATURE) {
		buf_addc(b, w == UNUSED_BITS);
		buf_add(b, sig.data, sig.len);
	}
	der_wrap(b, mark, DER_BIT_STRING);
	der_wrap(b, 0, DER_SEQUENCE);
}

START_TEST(the_hand_made_list_is_taken) {
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;

	build((enum what)_i, &der);
	ck_assert_msg(take(&der, &e) == 0, "list %d: %s", _i, e.text);
} END_TEST

static bool is_foreign(int w) {
	return w == OTHER_ISSUER || w == ISSUER_OF_SAME_LENGTH || w == OTHER_AKI || w == LONGER_AKI;
}

START_TEST(one_deviation_is_refused) {
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;
	int r;

	build((enum what)_i, &der);
	r = take(&der, &e);
	ck_assert_msg(r == (is_foreign(_i) ? ERR_REFUSED : ERR_DAMAGED), "deviation %d: %d %s", _i, r, e.text);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 5280"));
} END_TEST

int main(void) {
	TCase *t = tcase_create("crl");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_list_round_trips_with_every_kind_of_ca_key);
	tcase_add_test(t, listed_serials_are_found_with_date_and_reason);
	tcase_add_test(t, other_serials_are_not_found);
	tcase_add_test(t, a_longer_serial_with_the_same_end_is_not_found);
	tcase_add_test(t, certificates_are_found_by_their_serial);
	tcase_add_test(t, an_empty_list_revokes_nobody);
	tcase_add_test(t, many_entries_in_any_order_are_all_found);
	tcase_add_test(t, newly_listed_serials_come_in_ascending_order);
	tcase_add_test(t, an_error_of_the_callback_ends_the_walk);
	tcase_add_test(t, references_keep_a_set_alive);
	tcase_add_test(t, the_number_is_read_before_any_signature);
	tcase_add_test(t, whose_list_it_is_is_read_before_any_signature);
	tcase_add_test(t, pem_and_der_are_the_same_list);
	tcase_add_test(t, openssl_reads_and_verifies_the_list);
	tcase_add_test(t, openssl_refuses_the_revoked_certificate_with_it);
	tcase_add_test(t, reasons_have_names);
	tcase_add_test(t, bad_entries_make_no_list);
	tcase_add_test(t, another_key_makes_no_list);
	tcase_add_test(t, a_foreign_list_is_refused);
	tcase_add_test(t, lists_by_openssl_with_every_strong_hash_are_taken);
	tcase_add_test(t, any_change_is_refused);
	tcase_add_test(t, bytes_behind_the_list_are_refused);
	tcase_add_test(t, a_list_above_its_cap_is_not_read);
	tcase_add_loop_test(t, the_hand_made_list_is_taken, AS_IT_IS, N_GOOD);
	tcase_add_loop_test(t, one_deviation_is_refused, N_GOOD, N_WHATS);
	return suite_run("crl", t);
}
