/* SPDX-License-Identifier: Apache-2.0 */
/* SymmetricKeyPackage, RFC 6031 2: one OneSymmetricKey an epoch, its attributes in one fixed order. */
#include "keyring/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/name.h"

/* id-pskc, 1.2.840.113549.1.9.16.12, and the arc of an attribute below it (RFC 6031 3). */
#define OID_PSKC 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x0c
#define OID_LEN 11
static const uint8_t oid_key_id[OID_LEN] = { OID_PSKC, 9 };
static const uint8_t oid_issuer[OID_LEN] = { OID_PSKC, 11 };
static const uint8_t oid_counter[OID_LEN] = { OID_PSKC, 16 };
static const uint8_t oid_start[OID_LEN] = { OID_PSKC, 21 };
static const uint8_t oid_expiry[OID_LEN] = { OID_PSKC, 22 };

/* --- encoding --- */

/* Attribute: the value stands behind mark. */
static void wrap_attr(struct buf *b, size_t mark, const uint8_t oid[static OID_LEN]) {
	uint8_t head[OID_LEN + 2] = { DER_OID, OID_LEN };
	size_t len;

	memcpy(head + 2, oid, OID_LEN);
	der_wrap(b, mark, DER_SET);
	len = b->len - mark;
	(void)buf_room(b, sizeof(head));
	memmove(b->data + mark + sizeof(head), b->data + mark, len);
	memcpy(b->data + mark, head, sizeof(head));
	b->len += sizeof(head);
	der_wrap(b, mark, DER_SEQUENCE);
}

static void put_text(struct buf *b, const uint8_t oid[static OID_LEN], const char *text) {
	size_t mark = b->len;
	der_put(b, DER_UTF8STRING, text, strlen(text));
	wrap_attr(b, mark, oid);
}

static void put_time(struct buf *b, const uint8_t oid[static OID_LEN], int64_t t_s) {
	size_t mark = b->len;
	der_put_gentime(b, t_s);
	wrap_attr(b, mark, oid);
}

static void put_epoch(struct buf *b, const char *group, const struct epoch *ep) {
	char id[KEY_ID_HEX];
	size_t mark = b->len, counter;

	text_hex(ep->key_id, sizeof(ep->key_id), id);
	put_text(b, oid_issuer, group);
	put_text(b, oid_key_id, id);
	counter = b->len;
	der_put_u64(b, ep->number);
	wrap_attr(b, counter, oid_counter);
	put_time(b, oid_start, ep->created_s);
	if (ep->retired_s != 0)
		put_time(b, oid_expiry, ep->retired_s);
	der_wrap(b, mark, DER_SEQUENCE);
	der_put(b, DER_OCTET_STRING, ep->key.data, ep->key.len);
	der_wrap(b, mark, DER_SEQUENCE);
}

int keyring_encode(const struct keyring *k, struct buf *out, struct err *e) {
	size_t mark = out->len;

	if (k->n == 0 || k->group == NULL)
		return err_set(e, ERR_FAIL, "RFC 6031 2: a key package has at least one key, and its group");
	for (size_t i = 0; i < k->n; i++)
		put_epoch(out, k->group, &k->v[i]);
	der_wrap(out, mark, DER_SEQUENCE); /* sKeys; version v1 is the default and there are no sKeyPkgAttrs */
	der_wrap(out, mark, DER_SEQUENCE);
	return 0;
}

/* --- decoding --- */

/* The next attribute must be this one; its only value's bytes are left in value. */
static int take_attr(struct der *attrs, const uint8_t oid[static OID_LEN], struct der *value, const char *what, struct err *e) {
	struct der attr;
	int r;

	if ((r = der_take(attrs, DER_SEQUENCE, &attr, what, e)) != 0 || (r = der_take_oid(&attr, oid, OID_LEN, what, e)) != 0
	    || (r = der_take(&attr, DER_SET, value, what, e)) != 0)
		return r;
	return der_end(&attr, what, e);
}

