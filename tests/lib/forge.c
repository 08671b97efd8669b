/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/layout.h"
#include "pki/ossl.h"

#define PIECE 1000
#define NONCE_MAX 32

static const uint8_t attribute[] = { /* contentType id-data */
	0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03, 0x31, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	0x0d, 0x01, 0x07, 0x01,
};

static void must(int ok, const char *what) {
	if (!ok) {
		fprintf(stderr, "forge: %s\n", what);
		abort();
	}
}

static void put_oid(struct buf *b, const char *dotted, const char *otherwise) {
	ASN1_OBJECT *o = OBJ_txt2obj(dotted != NULL ? dotted : otherwise, 1);

	must(o != NULL, "object identifier");
	der_put(b, DER_OID, OBJ_get0_data(o), OBJ_length(o));
	ASN1_OBJECT_free(o);
}

static void put_filled(struct buf *b, const uint8_t *p, size_t have, size_t len) {
	uint8_t filled[64] = {0};

	must(len <= sizeof filled, "length");
	memcpy(filled, p, have < len ? have : len);
	der_put(b, DER_OCTET_STRING, filled, len);
}

static void put_recipient(const struct forge *f, const struct object_file *file, struct buf *b) {
	size_t mark = b->len, inner;

	der_put_u64(b, f->kek_version != 0 ? (uint64_t)f->kek_version : 4);
	inner = b->len;
	put_filled(b, file->key_id, KEY_ID_LEN, f->key_id_len != 0 ? f->key_id_len : KEY_ID_LEN);
	if (f->kek_date)
		der_put_gentime(b, 0);
	der_wrap(b, inner, DER_SEQUENCE);
	inner = b->len;
	put_oid(b, f->wrap, "2.16.840.1.101.3.4.1.45");
	if (f->wrap_null)
		der_put(b, DER_NULL, "", 0);
	der_wrap(b, inner, DER_SEQUENCE);
	put_filled(b, file->wrapped, OBJECT_WRAPPED_LEN, f->wrapped_len != 0 ? f->wrapped_len : OBJECT_WRAPPED_LEN);
	for (unsigned i = 0; i <= f->nested; i++)
		der_wrap(b, mark, f->recipient_tag != 0 ? f->recipient_tag : DER_CTX_CONS(2));
}

static void put_recipients(const struct forge *f, const struct object_file *file, struct buf *b) {
	size_t mark = b->len;

	for (unsigned i = 0; i < (f->recipients != 0 ? f->recipients : 1) && !f->no_recipient; i++)
		put_recipient(f, file, b);
	der_wrap(b, mark, DER_SET);
}

static void put_cipher(const struct forge *f, const uint8_t *nonce, size_t nonce_len, size_t tag_len, struct buf *b) {
	size_t mark = b->len, inner;

	put_oid(b, f->cipher, "2.16.840.1.101.3.4.1.46");
	inner = b->len;
	der_put(b, DER_OCTET_STRING, nonce, nonce_len);
	if (!f->cipher_iv) {
		if (!f->no_icv_len)
			der_put_u64(b, f->icv_len != 0 ? f->icv_len : tag_len);
		der_wrap(b, inner, DER_SEQUENCE);
	}
	der_wrap(b, mark, DER_SEQUENCE);
}

static void encrypt(const struct forge *f, const struct content *c, const uint8_t *nonce, size_t nonce_len, uint8_t *data, size_t len,
    uint8_t tag[static 16]) {
	OWN(own_evp_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	OWN(buf_wipe) struct buf aad = {0};
	uint8_t none[1];
	int n;

	der_put(&aad, DER_SET, attribute, sizeof attribute);
	must(ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)nonce_len, NULL) == 1 &&
	     EVP_EncryptInit_ex(ctx, NULL, NULL, c->key.data, nonce) == 1, "cipher");
	if (f->auth_attrs)
		must(EVP_EncryptUpdate(ctx, NULL, &n, aad.data, (int)aad.len) == 1, "additional data");
	must(len == 0 || EVP_EncryptUpdate(ctx, data, &n, data, (int)len) == 1, "encryption");
	must(EVP_EncryptFinal_ex(ctx, none, &n) == 1 && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1, "tag");
}

static void put_pieces(const struct forge *f, const uint8_t *p, size_t len, struct buf *b) {
	size_t mark = b->len, n;

	if (f->form != FORGE_DEFINITE_PIECES)
		buf_add(b, "\xa0\x80", 2);
	for (; len > 0; p += n, len -= n) {
		size_t inner = b->len;

		n = len < PIECE ? len : PIECE;
		der_put(b, DER_OCTET_STRING, p, n);
		if (f->form == FORGE_NESTED_PIECES)
			der_wrap(b, inner, 0x24);
	}
	if (f->form == FORGE_DEFINITE_PIECES)
		der_wrap(b, mark, DER_CTX_CONS(0));
	else
		buf_add(b, "\0\0", 2);
}

static bool is_indefinite(const struct forge *f) {
	return f->form == FORGE_INDEFINITE || f->form == FORGE_PIECES || f->form == FORGE_NESTED_PIECES;
}

/* Wraps what stands behind mark as der_wrap does, or with an indefinite length. */
static void wrap(const struct forge *f, struct buf *b, size_t mark, uint8_t tag) {
	if (!is_indefinite(f)) {
		der_wrap(b, mark, tag);
		return;
	}
	buf_add(b, "\0\0\0\0", 4);
	memmove(b->data + mark + 2, b->data + mark, b->len - 4 - mark);
	b->data[mark] = tag;
	b->data[mark + 1] = 0x80;
	b->data[b->len - 2] = b->data[b->len - 1] = 0;
}

