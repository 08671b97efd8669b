/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/object.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/own.h"

/* RFC 5083 1.1: 1.2.840.113549.1.9.16.1.23 */
static const uint8_t oid_auth_enveloped[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17 };
/* RFC 5652 4: 1.2.840.113549.1.7.1 */
static const uint8_t oid_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
/* RFC 3565 2.3.2: 2.16.840.1.101.3.4.1.45 */
static const uint8_t oid_aes256_wrap[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d };
/* RFC 5084 3.2: 2.16.840.1.101.3.4.1.46 */
static const uint8_t oid_aes256_gcm[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e };

#define AUTH_ENVELOPED_VERSION 0 /* RFC 5083 2.1 */
#define KEK_VERSION 4            /* RFC 5652 6.2.3 */
#define KEK_TAG DER_CTX_CONS(2)
#define CONTENT_TAG DER_CTX(0)
#define AUTH_ATTRS_TAG DER_CTX_CONS(1)
#define CONTENT_LEN_MAX (UINT64_C(1) << 62)
#define VERSION_LEN 3            /* AuthEnvelopedData's, encoded */
#define CIPHER_LEN 32            /* contentEncryptionAlgorithm, encoded */

void object_nonce(const struct object_file *f, const struct object *o, uint8_t nonce[static OBJECT_NONCE_LEN]) {
	memcpy(nonce, f->prefix, OBJECT_PREFIX_LEN);
	for (int i = 0; i < 4; i++)
		nonce[OBJECT_PREFIX_LEN + i] = (uint8_t)(o->index >> (24 - 8 * i));
	nonce[OBJECT_NONCE_LEN - 1] = o->kind;
}

void object_split_nonce(const uint8_t nonce[static OBJECT_NONCE_LEN], struct object_file *f, struct object *o) {
	memcpy(f->prefix, nonce, OBJECT_PREFIX_LEN);
	o->index = 0;
	for (size_t i = OBJECT_PREFIX_LEN; i < OBJECT_NONCE_LEN - 1; i++)
		o->index = o->index << 8 | nonce[i];
	o->kind = nonce[OBJECT_NONCE_LEN - 1];
}

static void put_oid_sequence(struct buf *b, const uint8_t *oid, size_t len) {
	size_t mark = b->len;

	der_put(b, DER_OID, oid, len);
	der_wrap(b, mark, DER_SEQUENCE);
}

static void put_kek(const struct object_file *f, struct buf *b) {
	size_t all = b->len, kekid;

	der_put_u64(b, KEK_VERSION);
	kekid = b->len;
	der_put(b, DER_OCTET_STRING, f->key_id, sizeof f->key_id);
	der_wrap(b, kekid, DER_SEQUENCE);
	put_oid_sequence(b, oid_aes256_wrap, sizeof oid_aes256_wrap);
	der_put(b, DER_OCTET_STRING, f->wrapped, sizeof f->wrapped);
	der_wrap(b, all, KEK_TAG);
}

static void put_recipients(const struct object_file *f, struct buf *b) {
	size_t set = b->len;

	if (f->to.kind == RECIPIENT_GROUP)
		put_kek(f, b);
	else
		recipient_put(&f->to, b);
	der_wrap(b, set, DER_SET);
}

size_t object_recipient_len(const struct object_file *f) {
	OWN(buf_wipe) struct buf b = {0};

	if (f->to.kind == RECIPIENT_GROUP)
		return OBJECT_KEK_LEN;
	recipient_put(&f->to, &b);
	return b.len;
}

static void put_cipher(const struct object_file *f, const struct object *o, struct buf *b) {
	uint8_t nonce[OBJECT_NONCE_LEN];
	size_t alg = b->len, params;

	object_nonce(f, o, nonce);
	der_put(b, DER_OID, oid_aes256_gcm, sizeof oid_aes256_gcm);
	params = b->len;
	der_put(b, DER_OCTET_STRING, nonce, sizeof nonce);
	der_put_u64(b, OBJECT_TAG_LEN);
	der_wrap(b, params, DER_SEQUENCE);
	der_wrap(b, alg, DER_SEQUENCE);
}

