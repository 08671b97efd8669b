/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/records.h"

#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "pki/key.h"
#include "pki/ossl.h"

/* taken: revocations, from lists of this CA, of certificates that it does not know. making: keys of runs of init that have not ended. retired: left the list after its expiry. delivered: its file was written; until then the same request gets the same certificate again. */
static const char *const migrations[] = {
    "CREATE TABLE ca (id INTEGER PRIMARY KEY CHECK (id = 1), cert BLOB NOT NULL, crl_url TEXT);"
    "CREATE TABLE making (spki BLOB NOT NULL UNIQUE);"
    "CREATE TABLE crl (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL, days INTEGER NOT NULL, der BLOB NOT NULL);"
    "CREATE TABLE issued (id INTEGER PRIMARY KEY, serial BLOB NOT NULL UNIQUE, spki BLOB NOT NULL UNIQUE, name TEXT NOT NULL,"
    " role TEXT NOT NULL, san TEXT, not_after_s INTEGER NOT NULL, issued_s INTEGER NOT NULL, delivered INTEGER NOT NULL DEFAULT 0,"
    " cert BLOB NOT NULL, revoked_s INTEGER, reason INTEGER, retired INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX issued_name ON issued (name);"
    "CREATE INDEX issued_listed ON issued (not_after_s) WHERE revoked_s IS NOT NULL AND retired = 0;"
    /* Certificates and revocations are for ever, whatever a later program does. */
    "CREATE TRIGGER issued_stays BEFORE DELETE ON issued BEGIN SELECT RAISE(ABORT, 'an issued certificate is never forgotten'); END;"
    "CREATE TRIGGER revoked_stays BEFORE UPDATE OF revoked_s, reason ON issued WHEN OLD.revoked_s IS NOT NULL"
    " BEGIN SELECT RAISE(ABORT, 'a revocation is never changed'); END;"
    "CREATE TRIGGER crl_rises BEFORE UPDATE ON crl WHEN NEW.number <= OLD.number"
    " BEGIN SELECT RAISE(ABORT, 'the number of a revocation list must rise'); END;",
    /* When these certificates expire is not known, so they stay on the list. */
    "CREATE TABLE taken (serial BLOB PRIMARY KEY NOT NULL, revoked_s INTEGER NOT NULL, reason INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TRIGGER taken_stays BEFORE DELETE ON taken BEGIN SELECT RAISE(ABORT, 'a revocation is never forgotten'); END;"
    "CREATE TRIGGER taken_as_is BEFORE UPDATE ON taken BEGIN SELECT RAISE(ABORT, 'a revocation is never changed'); END;",
    NULL,
};

static const char *const status_names[] = {[RECORD_VALID] = "valid", [RECORD_REVOKED] = "revoked", [RECORD_EXPIRED] = "expired"};

enum record_status record_status(const struct record *r, int64_t now_s) {
	if (r->revoked_s != 0)
		return RECORD_REVOKED;
	return r->not_after_s < now_s ? RECORD_EXPIRED : RECORD_VALID;
}

const char *record_status_name(enum record_status s) {
	return status_names[s];
}

int record_status_parse(const char *name, enum record_status *s, struct err *e) {
	for (size_t i = 0; i < sizeof status_names / sizeof status_names[0]; i++) {
		if (strcmp(name, status_names[i]) == 0) {
			*s = (enum record_status)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "status is none of valid, revoked, expired");
}

int records_open(struct db **d, const char *path, struct err *e) {
	return db_open(d, path, migrations, e);
}

int records_begin_making(struct db *d, EVP_PKEY *key, struct err *e) {
	uint8_t spki[SHA256_LEN];

	key_spki_sha256(key, spki);
	return db_run(d, e, "INSERT INTO making (spki) VALUES (?)", "b", spki, sizeof spki);
}

int records_is_being_made(struct db *d, bool *making, struct err *e) {
	int64_t n;
	int rc = db_get_int(d, e, &n, "SELECT count(*) FROM making", "");

	*making = rc == 0 && n > 0;
	return rc;
}

int records_put_ca(struct db *d, const X509 *ca, const char *crl_url, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	int rc = cert_der(ca, &der, e);

	if (rc < 0)
		return rc;
	if ((rc = db_run(d, e, "INSERT INTO ca (id, cert, crl_url) VALUES (1, ?, ?)", "bs", der.data, der.len, crl_url)) < 0)
		return rc;
	return db_run(d, e, "DELETE FROM making", "");
}

int records_get_ca(struct db *d, X509 **ca, char **crl_url, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	size_t len;
	int rc = db_query(d, &rows, e, "SELECT cert, crl_url FROM ca", "");

	*ca = NULL;
	*crl_url = NULL;
	if (rc < 0 || (rc = db_row(&rows, e)) < 0)
		return rc;
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "its making was interrupted (scg-ca init begins anew)");
	const uint8_t *der = db_blob(&rows, 0, &len);
	if ((rc = cert_parse(der, len, ca, e)) < 0)
		return rc;
	if (!db_is_null(&rows, 1))
		*crl_url = xstrdup(db_text(&rows, 1));
	return 0;
}

