/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/record.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/der.h"
#include "base/own.h"
#include "base/text.h"

static const char *const kinds[] = {
	[RECORD_START] = "start",
	[RECORD_STOP] = "stop",
	[RECORD_MEMBER] = "member",
	[RECORD_KEYS] = "keys",
	[RECORD_EXPORT] = "export",
	[RECORD_REFUSED] = "refused",
	[RECORD_CRL] = "crl",
	[RECORD_EPOCH] = "epoch",
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

/* Tags of what need not be there, in the order of the entry. */
enum { TAG_NAME, TAG_SERIAL, TAG_ADDRESS, TAG_REASON, TAG_EPOCH, TAG_CRL, TAG_COUNT };

const char *record_kind_name(enum record_kind kind) {
	return kinds[kind];
}

void record_set(char *to, size_t size, const char *text) {
	size_t len = text != NULL ? strnlen(text, size - 1) : 0;

	if (len > 0)
		memcpy(to, text, len);
	while (len > 0 && !text_is_utf8(to, len)) /* cut within a character, or none at all */
		len--;
	to[len] = '\0';
}

static void put_text(struct buf *b, int tag, const char *text) {
	if (*text != '\0')
		der_put(b, (uint8_t)DER_CTX(tag), text, strlen(text));
}

static void put_number(struct buf *b, int tag, uint64_t v) {
	size_t mark = b->len;

	if (v == 0)
		return;
	der_put_u64(b, v);
	der_wrap(b, mark, (uint8_t)DER_CTX_CONS(tag));
}

static void put_serial(struct buf *b, const char *hex) {
	uint8_t serial[SERIAL_MAX];
	size_t len = strlen(hex) / 2;

	if (len > 0 && len <= sizeof serial && text_unhex(hex, serial, len, NULL) == 0)
		der_put(b, DER_CTX(TAG_SERIAL), serial, len);
}

void record_print_body(const struct record *r, struct buf *b) {
	der_put_gentime(b, r->time_s);
	der_put(b, DER_UTF8STRING, kinds[r->kind], strlen(kinds[r->kind]));
	put_text(b, TAG_NAME, r->name);
	put_serial(b, r->serial);
	put_text(b, TAG_ADDRESS, r->address);
	put_text(b, TAG_REASON, r->reason);
	put_number(b, TAG_EPOCH, r->epoch);
	put_number(b, TAG_CRL, r->crl);
	put_number(b, TAG_COUNT, r->count);
}

void record_print_as(uint64_t number, const uint8_t *body, size_t len, struct buf *der) {
	size_t mark = der->len;

	der_put_u64(der, number);
	buf_add(der, body, len);
	der_wrap(der, mark, DER_SEQUENCE);
}

static int take_kind(struct der *d, struct record *r, struct err *e) {
	struct der in;

	if (der_take(d, DER_UTF8STRING, &in, "audit entry: kind", e) != 0)
		return e->code;
	for (size_t i = 0; i < N_KINDS; i++)
		if (in.len == strlen(kinds[i]) && memcmp(in.p, kinds[i], in.len) == 0) {
			r->kind = (enum record_kind)i;
			return 0;
		}
	return err_set(e, ERR_DAMAGED, "audit entry: a kind that this version does not know");
}

static int take_text(struct der *d, int tag, char *to, size_t size, struct err *e) {
	struct der in;

	if (!der_next_is(d, (uint8_t)DER_CTX(tag)))
		return 0;
	if (der_take(d, (uint8_t)DER_CTX(tag), &in, "audit entry: text", e) != 0)
		return e->code;
	if (in.len >= size || !text_is_utf8((const char *)in.p, in.len))
		return err_set(e, ERR_DAMAGED, "audit entry: a text too long or not UTF-8");
	memcpy(to, in.p, in.len);
	return 0;
}

static int take_serial(struct der *d, struct record *r, struct err *e) {
	struct der in;

	if (!der_next_is(d, DER_CTX(TAG_SERIAL)))
		return 0;
	if (der_take(d, DER_CTX(TAG_SERIAL), &in, "audit entry: serial number", e) != 0)
		return e->code;
	if (in.len > SERIAL_MAX)
		return err_set(e, ERR_DAMAGED, "audit entry: serial number too long");
	text_hex(in.p, in.len, r->serial);
	return 0;
}

static int take_number(struct der *d, int tag, uint64_t *v, struct err *e) {
	struct der in;

	if (!der_next_is(d, (uint8_t)DER_CTX_CONS(tag)))
		return 0;
	if (der_take(d, (uint8_t)DER_CTX_CONS(tag), &in, "audit entry: number", e) != 0 || der_take_u64(&in, v, "audit entry: number", e) != 0)
		return e->code;
	return der_end(&in, "audit entry: number", e);
}

static int take_all(struct der *d, struct record *r, struct err *e) {
	struct der in;

	if (der_take(d, DER_SEQUENCE, &in, "audit entry", e) != 0 || der_end(d, "audit entry", e) != 0 ||
	    der_take_u64(&in, &r->number, "audit entry: its number", e) != 0 || der_take_time(&in, &r->time_s, "audit entry: time", e) != 0 ||
	    take_kind(&in, r, e) != 0 || take_text(&in, TAG_NAME, r->name, sizeof r->name, e) != 0 || take_serial(&in, r, e) != 0 ||
	    take_text(&in, TAG_ADDRESS, r->address, sizeof r->address, e) != 0 ||
	    take_text(&in, TAG_REASON, r->reason, sizeof r->reason, e) != 0 || take_number(&in, TAG_EPOCH, &r->epoch, e) != 0 ||
	    take_number(&in, TAG_CRL, &r->crl, e) != 0 || take_number(&in, TAG_COUNT, &r->count, e) != 0)
		return e->code;
	return der_end(&in, "audit entry", e);
}

int record_parse(const uint8_t *der, size_t len, struct record *r, struct err *e) {
	OWN(buf_wipe) struct buf body = { 0 }, again = { 0 };
	struct der d = { der, len };
	struct err why = ERR_INIT;

	*r = (struct record){ 0 };
	if (len > RECORD_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "audit entry: %zu bytes", len);
	if (take_all(&d, r, &why) != 0)
		return err_set(e, ERR_DAMAGED, "%s", why.text);
	record_print_body(r, &body);
	record_print_as(r->number, body.data, body.len, &again);
	if (again.len != len || memcmp(again.data, der, len) != 0)
		return err_set(e, ERR_DAMAGED, "audit entry: not in its one form");
	return 0;
}

static void add_text(struct buf *out, const char *key, const char *text) {
	if (*text == '\0')
		return;
	buf_addf(out, " %s=", key);
	text_escape(text, strlen(text), out);
}

static void add_number(struct buf *out, const char *key, uint64_t v) {
	if (v != 0)
		buf_addf(out, " %s=%" PRIu64, key, v);
}

void record_line(const struct record *r, struct buf *out) {
	char time[CLOCK_TEXT];

	clock_print(r->time_s, time);
	buf_addf(out, "%" PRIu64 "  %s  %s", r->number, time, kinds[r->kind]);
	add_number(out, "epoch", r->epoch);
	add_number(out, "crl", r->crl);
	add_text(out, "reason", r->reason);
	add_number(out, "count", r->count);
	add_text(out, "address", r->address);
	add_text(out, "serial", r->serial);
	add_text(out, "name", r->name); /* the last one: it may have blanks */
}
