/* SPDX-License-Identifier: Apache-2.0 */
#include "client/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "store/oauth.h"

int identity_check_cert(const struct chain *chain, X509 *cert, const char *what, struct err *e) {
	enum verdict v = chain_check(chain, cert, PURPOSE_CLIENT, e);

	if (v == VERDICT_GOOD)
		return 0;
	(void)err_add(e, "%s is no member's certificate of this group (%s)", what, verdict_name(v));
	return err_recode(e, ERR_REFUSED);
}

int identity_check_out(const char *dir, const char *path, struct err *e) {
	static const char *const all[] = {
		KEY_FILE, NEXT_KEY_FILE, CERT_FILE, CA_FILE, CRL_FILE, CONF_FILE, KEYS_FILE, LEDGER_FILE, (LEDGER_FILE "-wal"),
		(LEDGER_FILE "-shm"), GROUP_FILE, AUDIT_FILE, OAUTH_FILE, OAUTH_LOCK, NULL,
	};
	const char *own = file_is_one_of(dir, all, path);

	return own == NULL ? 0 : err_set(e, ERR_USAGE, "-out is the member's own %s", own);
}

static int load_cert(const char *dir, const char *name, X509 **cert, struct err *e) {
	OWN(own_free) char *path = file_join(dir, name);
	int r = cert_load(path, cert, e);

	if (r == ERR_NOTFOUND)
		return err_set(
		    e, ERR_FAIL, "no member is installed in this folder: %s is missing (scg req, scg install)", name);
	return r;
}

int identity_load_public(struct identity *me, const char *dir, struct err *e) {
	OWN(own_x509) X509 *ca = NULL;
	int r;

	me->dir = xstrdup(dir);
	if ((r = load_cert(dir, CERT_FILE, &me->cert, e)) != 0 || (r = load_cert(dir, CA_FILE, &ca, e)) != 0)
		return r;
	if ((r = chain_new(ca, &me->chain, e)) != 0)
		return r;
	if ((r = identity_check_cert(me->chain, me->cert, CERT_FILE, e)) != 0)
		return r;
	if ((r = cert_name(me->cert, &me->name, e)) != 0)
		return r;
	me->group = xstrdup(chain_group(me->chain));
	return 0;
}

int identity_lock(const char *dir, int *fd, struct err *e) {
	int r;

	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return err_sys(e, ERR_FAIL, "cannot open the member's folder");
	while ((r = flock(*fd, LOCK_EX)) != 0 && errno == EINTR)
		;
	return r == 0 ? 0 : err_sys(e, ERR_FAIL, "cannot lock the member's folder");
}

static void take_key(struct identity *me, EVP_PKEY **key) {
	EVP_PKEY_free(me->key);
	me->key = *key;
	*key = NULL;
}

/* The certificate of a renewal was put in place, its key was not: does it fit, then it goes there now. */
static int finish_renewal(struct identity *me, const char *path, const char *passin, struct err *e) {
	OWN(own_free) char *next = file_join(me->dir, NEXT_KEY_FILE);
	OWN(own_pkey) EVP_PKEY *key = NULL;
	int r;

	if ((r = key_load(next, passin, &key, e)) != 0 || (r = cert_check_key(me->cert, key, CERT_FILE, e)) != 0)
		return r;
	if (rename(next, path) != 0)
		return err_sys(e, ERR_FAIL, "%s: cannot become %s", NEXT_KEY_FILE, KEY_FILE);
	take_key(me, &key);
	return file_sync_dir(me->dir, e);
}

/* The passphrase is asked for again only where the file is another one than before. */
static int load_new_key(
    struct identity *me, const char *path, const char *passin, const struct stat *old, struct err *e) {
	OWN(own_pkey) EVP_PKEY *key = NULL;
	struct stat now;
	int r;

	if (stat(path, &now) == 0 && (now.st_dev != old->st_dev || now.st_ino != old->st_ino)) {
		if ((r = key_load(path, passin, &key, e)) != 0)
			return r;
		take_key(me, &key);
	}
	return cert_check_key(me->cert, me->key, CERT_FILE, e);
}

static int load_new_cert(struct identity *me, struct err *e) {
	struct identity now = {0};
	int r = identity_load_public(&now, me->dir, e);

	now.key = me->key;
	me->key = NULL;
	identity_wipe(me);
	*me = now;
	return r;
}

/* Key and certificate do not fit: an installation was killed between the two, or is at work. */
static int load_again(
    struct identity *me, const char *path, const char *passin, const struct stat *old, struct err *e) {
	OWN(own_free) char *next = file_join(me->dir, NEXT_KEY_FILE);
	OWN(own_fd) int lock = -1;
	int r = identity_lock(me->dir, &lock, e);

	if (r != 0 || (r = load_new_cert(me, e)) != 0)
		return r;
	if (cert_check_key(me->cert, me->key, CERT_FILE, NULL) == 0)
		return 0;
	return file_exists(next) ? finish_renewal(me, path, passin, e) : load_new_key(me, path, passin, old, e);
}

int identity_load(struct identity *me, const char *dir, const char *passin, struct err *e) {
	OWN(own_free) char *path = file_join(dir, KEY_FILE);
	struct stat old = {0};
	int r = identity_load_public(me, dir, e);

	if (r != 0)
		return r;
	(void)stat(path, &old); /* if there is none key_load says so */
	if ((r = key_load(path, passin, &me->key, e)) != 0)
		return r;
	return cert_check_key(me->cert, me->key, CERT_FILE, NULL) == 0 ? 0 : load_again(me, path, passin, &old, e);
}

void identity_wipe(struct identity *me) {
	EVP_PKEY_free(me->key);
	X509_free(me->cert);
	chain_free(me->chain);
	free(me->dir);
	free(me->name);
	free(me->group);
	*me = (struct identity){0};
}
