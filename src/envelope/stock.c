/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/stock.h"

#include <inttypes.h>
#include <string.h>

#include "base/own.h"
#include "envelope/content.h"

#define CHUNK_LEN (256u << 10)
#define DEPTH_MAX 6             /* ContentInfo, [0], AuthEnvelopedData, EncryptedContentInfo, [0] and one to spare */
#define SMALL_MAX 512           /* the longest element that is looked at as a whole has 82 bytes */
#define INDEX_LIKELY 65536
#define GCM_LEN_MAX ((UINT64_C(1) << 36) - 32) /* NIST SP 800-38D 5.2.1.1: 2^39 - 256 bits under one nonce */
#define INDEFINITE UINT64_MAX

bool stock_nonce_is_ours(const struct object *o) {
	return o->kind <= OBJECT_NOTE && o->index < INDEX_LIKELY;
}

/* Elements that are open: where each ends in the feed, or INDEFINITE. */
struct ber {
	struct feed *in;
	uint64_t end[DEPTH_MAX];
	size_t depth;
};

static int fits(const struct ber *b, uint64_t len, const char *what, struct err *e) {
	uint64_t end = b->in->off + len;

	for (size_t i = 0; i < b->depth; i++)
		if (end > b->end[i])
			return err_set(e, ERR_DAMAGED, "%s: longer than what holds it", what);
	return 0;
}

/* Takes tag and length; len is INDEFINITE for X.690 8.1.3.6. */
static int take_header(struct ber *b, uint8_t tag, uint64_t *len, const char *what, struct err *e) {
	const uint8_t *p = b->in->ahead;
	uint8_t found, skip[16];
	size_t header_len = 2;
	int r;

	if ((r = feed_peek(b->in, 10, e)) != 0)
		return r;
	if (b->in->ahead_len >= 2 && p[0] == tag && (tag & 0x20) && p[1] == 0x80)
		*len = INDEFINITE;
	else if ((r = der_header(p, b->in->ahead_len, &found, len, &header_len, what, e)) != 0)
		return r;
	else if (found != tag)
		return err_set(e, ERR_DAMAGED, "%s: tag 0x%02x where 0x%02x is due", what, found, tag);
	if ((r = fits(b, header_len, what, e)) != 0 || (r = feed_take_all(b->in, skip, header_len, e)) != 0)
		return r;
	return *len == INDEFINITE ? 0 : fits(b, *len, what, e);
}

static int enter(struct ber *b, uint8_t tag, const char *what, struct err *e) {
	uint64_t len;
	int r;

	if (b->depth == DEPTH_MAX)
		return err_set(e, ERR_DAMAGED, "%s: nested too deep", what);
	if ((r = take_header(b, tag, &len, what, e)) != 0)
		return r;
	b->end[b->depth++] = len == INDEFINITE ? INDEFINITE : b->in->off + len;
	return 0;
}

/* At the end of the innermost element? */
static int at_end(struct ber *b, bool *end, struct err *e) {
	int r;

	if (b->end[b->depth - 1] != INDEFINITE) {
		*end = b->in->off == b->end[b->depth - 1];
		return 0;
	}
	if ((r = feed_peek(b->in, 2, e)) != 0)
		return r;
	*end = b->in->ahead_len >= 2 && b->in->ahead[0] == 0 && b->in->ahead[1] == 0;
	return 0;
}

static int leave(struct ber *b, const char *what, struct err *e) {
	uint8_t eoc[2];
	bool end;
	int r;

	if ((r = at_end(b, &end, e)) != 0)
		return r;
	if (!end)
		return err_set(e, ERR_DAMAGED, "%s: more in it than there may be", what);
	if (b->end[--b->depth] != INDEFINITE)
		return 0;
	if ((r = fits(b, sizeof eoc, what, e)) != 0)
		return r;
	return feed_take_all(b->in, eoc, sizeof eoc, e);
}

