/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/content.h"

#include <pthread.h>
#include <string.h>
#include <openssl/err.h>

#include "base/text.h"
#include "envelope/receiver.h"
#include "pki/ossl.h"

/* Decrypted, hashed and encrypted again while it is in the core's own cache. */
#define STRIDE (64u << 10)

/* A fetch costs a lock and a walk over the providers: once for the process. */
static struct { EVP_CIPHER *gcm, *wrap; EVP_MD *sha256; } alg;
static pthread_once_t alg_once = PTHREAD_ONCE_INIT;

static void fetch(void) {
	alg.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	alg.wrap = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
	alg.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static int algorithms(struct err *e) {
	(void)pthread_once(&alg_once, fetch);
	if (alg.gcm == NULL || alg.wrap == NULL || alg.sha256 == NULL)
		return ossl_err(e, ERR_FAIL, "AES-256-GCM, AES-256 key wrap or SHA-256 is not to be had");
	return 0;
}

const EVP_MD *content_sha256(void) {
	(void)pthread_once(&alg_once, fetch);
	return alg.sha256;
}

void content_wipe(struct content *c) {
	secret_wipe(&c->key);
	*c = (struct content){0};
}

int content_key_wrap(const uint8_t kek[static GROUP_KEY_LEN], bool wrap, const uint8_t *in, int in_len, uint8_t *out) {
	OWN(own_evp_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, out_len = wrap ? in_len + 8 : in_len - 8;

	if (ctx == NULL || algorithms(NULL) != 0)
		return -1;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_CipherInit_ex2(ctx, alg.wrap, kek, NULL, wrap, NULL) != 1 ||
	    EVP_CipherUpdate(ctx, out, &n, in, in_len) != 1)
		return -1;
	return n == out_len ? 0 : -1;
}

static int wrap(struct content *c, const struct epoch *to, struct err *e) {
	memcpy(c->file.key_id, to->key_id, KEY_ID_LEN);
	if (to->key.len != GROUP_KEY_LEN || content_key_wrap(to->key.data, true, c->key.data, GROUP_KEY_LEN, c->file.wrapped) != 0)
		return ossl_err(e, ERR_FAIL, "cannot wrap the content key");
	return 0;
}

static int fresh(struct content *c, struct err *e) {
	int r;

	*c = (struct content){0};
	if ((r = algorithms(e)) != 0 || (r = secret_random(&c->key, GROUP_KEY_LEN, e)) != 0)
		return r;
	return random_bytes(c->file.prefix, OBJECT_PREFIX_LEN, e);
}

int content_make(struct content *c, const struct epoch *to, struct err *e) {
	int r;

	if ((r = fresh(c, e)) != 0 || (r = wrap(c, to, e)) != 0)
		content_wipe(c);
	return r;
}

int content_make_for(struct content *c, X509 *to, struct err *e) {
	int r;

	if ((r = fresh(c, e)) != 0 || (r = receiver_wrap(to, &c->key, &c->file.to, e)) != 0)
		content_wipe(c);
	return r;
}

int content_unwrap(struct content *c, const struct object_file *f, const struct keyring *keys, struct err *e) {
	const struct epoch *epoch = keyring_find(keys, f->key_id);
	char hex[KEY_ID_HEX];
	int r;

	*c = (struct content){ .file = *f };
	if (f->to.kind != RECIPIENT_GROUP)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: sealed to a certificate, not to the group");
	if (epoch == NULL) {
		text_hex(f->key_id, KEY_ID_LEN, hex);
		return err_set(e, ERR_REFUSED, "sealed under key %s, which is not among the keys of this member", hex);
	}
	if ((r = algorithms(e)) != 0 || (r = secret_init(&c->key, GROUP_KEY_LEN, e)) != 0)
		return r;
	if (epoch->key.len != GROUP_KEY_LEN || content_key_wrap(epoch->key.data, false, f->wrapped, OBJECT_WRAPPED_LEN, c->key.data) != 0) {
		content_wipe(c);
		return ossl_err(e, ERR_DAMAGED, "RFC 3394 2.2.2: the wrapped key does not unwrap with the group's key");
	}
	return 0;
}

int content_unwrap_own(struct content *c, const struct object_file *f, X509 *cert, EVP_PKEY *key, struct err *e) {
	int r;

	*c = (struct content){ .file = *f };
	if ((r = algorithms(e)) != 0)
		return r;
	return receiver_unwrap(&f->to, cert, key, &c->key, e);
}

int content_rewrap(struct content *c, const struct content *from, const struct epoch *to, struct err *e) {
	int r;

	*c = (struct content){ .file = from->file };
	if ((r = secret_copy(&c->key, from->key.data, from->key.len, e)) != 0)
		return r;
	if ((r = wrap(c, to, e)) != 0)
		content_wipe(c);
	return r;
}

void crypt_wipe(struct crypt *c) {
	EVP_CIPHER_CTX_free(c->from);
	EVP_CIPHER_CTX_free(c->to);
	EVP_MD_CTX_free(c->md);
	*c = (struct crypt){0};
}

/* The key schedule is computed here, the nonce comes with each object. */
static int cipher(EVP_CIPHER_CTX **ctx, const struct content *content, int encrypt) {
	if (content == NULL)
		return 0;
	*ctx = EVP_CIPHER_CTX_new();
	if (*ctx == NULL || EVP_CipherInit_ex2(*ctx, alg.gcm, content->key.data, NULL, encrypt, NULL) != 1)
		return -1;
	return 0;
}

int crypt_init(struct crypt *c, const struct content *from, const struct content *to, bool digest, struct err *e) {
	int r;

	*c = (struct crypt){ .from_content = from, .to_content = to };
	if ((r = algorithms(e)) != 0)
		return r;
	if (digest)
		c->md = EVP_MD_CTX_new();
	if ((digest && c->md == NULL) || cipher(&c->from, from, 0) != 0 || cipher(&c->to, to, 1) != 0) {
		crypt_wipe(c);
		return ossl_err(e, ERR_FAIL, "cannot set up AES-256-GCM");
	}
	return 0;
}

static int set_nonce(EVP_CIPHER_CTX *ctx, const struct content *content, const struct object *o) {
	uint8_t nonce[OBJECT_NONCE_LEN];

	if (ctx == NULL)
		return 0;
	object_nonce(&content->file, o, nonce);
	return EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, -1, NULL) == 1 ? 0 : -1;
}

