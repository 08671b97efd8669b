/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/revocation.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/restored.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/ossl.h"
#include "pki/profile.h"

int revocation_reason(const char *name, int *reason, struct err *e) {
	*reason = name == NULL ? CRL_UNSPECIFIED : crl_reason_parse(name);
	switch (*reason) {
	case CRL_UNSPECIFIED:
	case CRL_KEY_COMPROMISE:
	case CRL_AFFILIATION_CHANGED:
	case CRL_SUPERSEDED:
	case CRL_CESSATION:
	case CRL_PRIVILEGE_WITHDRAWN:
		return 0;
	default: /* RFC 5280 5.3.1: the others are for CAs and attribute authorities, or can be taken back */
		return err_set(e, ERR_USAGE, "reason is none of unspecified, keyCompromise, affiliationChanged, superseded, "
		    "cessationOfOperation, privilegeWithdrawn");
	}
}

/* above: a number that is taken too; 0 otherwise. */
static int make_list_above(struct ca *ca, uint64_t days, uint64_t above, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct record_crl c = {0};
	int64_t now = clock_now_s(), this_s = now - PROFILE_SKEW_S;
	int rc = records_get_crl(ca->db, &c, NULL, e);

	if (rc < 0 && rc != ERR_NOTFOUND)
		return rc;
	if (c.number < above)
		c.number = above;
	if ((rc = restored_check(ca, c.number, e)) < 0)
		return rc;
	if (c.number == INT64_MAX)
		return err_set(e, ERR_FAIL, "RFC 5280 5.2.3: no number is left for another list");
	c.number++;
	c.days = days;
	const struct crl_make m = {
	    ca->key, ca->cert, c.number, this_s, now + (int64_t)days * CA_DAY_S, records_next_revoked, &rows,
	};
	if ((rc = records_revoked(ca->db, &rows, e)) < 0 || (rc = crl_make(&m, &der, e)) < 0)
		return rc;
	db_done(&rows);
	if ((rc = records_put_crl(ca->db, &c, der.data, der.len, e)) < 0)
		return rc;
	return records_retire(ca->db, this_s, e);
}

int revocation_make_list(struct ca *ca, uint64_t days, struct err *e) { return make_list_above(ca, days, 0, e); }

static int write_list(struct ca *ca, const char *out, struct err *e) {
	OWN(own_free) char *path = file_join(ca->dir, "crl.pem");
	OWN(buf_wipe) struct buf der = {0}, pem = {0};
	struct record_crl c = {0};
	int rc;

	if ((rc = records_get_crl(ca->db, &c, &der, e)) < 0 || (rc = restored_check(ca, c.number, e)) < 0 || (rc = crl_pem(der.data, der.len, &pem, e)) < 0 ||
	    (rc = file_save(path, pem.data, pem.len, 0644, e)) < 0)
		return rc;
	return out == NULL ? 0 : file_save(out, pem.data, pem.len, 0644, e);
}

/* Under the database's lock, so that of two processes the slower cannot put the older list over the newer one. */
int revocation_write_list(struct ca *ca, const char *out, struct err *e) {
	int rc = db_begin(ca->db, e);

	if (rc == 0)
		rc = write_list(ca, out, e);
	db_rollback(ca->db); /* nothing was changed */
	return rc < 0 ? err_add(e, "the list stands in ca.db but not in its file (scg-ca crl makes another)") : 0;
}

/* Within a transaction. */
static int renew(struct ca *ca, const struct revocation_renewal *p, struct restored *r, struct err *e) {
	int rc = p->above == NULL ? 0 : restored_take(ca, p->above, r, e);

	if (rc < 0 || (rc = make_list_above(ca, p->days, r->number, e)) < 0)
		return rc;
	return db_commit(ca->db, e);
}

int revocation_renew(struct ca *ca, const struct revocation_renewal *p, struct restored *r, struct err *e) {
	static const char *const list[] = {"crl.pem", NULL};
	const char *out = p->out;
	int rc;

	*r = (struct restored){0};

	/* A copy to where the list goes anyhow is none. */
	if (out != NULL && file_is_one_of(ca->dir, list, out) != NULL)
		out = NULL;
	if ((out != NULL && (rc = ca_check_out(ca, out, e)) < 0) || (rc = db_begin(ca->db, e)) < 0)
		return rc;
	if ((rc = renew(ca, p, r, e)) < 0) {
		db_rollback(ca->db);
		return rc;
	}
	return revocation_write_list(ca, out, e);
}

