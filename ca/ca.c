/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/ca.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pass.h"
#include "base/text.h"
#include "ca/records.h"
#include "ca/revocation.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "pki/profile.h"

#define URL_MAX 1024

static const char *const parts[] = {"ca.key", "ca.crt", "crl.pem"}; /* beside ca.db */

void ca_wipe(struct ca *ca) {
	db_close(&ca->db);
	chain_free(ca->chain);
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
	free(ca->crl_url);
	free(ca->dir);
	*ca = (struct ca){0};
}

static bool part_exists(const char *dir, const char *name) {
	OWN(own_free) char *path = file_join(dir, name);

	return file_exists(path);
}

static int save_cert(const char *dir, const X509 *cert, struct err *e) {
	OWN(own_free) char *path = file_join(dir, "ca.crt");
	OWN(buf_wipe) struct buf pem = {0};
	int rc = cert_pem(cert, &pem, e);

	return rc < 0 ? rc : file_save_new(path, pem.data, pem.len, 0644, e);
}

/* The database is what counts; the file is a copy for others, made anew where it is lost. */
static int check_cert_file(const struct ca *ca, struct err *e) {
	OWN(own_free) char *path = file_join(ca->dir, "ca.crt");
	OWN(own_x509) X509 *cert = NULL;
	int rc = cert_load(path, &cert, e);

	if (rc == ERR_NOTFOUND)
		return save_cert(ca->dir, ca->cert, e);
	if (rc < 0)
		return rc;
	return X509_cmp(cert, ca->cert) == 0 ? 0 : err_set(e, ERR_DAMAGED, "%s: not the certificate of the CA in ca.db", path);
}

int ca_check_out(const struct ca *ca, const char *path, struct err *e) {
	static const char *const all[] = {"ca.key", "ca.crt", "crl.pem", "ca.db", "ca.db-wal", "ca.db-shm", NULL};
	const char *own = file_is_one_of(ca->dir, all, path);

	return own == NULL ? 0 : err_set(e, ERR_USAGE, "%s: is the CA's own %s", path, own);
}

int ca_open(struct ca *ca, const char *dir, struct err *e) {
	OWN(own_free) char *path = file_join(dir, "ca.db");
	int rc;

	*ca = (struct ca){.dir = xstrdup(dir)};
	if (!file_exists(path))
		return err_set(e, ERR_NOTFOUND, "%s: no CA here (ca.db is missing; scg-ca init makes one)", dir);
	if ((rc = records_open(&ca->db, path, e)) < 0)
		return rc;
	if (records_get_ca(ca->db, &ca->cert, &ca->crl_url, e) < 0 || chain_new(ca->cert, &ca->chain, e) < 0)
		return err_add(e, "%s", path);
	return check_cert_file(ca, e);
}

int ca_unlock(struct ca *ca, const char *passin, struct err *e) {
	OWN(own_free) char *path = file_join(ca->dir, "ca.key");
	int rc = key_load(path, passin, &ca->key, e);

	return rc < 0 ? rc : cert_check_key(ca->cert, ca->key, path, e);
}

/* RFC 5280 4.2.1.13 wants a URI; ours is fetched over HTTP. */
static int check_url(const char *url, struct err *e) {
	if (url == NULL)
		return 0;
	if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || strlen(url) > URL_MAX)
		return err_set(e, ERR_USAGE, "the list's address is no http or https URL of at most %d bytes", URL_MAX);
	for (const char *p = url; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return err_set(e, ERR_USAGE, "the list's address: RFC 3986 2: a character that no URL has");
	return 0;
}

static int is_there(const char *dir, const char *what, struct err *e) {
	return err_set(e, ERR_EXISTS, "%s: holds %s already; nothing was changed", dir, what);
}

/* Files of a CA, or of something else, that no interrupted run left. */
static int check_parts(const char *dir, struct err *e) {
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (part_exists(dir, parts[i]))
			return is_there(dir, parts[i], e);
	return 0;
}

