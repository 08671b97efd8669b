/* SPDX-License-Identifier: Apache-2.0 */
#include "client/range.h"

#include <string.h>

#include "base/own.h"
#include "base/text.h"

int range_parse(const char *arg, struct envelope_range *range, struct err *e) {
	OWN(own_free) char *first = xstrdup(arg);
	char *dash = strchr(first, '-');

	range->last = INT64_MAX;
	if (dash != NULL)
		*dash++ = '\0';
	if (dash == NULL || text_u64(first, INT64_MAX, &range->first, NULL) != 0 ||
	    (*dash != '\0' && text_u64(dash, INT64_MAX, &range->last, NULL) != 0))
		return err_set(e, ERR_USAGE, "-range: FROM-TO or FROM- (bytes, the first one is 0, TO is included)");
	return range->first <= range->last ? 0 : err_set(e, ERR_USAGE, "-range ends before it begins");
}

uint64_t range_len(const struct envelope_range *range, uint64_t size) {
	uint64_t end = range->last < size ? range->last + 1 : size;

	return range->first < end ? end - range->first : 0;
}
