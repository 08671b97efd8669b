/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: cert_parse, chain_check, cert_name, cert_role, cert_group, cert_ca_group. The input is a TBSCertificate, which the group's CA signs: what
 * is good for a client is good for a signer and not for a server, and is named by the profile. The same bytes as a whole file are parsed too. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/own.h"
#include "fuzz/identity.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

static EVP_PKEY *ca_key;
static struct chain *chain;

static void set_up(void) {
	OWN(own_x509) X509 *ca = NULL;

	identity_ca(&ca, &ca_key);
	if (chain_new(ca, &chain, NULL) != 0)
		abort();
}

static void check_names(const X509 *cert, bool good) {
	OWN(own_free) char *name = NULL, *role = NULL, *group = NULL, *ca_group = NULL;
	bool named = cert_name(cert, &name, NULL) == 0 && cert_role(cert, &role, NULL) == 0 && cert_group(cert, &group, NULL) == 0;

	(void)!cert_ca_group(cert, &ca_group, NULL);
	if (good && (!named || strcmp(group, "lab") != 0 || (strcmp(role, "member") != 0 && strcmp(role, "admin") != 0)))
		abort();
}

static void check(const uint8_t *data, size_t len) {
	OWN(own_x509) X509 *cert = NULL;
	OWN(buf_wipe) struct buf again = {0};

	if (cert_parse(data, len, &cert, NULL) != 0)
		return;
	if (cert_der(cert, &again, NULL) != 0 || (data[0] == 0x30 && (again.len != len || memcmp(again.data, data, len) != 0)))
		abort();
	bool client = chain_check(chain, cert, PURPOSE_CLIENT, NULL) == VERDICT_GOOD;
	bool signer = chain_check(chain, cert, PURPOSE_SIGNER, NULL) == VERDICT_GOOD;
	bool server = chain_check(chain, cert, PURPOSE_SERVER, NULL) == VERDICT_GOOD;
	if (client != signer || (client && server))
		abort();
	check_names(cert, client);
	(void)chain_check_time(cert, 0, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf whole = {0}, sig = {0};
	size_t mark;

	if (chain == NULL)
		set_up();
	check(data, len);
	if (sigalg_sign(SIGALG_ECDSA_SHA256, ca_key, data, len, &sig, NULL) != 0)
		abort();
	buf_add(&whole, data, len);
	sigalg_put(SIGALG_ECDSA_SHA256, &whole);
	mark = whole.len;
	buf_addc(&whole, 0);
	buf_add(&whole, sig.data, sig.len);
	der_wrap(&whole, mark, DER_BIT_STRING);
	der_wrap(&whole, 0, DER_SEQUENCE);
	check(whole.data, whole.len);
	return 0;
}
