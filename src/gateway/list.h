/* SPDX-License-Identifier: Apache-2.0 */
/* A verified revocation list with its bytes, shared by who asks it and by replies under way. */
#ifndef SCG_GATEWAY_LIST_H
#define SCG_GATEWAY_LIST_H

#include <stdint.h>

#include "base/buf.h"
#include "pki/crl.h"

struct list {
	struct crl_set *set;
	struct buf der;
	unsigned refs; /* atomic */
};

/* Verifies DER against the CA (crl_set_make); takes the bytes over, also where it fails. */
int list_make(struct buf *der, X509 *ca, struct list **l, struct err *e) MUST_CHECK;
struct list *list_ref(struct list *l); /* l may be NULL */
void list_free(struct list *l);        /* l may be NULL */

#endif
