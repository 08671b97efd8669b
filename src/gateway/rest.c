/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

static int seal(struct state *s, const char *name, const struct identity *id, const struct keyring *k, struct err *e) {
	X509 *const to[2] = { id->cert, id->recovery };
	OWN(buf_wipe) struct buf der = { 0 };

	if (keyring_seal(k, to, id->recovery != NULL ? 2 : 1, 1, &der, e) != 0)
		return e->code;
	return state_put(s, name, der.data, der.len, e);
}

/* The certificate that was the gateway's when things were last sealed. */
static int sealed_to(struct state *s, X509 **cert, struct err *e) {
	OWN(buf_wipe) struct buf der = { 0 };

	if (state_get(s, STATE_SEALED_TO, &der, e) != 0)
		return e->code;
	return cert_parse(der.data, der.len, cert, e);
}

static int unseal(struct state *s, const char *name, const struct identity *id, struct keyring *k, struct err *e) {
	OWN(buf_wipe) struct buf der = { 0 };
	OWN(own_x509) X509 *cert = NULL;

	if (state_get(s, name, &der, e) != 0 || sealed_to(s, &cert, e) != 0)
		return e->code;
	if (!key_equal(X509_get0_pubkey(cert), id->key))
		return err_set(e, ERR_REFUSED, "%s: not the key that the epochs are sealed to", FILE_KEY);
	if (keyring_open(der.data, der.len, cert, id->key, k, e) != 0)
		return err_add(e, "%s at rest", name);
	return 0;
}

static int record(struct state *s, const struct identity *id, struct err *e) {
	OWN(buf_wipe) struct buf der = { 0 };

	if (cert_der(id->cert, &der, e) != 0)
		return e->code;
	return state_put(s, STATE_SEALED_TO, der.data, der.len, e);
}

int rest_is_sealed_to(struct state *s, const X509 *cert, bool *yes, struct err *e) {
	OWN(own_x509) X509 *then = NULL;
	int rc = sealed_to(s, &then, e);

	*yes = false;
	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	*yes = key_equal(X509_get0_pubkey(then), X509_get0_pubkey(cert));
	return 0;
}

int rest_init(struct state *s, const struct identity *id, const char *group, int64_t now_s, struct err *e) {
	OWN(keyring_wipe) struct keyring k = { 0 };
	OWN(buf_wipe) struct buf there = { 0 };
	int rc = state_get(s, STATE_PATH_KEY, &there, e);

	if (rc != ERR_NOTFOUND)
		return rc;
	k.group = xstrdup(group);
	if (keyring_rotate(&k, now_s, e) != 0 || record(s, id, e) != 0)
		return e->code;
	return seal(s, STATE_PATH_KEY, id, &k, e);
}

int rest_load(struct state *s, const struct identity *id, const char *group, struct keyring *k, struct err *e) {
	struct keyring fresh = { 0 };
	int rc = unseal(s, STATE_KEYS, id, &fresh, e);

	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc == ERR_NOTFOUND)
		fresh.group = xstrdup(group);
	if (fresh.group == NULL || strcmp(fresh.group, group) != 0) {
		keyring_wipe(&fresh);
		return err_set(e, ERR_DAMAGED, "%s at rest: of another group", STATE_KEYS);
	}
	keyring_wipe(k);
	*k = fresh;
	return 0;
}

int rest_load_path_key(struct state *s, const struct identity *id, struct secret *path_key, struct err *e) {
	OWN(keyring_wipe) struct keyring k = { 0 };

	if (unseal(s, STATE_PATH_KEY, id, &k, e) != 0)
		return e->code;
	if (k.n != 1)
		return err_set(e, ERR_DAMAGED, "%s at rest: not one key", STATE_PATH_KEY);
	return secret_copy(path_key, k.v[0].key.data, k.v[0].key.len, e);
}

int rest_save(struct state *s, const struct identity *id, const struct keyring *k, struct err *e) {
	return seal(s, STATE_KEYS, id, k, e);
}

static int reseal_one(
    struct state *s, const char *name, const struct identity *from, const struct identity *to, struct err *e) {
	OWN(keyring_wipe) struct keyring k = { 0 };
	int rc = unseal(s, name, from, &k, e);

	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	return seal(s, name, to, &k, e);
}

int rest_reseal(struct state *s, const struct identity *from, const struct identity *to, struct err *e) {
	if (reseal_one(s, STATE_KEYS, from, to, e) != 0 || reseal_one(s, STATE_PATH_KEY, from, to, e) != 0)
		return e->code;
	return record(s, to, e);
}