/* Content lengths from inside out: all follow from the two that vary. */
struct lengths { uint64_t info, inner, outer, all; };

static uint64_t element(uint64_t content_len) {
	return der_header_len(content_len) + content_len;
}

static struct lengths lengths(size_t recipient_len, uint64_t len) {
	struct lengths l;

	l.info = 2 + sizeof oid_data + CIPHER_LEN + element(len);
	l.inner = VERSION_LEN + element(recipient_len) + element(l.info) + OBJECT_TRAILER_LEN;
	l.outer = element(l.inner);
	l.all = 2 + sizeof oid_auth_enveloped + element(l.outer);
	return l;
}

void object_header(const struct object_file *f, const struct object *o, struct buf *out) {
	OWN(buf_wipe) struct buf before = {0};
	struct lengths l;

	der_put_u64(&before, AUTH_ENVELOPED_VERSION);
	put_recipients(f, &before);
	l.info = 2 + sizeof oid_data + CIPHER_LEN + element(o->len);
	l.inner = before.len + element(l.info) + OBJECT_TRAILER_LEN;
	l.outer = element(l.inner);
	der_put_header(out, DER_SEQUENCE, 2 + sizeof oid_auth_enveloped + element(l.outer));
	der_put(out, DER_OID, oid_auth_enveloped, sizeof oid_auth_enveloped);
	der_put_header(out, DER_CTX_CONS(0), l.outer);
	der_put_header(out, DER_SEQUENCE, l.inner);
	buf_add(out, before.data, before.len);
	der_put_header(out, DER_SEQUENCE, l.info);
	der_put(out, DER_OID, oid_data, sizeof oid_data);
	put_cipher(f, o, out);
	der_put_header(out, CONTENT_TAG, o->len);
}

size_t object_header_len(size_t recipient_len, uint64_t len) {
	return (size_t)(object_size(recipient_len, len) - len - OBJECT_TRAILER_LEN);
}

uint64_t object_size(size_t recipient_len, uint64_t len) {
	return element(lengths(recipient_len, len).all);
}

bool object_same_file(const struct object_file *a, const struct object_file *b) {
	return memcmp(a->key_id, b->key_id, KEY_ID_LEN) == 0 && memcmp(a->wrapped, b->wrapped, OBJECT_WRAPPED_LEN) == 0 &&
	       recipient_equal(&a->to, &b->to) && memcmp(a->prefix, b->prefix, OBJECT_PREFIX_LEN) == 0;
}

void object_trailer(const uint8_t tag[static OBJECT_TAG_LEN], uint8_t out[static OBJECT_TRAILER_LEN]) {
	out[0] = DER_OCTET_STRING;
	out[1] = OBJECT_TAG_LEN;
	memcpy(out + 2, tag, OBJECT_TAG_LEN);
}

int object_trailer_parse(const uint8_t p[static OBJECT_TRAILER_LEN], const uint8_t **tag, struct err *e) {
	if (p[0] == AUTH_ATTRS_TAG)
		return err_set(e, ERR_DAMAGED, "RFC 5083 2.1: authAttrs present");
	if (p[0] != DER_OCTET_STRING || p[1] != OBJECT_TAG_LEN)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: the mac is not an octet string of 16 bytes");
	*tag = p + 2;
	return 0;
}

int object_check_type(const struct der *oid, struct err *e) {
	static const struct { const char *name; uint8_t len, last; } others[] = {
		{ "data", 9, 1 }, { "signedData", 9, 2 }, { "envelopedData", 9, 3 }, { "digestedData", 9, 5 }, { "encryptedData", 9, 6 },
		{ "authData", 11, 2 }, { "compressedData", 11, 9 },
	};

	if (oid->len == sizeof oid_auth_enveloped && memcmp(oid->p, oid_auth_enveloped, oid->len) == 0)
		return 0;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		const uint8_t *arc = others[i].len == sizeof oid_data ? oid_data : oid_auth_enveloped;

		if (oid->len == others[i].len && memcmp(oid->p, arc, oid->len - 1) == 0 && oid->p[oid->len - 1] == others[i].last)
			return err_set(e, ERR_DAMAGED, "RFC 5083 1.1: content type %s instead of authEnvelopedData", others[i].name);
	}
	return err_set(e, ERR_DAMAGED, "RFC 5083 1.1: content type is not authEnvelopedData");
}

