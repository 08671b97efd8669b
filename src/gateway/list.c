/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/list.h"

#include <stdlib.h>

int list_make(struct buf *der, X509 *ca, struct list **l, struct err *e) {
	struct crl_set *set = NULL;
	struct list *made;

	if (crl_set_make(der->data, der->len, ca, &set, e) != 0) {
		buf_wipe(der);
		return e->code;
	}
	made = xcalloc(1, sizeof *made);
	made->set = set;
	made->der = *der;
	made->refs = 1;
	*der = (struct buf){ 0 };
	*l = made;
	return 0;
}

struct list *list_ref(struct list *l) {
	if (l != NULL)
		__atomic_add_fetch(&l->refs, 1, __ATOMIC_RELAXED);
	return l;
}

void list_free(struct list *l) {
	if (l == NULL || __atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	crl_set_free(l->set);
	buf_wipe(&l->der);
	free(l);
}
