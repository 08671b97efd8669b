/* SPDX-License-Identifier: Apache-2.0 */
/* The content key of one file: made, wrapped, unwrapped, and put to work on objects. */
#ifndef SCG_ENVELOPE_CONTENT_H
#define SCG_ENVELOPE_CONTENT_H

#include <stdbool.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/secret.h"
#include "envelope/object.h"

struct content {
	struct object_file file;
	struct secret key;      /* AES-256 */
};
/* Wipes the content key; safe on {0}. */
void content_wipe(struct content *c);
/* A fresh key and nonce prefix, wrapped with the epoch's key. */
int content_make(struct content *c, const struct epoch *to, struct err *e) MUST_CHECK;
/* The same, wrapped to a certificate. ERR_REFUSED where that cannot receive. */
int content_make_for(struct content *c, X509 *to, struct err *e) MUST_CHECK;
/* The key of these headers. ERR_REFUSED where the keyring has no such epoch, ERR_DAMAGED if it does not unwrap (RFC 3394 2.2.2). */
int content_unwrap(struct content *c, const struct object_file *f, const struct keyring *keys, struct err *e) MUST_CHECK;
/* That of headers which are for one certificate. ERR_REFUSED for another one, ERR_DAMAGED if it does not unwrap. */
int content_unwrap_own(struct content *c, const struct object_file *f, X509 *cert, EVP_PKEY *key, struct err *e) MUST_CHECK;
/* The same key and nonces under another epoch. */
int content_rewrap(struct content *c, const struct content *from, const struct epoch *to, struct err *e) MUST_CHECK;

/* Contexts of one worker, used for one object after the other: decrypts, hashes the plaintext, encrypts, each if asked for. */
struct crypt {
	EVP_CIPHER_CTX *from, *to;
	EVP_MD_CTX *md;
	const struct content *from_content, *to_content;
};
/* from, to: borrowed, may be NULL. */
int crypt_init(struct crypt *c, const struct content *from, const struct content *to, bool digest, struct err *e) MUST_CHECK;
void crypt_wipe(struct crypt *c);
int crypt_begin(struct crypt *c, const struct object *o, struct err *e) MUST_CHECK;
/* In place. What was decrypted is not to be believed before crypt_end. */
int crypt_update(struct crypt *c, uint8_t *data, size_t len, struct err *e) MUST_CHECK;
/* tag_in: needed with from; tag_out: written with to; digest: written if asked for. ERR_DAMAGED: the tag is wrong. */
int crypt_end(struct crypt *c, const uint8_t *tag_in, uint8_t *tag_out, uint8_t *digest, struct err *e) MUST_CHECK;

/* A whole object (note, manifest) to or from memory. */
int content_seal(const struct content *c, const struct object *o, const void *plain, struct buf *out, struct err *e) MUST_CHECK;
/* body: o->len bytes and the trailer, decrypted in place. */
int content_open(const struct content *c, const struct object *o, uint8_t *body, struct err *e) MUST_CHECK;

/* RFC 3394 with its default initial value under a key of 32 octets; in has in_len bytes, out as many and 8 more (wrap) or 8 fewer. 0 or -1. */
int content_key_wrap(const uint8_t kek[static GROUP_KEY_LEN], bool wrap, const uint8_t *in, int in_len, uint8_t *out) MUST_CHECK;

/* SHA-256, fetched once; never NULL after success of any function above. */
const EVP_MD *content_sha256(void);

#endif
