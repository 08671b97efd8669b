/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: manifest_parse, author_check. The input is a manifest's text: what is taken prints the same, and is what a member may sign. Signed
 * by a member of the group it is taken for its author's exactly if it is a manifest of this group and fits the segments. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/author.h"
#include "envelope/manifest.h"
#include "fuzz/identity.h"
#include "pki/cert.h"
#include "pki/signed.h"

static bool parse(const uint8_t *data, size_t len, struct manifest *m) {
	OWN(buf_wipe) struct buf again = {0};
	struct err e = ERR_INIT;

	if (manifest_parse(data, len, m, &e) != 0) {
		if (e.code != ERR_DAMAGED || m->group != NULL || m->name != NULL || m->digests != NULL)
			abort();
		return false;
	}
	manifest_print(m, &again);
	if (again.len != len || memcmp(again.data, data, len) != 0 || manifest_check(m, NULL) != 0 || len > manifest_text_max(m->count))
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static struct envelope_open o;
	static struct epoch epoch;
	static struct signed_make sign;
	OWN(manifest_wipe) struct manifest m = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct layout l;
	bool taken = parse(data, len, &m);

	if (!taken && len % 16 != 0) /* a signature takes longer than all the rest */
		return 0;
	if (o.chain == NULL) {
		identity_group(&epoch, &o);
		identity_member(&sign.cert, &sign.key);
		sign.time_s = cert_not_before(sign.cert);
	}
	layout_make(&l, taken ? m.size : 1, OBJECT_KEK_LEN);
	if (signed_make(&sign, data, len, &der, NULL) != 0)
		abort();
	int rc = author_check(&o, &l, der.data, der.len, &r, NULL);
	if (rc != (taken && strcmp(m.group, "lab") == 0 ? 0 : ERR_DAMAGED))
		abort();
	return 0;
}
