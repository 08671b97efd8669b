/* SPDX-License-Identifier: Apache-2.0 */
#include "client/revocation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "client/identity.h"
#include "pki/ossl.h"

/* PEM is a third longer than DER. */
#define PEM_MAX (CRL_MAX_BYTES / 3 * 4 + CRL_MAX_BYTES / 16)

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

/* *set stays NULL where there is no file. */
static int load(const char *dir, X509 *ca, struct crl_set **set, struct err *e) {
	OWN(own_free) char *path = file_join(dir, CRL_FILE);
	OWN(buf_wipe) struct buf text = {0}, der = {0};
	int r = file_load(path, PEM_MAX, &text, e);

	if (r == ERR_NOTFOUND)
		return 0;
	if (r == 0)
		r = crl_der(text.data, text.len, &der, e);
	if (r == 0)
		r = crl_set_make(der.data, der.len, ca, set, e);
	if (r != 0 && r != ERR_FAIL) {
		(void)err_add(e, "%s in the member's folder", CRL_FILE);
		r = err_recode(e, ERR_DAMAGED);
	}
	return r;
}

int revocation_init(struct revocation *v, const char *dir, const struct chain *chain, struct err *e) {
	(void)pthread_mutex_init(&v->lock, NULL);
	v->dir = xstrdup(dir);
	v->ca = chain_ca(chain);
	return load(dir, v->ca, &v->set, e);
}

void revocation_wipe(struct revocation *v) {
	if (v->dir == NULL)
		return;
	crl_set_free(v->set);
	free(v->dir);
	(void)pthread_mutex_destroy(&v->lock);
	*v = (struct revocation){0};
}

struct crl_set *revocation_set(struct revocation *v) {
	struct crl_set *set;

	(void)pthread_mutex_lock(&v->lock);
	set = v->set != NULL ? crl_set_ref(v->set) : NULL;
	(void)pthread_mutex_unlock(&v->lock);
	return set;
}

static void replace(struct revocation *v, struct crl_set *set) {
	struct crl_set *old;

	(void)pthread_mutex_lock(&v->lock);
	old = v->set;
	v->set = set;
	(void)pthread_mutex_unlock(&v->lock);
	crl_set_free(old);
}

bool revocation_is_due(struct revocation *v, uint64_t announced, int64_t now_s) {
	OWN(own_crl_set) struct crl_set *set = revocation_set(v);
	int64_t from, until;

	if (set == NULL || announced != crl_set_number(set))
		return true;
	from = crl_set_this_update(set);
	until = crl_set_next_update(set);
	return now_s > from + (until - from) / 2;
}

static int check_dates(const struct crl_set *set, int64_t now_s, struct err *e) {
	char until[CLOCK_TEXT], now[CLOCK_TEXT];

	if (now_s <= crl_set_next_update(set))
		return 0;
	clock_print(crl_set_next_update(set), until);
	clock_print(now_s, now);
	return err_set(e, ERR_UNREACHABLE,
	    "the group's revocation list %llu has expired at %s (RFC 5280 5.1.2.5; the clock here says %s): wait for the CA's next one",
	    (unsigned long long)crl_set_number(set), until, now);
}

int revocation_check_current(struct revocation *v, int64_t now_s, struct err *e) {
	OWN(own_crl_set) struct crl_set *set = revocation_set(v);

	if (set == NULL)
		return err_set(e, ERR_UNREACHABLE, "no revocation list of the group was ever seen");
	return check_dates(set, now_s, e);
}

/* Commands of one member run side by side: who writes looks first whether another was faster, under a lock on the
 * folder itself. */
static int save_if_higher(struct revocation *v, const struct crl_set *set, const struct buf *der, struct err *e) {
	OWN(own_free) char *path = file_join(v->dir, CRL_FILE);
	OWN(own_fd) int lock = -1;
	OWN(own_crl_set) struct crl_set *there = NULL;
	OWN(buf_wipe) struct buf pem = {0};
	int r = identity_lock(v->dir, &lock, e);

	if (r != 0)
		return r;
	r = load(v->dir, v->ca, &there, e);
	if (r != 0 || (there != NULL && crl_set_number(there) >= crl_set_number(set)))
		return r;
	r = crl_pem(der->data, der->len, &pem, e);
	return r != 0 ? r : file_save(path, pem.data, pem.len, 0644, e);
}

static int compare(const struct crl_set *old, const struct crl_set *now, struct err *e) {
	unsigned long long highest = crl_set_number(old), number = crl_set_number(now);

	if (number < highest)
		return err_set(e, ERR_DAMAGED,
		    "the gateway gave revocation list %llu, but %llu was seen before: an old state was put back",
		    number, highest);
	if (number == highest && memcmp(crl_set_sha256(old), crl_set_sha256(now), SHA256_LEN) != 0)
		return err_set(
		    e, ERR_DAMAGED, "there are two revocation lists with number %llu (RFC 5280 5.2.3)", number);
	return 0;
}

int revocation_take(struct revocation *v, const struct buf *der, int64_t now_s, bool *fresh, struct err *e) {
	OWN(own_crl_set) struct crl_set *old = revocation_set(v);
	OWN(own_crl_set) struct crl_set *set = NULL;
	int r;

	*fresh = false;
	if (crl_set_make(der->data, der->len, v->ca, &set, e) != 0) {
		(void)err_add(e, "revocation list from the gateway");
		return err_recode(e, ERR_DAMAGED);
	}
	if ((old != NULL && (r = compare(old, set, e)) != 0) || (r = check_dates(set, now_s, e)) != 0)
		return r;
	if (old != NULL && crl_set_number(old) == crl_set_number(set))
		return 0;
	if ((r = save_if_higher(v, set, der, e)) != 0)
		return r;
	replace(v, set);
	set = NULL;
	*fresh = true;
	return 0;
}

bool revocation_accept(void *arg, X509 *server, struct err *e) {
	OWN(own_crl_set) struct crl_set *set = revocation_set(arg);

	if (set == NULL || !crl_set_has_cert(set, server))
		return true;
	(void)err_set(e, ERR_DAMAGED, "the gateway's certificate is revoked by the group's list %llu",
	    (unsigned long long)crl_set_number(set));
	return false;
}
