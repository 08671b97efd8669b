/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/entry.h"

#include <string.h>

#include "base/own.h"
#include "pki/cert.h"
#include "pki/ossl.h"

#define HASH_PREFIX "scg-revoked"
#define TAG_CERT DER_CTX(0)
#define TAG_REVOKED DER_CTX_CONS(1)

void entry_print(const struct entry *en, struct buf *der) {
	size_t mark = der->len;

	der_put(der, DER_OCTET_STRING, en->event, en->event_len);
	if (en->salt != NULL) {
		der_put(der, DER_OCTET_STRING, en->salt, SALT_LEN);
		der_put(der, DER_UTF8STRING, en->path, en->path_len);
	}
	if (en->cert != NULL)
		der_put(der, TAG_CERT, en->cert, en->cert_len);
	if (en->revoked != NULL)
		der_put(der, TAG_REVOKED, en->revoked, en->revoked_len);
	der_wrap(der, mark, DER_SEQUENCE);
}

static int take_name(struct der *d, struct entry *en, struct err *e) {
	struct der salt, path;
	int r;

	if (!der_next_is(d, DER_OCTET_STRING) && !der_next_is(d, DER_UTF8STRING))
		return 0;
	if ((r = der_take(d, DER_OCTET_STRING, &salt, "entry: salt", e)) != 0 ||
	    (r = der_take(d, DER_UTF8STRING, &path, "entry: path", e)) != 0)
		return r;
	if (salt.len != SALT_LEN)
		return err_set(e, ERR_DAMAGED, "entry: salt of %zu bytes, not %d", salt.len, SALT_LEN);
	if (path.len > PATH_BYTES_MAX)
		return err_set(e, ERR_DAMAGED, "entry: path of %zu bytes, %d are allowed", path.len, PATH_BYTES_MAX);
	en->salt = salt.p;
	en->path = (const char *)path.p;
	en->path_len = path.len;
	return 0;
}

static int take_cert(struct der *d, struct entry *en, struct err *e) {
	struct der cert;
	int r;

	if (!der_next_is(d, TAG_CERT))
		return 0;
	if ((r = der_take(d, TAG_CERT, &cert, "entry: certificate", e)) != 0)
		return r;
	if (cert.len > CERT_MAX_BYTES)
		return err_set(
		    e, ERR_DAMAGED, "entry: certificate of %zu bytes, %d are allowed", cert.len, CERT_MAX_BYTES);
	en->cert = cert.p;
	en->cert_len = cert.len;
	return 0;
}

static int take_revoked(struct der *d, struct entry *en, struct err *e) {
	struct der revoked;
	int r;

	if (!der_next_is(d, TAG_REVOKED))
		return 0;
	if ((r = der_take(d, TAG_REVOKED, &revoked, "entry: revoked", e)) != 0)
		return r;
	en->revoked = revoked.p;
	en->revoked_len = revoked.len;
	return entry_serials(en, NULL, NULL, e);
}

int entry_take(struct der *d, struct entry *en, struct err *e) {
	struct der in, event;
	int r;

	*en = (struct entry){0};
	if ((r = der_take(d, DER_SEQUENCE, &in, "entry", e)) != 0)
		return r;
	if (in.len > ENTRY_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "entry: %zu bytes, %u are allowed", in.len, ENTRY_MAX_BYTES);
	if ((r = der_take(&in, DER_OCTET_STRING, &event, "entry: event", e)) != 0)
		return r;
	if (event.len > EVENT_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "entry: event of %zu bytes, %d are allowed", event.len, EVENT_MAX_BYTES);
	en->event = event.p;
	en->event_len = event.len;
	if ((r = take_name(&in, en, e)) != 0 || (r = take_cert(&in, en, e)) != 0 || (r = take_revoked(&in, en, e)) != 0)
		return r;
	return der_end(&in, "entry", e);
}

int entry_parse(const uint8_t *der, size_t len, struct entry *en, struct err *e) {
	struct der d = {der, len};
	int r = entry_take(&d, en, e);

	return r != 0 ? r : der_end(&d, "entry", e);
}

int entries_open(const uint8_t *der, size_t len, struct der *run, struct err *e) {
	struct der d = {der, len};
	int r = der_take(&d, DER_SEQUENCE, run, "entries", e);

	return r != 0 ? r : der_end(&d, "entries", e);
}

void entries_wrap(struct buf *der, size_t mark) {
	der_wrap(der, mark, DER_SEQUENCE);
}

/* One INTEGER as a serial number (RFC 5280 4.1.2.2: positive, at most 20 octets). */
static int take_serial(struct der *d, struct der *serial, struct err *e) {
	int r = der_take(d, DER_INTEGER, serial, "entry: revoked", e);

	if (r != 0)
		return r;
	if (serial->len == 0 || (serial->p[0] & 0x80) != 0)
		return err_set(e, ERR_DAMAGED, "entry: RFC 5280 4.1.2.2: serial number is empty or negative");
	if (serial->p[0] == 0) {
		if (serial->len == 1 || (serial->p[1] & 0x80) == 0)
			return err_set(e, ERR_DAMAGED, "entry: X.690 8.3.2: serial number is zero or not minimal");
		serial->p++;
		serial->len--;
	}
	if (serial->len > SERIAL_MAX)
		return err_set(e, ERR_DAMAGED, "entry: RFC 5280 4.1.2.2: serial number of %zu octets", serial->len);
	return 0;
}

static bool rises(const struct der *last, const struct der *now) {
	return last->len < now->len || (last->len == now->len && memcmp(last->p, now->p, now->len) < 0);
}

int entry_serials(const struct entry *en, int (*f)(void *arg, const uint8_t *serial, size_t len, struct err *e),
    void *arg, struct err *e) {
	struct der d = {en->revoked, en->revoked_len}, last = {0}, serial;
	int r;

	while (d.len > 0) {
		if ((r = take_serial(&d, &serial, e)) != 0)
			return r;
		if (!rises(&last, &serial))
			return err_set(e, ERR_DAMAGED, "entry: serial numbers do not rise");
		if (f != NULL && (r = f(arg, serial.p, serial.len, e)) != 0)
			return r;
		last = serial;
	}
	return 0;
}

void entry_put_serial(struct buf *revoked, const uint8_t *serial, size_t len) {
	bool pad = len > 0 && (serial[0] & 0x80) != 0;

	der_put_header(revoked, DER_INTEGER, len + pad);
	if (pad)
		buf_addc(revoked, 0);
	buf_add(revoked, serial, len);
}

void entry_revoked_hash(const uint8_t *revoked, size_t len, uint8_t out[static 32]) {
	ossl_sha256_two(HASH_PREFIX, strlen(HASH_PREFIX), revoked, len, out); /* a million serial numbers: no copy of them */
}