static void add_record(struct buf *records, const struct record *r) { buf_add(records, r, sizeof *r); }

struct by_name {
	int64_t now_s;
	struct buf *valid;   /* struct record */
	struct record other; /* the last one that is not valid */
	unsigned n_others;
};

static int sort_record(void *arg, const struct record *r, struct err *e) {
	struct by_name *n = arg;

	(void)e;
	if (record_status(r, n->now_s) == RECORD_VALID) {
		add_record(n->valid, r);
		return 0;
	}
	n->other = *r;
	n->n_others++;
	return 0;
}

static int refuse_ambiguous(const char *name, const struct revocation *done, struct err *e) {
	OWN(buf_wipe) struct buf serials = {0};
	char hex[SERIAL_HEX];

	for (size_t i = 0; i < revocation_n(done); i++) {
		const struct record *r = revocation_at(done, i);

		text_hex(r->serial, r->serial_len, hex);
		buf_addf(&serials, "%s%s", i == 0 ? "" : ", ", hex);
	}
	return err_set(e, ERR_FAIL, "%s has %zu valid certificates; say by -serial which one is superseded: %s", name,
	    revocation_n(done), buf_str(&serials));
}

/* All that are valid: who is to go shall not stay with the certificate of before or after a renewal. */
static int find_by_name(struct ca *ca, const struct revocation_plan *p, struct revocation *found, struct err *e) {
	struct by_name n = {.now_s = clock_now_s(), .valid = &found->records};
	int rc = records_each(ca->db, p->name, sort_record, &n, e);

	if (rc < 0)
		return rc;
	if (revocation_n(found) > 1 && p->reason == CRL_SUPERSEDED)
		return refuse_ambiguous(p->name, found, e);
	if (revocation_n(found) > 0)
		return 0;
	if (n.n_others == 0)
		return err_set(e, ERR_NOTFOUND, "no certificate was issued to %s", p->name);
	add_record(&found->records, &n.other);
	return 0;
}

/* Hex as others print it: any case, colons between octets, leading zeros. */
static int parse_serial(const char *text, uint8_t out[static SERIAL_MAX], size_t *len, struct err *e) {
	char hex[SERIAL_HEX];
	size_t n = 0;

	for (; *text == '0' || *text == ':'; text++)
		continue;
	size_t digits = strlen(text);
	for (const char *p = text; *p != '\0'; p++)
		digits -= *p == ':';
	if (digits == 0 || digits > SERIAL_HEX - 1)
		return err_set(e, ERR_USAGE, "RFC 5280 4.1.2.2: a serial number has 1 to %d octets and is positive", SERIAL_MAX);
	if (digits % 2 != 0)
		hex[n++] = '0';
	for (const char *p = text; *p != '\0'; p++)
		if (*p != ':')
			hex[n++] = *p;
	hex[n] = '\0';
	*len = n / 2;
	return text_unhex(hex, out, *len, NULL) == 0 ? 0 : err_set(e, ERR_USAGE, "a serial number is written in hex");
}

/* Of a certificate that ca.db does not know it may know that it is revoked. */
static int check_not_taken(struct ca *ca, const uint8_t *serial, size_t len, struct err *e) {
	char when[CLOCK_TEXT];
	int64_t at_s = 0;
	int rc = records_taken_at(ca->db, serial, len, &at_s, e);

	if (rc < 0 || at_s == 0)
		return rc;
	clock_print(at_s, when);
	return err_set(e, ERR_EXISTS, "this certificate was revoked already, at %s", when);
}

static int find_by_serial(struct ca *ca, const char *text, struct record *r, struct err *e) {
	uint8_t serial[SERIAL_MAX];
	size_t len = 0;
	int rc = parse_serial(text, serial, &len, e);

	if (rc < 0)
		return rc;
	rc = records_by_serial(ca->db, serial, len, r, NULL, e);
	if (rc != ERR_NOTFOUND || (rc = check_not_taken(ca, serial, len, e)) < 0)
		return rc;
	return err_set(e, ERR_NOTFOUND, "no certificate with this serial number was issued");
}