int object_check_inner_type(const struct der *oid, struct err *e) {
	if (oid->len != sizeof oid_data || memcmp(oid->p, oid_data, oid->len) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.1: encrypted content type is not id-data");
	return 0;
}

/* keyIdentifier alone: no date, no other attribute. */
static int parse_kekid(struct der *kek, uint8_t key_id[static KEY_ID_LEN], struct err *e) {
	struct der kekid, id;
	int r;

	if ((r = der_take(kek, DER_SEQUENCE, &kekid, "RFC 5652 6.2.3: kekid", e)) != 0 ||
	    (r = der_take(&kekid, DER_OCTET_STRING, &id, "RFC 5652 6.2.3: keyIdentifier", e)) != 0 ||
	    (r = der_end(&kekid, "RFC 5652 6.2.3: kekid", e)) != 0)
		return r;
	if (id.len != KEY_ID_LEN)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2.3: key identifier of %zu bytes instead of %d", id.len, KEY_ID_LEN);
	memcpy(key_id, id.p, KEY_ID_LEN);
	return 0;
}

static int parse_wrap(struct der *kek, uint8_t wrapped[static OBJECT_WRAPPED_LEN], struct err *e) {
	struct der alg, oid, key;
	int r;

	if ((r = der_take(kek, DER_SEQUENCE, &alg, "RFC 5652 6.2.3: keyEncryptionAlgorithm", e)) != 0 ||
	    (r = der_take(&alg, DER_OID, &oid, "RFC 5652 6.2.3: keyEncryptionAlgorithm", e)) != 0)
		return r;
	if (oid.len != sizeof oid_aes256_wrap || memcmp(oid.p, oid_aes256_wrap, oid.len) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 3565 2.3.2: key wrap is not id-aes256-wrap");
	if ((r = der_end(&alg, "RFC 3565 2.3.2: parameters of id-aes256-wrap", e)) != 0 ||
	    (r = der_take(kek, DER_OCTET_STRING, &key, "RFC 5652 6.2.3: encryptedKey", e)) != 0)
		return r;
	if (key.len != OBJECT_WRAPPED_LEN)
		return err_set(e, ERR_DAMAGED, "RFC 3394 2.2.1: wrapped key of %zu bytes instead of %d", key.len, OBJECT_WRAPPED_LEN);
	memcpy(wrapped, key.p, OBJECT_WRAPPED_LEN);
	return 0;
}

int object_parse_recipients(struct der *set, uint8_t key_id[static KEY_ID_LEN], uint8_t wrapped[static OBJECT_WRAPPED_LEN],
			    struct err *e) {
	struct der kek;
	uint64_t version;
	int r;

	if (!der_next_is(set, KEK_TAG))
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: the recipient is not a KEKRecipientInfo");
	if ((r = der_take(set, KEK_TAG, &kek, "RFC 5652 6.2.3: KEKRecipientInfo", e)) != 0)
		return r;
	if (set->len != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: more than one recipient");
	if ((r = der_take_u64(&kek, &version, "RFC 5652 6.2.3: version", e)) != 0)
		return r;
	if (version != KEK_VERSION)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2.3: KEKRecipientInfo of version %" PRIu64 " instead of 4", version);
	if ((r = parse_kekid(&kek, key_id, e)) != 0 || (r = parse_wrap(&kek, wrapped, e)) != 0)
		return r;
	return der_end(&kek, "RFC 5652 6.2.3: KEKRecipientInfo", e);
}

int object_parse_cipher(struct der *alg, uint8_t nonce[static OBJECT_NONCE_LEN], struct err *e) {
	struct der oid, params, n;
	uint64_t tag_len;
	int r;

	if ((r = der_take(alg, DER_OID, &oid, "RFC 5652 6.1: contentEncryptionAlgorithm", e)) != 0)
		return r;
	if (oid.len != sizeof oid_aes256_gcm || memcmp(oid.p, oid_aes256_gcm, oid.len) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: cipher is not AES-256-GCM");
	if ((r = der_take(alg, DER_SEQUENCE, &params, "RFC 5084 3.2: GCMParameters", e)) != 0 ||
	    (r = der_end(alg, "RFC 5652 6.1: contentEncryptionAlgorithm", e)) != 0 ||
	    (r = der_take(&params, DER_OCTET_STRING, &n, "RFC 5084 3.2: nonce", e)) != 0)
		return r;
	if (n.len != OBJECT_NONCE_LEN)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: nonce of %zu bytes instead of 12", n.len);
	/* The default is 12 bytes, so that a missing ICVlen is a shorter tag. */
	if (params.len == 0)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: tag of 12 bytes instead of 16");
	if ((r = der_take_u64(&params, &tag_len, "RFC 5084 3.2: ICVlen", e)) != 0 ||
	    (r = der_end(&params, "RFC 5084 3.2: GCMParameters", e)) != 0)
		return r;
	if (tag_len != OBJECT_TAG_LEN)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: tag of %" PRIu64 " bytes instead of 16", tag_len);
	memcpy(nonce, n.p, OBJECT_NONCE_LEN);
	return 0;
}

/* Steps over the header of an element whose content need not be in memory. */
static int enter(struct der *d, uint8_t tag, uint64_t *len, const char *what, struct err *e) {
	size_t header_len;
	uint8_t found;
	int r;

	if ((r = der_header(d->p, d->len, &found, len, &header_len, what, e)) != 0)
		return r;
	if (found != tag)
		return err_set(e, ERR_DAMAGED, "%s: tag 0x%02x where 0x%02x is due", what, found, tag);
	d->p += header_len;
	d->len -= header_len;
	return 0;
}

static int parse_outside(struct der *d, uint64_t *inner_len, struct err *e) {
	struct der oid;
	uint64_t len, version;
	int r;

	if ((r = enter(d, DER_SEQUENCE, &len, "RFC 5652 3: ContentInfo", e)) != 0 ||
	    (r = der_take(d, DER_OID, &oid, "RFC 5652 3: contentType", e)) != 0 || (r = object_check_type(&oid, e)) != 0 ||
	    (r = enter(d, DER_CTX_CONS(0), &len, "RFC 5652 3: content", e)) != 0 ||
	    (r = enter(d, DER_SEQUENCE, inner_len, "RFC 5083 2.1: AuthEnvelopedData", e)) != 0 ||
	    (r = der_take_u64(d, &version, "RFC 5083 2.1: version", e)) != 0)
		return r;
	if (version != AUTH_ENVELOPED_VERSION)
		return err_set(e, ERR_DAMAGED, "RFC 5083 2.1: version %" PRIu64 " instead of 0", version);
	if (der_next_is(d, DER_CTX_CONS(0)))
		return err_set(e, ERR_DAMAGED, "RFC 5083 2.1: originatorInfo present");
	return 0;
}

static int parse_recipients(struct der *d, struct object_file *f, struct err *e) {
	struct der peek = *d, set;
	uint64_t len;
	int r;

	if ((r = enter(&peek, DER_SET, &len, "RFC 5083 2.1: recipientInfos", e)) != 0)
		return r;
	if (len > peek.len)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: recipientInfos of %" PRIu64 " bytes: one recipient is due", len);
	if ((r = der_take(d, DER_SET, &set, "RFC 5083 2.1: recipientInfos", e)) != 0)
		return r;
	f->to.kind = RECIPIENT_GROUP;
	if (!recipient_is_next(&set))
		return object_parse_recipients(&set, f->key_id, f->wrapped, e);
	memset(f->key_id, 0, sizeof f->key_id);
	memset(f->wrapped, 0, sizeof f->wrapped);
	return recipient_parse(&set, &f->to, e);
}

static int parse_info(struct der *d, uint8_t nonce[static OBJECT_NONCE_LEN], uint64_t *len, struct err *e) {
	struct der oid, alg;
	uint64_t info_len;
	int r;

	if ((r = enter(d, DER_SEQUENCE, &info_len, "RFC 5652 6.1: EncryptedContentInfo", e)) != 0 ||
	    (r = der_take(d, DER_OID, &oid, "RFC 5652 6.1: contentType", e)) != 0 || (r = object_check_inner_type(&oid, e)) != 0 ||
	    (r = der_take(d, DER_SEQUENCE, &alg, "RFC 5652 6.1: contentEncryptionAlgorithm", e)) != 0 ||
	    (r = object_parse_cipher(&alg, nonce, e)) != 0)
		return r;
	if (der_next_is(d, DER_CTX_CONS(0)))
		return err_set(e, ERR_DAMAGED, "X.690 10.2: encrypted content in pieces");
	return enter(d, CONTENT_TAG, len, "RFC 5652 6.1: encryptedContent", e);
}

/* All lengths but the content's follow from it: if another one stands in the header, something stands behind the mac or before it. */
static int check_canonical(const uint8_t *p, size_t len, const struct object_file *f, const struct object *o, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};

	object_header(f, o, &b);
	if (b.len != len || memcmp(b.data, p, len) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5083 2.1: lengths leave room for more than content and mac of 16 bytes "
			       "(authAttrs, unauthAttrs), or for less");
	return 0;
}

int object_parse(const uint8_t *p, size_t len, struct object_file *f, struct object *o, size_t *header_len, struct err *e) {
	struct der d = { p, len };
	uint8_t nonce[OBJECT_NONCE_LEN];
	uint64_t inner_len;
	int r;

	if ((r = parse_outside(&d, &inner_len, e)) != 0 || (r = parse_recipients(&d, f, e)) != 0 ||
	    (r = parse_info(&d, nonce, &o->len, e)) != 0)
		return r;
	if (o->len > CONTENT_LEN_MAX || o->len > inner_len)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.1: encrypted content is longer than what holds it");
	object_split_nonce(nonce, f, o);
	*header_len = (size_t)(d.p - p);
	return check_canonical(p, *header_len, f, o, e);
}

static const char *kind_name(uint8_t kind) {
	static const char *const names[] = { "a segment with more to follow", "the last segment", "the manifest", "the note" };

	return kind < sizeof names / sizeof names[0] ? names[kind] : "no object of this format";
}

/* There is a header, and it is not the one that is due: why? */
static int explain(const uint8_t *p, size_t len, const struct object_file *f, const struct object *o, struct err *e) {
	struct object_file found_file;
	struct object found;
	size_t header_len;
	int r;

	if ((r = object_parse(p, len, &found_file, &found, &header_len, e)) != 0)
		return r;
	if (memcmp(found_file.key_id, f->key_id, KEY_ID_LEN) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2.3: another key identifier than in the first object");
	if (memcmp(found_file.wrapped, f->wrapped, OBJECT_WRAPPED_LEN) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2.3: another wrapped key than in the first object: of another file or version");
	if (!recipient_equal(&found_file.to, &f->to))
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: another recipient than in the first object: of another file or version");
	if (memcmp(found_file.prefix, f->prefix, OBJECT_PREFIX_LEN) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: nonce of another file or version");
	if (found.kind != o->kind)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: nonce of %s where %s is due", kind_name(found.kind), kind_name(o->kind));
	if (found.index != o->index)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: nonce of index %" PRIu32 " where %" PRIu32 " is due", found.index, o->index);
	return err_set(e, ERR_DAMAGED, "RFC 5652 6.1: content of %" PRIu64 " bytes where %" PRIu64 " are due", found.len, o->len);
}

int object_expect(const uint8_t *p, size_t len, const struct object_file *f, const struct object *o, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};

	object_header(f, o, &b);
	if (len >= b.len && memcmp(b.data, p, b.len) == 0)
		return 0;
	return explain(p, len, f, o, e);
}

int object_blame(const struct object *o, int r, struct err *e) {
	if (r != ERR_DAMAGED)
		return r;
	if (o->kind == OBJECT_MANIFEST || o->kind == OBJECT_NOTE)
		err_add(e, "%s", o->kind == OBJECT_NOTE ? "note" : "manifest");
	else
		err_add(e, "segment %" PRIu32, o->index);
	return r;
}