static int check_records(struct db *d, const char *dir, struct err *e) {
	OWN(own_x509) X509 *ca = NULL;
	OWN(own_free) char *url = NULL;
	bool making = false;
	int rc = records_get_ca(d, &ca, &url, e);

	if (rc == 0)
		return is_there(dir, "a CA", e);
	if (rc != ERR_NOTFOUND || (rc = records_is_being_made(d, &making, e)) < 0)
		return rc;
	return making ? 0 : check_parts(dir, e);
}

/* Before anything is asked for or written: is there room for a CA? */
static int check_folder(const char *dir, struct err *e) {
	OWN(own_free) char *path = file_join(dir, "ca.db");
	OWN(db_close) struct db *d = NULL;
	int rc;

	if (!file_exists(path))
		return (rc = check_parts(dir, e)) < 0 ? rc : db_check_place(path, e);
	if ((rc = records_open(&d, path, e)) < 0)
		return rc;
	return check_records(d, dir, e);
}

static void remove_parts(const char *dir) {
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		OWN(own_free) char *path = file_join(dir, parts[i]);
		(void)unlink(path);
	}
}

/* Within one transaction, whose commit makes the CA. */
static int fill(struct ca *ca, const struct ca_plan *p, const struct secret *pass, struct err *e) {
	OWN(own_free) char *key_path = file_join(p->dir, "ca.key");
	int rc;

	if ((rc = records_put_ca(ca->db, ca->cert, p->crl_url, e)) < 0 || (rc = key_save_new(key_path, ca->key, pass, e)) < 0 ||
	    (rc = save_cert(p->dir, ca->cert, e)) < 0 || (rc = revocation_make_list(ca, REVOCATION_DAYS, e)) < 0)
		return rc;
	return db_commit(ca->db, e);
}

static int write_ca(struct ca *ca, const struct ca_plan *p, const struct secret *pass, struct err *e) {
	int rc;

	if ((rc = check_records(ca->db, p->dir, e)) < 0 || (rc = records_begin_making(ca->db, ca->key, e)) < 0)
		return rc;
	remove_parts(p->dir);
	if ((rc = db_begin(ca->db, e)) < 0)
		return rc;
	if ((rc = fill(ca, p, pass, e)) < 0) {
		db_rollback(ca->db);
		remove_parts(p->dir);
		return rc;
	}
	return revocation_write_list(ca, NULL, e);
}

int ca_create(const struct ca_plan *p, struct err *e) {
	OWN(own_free) char *db_path = file_join(p->dir, "ca.db"), *key_path = file_join(p->dir, "ca.key");
	int64_t now = clock_now_s(), until = now + (int64_t)p->days * CA_DAY_S;
	OWN(secret_wipe) struct secret pass = {0};
	OWN(own_fd) int lock = -1; /* closed behind the database: a close before would drop SQLite's own locks (POSIX) */
	OWN(ca_wipe) struct ca ca = {.dir = xstrdup(p->dir)};
	int rc;

	if ((rc = name_check(p->group, "group", e)) < 0 || (rc = check_url(p->crl_url, e)) < 0 || (rc = check_folder(p->dir, e)) < 0 ||
	    (rc = key_make(p->newkey, &ca.key, e)) < 0 ||
	    (rc = profile_ca(ca.key, p->group, now - PROFILE_SKEW_S, until, &ca.cert, e)) < 0)
		return rc;
	if (!p->noenc && (rc = pass_read(p->passout, key_path, true, &pass, e)) < 0)
		return rc;
	if ((rc = file_mkdir(p->dir, 0700, true, e)) < 0 || (rc = file_lock(db_path, DB_BUSY_MS, &lock, e)) < 0 ||
	    (rc = records_open(&ca.db, db_path, e)) < 0)
		return rc;
	return write_ca(&ca, p, &pass, e);
}
