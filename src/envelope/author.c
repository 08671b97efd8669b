/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/author.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "pki/ossl.h"
#include "pki/signed.h"

int author_sign(const struct envelope_seal *s, struct envelope_result *r, struct buf *der, struct err *e) {
	struct signed_make m = { .key = s->key, .cert = s->cert, .time_s = clock_now_s() };
	OWN(buf_wipe) struct buf text = {0};
	int rc;

	manifest_print(&r->manifest, &text);
	if ((rc = signed_make(&m, text.data, text.len, der, e)) != 0)
		return rc;
	r->signed_s = m.time_s;
	ossl_sha256(der->data, der->len, r->content_sha256);
	return 0;
}

static int check_form(const struct signed_info *info, struct err *e) {
	if (info->by_ski || info->cert == NULL)
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.1: the author's certificate is missing");
	if (info->nonce_len != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 11: signed attribute recipientNonce in a manifest");
	return 0;
}

static int check_text(const struct envelope_open *o, const struct layout *l, const struct manifest *m, struct err *e) {
	if (strcmp(m->group, o->group) != 0)
		return err_set(e, ERR_DAMAGED, "of another group");
	if (m->count != l->count || m->size != layout_plain_size(l))
		return err_set(e, ERR_DAMAGED, "signed for %" PRIu64 " bytes in %" PRIu64 " segments, found %" PRIu64 " bytes in %" PRIu64,
			       m->size, m->count, layout_plain_size(l), l->count);
	return 0;
}

/* At the signing time: an author whose certificate expired since stays the author. */
static int check_signer(const struct envelope_open *o, const struct signed_info *info, struct err *e) {
	struct err why = ERR_INIT;
	enum verdict v = chain_check(o->chain, info->cert, PURPOSE_SIGNER, &why);
	int r;

	if (v != VERDICT_GOOD)
		return err_set(e, ERR_DAMAGED, "author's certificate: %s: %s", verdict_name(v), why.text);
	if ((v = chain_check_time(info->cert, info->time_s, &why)) != VERDICT_GOOD)
		return err_set(e, ERR_DAMAGED, "author's certificate: %s when signed: %s", verdict_name(v), why.text);
	if ((r = signed_verify(info, info->cert, e)) != 0)
		return r;
	return 0;
}

static int check_revocation(const struct envelope_open *o, const struct signed_info *info, bool *revoked, struct err *e) {
	uint8_t serial[SERIAL_MAX];
	int64_t revoked_s;
	char when[CLOCK_TEXT], then[CLOCK_TEXT];
	int reason;

	if (o->in_ledger || o->crl == NULL ||
	    !crl_set_has(o->crl, serial, cert_serial(info->cert, serial), &revoked_s, &reason))
		return 0;
	if (info->time_s < revoked_s) {
		*revoked = true;
		return 0;
	}
	clock_print(info->time_s, then);
	clock_print(revoked_s, when);
	return err_set(e, ERR_DAMAGED, "RFC 5280 5.3: signed at %s by a certificate revoked at %s", then, when);
}

static int check(const struct envelope_open *o, const struct layout *l, const struct signed_info *info, struct envelope_result *r,
		 struct err *e) {
	int rc;

	if ((rc = check_form(info, e)) != 0 || (rc = manifest_parse(info->content, info->content_len, &r->manifest, e)) != 0 ||
	    (rc = check_text(o, l, &r->manifest, e)) != 0 || (rc = check_signer(o, info, e)) != 0)
		return rc;
	return check_revocation(o, info, &r->author_revoked, e);
}

int author_check(const struct envelope_open *o, const struct layout *l, const uint8_t *der, size_t len, struct envelope_result *r,
		 struct err *e) {
	OWN(signed_wipe) struct signed_info info = {0};
	int rc;

	ossl_sha256(der, len, r->content_sha256);
	if (o->content_sha256 != NULL && memcmp(r->content_sha256, o->content_sha256, SHA256_LEN) != 0)
		return err_set(e, ERR_DAMAGED, "manifest: not the one that the ledger names");
	rc = signed_parse_known(der, len, o->chain, &info, e);
	if (rc == 0)
		rc = check(o, l, &info, r, e);
	if (rc == 0) {
		r->signed_s = info.time_s;
		r->author = info.cert;
		info.cert = NULL;
	}
	return object_blame(&(struct object){ .kind = OBJECT_MANIFEST }, rc, e);
}