static void put_info(const struct forge *f, const struct content *c, const struct object *o, const void *plain, size_t len,
    uint8_t tag[static 16], struct buf *b) {
	uint8_t nonce[NONCE_MAX] = {0};
	size_t nonce_len = f->nonce_len != 0 ? f->nonce_len : OBJECT_NONCE_LEN, mark = b->len;
	OWN(own_free) uint8_t *data = xmalloc(len);

	if (len > 0)
		memcpy(data, plain, len);
	object_nonce(&c->file, o, nonce);
	encrypt(f, c, nonce, nonce_len, data, len, tag);
	put_oid(b, f->inner, "1.2.840.113549.1.7.1");
	put_cipher(f, nonce, f->nonce_empty ? 0 : nonce_len, f->tag_empty ? 0 : f->tag_len != 0 ? f->tag_len : 16, b);
	if (f->form == FORGE_DER || f->form == FORGE_INDEFINITE || f->form == FORGE_LONG_LENGTH)
		der_put(b, DER_CTX(0), data, len);
	else
		put_pieces(f, data, len, b);
	wrap(f, b, mark, DER_SEQUENCE);
}

static void put_long_length(struct buf *b, size_t mark) {
	uint64_t content_len;
	size_t header_len, len;
	uint8_t tag, header[10] = { DER_SEQUENCE, 0x88 };

	must(der_header(b->data + mark, b->len - mark, &tag, &content_len, &header_len, "object", NULL) == 0, "header");
	len = (size_t)content_len;
	for (size_t i = 0; i < 8; i++)
		header[9 - i] = (uint8_t)(content_len >> (8 * i));
	(void)buf_room(b, sizeof header);
	memmove(b->data + mark + sizeof header, b->data + mark + header_len, len);
	memcpy(b->data + mark, header, sizeof header);
	b->len = mark + sizeof header + len;
}

void forge_object(const struct forge *f, const struct content *c, const struct object *o, const void *plain, size_t len, struct buf *out) {
	OWN(buf_wipe) struct buf b = {0};
	uint8_t tag[16];
	size_t inner, middle;

	put_oid(&b, f->type, "1.2.840.113549.1.9.16.1.23");
	middle = b.len;
	der_put_u64(&b, (uint64_t)f->version);
	if (f->originator)
		der_put(&b, DER_CTX_CONS(0), "", 0);
	put_recipients(f, &c->file, &b);
	put_info(f, c, o, plain, len, tag, &b);
	if (f->auth_attrs)
		der_put(&b, DER_CTX_CONS(1), attribute, sizeof attribute);
	if (!f->no_tag)
		der_put(&b, DER_OCTET_STRING, tag, f->tag_empty ? 0 : f->tag_len != 0 ? f->tag_len : 16);
	if (f->unauth_attrs)
		der_put(&b, DER_CTX_CONS(2), attribute, sizeof attribute);
	wrap(f, &b, middle, DER_SEQUENCE);
	wrap(f, &b, middle, DER_CTX_CONS(0));
	inner = out->len;
	buf_add(out, b.data, b.len);
	wrap(f, out, inner, DER_SEQUENCE);
	if (f->form == FORGE_LONG_LENGTH)
		put_long_length(out, inner);
}

void forge_content(const struct lab *l, const struct buf *sealed, struct content *c) {
	struct object_file file;
	struct object o;
	size_t header_len;
	struct err e = ERR_INIT;

	must(object_parse(sealed->data, sealed->len, &file, &o, &header_len, &e) == 0 && content_unwrap(c, &file, &l->keys, &e) == 0, e.text);
}

void forge_manifest(const struct lab *l, const void *plain, size_t len, struct manifest *m) {
	*m = (struct manifest){ .group = xstrdup(l->seal.group), .name = xstrdup(l->seal.name), .version = l->seal.version, .size = len,
	    .segment_size = SEGMENT_LEN, .count = manifest_count(len) };
	m->digests = xcalloc((size_t)m->count, sizeof *m->digests);
	for (uint64_t i = 0; i < m->count; i++) {
		size_t at = (size_t)i * SEGMENT_LEN;

		ossl_sha256((const uint8_t *)plain + at, len - at < SEGMENT_LEN ? len - at : SEGMENT_LEN, m->digests[i]);
	}
	memset(m->file_id, 0x44, sizeof m->file_id);
}

void forge_small(const struct content *c, const struct forge *f, const struct forge *g, const void *plain, size_t len,
    const void *signed_der, size_t signed_len, struct buf *out) {
	struct object segment = { 0, OBJECT_LAST, len }, manifest = { 1, OBJECT_MANIFEST, signed_len };

	forge_object(f, c, &segment, plain, len, out);
	forge_object(g, c, &manifest, signed_der, signed_len, out);
}

/* Elements in the order of their first bytes, from the outside in: a primitive one is stepped over. */
bool forge_length(const struct buf *honest, unsigned place, uint64_t len, struct buf *out) {
	size_t at = 0, header_len;
	uint8_t tag, header[10] = { 0, 0x88 };
	uint64_t content_len;

	for (unsigned i = 0;; i++) {
		if (at >= honest->len || der_header(honest->data + at, honest->len - at, &tag, &content_len, &header_len, "element", NULL) != 0)
			return false;
		if (i == place)
			break;
		if (tag == DER_CTX(0))
			return false;
		at += header_len + ((tag & 0x20) ? 0 : (size_t)content_len);
	}
	header[0] = tag;
	for (size_t i = 0; i < 8; i++)
		header[9 - i] = (uint8_t)(len >> (8 * i));
	buf_add(out, honest->data, at);
	buf_add(out, header, sizeof header);
	buf_add(out, honest->data + at + header_len, honest->len - at - header_len);
	return true;
}
