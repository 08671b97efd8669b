/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/crl.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

#define WHEN_LEN 5        /* seconds up to the year 9999 fit into 38 bits */
#define REASON_LEN 1
#define NUMBER_UNSEEN UINT64_MAX

/* A record is the serial number, padded in front with zeros to the width of the longest one, the time and the reason: 22 bytes for our
 * own serial numbers. Sorted, so that memcmp orders them as integers. */
struct crl_set {
	atomic_uint refs;
	uint8_t *records;
	size_t n, width, record_len;
	uint64_t number;
	int64_t this_s, next_s;
	uint8_t sha256[SHA256_LEN];
};

/* What a walk over the fields finds. */
struct fields {
	struct der tbs;     /* whole, as signed */
	struct der issuer;  /* whole Name */
	struct der entries; /* content of revokedCertificates, empty if absent */
	struct der aki;     /* keyIdentifier */
	struct der sig;
	enum sigalg alg;
	int64_t this_s, next_s;
	uint64_t number;
};

static const uint8_t oid_reason[] = { 0x55, 0x1d, 0x15 };
static const uint8_t oid_number[] = { 0x55, 0x1d, 0x14 };
static const uint8_t oid_delta[] = { 0x55, 0x1d, 0x1b };
static const uint8_t oid_distribution_point[] = { 0x55, 0x1d, 0x1c };
static const uint8_t oid_aki[] = { 0x55, 0x1d, 0x23 };

/* --- the walk over the fields, RFC 5280 5.1 --- */

struct extension { struct der oid, value; bool critical; };

/* RFC 5280 4.1: what a walk over Extensions hands to a rule. */
static int take_extension(struct der *list, struct extension *x, struct err *e) {
	static const char what[] = "RFC 5280 5.1.2.7: extension";
	struct der ext, in;
	int r;
	*x = (struct extension){0};
	if ((r = der_take(list, DER_SEQUENCE, &ext, what, e)) != 0 || (r = der_take(&ext, DER_OID, &x->oid, what, e)) != 0)
		return r;
	if (der_next_is(&ext, DER_BOOLEAN)) {
		if ((r = der_take(&ext, DER_BOOLEAN, &in, what, e)) != 0)
			return r;
		if (in.len != 1 || in.p[0] != 0xff) /* X.690 11.1, 11.5 */
			return err_set(e, ERR_DAMAGED, "%s: critical is not DER", what);
		x->critical = true;
	}
	if ((r = der_take(&ext, DER_OCTET_STRING, &x->value, what, e)) != 0)
		return r;
	return der_end(&ext, what, e);
}

static bool is_oid(const struct extension *x, const uint8_t *oid, size_t len) {
	return x->oid.len == len && memcmp(x->oid.p, oid, len) == 0;
}
#define IS(x, oid) is_oid(x, oid, sizeof(oid))

static int read_number(struct der value, struct fields *f, struct err *e) {
	static const char what[] = "RFC 5280 5.2.3: CRL number";
	int r;
	if (f->number != NUMBER_UNSEEN)
		return err_set(e, ERR_DAMAGED, "%s occurs twice", what);
	if ((r = der_take_u64(&value, &f->number, what, e)) != 0)
		return r;
	return der_end(&value, what, e);
}

static int read_aki(struct der value, struct fields *f, struct err *e) {
	static const char what[] = "RFC 5280 5.2.1: authority key identifier";
	struct der seq;
	int r;
	if (f->aki.p != NULL)
		return err_set(e, ERR_DAMAGED, "%s occurs twice", what);
	if ((r = der_take(&value, DER_SEQUENCE, &seq, what, e)) != 0 || (r = der_end(&value, what, e)) != 0)
		return r;
	return der_take(&seq, DER_CTX(0), &f->aki, what, e); /* authorityCertIssuer may follow */
}

static int read_list_extension(const struct extension *x, struct fields *f, struct err *e) {
	if (IS(x, oid_number))
		return read_number(x->value, f, e);
	if (IS(x, oid_aki))
		return read_aki(x->value, f, e);
	if (IS(x, oid_delta))
		return err_set(e, ERR_DAMAGED, "RFC 5280 5.2.4: a delta list");
	if (IS(x, oid_distribution_point))
		return err_set(e, ERR_DAMAGED, "RFC 5280 5.2.5: a partial or indirect list");
	return x->critical ? err_set(e, ERR_DAMAGED, "RFC 5280 5.2: unknown critical extension") : 0;
}

