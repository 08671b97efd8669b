/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restored.h"

#include "base/file.h"
#include "base/text.h"
#include "ca/records.h"
#include "pki/crl.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

struct taking {
	struct db *db;
	struct restored *r;
};

static int take_one(void *arg, const struct crl_entry *entry, struct err *e) {
	const struct taking *t = arg;
	enum records_taken taken;
	int rc = records_take(t->db, entry, &taken, e);

	t->r->known += rc == 0 && taken == RECORDS_TAKEN;
	t->r->unknown += rc == 0 && taken == RECORDS_TAKEN_UNKNOWN;
	return rc;
}

int restored_take(struct ca *ca, const char *path, struct restored *r, struct err *e) {
	OWN(buf_wipe) struct buf file = {0}, der = {0};
	OWN(own_crl_set) struct crl_set *set = NULL;
	const struct taking t = {ca->db, r};
	int rc;

	*r = (struct restored){0};
	if ((rc = file_load(path, (size_t)2 * CRL_MAX_BYTES, &file, e)) < 0)
		return rc;
	if ((rc = crl_der(file.data, file.len, &der, e)) < 0 || (rc = crl_set_make(der.data, der.len, ca->cert, &set, e)) < 0)
		return text_about(path, rc, e);
	r->number = crl_set_number(set);
	return crl_set_new(NULL, set, take_one, (void *)&t, e);
}

int restored_check(const struct ca *ca, uint64_t number, struct err *e) {
	OWN(own_free) char *path = file_join(ca->dir, "crl.pem");
	OWN(buf_wipe) struct buf file = {0}, der = {0};
	OWN(own_crl_set) struct crl_set *set = NULL;
	struct err why = ERR_INIT;
	uint64_t there;

	if (file_load(path, (size_t)2 * CRL_MAX_BYTES, &file, &why) < 0 || crl_der(file.data, file.len, &der, &why) < 0 ||
	    crl_peek_number(der.data, der.len, &there, &why) < 0 || there <= number ||
	    crl_set_make(der.data, der.len, ca->cert, &set, &why) < 0)
		return 0;
	return err_set(e, ERR_FAIL, "%s is list %llu, ca.db knows of %llu: an older ca.db was put back "
	    "(scg-ca crl -above %s takes over what was revoked since)", path, (unsigned long long)there, (unsigned long long)number, path);
}
