/* SPDX-License-Identifier: Apache-2.0 */
/* Known attacks on AES-GCM, AES key wrap, ECDSA and RSA PKCS #1 v1.5, as tests/vectors/wycheproof.txt has them, on the functions that open
 * envelopes and verify signatures. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/x509.h>

#include "base/own.h"
#include "base/text.h"
#include "envelope/content.h"
#include "lib/suite.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

#ifndef VECTORS /* the build tells where */
#define VECTORS "tests/vectors"
#endif
#define FIELDS_MAX 8
#define BYTES_MAX 1024

struct bytes { uint8_t p[BYTES_MAX]; size_t len; };

/* One line: its words, those in hex also as bytes. */
struct line {
	const char *kind;
	unsigned number;
	bool may_pass, must_pass;
	struct bytes v[FIELDS_MAX];
};

static void unhex(const char *hex, struct bytes *b) {
	b->len = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
	ck_assert_uint_le(b->len, BYTES_MAX);
	ck_assert_int_eq(b->len == 0 ? 0 : text_unhex(hex, b->p, b->len, NULL), 0);
}

static void parse(char *text, struct line *l) {
	char *rest = NULL, *word = strtok_r(text, " \n", &rest);
	bool is_key = strcmp(word, "key") == 0;

	*l = (struct line){ .kind = word };
	if (!is_key) {
		l->number = (unsigned)strtoul(strtok_r(NULL, " \n", &rest), NULL, 10);
		word = strtok_r(NULL, " \n", &rest);
		ck_assert_ptr_nonnull(word);
		l->must_pass = strcmp(word, "valid") == 0;
		l->may_pass = l->must_pass || strcmp(word, "acceptable") == 0;
	}
	for (int i = 0; i < FIELDS_MAX && (word = strtok_r(NULL, " \n", &rest)) != NULL; i++)
		unhex(word, &l->v[i]);
}

static void judge(const struct line *l, bool passed) {
	ck_assert_msg(passed ? l->may_pass : !l->must_pass, "%s %u is %s", l->kind, l->number, passed ? "taken" : "refused");
}

/* Calls f for each line whose kind begins so, and for keys; returns how many of the former there were. */
static int each(const char *kind, void (*f)(void *arg, const struct line *l), void *arg) {
	OWN(own_file) FILE *in = fopen(VECTORS "/wycheproof.txt", "r");
	OWN(own_free) char *text = NULL;
	OWN(own_free) struct line *l = xmalloc(sizeof *l);
	size_t cap = 0;
	int n = 0;

	ck_assert_ptr_nonnull(in);
	while (getline(&text, &cap, in) > 0) {
		bool wanted = strncmp(text, kind, strlen(kind)) == 0;

		if (!wanted && strncmp(text, "key ", 4) != 0)
			continue;
		parse(text, l);
		f(arg, l);
		n += wanted;
	}
	return n;
}

/* ---- */

/* Any nonce is that of some object. */
static void gcm(void *arg, const struct line *l) {
	const struct bytes *key = &l->v[0], *nonce = &l->v[1], *plain = &l->v[2], *sealed = &l->v[3], *tag = &l->v[4];
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf body = {0};
	OWN(buf_wipe) struct buf again = {0};
	struct object o = {0};
	int r;

	(void)arg;
	if (strcmp(l->kind, "gcm") != 0)
		return;
	ck_assert(key->len == GROUP_KEY_LEN && nonce->len == OBJECT_NONCE_LEN && tag->len == OBJECT_TAG_LEN && plain->len == sealed->len);
	ck_assert_int_eq(secret_copy(&c.key, key->p, key->len, NULL), 0);
	object_split_nonce(nonce->p, &c.file, &o);
	o.len = sealed->len;
	buf_add(&body, sealed->p, sealed->len);
	object_trailer(tag->p, buf_room(&body, OBJECT_TRAILER_LEN));
	r = content_open(&c, &o, body.data, NULL);
	judge(l, r == 0);
	if (r != 0)
		return;
	ck_assert_mem_eq(body.data, plain->p, plain->len);
	ck_assert_int_eq(content_seal(&c, &o, plain->p, &again, NULL), 0);
	ck_assert_mem_eq(again.data + again.len - OBJECT_TAG_LEN, tag->p, OBJECT_TAG_LEN);
}

START_TEST(tags_are_told_right_from_wrong) {
	ck_assert_int_eq(each("gcm ", gcm, NULL), 39);
}
END_TEST

static void key_wrap(void *arg, const struct line *l) {
	const struct bytes *kek = &l->v[0], *key = &l->v[1], *wrapped = &l->v[2];
	uint8_t out[BYTES_MAX + 16];
	int r;

	(void)arg;
	if (strcmp(l->kind, "kw") != 0)
		return;
	ck_assert_uint_eq(kek->len, GROUP_KEY_LEN);
	r = content_key_wrap(kek->p, false, wrapped->p, (int)wrapped->len, out);
	judge(l, r == 0 && key->len + 8 == wrapped->len && memcmp(out, key->p, key->len) == 0);
	if (l->must_pass) {
		ck_assert_int_eq(content_key_wrap(kek->p, true, key->p, (int)key->len, out), 0);
		ck_assert_mem_eq(out, wrapped->p, wrapped->len);
	}
}

START_TEST(wrapped_keys_are_told_right_from_wrong) {
	ck_assert_int_eq(each("kw ", key_wrap, NULL), 67);
}
END_TEST

/* arg: the key of the signatures that follow. */
static void signature(void *arg, const struct line *l) {
	EVP_PKEY **key = arg;
	const uint8_t *p = l->v[0].p;
	enum sigalg alg = strncmp(l->kind, "rsa", 3) == 0 ? SIGALG_RSA_CMS : SIGALG_ECDSA_SHA256;

	if (strcmp(l->kind, "key") == 0) {
		EVP_PKEY_free(*key);
		*key = d2i_PUBKEY(NULL, &p, (long)l->v[0].len);
		ck_assert_ptr_nonnull(*key);
		return;
	}
	judge(l, sigalg_verify(alg, *key, p, l->v[0].len, l->v[1].p, l->v[1].len, "signature", NULL) == 0);
}

static const struct { const char *kind; int n; } signatures[] = { { "ecdsa-p256 ", 387 }, { "rsa-2048 ", 240 }, { "rsa-3072 ", 239 } };

START_TEST(signatures_are_told_right_from_wrong) {
	EVP_PKEY *key = NULL;

	ck_assert_int_eq(each(signatures[_i].kind, signature, &key), signatures[_i].n);
	EVP_PKEY_free(key);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("vectors");

	tcase_set_timeout(c, 300);
	tcase_add_test(c, tags_are_told_right_from_wrong);
	tcase_add_test(c, wrapped_keys_are_told_right_from_wrong);
	tcase_add_loop_test(c, signatures_are_told_right_from_wrong, 0, (int)(sizeof signatures / sizeof signatures[0]));
	return suite_run("wycheproof", c);
}
