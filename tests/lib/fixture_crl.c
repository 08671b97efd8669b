/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "pki/crl.h"

struct list {
	X509 *const *certs;
	size_t n, at;
	int64_t revoked_s;
	int reason;
};

static int next_entry(void *arg, struct crl_entry *entry, struct err *e) {
	struct list *l = arg;

	(void)e;
	if (l->at == l->n)
		return 0;
	entry->serial_len = cert_serial(l->certs[l->at++], entry->serial);
	entry->revoked_s = l->revoked_s;
	entry->reason = l->reason;
	return 1;
}

void fixture_crl(const struct fixture *f, uint64_t number, X509 *const *revoked, size_t n, int reason, struct buf *der) {
	struct list l = {revoked, n, 0, f->now_s - 60, reason};
	struct err e = ERR_INIT;

	struct crl_make m = {f->ca.key, f->ca.cert, number, f->now_s - 3600, f->now_s + 7 * FIXTURE_DAY_S, next_entry, &l};

	if (crl_make(&m, der, &e) < 0) {
		fprintf(stderr, "fixture: %s\n", e.text);
		abort();
	}
}