static int take_text(struct der *attrs, const uint8_t oid[static OID_LEN], struct der *text, const char *what, struct err *e) {
	struct der value;
	int r;

	if ((r = take_attr(attrs, oid, &value, what, e)) != 0 || (r = der_take(&value, DER_UTF8STRING, text, what, e)) != 0)
		return r;
	return der_end(&value, what, e);
}

static int take_time(struct der *attrs, const uint8_t oid[static OID_LEN], int64_t *t_s, const char *what, struct err *e) {
	struct der value;
	int r;

	if ((r = take_attr(attrs, oid, &value, what, e)) != 0)
		return r;
	if (!der_next_is(&value, DER_GENTIME))
		return err_set(e, ERR_DAMAGED, "%s: not a GeneralizedTime", what);
	if ((r = der_take_time(&value, t_s, what, e)) != 0)
		return r;
	return der_end(&value, what, e);
}

/* The same group in each key; the first one names it. */
static int take_group(struct der *attrs, struct keyring *k, struct err *e) {
	static const char what[] = "RFC 6031 3.2.5: issuer";
	struct der text;
	char name[NAME_MAX_BYTES + 1];
	int r = take_text(attrs, oid_issuer, &text, what, e);

	if (r != 0)
		return r;
	if (text.len > NAME_MAX_BYTES || memchr(text.p, 0, text.len) != NULL)
		return err_set(e, ERR_DAMAGED, "%s is not the name of a group", what);
	memcpy(name, text.p, text.len);
	name[text.len] = '\0';
	if (k->group == NULL) {
		if (name_check(name, "group", e) != 0)
			return err_set(e, ERR_DAMAGED, "%s is not the name of a group", what);
		k->group = xstrdup(name);
	}
	return strcmp(k->group, name) == 0 ? 0 : err_set(e, ERR_DAMAGED, "%s: keys of two groups", what);
}

static int take_key_id(struct der *attrs, uint8_t id[static KEY_ID_LEN], struct err *e) {
	static const char what[] = "RFC 6031 3.2.1: key id";
	char hex[KEY_ID_HEX], again[KEY_ID_HEX];
	struct der text;
	int r = take_text(attrs, oid_key_id, &text, what, e);

	if (r != 0)
		return r;
	if (text.len != KEY_ID_HEX - 1)
		return err_set(e, ERR_DAMAGED, "%s has not %d digits", what, KEY_ID_HEX - 1);
	memcpy(hex, text.p, text.len);
	hex[text.len] = '\0';
	if (text_unhex(hex, id, KEY_ID_LEN, NULL) != 0)
		return err_set(e, ERR_DAMAGED, "%s is not hexadecimal", what);
	text_hex(id, KEY_ID_LEN, again);
	return strcmp(hex, again) == 0 ? 0 : err_set(e, ERR_DAMAGED, "%s is not lower-case hexadecimal", what);
}

static int take_counter(struct der *attrs, uint64_t *number, struct err *e) {
	static const char what[] = "RFC 6031 3.2.9: counter";
	struct der value;
	int r;

	if ((r = take_attr(attrs, oid_counter, &value, what, e)) != 0 || (r = der_take_u64(&value, number, what, e)) != 0)
		return r;
	return der_end(&value, what, e);
}

static int take_attrs(struct der *attrs, struct keyring *k, struct epoch *ep, struct err *e) {
	int r;

	if ((r = take_group(attrs, k, e)) != 0 || (r = take_key_id(attrs, ep->key_id, e)) != 0 || (r = take_counter(attrs, &ep->number, e)) != 0
	    || (r = take_time(attrs, oid_start, &ep->created_s, "RFC 6031 3.2.12: start date", e)) != 0)
		return r;
	if (attrs->len == 0)
		return 0;
	if ((r = take_time(attrs, oid_expiry, &ep->retired_s, "RFC 6031 3.2.13: expiry date", e)) != 0)
		return r;
	if (ep->retired_s < ep->created_s || ep->retired_s == 0)
		return err_set(e, ERR_DAMAGED, "an epoch that ended before it began");
	return der_end(attrs, "RFC 6031 2: key attributes", e);
}