/* A small element in DER, as a whole: its content. */
static int small(struct ber *b, uint8_t tag, uint8_t buf[static SMALL_MAX], struct der *in, const char *what, struct err *e) {
	uint64_t len;
	int r;

	if ((r = take_header(b, tag, &len, what, e)) != 0)
		return r;
	if (len > SMALL_MAX)
		return err_set(e, ERR_DAMAGED, "%s: %s", what, len == INDEFINITE ? "X.690 10.1: indefinite length" : "too long");
	*in = (struct der){ buf, (size_t)len };
	return feed_take_all(b->in, buf, in->len, e);
}

static int read_outside(struct ber *b, struct object_file *f, struct err *e) {
	uint8_t buf[SMALL_MAX];
	struct der in;
	int r;

	if ((r = enter(b, DER_SEQUENCE, "RFC 5652 3: ContentInfo", e)) != 0 ||
	    (r = small(b, DER_OID, buf, &in, "RFC 5652 3: contentType", e)) != 0 || (r = object_check_type(&in, e)) != 0 ||
	    (r = enter(b, DER_CTX_CONS(0), "RFC 5652 3: content", e)) != 0 ||
	    (r = enter(b, DER_SEQUENCE, "RFC 5083 2.1: AuthEnvelopedData", e)) != 0 ||
	    (r = small(b, DER_INTEGER, buf, &in, "RFC 5083 2.1: version", e)) != 0)
		return r;
	if (in.len != 1 || in.p[0] != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5083 2.1: version is not 0");
	if ((r = small(b, DER_SET, buf, &in, "RFC 5083 2.1: recipientInfos (one, without originatorInfo)", e)) != 0)
		return r;
	f->to.kind = RECIPIENT_GROUP;
	return object_parse_recipients(&in, f->key_id, f->wrapped, e);
}

static int read_cipher(struct ber *b, struct object_file *f, struct object *o, struct err *e) {
	uint8_t buf[SMALL_MAX], nonce[OBJECT_NONCE_LEN];
	struct der in;
	int r;

	if ((r = enter(b, DER_SEQUENCE, "RFC 5652 6.1: EncryptedContentInfo", e)) != 0 ||
	    (r = small(b, DER_OID, buf, &in, "RFC 5652 6.1: contentType", e)) != 0 || (r = object_check_inner_type(&in, e)) != 0 ||
	    (r = small(b, DER_SEQUENCE, buf, &in, "RFC 5652 6.1: contentEncryptionAlgorithm", e)) != 0 ||
	    (r = object_parse_cipher(&in, nonce, e)) != 0)
		return r;
	object_split_nonce(nonce, f, o);
	if (stock_nonce_is_ours(o))
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: nonce of a piece of a sealed file, whose manifest is missing");
	return 0;
}

/* Where the content goes; crypt NULL: only counted. */
struct drain {
	struct crypt *crypt;
	struct outlet *out;
	uint8_t *buf;
	uint64_t len;
};

static int drain_piece(struct ber *b, struct drain *d, uint64_t len, struct err *e) {
	int r;

	if (len > GCM_LEN_MAX - d->len)
		return err_set(e, ERR_DAMAGED, "NIST SP 800-38D 5.2.1.1: more than 64 GiB under one nonce");
	d->len += len;
	for (size_t n; len > 0; len -= n) {
		n = len < CHUNK_LEN ? (size_t)len : CHUNK_LEN;
		if ((r = feed_take_all(b->in, d->buf, n, e)) != 0)
			return r;
		if (d->crypt != NULL &&
		    ((r = crypt_update(d->crypt, d->buf, n, e)) != 0 || (r = outlet_write(d->out, d->buf, n, e)) != 0))
			return r;
	}
	return 0;
}

/* [0] IMPLICIT OCTET STRING, in one piece or in primitive pieces. */
static int drain_content(struct ber *b, struct drain *d, struct err *e) {
	const char *what = "RFC 5652 6.1: encryptedContent";
	uint64_t len;
	bool end;
	int r;

	if ((r = feed_peek(b->in, 1, e)) != 0)
		return r;
	if (b->in->ahead_len > 0 && b->in->ahead[0] == DER_CTX(0))
		return (r = take_header(b, DER_CTX(0), &len, what, e)) != 0 ? r : drain_piece(b, d, len, e);
	if ((r = enter(b, DER_CTX_CONS(0), what, e)) != 0)
		return r;
	while ((r = at_end(b, &end, e)) == 0 && !end)
		if ((r = take_header(b, DER_OCTET_STRING, &len, what, e)) != 0 || (r = drain_piece(b, d, len, e)) != 0)
			return r;
	return r != 0 ? r : leave(b, what, e);
}

static int read_tag(struct ber *b, uint8_t tag[static OBJECT_TAG_LEN], struct err *e) {
	uint8_t buf[SMALL_MAX];
	struct der in;
	int r;

	if ((r = leave(b, "RFC 5652 6.1: EncryptedContentInfo", e)) != 0 ||
	    (r = small(b, DER_OCTET_STRING, buf, &in, "RFC 5083 2.1: mac (without authAttrs)", e)) != 0)
		return r;
	if (in.len != OBJECT_TAG_LEN)
		return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: mac of %zu bytes instead of 16", in.len);
	memcpy(tag, in.p, OBJECT_TAG_LEN);
	if ((r = leave(b, "RFC 5083 2.1: AuthEnvelopedData (without unauthAttrs)", e)) != 0 ||
	    (r = leave(b, "RFC 5652 3: content", e)) != 0 || (r = leave(b, "RFC 5652 3: ContentInfo", e)) != 0 ||
	    (r = feed_peek(b->in, 1, e)) != 0)
		return r;
	return b->in->ahead_len == 0 ? 0 : err_set(e, ERR_DAMAGED, "bytes behind the envelope");
}

int stock_open(const struct keyring *keys, struct feed *in, struct outlet *out, struct envelope_result *r, struct err *e) {
	OWN(content_wipe) struct content c = {0};
	OWN(crypt_wipe) struct crypt crypt = {0};
	OWN(own_free) uint8_t *buf = xmalloc(CHUNK_LEN);
	struct ber b = { .in = in };
	struct drain d = { .crypt = &crypt, .out = out, .buf = buf };
	uint8_t tag[OBJECT_TAG_LEN];
	struct object_file f;
	struct object o = {0};
	int rc;

	if ((rc = read_outside(&b, &f, e)) != 0 || (rc = read_cipher(&b, &f, &o, e)) != 0 ||
	    (rc = content_unwrap(&c, &f, keys, e)) != 0 || (rc = crypt_init(&crypt, &c, NULL, false, e)) != 0 ||
	    (rc = crypt_begin(&crypt, &o, e)) != 0 || (rc = drain_content(&b, &d, e)) != 0 || (rc = read_tag(&b, tag, e)) != 0 ||
	    (rc = crypt_end(&crypt, tag, NULL, NULL, e)) != 0)
		return rc;
	memcpy(r->key_id, f.key_id, KEY_ID_LEN);
	r->is_unsigned = true;
	r->object_size = in->off;
	return stream_digest(in->md, r->object_sha256, e);
}

int stock_walk(struct feed *in, uint8_t key_id[static KEY_ID_LEN], uint64_t *plain_size, struct err *e) {
	OWN(own_free) uint8_t *buf = xmalloc(CHUNK_LEN);
	struct ber b = { .in = in };
	struct drain d = { .buf = buf };
	uint8_t tag[OBJECT_TAG_LEN];
	struct object_file f;
	struct object o = {0};
	int r;

	if ((r = read_outside(&b, &f, e)) != 0 || (r = read_cipher(&b, &f, &o, e)) != 0 || (r = drain_content(&b, &d, e)) != 0 ||
	    (r = read_tag(&b, tag, e)) != 0)
		return r;
	memcpy(key_id, f.key_id, KEY_ID_LEN);
	*plain_size = d.len;
	return 0;
}