static int read_list_extensions(struct der *tbs, struct fields *f, struct err *e) {
	static const char what[] = "RFC 5280 5.1.2.7: extensions";
	struct der box, list;
	struct extension x;
	int r;
	f->number = NUMBER_UNSEEN;
	if ((r = der_take(tbs, DER_CTX_CONS(0), &box, what, e)) != 0 || (r = der_take(&box, DER_SEQUENCE, &list, what, e)) != 0
	    || (r = der_end(&box, what, e)) != 0)
		return r;
	while (list.len > 0)
		if ((r = take_extension(&list, &x, e)) != 0 || (r = read_list_extension(&x, f, e)) != 0)
			return r;
	if (f->number == NUMBER_UNSEEN)
		return err_set(e, ERR_DAMAGED, "RFC 5280 5.2.3: the list has no number");
	if (f->aki.p == NULL)
		return err_set(e, ERR_DAMAGED, "RFC 5280 5.2.1: the list has no authority key identifier");
	return 0;
}

static int read_dates(struct der *tbs, struct fields *f, struct err *e) {
	int r = der_take_x509_time(tbs, &f->this_s, "RFC 5280 5.1.2.4: thisUpdate", e);
	if (r == 0)
		r = der_take_x509_time(tbs, &f->next_s, "RFC 5280 5.1.2.5: nextUpdate", e);
	if (r == 0 && f->next_s <= f->this_s)
		r = err_set(e, ERR_DAMAGED, "RFC 5280 5.1.2.5: nextUpdate is not after thisUpdate");
	return r;
}

static int read_tbs(struct der tbs, struct fields *f, struct err *e) {
	struct der in;
	enum sigalg inner;
	uint64_t version;
	uint8_t tag;
	int r;
	if ((r = der_take_u64(&tbs, &version, "RFC 5280 5.1.2.1: version", e)) != 0)
		return r;
	if (version != 1)
		return err_set(e, ERR_DAMAGED, "RFC 5280 5.1.2.1: the list is not of version 2");
	if ((r = sigalg_take(&tbs, SIGALG_IN_X509, &inner, "RFC 5280 5.1.2.2: signature", e)) != 0)
		return r;
	if (inner != f->alg)
		return err_set(e, ERR_DAMAGED, "RFC 5280 5.1.2.2: two signature algorithms");
	if ((r = der_take_any(&tbs, &tag, &in, &f->issuer, "RFC 5280 5.1.2.3: issuer", e)) != 0 || (r = read_dates(&tbs, f, e)) != 0)
		return r;
	if (der_next_is(&tbs, DER_SEQUENCE)) {
		if ((r = der_take(&tbs, DER_SEQUENCE, &f->entries, "RFC 5280 5.1.2.6: revokedCertificates", e)) != 0)
			return r;
		if (f->entries.len == 0)
			return err_set(e, ERR_DAMAGED, "RFC 5280 5.1.2.6: an empty list of entries");
	}
	if ((r = read_list_extensions(&tbs, f, e)) != 0)
		return r;
	return der_end(&tbs, "RFC 5280 5.1.2", e);
}

static int read_fields(const uint8_t *der, size_t len, struct fields *f, struct err *e) {
	static const char what[] = "RFC 5280 5.1.1: revocation list";
	struct der d = { der, len }, list, tbs, bits;
	uint8_t tag;
	int r;
	*f = (struct fields){0};
	if (len > CRL_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "%s above %u MiB", what, CRL_MAX_BYTES >> 20);
	if ((r = der_take(&d, DER_SEQUENCE, &list, what, e)) != 0 || (r = der_end(&d, what, e)) != 0
	    || (r = der_take_any(&list, &tag, &tbs, &f->tbs, what, e)) != 0)
		return r;
	if (tag != DER_SEQUENCE)
		return err_set(e, ERR_DAMAGED, "%s: not a SEQUENCE", what);
	if ((r = sigalg_take(&list, SIGALG_IN_X509, &f->alg, "RFC 5280 5.1.1.2: signatureAlgorithm", e)) != 0
	    || (r = der_take(&list, DER_BIT_STRING, &bits, "RFC 5280 5.1.1.3: signatureValue", e)) != 0 || (r = der_end(&list, what, e)) != 0)
		return r;
	if (bits.len < 1 || bits.p[0] != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5280 5.1.1.3: signatureValue has unused bits");
	f->sig = (struct der){ bits.p + 1, bits.len - 1 };
	return read_tbs(tbs, f, e);
}

static int check_issuer(const struct fields *f, X509 *ca, struct err *e) {
	unsigned char *name = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(ca), &name);
	bool same = len > 0 && (size_t)len == f->issuer.len && memcmp(name, f->issuer.p, f->issuer.len) == 0;
	size_t ski_len = 0;
	const uint8_t *ski = cert_ski(ca, &ski_len);
	OPENSSL_free(name);
	if (!same)
		return err_set(e, ERR_REFUSED, "RFC 5280 5.1.2.3: the list is another issuer's");
	if (ski == NULL || ski_len != f->aki.len || memcmp(ski, f->aki.p, ski_len) != 0)
		return err_set(e, ERR_REFUSED, "RFC 5280 5.2.1: the list was made with another CA key");
	return 0;
}

