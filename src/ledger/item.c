/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/state.h"

#include <string.h>

#include "pki/ossl.h"
#include "pki/pem.h"

void item_wipe(struct item *it) {
	signed_wipe(&it->info);
	signer_free(it->fresh);
	*it = (struct item){0};
}

/* Signer by SKI, no nonce: those are for heads, and one event has one form. */
static int check_profile(const struct item *it, struct err *e) {
	if (!it->info.by_ski)
		return err_set(e, ERR_DAMAGED, "event: RFC 5652 5.3: the signer is not named by its key identifier");
	if (it->info.nonce_len != 0)
		return err_set(e, ERR_DAMAGED, "event: RFC 8894 3.2.1.6: a nonce");
	if (it->info.time_s != it->ev.time_s)
		return err_set(e, ERR_DAMAGED, "event: RFC 5652 11.3: signingTime is not the event's time");
	return 0;
}

/* What may stand beside an event follows from its op. */
static int check_beside(const struct item *it, struct err *e) {
	bool named = it->ev.op == EVENT_PUT || it->ev.op == EVENT_RENAME;

	if ((it->en.salt != NULL) != named)
		return err_set(e, ERR_DAMAGED, "entry: %s %s salt and path", event_op_name(it->ev.op),
		    named ? "needs" : "brings no");
	if ((it->en.cert != NULL) != (it->ev.op == EVENT_MEMBER))
		return err_set(e, ERR_DAMAGED, "entry: a certificate belongs to a member event, and to no other");
	if ((it->en.revoked != NULL) != (it->ev.op == EVENT_CRL))
		return err_set(e, ERR_DAMAGED, "entry: serial numbers belong to a crl event, and to no other");
	return 0;
}

static int check_hash(const uint8_t *want, const uint8_t *got, const char *what, struct err *e) {
	return memcmp(want, got, 32) == 0 ? 0 : err_set(e, ERR_DAMAGED, "entry: %s is not what the event names", what);
}

static int check_cert(const struct chain *chain, struct item *it, struct err *e) {
	OWN(own_x509) X509 *cert = NULL;
	uint8_t hash[32];
	int r;

	ossl_sha256(it->en.cert, it->en.cert_len, hash);
	if (it->ev.content_size != it->en.cert_len)
		return err_set(e, ERR_DAMAGED, "entry: certificate is not as long as the event says");
	if ((r = check_hash(it->ev.content_sha256, hash, "certificate", e)) != 0)
		return r;
	if (!pem_is_der(it->en.cert, it->en.cert_len))
		return err_set(e, ERR_DAMAGED, "entry: certificate is not DER");
	if (cert_parse(it->en.cert, it->en.cert_len, &cert, e) != 0 || signer_make(chain, cert, &it->fresh, e) != 0)
		return err_add(e, "entry: certificate");
	return 0;
}

/* Hashes of what travels beside bind it to what is signed. */
static int check_bound(const struct chain *chain, struct item *it, struct err *e) {
	uint8_t hash[32];

	if (it->en.salt != NULL) {
		path_hash(it->en.path, it->en.path_len, it->en.salt, hash);
		return check_hash(it->ev.name, hash, "path", e);
	}
	if (it->en.revoked != NULL) {
		entry_revoked_hash(it->en.revoked, it->en.revoked_len, hash);
		return check_hash(it->ev.name, hash, "list of serial numbers", e);
	}
	return it->en.cert != NULL ? check_cert(chain, it, e) : 0;
}

static int parse(const struct chain *chain, struct item *it, struct err *e) {
	int r;

	if (signed_parse(it->en.event, it->en.event_len, &it->info, e) != 0)
		return err_add(e, "event");
	if ((r = event_parse(it->info.content, it->info.content_len, &it->ev, e)) != 0 ||
	    (r = check_profile(it, e)) != 0 || (r = check_beside(it, e)) != 0)
		return r;
	return check_bound(chain, it, e);
}

int item_parse(const struct chain *chain, const struct entry *en, struct item *it, struct err *e) {
	int r;

	*it = (struct item){.en = *en};
	if ((r = parse(chain, it, e)) != 0)
		item_wipe(it);
	return r;
}

int item_verify(struct item *it, X509 *cert, struct err *e) {
	int r = signed_verify(&it->info, cert, e);

	it->verified = r == 0;
	return r == 0 ? 0 : err_add(e, "event");
}