int crypt_begin(struct crypt *c, const struct object *o, struct err *e) {
	if (set_nonce(c->from, c->from_content, o) != 0 || set_nonce(c->to, c->to_content, o) != 0 ||
	    (c->md != NULL && EVP_DigestInit_ex2(c->md, alg.sha256, NULL) != 1))
		return ossl_err(e, ERR_FAIL, "cannot begin an object");
	return 0;
}

static int in_place(EVP_CIPHER_CTX *ctx, uint8_t *data, size_t len) {
	int n;

	return ctx == NULL || EVP_CipherUpdate(ctx, data, &n, data, (int)len) == 1 ? 0 : -1;
}

int crypt_update(struct crypt *c, uint8_t *data, size_t len, struct err *e) {
	for (size_t n; len > 0; data += n, len -= n) {
		n = len < STRIDE ? len : STRIDE;
		if (in_place(c->from, data, n) != 0 || (c->md != NULL && EVP_DigestUpdate(c->md, data, n) != 1) ||
		    in_place(c->to, data, n) != 0)
			return ossl_err(e, ERR_FAIL, "AES-256-GCM or SHA-256 failed");
	}
	return 0;
}

static bool tag_is_right(EVP_CIPHER_CTX *ctx, const uint8_t *tag_in) {
	uint8_t tag[OBJECT_TAG_LEN], none[1];
	int n;

	if (tag_in == NULL)
		return false;
	memcpy(tag, tag_in, sizeof tag);
	return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 && EVP_CipherFinal_ex(ctx, none, &n) == 1;
}

int crypt_end(struct crypt *c, const uint8_t *tag_in, uint8_t *tag_out, uint8_t *digest, struct err *e) {
	uint8_t none[1];
	int n;

	if (c->from != NULL && !tag_is_right(c->from, tag_in)) {
		ERR_clear_error();
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: the tag is wrong");
	}
	if (c->to != NULL && (EVP_CipherFinal_ex(c->to, none, &n) != 1 ||
			      EVP_CIPHER_CTX_ctrl(c->to, EVP_CTRL_AEAD_GET_TAG, OBJECT_TAG_LEN, tag_out) != 1))
		return ossl_err(e, ERR_FAIL, "no tag");
	if (c->md != NULL && EVP_DigestFinal_ex(c->md, digest, NULL) != 1)
		return ossl_err(e, ERR_FAIL, "no digest");
	return 0;
}

int content_seal(const struct content *c, const struct object *o, const void *plain, struct buf *out, struct err *e) {
	OWN(crypt_wipe) struct crypt crypt = {0};
	uint8_t tag[OBJECT_TAG_LEN], *body;
	int r;

	object_header(&c->file, o, out);
	body = buf_room(out, (size_t)o->len + OBJECT_TRAILER_LEN);
	memcpy(body, plain, (size_t)o->len);
	if ((r = crypt_init(&crypt, NULL, c, false, e)) != 0 || (r = crypt_begin(&crypt, o, e)) != 0 ||
	    (r = crypt_update(&crypt, body, (size_t)o->len, e)) != 0 || (r = crypt_end(&crypt, NULL, tag, NULL, e)) != 0)
		return r;
	object_trailer(tag, body + o->len);
	out->len += (size_t)o->len + OBJECT_TRAILER_LEN;
	return 0;
}

int content_open(const struct content *c, const struct object *o, uint8_t *body, struct err *e) {
	OWN(crypt_wipe) struct crypt crypt = {0};
	const uint8_t *tag;
	int r;

	if ((r = object_trailer_parse(body + o->len, &tag, e)) != 0 || (r = crypt_init(&crypt, c, NULL, false, e)) != 0 ||
	    (r = crypt_begin(&crypt, o, e)) != 0 || (r = crypt_update(&crypt, body, (size_t)o->len, e)) != 0)
		return r;
	return crypt_end(&crypt, tag, NULL, NULL, e);
}
