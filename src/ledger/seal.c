/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/seal.h"

#include <limits.h>
#include <string.h>

#include <openssl/hmac.h>

#include "base/own.h"
#include "pki/ossl.h"

#define NONCE_LEN 12
#define TAG_LEN 16
#define OVERHEAD (NONCE_LEN + TAG_LEN)

static int hmac(const uint8_t key[static 32], const void *data, size_t len, uint8_t out[static 32], struct err *e) {
	unsigned n = 32;

	if (HMAC(EVP_sha256(), key, 32, data, len, out, &n) == NULL)
		return ossl_err(e, ERR_FAIL, "ledger: HMAC failed");
	return 0;
}

int seal_init(struct seal *s, const struct secret *key, struct err *e) {
	static const char encrypt[] = "scg ledger names", lookup[] = "scg ledger paths";
	int r;

	*s = (struct seal){0};
	if (key == NULL)
		return 0;
	if (key->len != SEAL_KEY_LEN)
		return err_set(e, ERR_FAIL, "ledger: a sealing key has %d bytes", SEAL_KEY_LEN);
	if ((r = secret_init(&s->keys, 64, e)) != 0)
		return r;
	if ((r = hmac(key->data, encrypt, strlen(encrypt), s->keys.data, e)) != 0 ||
	    (r = hmac(key->data, lookup, strlen(lookup), s->keys.data + 32, e)) != 0)
		seal_wipe(s);
	return r;
}

void seal_wipe(struct seal *s) {
	secret_wipe(&s->keys);
}

static void index_bytes(uint64_t index, uint8_t out[static 8]) {
	for (int i = 7; i >= 0; i--, index >>= 8)
		out[i] = (uint8_t)index;
}

/* One run of AES-256-GCM over in; encrypting writes the tag behind the output, decrypting finds it behind the input. */
static int gcm(const struct seal *s, int encrypt, const uint8_t *nonce, uint64_t index, const uint8_t *in, size_t len,
    uint8_t *out) {
	OWN(own_evp_cipher_ctx) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t aad[8], tag[TAG_LEN];
	int n;

	index_bytes(index, aad);
	if (c == NULL || len > INT_MAX ||
	    EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, s->keys.data, nonce, encrypt) != 1 ||
	    EVP_CipherUpdate(c, NULL, &n, aad, sizeof aad) != 1 || EVP_CipherUpdate(c, out, &n, in, (int)len) != 1)
		return -1;
	if (!encrypt) {
		memcpy(tag, in + len, TAG_LEN);
		if (EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) != 1)
			return -1;
	}
	if (EVP_CipherFinal_ex(c, out + len, &n) != 1)
		return -1;
	return !encrypt || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, out + len) == 1 ? 0 : -1;
}

int seal_name(const struct seal *s, uint64_t index, const uint8_t salt[static SALT_LEN], const char *path,
    size_t path_len, struct buf *out, struct err *e) {
	OWN(buf_wipe) struct buf plain = {0};
	uint8_t *p;
	int r;

	buf_add(&plain, salt, SALT_LEN);
	buf_add(&plain, path, path_len);
	if (s->keys.data == NULL) {
		buf_add(out, plain.data, plain.len);
		return 0;
	}
	p = buf_room(out, plain.len + OVERHEAD);
	if ((r = random_bytes(p, NONCE_LEN, e)) != 0)
		return r;
	if (gcm(s, 1, p, index, plain.data, plain.len, p + NONCE_LEN) != 0)
		return ossl_err(e, ERR_FAIL, "ledger: a name cannot be sealed");
	out->len += plain.len + OVERHEAD;
	return 0;
}

int seal_open(const struct seal *s, uint64_t index, const uint8_t *data, size_t len, struct buf *name, struct err *e) {
	size_t over = s->keys.data != NULL ? OVERHEAD : 0;
	uint8_t *p;

	buf_clear(name);
	if (len <= SALT_LEN + over || len > SALT_LEN + PATH_BYTES_MAX + over)
		return err_set(e, ERR_DAMAGED, "ledger: a stored name of %zu bytes", len);
	if (s->keys.data == NULL) {
		buf_add(name, data, len);
		return 0;
	}
	len -= OVERHEAD;
	p = buf_room(name, len);
	if (gcm(s, 0, data, index, data + NONCE_LEN, len, p) != 0)
		return ossl_err(e, ERR_DAMAGED, "ledger: a stored name does not open");
	p[len] = '\0';
	name->len += len;
	return 0;
}

int seal_lookup(const struct seal *s, const char *path, size_t len, uint8_t out[static 32], struct err *e) {
	if (s->keys.data == NULL) {
		ossl_sha256(path, len, out);
		return 0;
	}
	return hmac(s->keys.data + 32, path, len, out, e);
}
