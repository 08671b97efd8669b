/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/envelope.h"
#include "pki/ossl.h"

void identity_group(struct epoch *epoch, struct envelope_open *o) {
	OWN(own_x509) X509 *ca = NULL;
	OWN(own_pkey) EVP_PKEY *key = NULL;
	static struct chain *chain;

	identity_ca(&ca, &key);
	if (chain_new(ca, &chain, NULL) != 0 || secret_init(&epoch->key, GROUP_KEY_LEN, NULL) != 0)
		abort();
	epoch->number = 1;
	memset(epoch->key_id, 'i', KEY_ID_LEN);
	memset(epoch->key.data, 'k', GROUP_KEY_LEN);
	o->chain = chain;
	o->group = "lab";
	o->threads = 1;
}