/* Issued after the backup from which ca.db came: by its signature it is ours, by the profile one that we issue. */
static int adopt(struct ca *ca, X509 *cert, struct record *r, struct err *e) {
	OWN(own_free) char *name = NULL, *role_text = NULL;
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(cert, serial);
	struct err why = ERR_INIT;
	enum role role;
	int rc;

	if (cert_name(cert, &name, &why) < 0 || cert_role(cert, &role_text, &why) < 0 || role_parse(role_text, &role, &why) < 0 ||
	    chain_check(ca->chain, cert, role == ROLE_GATEWAY ? PURPOSE_SERVER : PURPOSE_SIGNER, &why) != VERDICT_GOOD)
		return ERR_NOTFOUND;
	if ((rc = check_not_taken(ca, serial, len, e)) < 0 || (rc = records_add(ca->db, cert, role, name, NULL, clock_now_s(), e)) < 0 ||
	    (rc = records_set_delivered(ca->db, serial, len, e)) < 0)
		return rc;
	return records_by_serial(ca->db, serial, len, r, NULL, e);
}

static int find_by_cert(struct ca *ca, const char *path, struct record *r, struct err *e) {
	OWN(own_x509) X509 *cert = NULL;
	OWN(buf_wipe) struct buf given = {0}, issued = {0};
	uint8_t serial[SERIAL_MAX];
	int rc;

	if ((rc = cert_load(path, &cert, e)) < 0 || (rc = cert_der(cert, &given, e)) < 0)
		return rc;
	rc = records_by_serial(ca->db, serial, cert_serial(cert, serial), r, &issued, e);
	if (rc == ERR_NOTFOUND)
		rc = adopt(ca, cert, r, e);
	else if (rc == 0 && (given.len != issued.len || memcmp(given.data, issued.data, given.len) != 0))
		rc = ERR_NOTFOUND;
	return rc == ERR_NOTFOUND ? err_set(e, rc, "%s: not issued by this CA", path) : rc;
}

static int check_revocable(const struct record *r, struct err *e) {
	char when[CLOCK_TEXT];

	switch (record_status(r, clock_now_s())) {
	case RECORD_REVOKED:
		clock_print(r->revoked_s, when);
		return err_set(e, ERR_EXISTS, "%s was revoked already, at %s (%s)", r->name, when, crl_reason_name(r->reason));
	case RECORD_EXPIRED:
		clock_print(r->not_after_s, when);
		return err_set(e, ERR_FAIL, "%s: the certificate expired at %s, there is nothing to revoke", r->name, when);
	case RECORD_VALID:
		break;
	}
	return 0;
}

static int find(struct ca *ca, const struct revocation_plan *p, struct revocation *found, struct err *e) {
	struct record r;
	int rc;

	if (p->name != NULL)
		return find_by_name(ca, p, found, e);
	rc = p->serial != NULL ? find_by_serial(ca, p->serial, &r, e) : find_by_cert(ca, p->cert, &r, e);
	if (rc == 0)
		add_record(&found->records, &r);
	return rc;
}

static int revoke_found(struct ca *ca, const struct revocation *found, int reason, struct err *e) {
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < revocation_n(found); i++) {
		const struct record *r = revocation_at(found, i);

		if ((rc = check_revocable(r, e)) == 0)
			rc = records_revoke(ca->db, r->serial, r->serial_len, clock_now_s(), reason, e);
	}
	return rc;
}

/* Within a transaction: the revocations and the list that names them are on disk together. */
static int add(struct ca *ca, const struct revocation_plan *p, struct revocation *done, struct err *e) {
	struct record_crl last = {.days = REVOCATION_DAYS};
	int rc;

	if ((rc = find(ca, p, done, e)) < 0 || (rc = revoke_found(ca, done, p->reason, e)) < 0)
		return rc;
	if ((rc = records_get_crl(ca->db, &last, NULL, e)) < 0 && rc != ERR_NOTFOUND)
		return rc;
	if ((rc = revocation_make_list(ca, last.days, e)) < 0)
		return rc;
	return db_commit(ca->db, e);
}

size_t revocation_n(const struct revocation *r) { return r->records.len / sizeof(struct record); }

const struct record *revocation_at(const struct revocation *r, size_t i) {
	return (const struct record *)(const void *)r->records.data + i;
}

void revocation_wipe(struct revocation *r) { buf_wipe(&r->records); }

int revocation_add(struct ca *ca, const struct revocation_plan *p, struct revocation *done, struct err *e) {
	struct err ignored = ERR_INIT;
	int rc = db_begin(ca->db, e);

	if (rc < 0)
		return rc;
	rc = add(ca, p, done, e);
	if (rc < 0)
		db_rollback(ca->db);
	/* The first attempt may have been killed before it wrote the file. */
	if (rc == ERR_EXISTS && revocation_write_list(ca, NULL, &ignored) < 0)
		return err_set(e, ERR_FAIL, "%s", ignored.text);
	return rc < 0 ? rc : revocation_write_list(ca, NULL, e);
}
