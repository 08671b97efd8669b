/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: keyring_decode, enveloped_check, keyring_open. A package that is taken is the one that the encoder writes; what opens has
 * passed the check of its structure. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "fuzz/identity.h"
#include "keyring/enveloped.h"
#include "keyring/keyring.h"

static void decode(const uint8_t *data, size_t len) {
	OWN(keyring_wipe) struct keyring k = {0};
	OWN(buf_wipe) struct buf again = {0};

	if (keyring_decode(data, len, &k, NULL) != 0) {
		if (k.n != 0 || k.v != NULL || k.group != NULL)
			abort();
		return;
	}
	if (keyring_encode(&k, &again, NULL) != 0 || again.len != len || memcmp(again.data, data, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static X509 *member;
	static EVP_PKEY *key;
	OWN(keyring_wipe) struct keyring k = {0};

	if (member == NULL)
		identity_member(&member, &key);
	decode(data, len);
	if (keyring_open(data, len, member, key, &k, NULL) == 0 && enveloped_check(data, len, ENVELOPED_KEY_PACKAGE, NULL) != 0)
		abort();
	return 0;
}