int records_add(struct db *d, const X509 *cert, enum role role, const char *name, const char *san, int64_t now_s, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	uint8_t serial[SERIAL_MAX], spki[SHA256_LEN];
	size_t serial_len = cert_serial(cert, serial);
	int rc = cert_der(cert, &der, e);

	if (rc < 0)
		return rc;
	key_spki_sha256(X509_get0_pubkey(cert), spki);
	return db_run(d, e, "INSERT INTO issued (serial, spki, name, role, san, not_after_s, issued_s, cert) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	    "bbsssiib", serial, serial_len, spki, sizeof spki, name, role_name(role), san, cert_not_after(cert), now_s, der.data, der.len);
}

#define COLUMNS "serial, name, role, not_after_s, issued_s, revoked_s, reason, delivered"
#define AFTER_COLUMNS 8

static int read_serial(const struct db_rows *rows, int col, uint8_t out[static SERIAL_MAX], size_t *out_len, struct err *e) {
	size_t len;
	const uint8_t *serial = db_blob(rows, col, &len);

	if (len == 0 || len > SERIAL_MAX)
		return err_set(e, ERR_DAMAGED, "ca.db: a serial number of %zu octets", len);
	memcpy(out, serial, len);
	*out_len = len;
	return 0;
}

static int read_record(const struct db_rows *rows, struct record *r, struct err *e) {
	const char *name = db_text(rows, 1);
	int rc = read_serial(rows, 0, r->serial, &r->serial_len, e);

	if (rc < 0)
		return rc;
	if (strlen(name) > NAME_MAX_BYTES || role_parse(db_text(rows, 2), &r->role, NULL) < 0)
		return err_set(e, ERR_DAMAGED, "ca.db: a record whose name or role is none");
	memcpy(r->name, name, strlen(name) + 1);
	r->not_after_s = db_int(rows, 3);
	r->issued_s = db_int(rows, 4);
	r->revoked_s = db_int(rows, 5);
	r->reason = (int)db_int(rows, 6);
	r->delivered = db_int(rows, 7) != 0;
	return 0;
}

/* The first row, which must be there. */
static int only_record(struct db_rows *rows, struct record *r, struct err *e) {
	int rc = db_row(rows, e);

	if (rc < 0)
		return rc;
	return rc == 0 ? err_set(e, ERR_NOTFOUND, "no such certificate") : read_record(rows, r, e);
}

static void add_blob(const struct db_rows *rows, int col, struct buf *out) {
	size_t len;
	const uint8_t *p = db_blob(rows, col, &len);

	buf_add(out, p, len);
}

int records_by_key(struct db *d, const uint8_t spki[static 32], struct record *r, struct buf *san, struct buf *der, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int rc = db_query(d, &rows, e, "SELECT " COLUMNS ", san, cert FROM issued WHERE spki = ?", "b", spki, (size_t)SHA256_LEN);

	if (rc < 0 || (rc = only_record(&rows, r, e)) < 0)
		return rc;
	buf_adds(san, db_text(&rows, AFTER_COLUMNS));
	add_blob(&rows, AFTER_COLUMNS + 1, der);
	return 0;
}

int records_by_serial(struct db *d, const uint8_t *serial, size_t len, struct record *r, struct buf *der, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int rc = db_query(d, &rows, e, "SELECT " COLUMNS ", cert FROM issued WHERE serial = ?", "b", serial, len);

	if (rc < 0 || (rc = only_record(&rows, r, e)) < 0)
		return rc;
	if (der != NULL)
		add_blob(&rows, AFTER_COLUMNS, der);
	return 0;
}

int records_set_delivered(struct db *d, const uint8_t *serial, size_t len, struct err *e) {
	return db_run(d, e, "UPDATE issued SET delivered = 1 WHERE serial = ?", "b", serial, len);
}

static int each_taken(struct db *d, int (*f)(void *arg, const struct record *r, struct err *e), void *arg, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int rc = db_query(d, &rows, e, "SELECT serial, revoked_s, reason FROM taken ORDER BY revoked_s, serial", "");

	while (rc == 0 && (rc = db_row(&rows, e)) == 1) {
		struct record r = {.revoked_s = db_int(&rows, 1), .reason = (int)db_int(&rows, 2)};

		if ((rc = read_serial(&rows, 0, r.serial, &r.serial_len, e)) == 0)
			rc = f(arg, &r, e);
	}
	return rc;
}

int records_each(struct db *d, const char *name, int (*f)(void *arg, const struct record *r, struct err *e), void *arg, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	struct record r;
	int rc;

	if (name == NULL)
		rc = db_query(d, &rows, e, "SELECT " COLUMNS " FROM issued ORDER BY id", "");
	else
		rc = db_query(d, &rows, e, "SELECT " COLUMNS " FROM issued WHERE name = ? ORDER BY id", "s", name);
	while (rc == 0 && (rc = db_row(&rows, e)) == 1)
		if ((rc = read_record(&rows, &r, e)) == 0)
			rc = f(arg, &r, e);
	return rc == 0 && name == NULL ? each_taken(d, f, arg, e) : rc;
}

int records_revoke(struct db *d, const uint8_t *serial, size_t len, int64_t now_s, int reason, struct err *e) {
	int rc = db_run(d, e, "UPDATE issued SET revoked_s = ?, reason = ? WHERE serial = ?", "iib", now_s, (int64_t)reason, serial, len);

	if (rc == 0 && db_changes(d) != 1)
		return err_set(e, ERR_NOTFOUND, "no such certificate");
	return rc;
}

int records_take(struct db *d, const struct crl_entry *entry, enum records_taken *taken, struct err *e) {
	int64_t n = 0, when_s = entry->revoked_s > 0 ? entry->revoked_s : 1;
	int rc = db_get_int(d, e, &n, "SELECT count(*) FROM issued WHERE serial = ?", "b", entry->serial, entry->serial_len);

	*taken = RECORDS_TAKEN_BEFORE;
	if (rc < 0)
		return rc;
	if (n == 0)
		rc = db_run(d, e, "INSERT INTO taken (serial, revoked_s, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", "bii",
		    entry->serial, entry->serial_len, when_s, (int64_t)entry->reason);
	else
		rc = db_run(d, e, "UPDATE issued SET revoked_s = ?, reason = ? WHERE serial = ? AND revoked_s IS NULL", "iib", when_s,
		    (int64_t)entry->reason, entry->serial, entry->serial_len);
	if (rc == 0 && db_changes(d) == 1)
		*taken = n == 0 ? RECORDS_TAKEN_UNKNOWN : RECORDS_TAKEN;
	return rc;
}

int records_taken_at(struct db *d, const uint8_t *serial, size_t len, int64_t *revoked_s, struct err *e) {
	return db_get_int(d, e, revoked_s, "SELECT coalesce(max(revoked_s), 0) FROM taken WHERE serial = ?", "b", serial, len);
}

int records_get_crl(struct db *d, struct record_crl *c, struct buf *der, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int rc = db_query(d, &rows, e, "SELECT number, days, der FROM crl", "");

	if (rc < 0 || (rc = db_row(&rows, e)) < 0)
		return rc;
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "no revocation list was made yet");
	c->number = (uint64_t)db_int(&rows, 0);
	c->days = (uint64_t)db_int(&rows, 1);
	if (der != NULL)
		add_blob(&rows, 2, der);
	return 0;
}

