/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: head_parse, head_print, head_open. Only what the group's gateway signed opens. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "fuzz/identity.h"
#include "ledger/head.h"
#include "pki/ossl.h"

#define AT_S 1790500000 /* while the certificates in the corpus are valid */

static void check_text(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf again = {0};
	struct err e = ERR_INIT;
	struct head h;

	if (head_parse(data, len, &h, &e) != 0) {
		if (e.code != ERR_DAMAGED)
			abort();
		return;
	}
	head_print(&h, &again);
	if (again.len != len || memcmp(again.data, data, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	const struct head_check c = {.chain = identity_chain(), .at_s = AT_S};
	OWN(own_x509) X509 *signer = NULL;
	struct err e = ERR_INIT;
	struct head h;

	check_text(data, len);
	if (head_open(data, len, &c, &h, &signer, &e) != 0) {
		if (e.code != ERR_DAMAGED || signer != NULL)
			abort();
		return 0;
	}
	if (signer == NULL || strcmp(h.group, "lab") != 0 ||
	    chain_check(c.chain, signer, PURPOSE_SERVER, NULL) != VERDICT_GOOD)
		abort();
	return 0;
}
