/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: csr_open, key_check_public. The input is taken as a whole request, and as a CertificationRequestInfo that the target signs: then only
 * the signer's own key may come out of it. */
#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "base/der.h"
#include "base/own.h"
#include "fuzz/identity.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

static X509 *cert;
static EVP_PKEY *signer;

static void open_whole(const uint8_t *data, size_t len) {
	OWN(own_pkey) EVP_PKEY *pub = NULL;

	if (csr_open(data, len, &pub, NULL) == 0 ? key_check_public(pub, "k", NULL) != 0 : pub != NULL)
		abort();
}

static void open_signed(const uint8_t *info, size_t len) {
	OWN(buf_wipe) struct buf req = {0}, sig = {0};
	OWN(own_pkey) EVP_PKEY *pub = NULL;
	size_t mark;

	if (sigalg_sign(SIGALG_ECDSA_SHA256, signer, info, len, &sig, NULL) != 0)
		abort();
	buf_add(&req, info, len);
	sigalg_put(SIGALG_ECDSA_SHA256, &req);
	mark = req.len;
	buf_addc(&req, 0);
	buf_add(&req, sig.data, sig.len);
	der_wrap(&req, mark, DER_BIT_STRING);
	der_wrap(&req, 0, DER_SEQUENCE);
	if (csr_open(req.data, req.len, &pub, NULL) == 0 && !key_equal(pub, signer))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	if (cert == NULL)
		identity_member(&cert, &signer);
	open_whole(data, len);
	open_signed(data, len);
	return 0;
}