int records_put_crl(struct db *d, const struct record_crl *c, const uint8_t *der, size_t len, struct err *e) {
	return db_run(d, e, "INSERT INTO crl (id, number, days, der) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
	    " number = excluded.number, days = excluded.days, der = excluded.der", "iib", (int64_t)c->number, (int64_t)c->days, der, len);
}

int records_revoked(struct db *d, struct db_rows *rows, struct err *e) {
	/* Numbers without leading zeros: the shorter is the smaller. */
	return db_query(d, rows, e, "SELECT serial, revoked_s, reason FROM (SELECT serial, revoked_s, reason FROM issued"
	    " WHERE revoked_s IS NOT NULL AND retired = 0 UNION ALL SELECT serial, revoked_s, reason FROM taken)"
	    " ORDER BY length(serial), serial", "");
}

int records_next_revoked(void *rows, struct crl_entry *entry, struct err *e) {
	int rc = db_row(rows, e);

	if (rc != 1)
		return rc;
	if ((rc = read_serial(rows, 0, entry->serial, &entry->serial_len, e)) < 0)
		return rc;
	entry->revoked_s = db_int(rows, 1);
	entry->reason = (int)db_int(rows, 2);
	return 1;
}

int records_retire(struct db *d, int64_t this_s, struct err *e) {
	return db_run(d, e, "UPDATE issued SET retired = 1 WHERE revoked_s IS NOT NULL AND retired = 0 AND not_after_s < ?", "i", this_s);
}