/* --- the entries, RFC 5280 5.1.2.6 and 5.3 --- */

static int read_reason(struct der value, uint8_t *reason, struct err *e) {
	static const char what[] = "RFC 5280 5.3.1: reason code";
	struct der in;
	int r;
	if ((r = der_take(&value, DER_ENUMERATED, &in, what, e)) != 0 || (r = der_end(&value, what, e)) != 0)
		return r;
	if (in.len != 1 || crl_reason_name(in.p[0]) == NULL)
		return err_set(e, ERR_DAMAGED, "%s", what);
	*reason = in.p[0];
	return 0;
}

static int read_entry_extensions(struct der *entry, uint8_t *reason, struct err *e) {
	struct der list;
	struct extension x;
	bool seen = false;
	int r = der_take(entry, DER_SEQUENCE, &list, "RFC 5280 5.3: entry extensions", e);
	if (r != 0)
		return r;
	while (list.len > 0) {
		if ((r = take_extension(&list, &x, e)) != 0)
			return r;
		if (IS(&x, oid_reason)) {
			if (seen)
				return err_set(e, ERR_DAMAGED, "RFC 5280 5.3.1: two reason codes");
			seen = true;
			if ((r = read_reason(x.value, reason, e)) != 0)
				return r;
		} else if (x.critical) {
			return err_set(e, ERR_DAMAGED, "RFC 5280 5.3: unknown critical entry extension");
		}
	}
	return 0;
}

struct entry { struct der serial; int64_t when_s; uint8_t reason; };

static int take_serial(struct der *d, struct der *serial, struct err *e) {
	static const char what[] = "RFC 5280 4.1.2.2: serial number";
	int r = der_take(d, DER_INTEGER, serial, what, e);
	if (r != 0)
		return r;
	if (serial->len == 0 || serial->len > SERIAL_MAX || (serial->p[0] & 0x80) != 0)
		return err_set(e, ERR_DAMAGED, "%s is not positive or has more than 20 octets", what);
	if (serial->p[0] != 0)
		return 0;
	if (serial->len < 2 || (serial->p[1] & 0x80) == 0)
		return err_set(e, ERR_DAMAGED, "%s is zero or not minimal", what);
	serial->p++;
	serial->len--;
	return 0;
}

static int take_entry(struct der *entries, struct entry *out, struct err *e) {
	static const char what[] = "RFC 5280 5.1.2.6: entry";
	struct der entry;
	int r;
	out->reason = CRL_UNSPECIFIED;
	if ((r = der_take(entries, DER_SEQUENCE, &entry, what, e)) != 0 || (r = take_serial(&entry, &out->serial, e)) != 0
	    || (r = der_take_x509_time(&entry, &out->when_s, "RFC 5280 5.1.2.6: revocationDate", e)) != 0)
		return r;
	if (entry.len > 0 && (r = read_entry_extensions(&entry, &out->reason, e)) != 0)
		return r;
	return der_end(&entry, what, e);
}

static void write_record(const struct crl_set *s, uint8_t *rec, const struct entry *in) {
	uint64_t when = in->when_s > 0 ? (uint64_t)in->when_s : 0;
	size_t pad = s->width - in->serial.len;
	memset(rec, 0, pad);
	memcpy(rec + pad, in->serial.p, in->serial.len);
	for (size_t i = WHEN_LEN; i > 0; i--, when >>= 8)
		rec[s->width + i - 1] = (uint8_t)when;
	rec[s->width + WHEN_LEN] = in->reason;
}

static void read_record(const struct crl_set *s, const uint8_t *rec, struct crl_entry *out) {
	size_t skip = 0;
	uint64_t when = 0;
	while (skip + 1 < s->width && rec[skip] == 0)
		skip++;
	*out = (struct crl_entry){0};
	out->serial_len = s->width - skip;
	memcpy(out->serial, rec + skip, out->serial_len);
	for (size_t i = 0; i < WHEN_LEN; i++)
		when = when << 8 | rec[s->width + i];
	out->revoked_s = (int64_t)when;
	out->reason = rec[s->width + WHEN_LEN];
}

/* A glance at each entry: how many there are, and how wide the longest serial number is. */
static int measure_entries(struct crl_set *s, struct der entries, struct err *e) {
	struct der entry, serial;
	int r;
	s->width = 1;
	for (; entries.len > 0; s->n++) {
		if ((r = der_take(&entries, DER_SEQUENCE, &entry, "RFC 5280 5.1.2.6: entry", e)) != 0 || (r = take_serial(&entry, &serial, e)) != 0) {
			(void)err_add(e, "entry %zu", s->n + 1);
			return r;
		}
		if (serial.len > s->width)
			s->width = serial.len;
	}
	s->record_len = s->width + WHEN_LEN + REASON_LEN;
	return 0;
}

