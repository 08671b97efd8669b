/* SPDX-License-Identifier: Apache-2.0 */
#include "base/der.h"

#include <string.h>

#include "base/clock.h"

#define LONG_TAG 0x1f   /* X.690 8.1.2.4: more tag bytes follow */
#define LONG_LEN 0x80   /* X.690 8.1.3.5: the low bits count the bytes of the length */
#define HEADER_MAX 10   /* tag, count, eight bytes of length */
#define GENTIME_LEN 15
#define UTC_END_S 2524608000 /* 2050-01-01T00:00:00Z */
#define UTC_PIVOT 50    /* RFC 5280 4.1.2.5.1: from 50 on it is the last century */

static int damaged(struct err *e, const char *what, const char *rule) {
	return err_set(e, ERR_DAMAGED, "%s: %s", what, rule);
}

static int long_length(const uint8_t *p, size_t n, uint64_t *len, const char *what, struct err *e) {
	uint64_t v = 0;

	if (n == 0)
		return damaged(e, what, "X.690 10.1: indefinite length");
	if (n > sizeof v)
		return damaged(e, what, "length of more than 8 bytes");
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	if (p[0] == 0 || v < LONG_LEN)
		return damaged(e, what, "X.690 10.1: length is not minimal");
	if (v > INT64_MAX)
		return damaged(e, what, "length above 2^63-1");
	*len = v;
	return 0;
}

int der_header(const uint8_t *p, size_t len, uint8_t *tag, uint64_t *content_len, size_t *header_len, const char *what,
	       struct err *e) {
	size_t n;

	if (len < 2)
		return damaged(e, what, "cut off");
	if ((p[0] & LONG_TAG) == LONG_TAG)
		return damaged(e, what, "X.690 8.1.2.4: tag of several bytes");
	if (p[0] == 0)
		return damaged(e, what, "X.690 8.1.5: end of contents where an element is due");
	*tag = p[0];
	*header_len = 2;
	*content_len = p[1];
	if (p[1] < LONG_LEN)
		return 0;
	n = p[1] & 0x7f;
	if (n > len - 2 && n <= sizeof *content_len)
		return damaged(e, what, "cut off");
	*header_len = 2 + n;
	return long_length(p + 2, n, content_len, what, e);
}

int der_take_any(struct der *d, uint8_t *tag, struct der *in, struct der *whole, const char *what, struct err *e) {
	uint64_t content_len;
	size_t header_len;
	int r;

	if ((r = der_header(d->p, d->len, tag, &content_len, &header_len, what, e)) != 0)
		return r;
	if (content_len > d->len - header_len)
		return damaged(e, what, "cut off");
	*in = (struct der){ d->p + header_len, (size_t)content_len };
	*whole = (struct der){ d->p, header_len + in->len };
	d->p += whole->len;
	d->len -= whole->len;
	return 0;
}

int der_take(struct der *d, uint8_t tag, struct der *in, const char *what, struct err *e) {
	struct der rest = *d, whole;
	uint8_t found;
	int r;

	if ((r = der_take_any(&rest, &found, in, &whole, what, e)) != 0)
		return r;
	if (found != tag)
		return err_set(e, ERR_DAMAGED, "%s: tag 0x%02x where 0x%02x is due", what, found, tag);
	*d = rest;
	return 0;
}

bool der_next_is(const struct der *d, uint8_t tag) {
	return d->len > 0 && d->p[0] == tag;
}

int der_end(const struct der *d, const char *what, struct err *e) {
	return d->len == 0 ? 0 : err_set(e, ERR_DAMAGED, "%s: %zu bytes too many", what, d->len);
}

int der_take_u64(struct der *d, uint64_t *v, const char *what, struct err *e) {
	struct der rest = *d, in;
	uint64_t n = 0;
	int r;

	if ((r = der_take(&rest, DER_INTEGER, &in, what, e)) != 0)
		return r;
	if (in.len == 0)
		return damaged(e, what, "X.690 8.3.1: empty integer");
	if (in.p[0] & 0x80)
		return damaged(e, what, "negative integer");
	if (in.len > 1 && in.p[0] == 0 && !(in.p[1] & 0x80))
		return damaged(e, what, "X.690 8.3.2: integer is not minimal");
	if (in.len > sizeof n)
		return damaged(e, what, "integer above 2^63-1");
	for (size_t i = 0; i < in.len; i++)
		n = n << 8 | in.p[i];
	*v = n;
	*d = rest;
	return 0;
}

int der_take_oid(struct der *d, const uint8_t *oid, size_t len, const char *what, struct err *e) {
	struct der rest = *d, in;
	int r;

	if ((r = der_take(&rest, DER_OID, &in, what, e)) != 0)
		return r;
	if (in.len != len || memcmp(in.p, oid, len) != 0)
		return damaged(e, what, "another object identifier");
	*d = rest;
	return 0;
}