/* Where it stands in the ring: only the first epoch is current, and numbers fall. */
static int check_place(const struct keyring *k, const struct epoch *ep, struct err *e) {
	if (ep->number == 0 || (k->n > 0 && ep->number >= k->v[k->n - 1].number))
		return err_set(e, ERR_DAMAGED, "epochs do not stand newest first");
	if ((ep->retired_s == 0) != (k->n == 0))
		return err_set(e, ERR_DAMAGED, "RFC 6031 3.2.13: all epochs but the first one are retired");
	return k->n < KEYRING_MAX ? 0 : err_set(e, ERR_DAMAGED, "more than %d epochs", KEYRING_MAX);
}

static int take_epoch(struct der *keys, struct keyring *k, struct epoch *ep, struct err *e) {
	static const char what[] = "RFC 6031 2: symmetric key";
	struct der one, attrs, key;
	int r;

	if ((r = der_take(keys, DER_SEQUENCE, &one, what, e)) != 0 || (r = der_take(&one, DER_SEQUENCE, &attrs, what, e)) != 0
	    || (r = take_attrs(&attrs, k, ep, e)) != 0 || (r = check_place(k, ep, e)) != 0
	    || (r = der_take(&one, DER_OCTET_STRING, &key, what, e)) != 0 || (r = der_end(&one, what, e)) != 0)
		return r;
	if (key.len != GROUP_KEY_LEN)
		return err_set(e, ERR_DAMAGED, "%s has not %d bytes", what, GROUP_KEY_LEN);
	return secret_copy(&ep->key, key.p, key.len, e);
}

static int compare_ids(const void *a, const void *b) {
	return memcmp(a, b, KEY_ID_LEN);
}

/* A key id that names two keys would make it a matter of luck which one opens a file. */
static int check_ids(const struct keyring *k, struct err *e) {
	OWN(own_free) uint8_t *ids = xcalloc(k->n, KEY_ID_LEN);

	for (size_t i = 0; i < k->n; i++)
		memcpy(ids + i * KEY_ID_LEN, k->v[i].key_id, KEY_ID_LEN);
	qsort(ids, k->n, KEY_ID_LEN, compare_ids);
	for (size_t i = 1; i < k->n; i++)
		if (memcmp(ids + (i - 1) * KEY_ID_LEN, ids + i * KEY_ID_LEN, KEY_ID_LEN) == 0)
			return err_set(e, ERR_DAMAGED, "two epochs have the same key id");
	return 0;
}

static int decode(struct der d, struct keyring *k, struct err *e) {
	static const char what[] = "RFC 6031 2: key package";
	struct der package, keys;
	size_t cap = 0;
	int r;

	if ((r = der_take(&d, DER_SEQUENCE, &package, what, e)) != 0 || (r = der_end(&d, what, e)) != 0
	    || (r = der_take(&package, DER_SEQUENCE, &keys, what, e)) != 0 || (r = der_end(&package, what, e)) != 0)
		return r;
	if (keys.len == 0)
		return err_set(e, ERR_DAMAGED, "%s without a key", what);
	while (keys.len > 0) {
		struct epoch ep = {0};
		if ((r = take_epoch(&keys, k, &ep, e)) != 0)
			return r;
		if (k->n == cap) {
			cap = cap > 0 ? 2 * cap : 4;
			k->v = xrealloc(k->v, cap, sizeof(*k->v));
		}
		k->v[k->n++] = ep;
	}
	return check_ids(k, e);
}

int keyring_decode(const uint8_t *der, size_t len, struct keyring *k, struct err *e) {
	int r = decode((struct der){ der, len }, k, e);
	if (r != 0)
		keyring_wipe(k);
	return r;
}
