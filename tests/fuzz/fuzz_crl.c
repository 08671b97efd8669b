/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: crl_set_make, crl_peek_number, crl_set_has, crl_set_new. The input is a TBSCertList, which the target signs: nobody but the
 * CA gets further than the signature. The same bytes as a whole list must be survived as well. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/own.h"
#include "fuzz/identity.h"
#include "pki/crl.h"
#include "pki/sigalg.h"

static X509 *ca;
static EVP_PKEY *ca_key;

struct walk { const struct crl_set *set; struct crl_entry last; size_t n; };

static int visit(void *arg, const struct crl_entry *entry, struct err *e) {
	struct walk *w = arg;
	bool rises = entry->serial_len > w->last.serial_len
		     || (entry->serial_len == w->last.serial_len && memcmp(entry->serial, w->last.serial, entry->serial_len) > 0);

	(void)e;
	if (!rises || crl_reason_name(entry->reason) == NULL || !crl_set_has(w->set, entry->serial, entry->serial_len, NULL, NULL))
		abort();
	w->last = *entry;
	w->n++;
	return 0;
}

static void check_set(const struct buf *list) {
	struct crl_set *set;
	struct walk w = {0};
	uint64_t number;

	if (crl_set_make(list->data, list->len, ca, &set, NULL) != 0)
		return;
	if (crl_peek_number(list->data, list->len, &number, NULL) != 0 || number != crl_set_number(set))
		abort();
	w.set = set;
	if (crl_set_new(NULL, set, visit, &w, NULL) != 0 || w.n != crl_set_count(set))
		abort();
	crl_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf list = {0};
	OWN(buf_wipe) struct buf sig = {0};
	uint64_t number;
	size_t mark;

	if (ca == NULL)
		identity_ca(&ca, &ca_key);
	(void)!crl_peek_number(data, len, &number, NULL);
	if (sigalg_sign(SIGALG_ECDSA_SHA256, ca_key, data, len, &sig, NULL) != 0)
		abort();
	buf_add(&list, data, len);
	sigalg_put(SIGALG_ECDSA_SHA256, &list);
	mark = list.len;
	buf_addc(&list, 0);
	buf_add(&list, sig.data, sig.len);
	der_wrap(&list, mark, DER_BIT_STRING);
	der_wrap(&list, 0, DER_SEQUENCE);
	check_set(&list);
	return 0;
}