/* "YYYYMMDDHHMMSSZ" */
static bool compact_time(const char s[static GENTIME_LEN], int64_t *t_s) {
	static const int at[7] = { 0, 4, 6, 8, 10, 12, 14 };
	int field[6] = { 0 };

	for (int f = 0; f < 6; f++) {
		for (int i = at[f]; i < at[f + 1]; i++) {
			if (s[i] < '0' || s[i] > '9')
				return false;
			field[f] = field[f] * 10 + (s[i] - '0');
		}
	}
	return s[GENTIME_LEN - 1] == 'Z' && clock_civil(field, t_s);
}

int der_take_time(struct der *d, int64_t *t_s, const char *what, struct err *e) {
	bool utc = der_next_is(d, DER_UTCTIME);
	size_t skip = utc ? 2 : 0;
	char text[GENTIME_LEN] = { 0 };
	struct der rest = *d, in;
	int r;

	if ((r = der_take(&rest, utc ? DER_UTCTIME : DER_GENTIME, &in, what, e)) != 0)
		return r;
	if (in.len != sizeof text - skip)
		return damaged(e, what, utc ? "RFC 5280 4.1.2.5.1: time is not YYMMDDHHMMSSZ"
					    : "RFC 5280 4.1.2.5.2: time is not YYYYMMDDHHMMSSZ");
	memcpy(text + skip, in.p, in.len);
	if (utc) {
		bool last_century = text[2] >= '0' + UTC_PIVOT / 10;

		text[0] = last_century ? '1' : '2';
		text[1] = last_century ? '9' : '0';
	}
	if (!compact_time(text, t_s))
		return damaged(e, what, "RFC 5280 4.1.2.5: no such time");
	*d = rest;
	return 0;
}

int der_take_x509_time(struct der *d, int64_t *t_s, const char *what, struct err *e) {
	bool utc = der_next_is(d, DER_UTCTIME);
	struct der rest = *d;
	int r = der_take_time(&rest, t_s, what, e);

	if (r != 0)
		return r;
	if (utc != (*t_s < UTC_END_S))
		return damaged(e, what, "RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on");
	*d = rest;
	return 0;
}

size_t der_header_len(uint64_t content_len) {
	size_t n = 2;

	if (content_len < LONG_LEN)
		return n;
	for (; content_len != 0; content_len >>= 8)
		n++;
	return n;
}

static size_t print_header(uint8_t out[static HEADER_MAX], uint8_t tag, uint64_t content_len) {
	size_t n = der_header_len(content_len);

	out[0] = tag;
	if (n == 2) {
		out[1] = (uint8_t)content_len;
		return n;
	}
	out[1] = (uint8_t)(LONG_LEN | (n - 2));
	for (size_t i = n; i > 2; i--, content_len >>= 8)
		out[i - 1] = (uint8_t)content_len;
	return n;
}

void der_put_header(struct buf *b, uint8_t tag, uint64_t content_len) {
	uint8_t header[HEADER_MAX];

	buf_add(b, header, print_header(header, tag, content_len));
}

void der_put(struct buf *b, uint8_t tag, const void *content, size_t len) {
	der_put_header(b, tag, len);
	buf_add(b, content, len);
}

void der_put_u64(struct buf *b, uint64_t v) {
	uint8_t bytes[1 + sizeof v] = { 0 };
	size_t skip = 0;

	for (size_t i = sizeof bytes; i > 1; i--, v >>= 8)
		bytes[i - 1] = (uint8_t)v;
	while (skip < sizeof bytes - 1 && bytes[skip] == 0 && !(bytes[skip + 1] & 0x80))
		skip++;
	der_put(b, DER_INTEGER, bytes + skip, sizeof bytes - skip);
}

/* YYYYMMDDHHMMSSZ */
static void print_time(int64_t t_s, char out[static GENTIME_LEN]) {
	char text[CLOCK_TEXT];
	size_t n = 0;

	clock_print(t_s, text);
	for (const char *c = text; *c != '\0' && n < GENTIME_LEN; c++)
		if ((*c >= '0' && *c <= '9') || *c == 'Z')
			out[n++] = *c;
}

void der_put_gentime(struct buf *b, int64_t t_s) {
	char text[GENTIME_LEN];

	print_time(t_s, text);
	der_put(b, DER_GENTIME, text, sizeof text);
}

void der_put_x509_time(struct buf *b, int64_t t_s) {
	char text[GENTIME_LEN];

	print_time(t_s, text);
	if (t_s < UTC_END_S)
		der_put(b, DER_UTCTIME, text + 2, sizeof text - 2);
	else
		der_put(b, DER_GENTIME, text, sizeof text);
}

void der_wrap(struct buf *b, size_t mark, uint8_t tag) {
	uint8_t header[HEADER_MAX];
	size_t len = b->len - mark, n = print_header(header, tag, len);

	(void)buf_room(b, n + 1);
	memmove(b->data + mark + n, b->data + mark, len);
	memcpy(b->data + mark, header, n);
	b->len += n;
	b->data[b->len] = '\0';
}