static int compare_records(const void *a, const void *b, void *width) {
	return memcmp(a, b, *(const size_t *)width);
}

/* The records, in order. Our own lists are sorted already; a serial number that occurs twice would be an ambiguous list. */
static int collect_entries(struct crl_set *s, struct der entries, struct err *e) {
	struct entry entry;
	bool sorted = true;
	uint8_t *rec;
	int r;

	s->records = xcalloc(s->n, s->record_len);
	rec = s->records;
	for (size_t i = 0; i < s->n; i++, rec += s->record_len) {
		if ((r = take_entry(&entries, &entry, e)) != 0) {
			(void)err_add(e, "entry %zu", i + 1);
			return r;
		}
		write_record(s, rec, &entry);
		if (i > 0 && memcmp(rec - s->record_len, rec, s->width) >= 0)
			sorted = false;
	}
	if (sorted)
		return 0;
	qsort_r(s->records, s->n, s->record_len, compare_records, &s->width);
	rec = s->records;
	for (size_t i = 1; i < s->n; i++, rec += s->record_len)
		if (memcmp(rec, rec + s->record_len, s->width) == 0)
			return err_set(e, ERR_DAMAGED, "RFC 5280 5.1.2.6: a serial number is listed twice");
	return 0;
}

/* --- the set --- */

int crl_set_make(const uint8_t *der, size_t len, X509 *ca, struct crl_set **set, struct err *e) {
	struct fields f;
	struct crl_set *s;
	int r;

	if ((r = read_fields(der, len, &f, e)) != 0 || (r = check_issuer(&f, ca, e)) != 0
	    || (r = sigalg_verify(f.alg, X509_get0_pubkey(ca), f.tbs.p, f.tbs.len, f.sig.p, f.sig.len, "RFC 5280 6.3.3 (g): revocation list", e)) != 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	s->number = f.number;
	s->this_s = f.this_s;
	s->next_s = f.next_s;
	ossl_sha256(der, len, s->sha256);
	if ((r = measure_entries(s, f.entries, e)) != 0 || (r = collect_entries(s, f.entries, e)) != 0) {
		crl_set_free(s);
		return r;
	}
	*set = s;
	return 0;
}

int crl_peek_number(const uint8_t *der, size_t len, uint64_t *number, struct err *e) {
	struct fields f;
	int r = read_fields(der, len, &f, e);
	if (r == 0)
		*number = f.number;
	return r;
}

bool crl_peek_is_of(const uint8_t *der, size_t len, X509 *ca) {
	struct err e = ERR_INIT;
	struct fields f;

	return read_fields(der, len, &f, &e) == 0 && check_issuer(&f, ca, &e) == 0;
}

struct crl_set *crl_set_ref(struct crl_set *set) {
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void crl_set_free(struct crl_set *set) {
	if (set == NULL || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(set->records);
	free(set);
}

bool crl_set_has(const struct crl_set *set, const uint8_t *serial, size_t len, int64_t *revoked_s, int *reason) {
	uint8_t key[SERIAL_MAX] = {0};
	struct crl_entry entry;
	size_t low = 0, high = set->n;

	for (; len > 0 && serial[0] == 0; serial++)
		len--;
	if (len == 0 || len > set->width)
		return false;
	memcpy(key + set->width - len, serial, len);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const uint8_t *rec = set->records + mid * set->record_len;
		int c = memcmp(key, rec, set->width);
		if (c == 0) {
			read_record(set, rec, &entry);
			if (revoked_s != NULL)
				*revoked_s = entry.revoked_s;
			if (reason != NULL)
				*reason = entry.reason;
			return true;
		}
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

bool crl_set_has_cert(const struct crl_set *set, const X509 *cert) {
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(cert, serial);
	return crl_set_has(set, serial, len, NULL, NULL);
}

uint64_t crl_set_number(const struct crl_set *set) {
	return set->number;
}

int64_t crl_set_this_update(const struct crl_set *set) {
	return set->this_s;
}

int64_t crl_set_next_update(const struct crl_set *set) {
	return set->next_s;
}

size_t crl_set_count(const struct crl_set *set) {
	return set->n;
}

const uint8_t *crl_set_sha256(const struct crl_set *set) {
	return set->sha256;
}

int crl_set_new(const struct crl_set *old, const struct crl_set *now, int (*f)(void *arg, const struct crl_entry *entry, struct err *e),
    void *arg, struct err *e) {
	struct crl_entry entry;
	for (size_t i = 0; i < now->n; i++) {
		int r;
		read_record(now, now->records + i * now->record_len, &entry);
		if (old != NULL && crl_set_has(old, entry.serial, entry.serial_len, NULL, NULL))
			continue;
		if ((r = f(arg, &entry, e)) != 0)
			return r;
	}
	return 0;
}
