/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tally.h"

#include <string.h>

void tally_add(struct tally *t, const char *name, size_t len) {
	size_t i = 0;

	if (len >= TALLY_NAME)
		len = TALLY_NAME - 1;
	while (i < t->n && (strncmp(t->v[i].name, name, len) != 0 || t->v[i].name[len] != '\0'))
		i++;
	if (i == TALLY_MAX) {
		i--;
	} else if (i == t->n) {
		memcpy(t->v[i].name, name, len);
		t->n++;
	}
	t->v[i].n++;
}
