/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: signed_parse, signed_verify. What is taken points into the input and stays within its bounds. */
#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "base/own.h"
#include "fuzz/identity.h"
#include "pki/signed.h"

static void must_lie_in(const uint8_t *p, size_t n, const uint8_t *data, size_t len) {
	if (p < data || n > len || (size_t)(p - data) > len - n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static X509 *member;
	static EVP_PKEY *key;
	OWN(signed_wipe) struct signed_info info;
	struct err e = ERR_INIT;

	if (member == NULL)
		identity_member(&member, &key);
	if (signed_parse(data, len, &info, &e) != 0) {
		if (e.code != ERR_DAMAGED || info.cert != NULL)
			abort();
		return 0;
	}
	must_lie_in(info.content, info.content_len, data, len);
	must_lie_in(info.attrs, info.attrs_len, data, len);
	must_lie_in(info.sig, info.sig_len, data, len);
	if (info.by_ski != (info.cert == NULL) || (info.nonce_len != 0 && info.nonce_len < SIGNED_NONCE_MIN) || info.nonce_len > SIGNED_NONCE_MAX)
		abort();
	if (info.cert != NULL)
		(void)!signed_verify(&info, info.cert, NULL);
	(void)!signed_verify(&info, member, NULL);
	return 0;
}
