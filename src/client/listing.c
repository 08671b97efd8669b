/* SPDX-License-Identifier: Apache-2.0 */
#include "client/listing.h"

#include <stdlib.h>

#include "base/buf.h"

static int take(void *arg, const struct store_stat *st, struct err *e) {
	struct listing *list = arg;

	if (list->n == LISTING_MAX)
		return err_set(e, ERR_FAIL, "more than %d objects on the drive", LISTING_MAX);
	if (list->n == list->cap) {
		list->cap = list->cap == 0 ? 64 : list->cap * 2;
		list->v = xrealloc(list->v, list->cap, sizeof(*list->v));
	}
	list->v[list->n++] = *st;
	return 0;
}

int listing_take(struct listing *list, struct store *s, struct err *e) {
	return store_list(s, take, list, e);
}

int listing_take_trashed(struct listing *list, struct store *s, struct err *e) {
	return store_list_trashed(s, take, list, e);
}

void listing_wipe(struct listing *list) {
	free(list->v);
	*list = (struct listing){0};
}
