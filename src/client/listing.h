/* SPDX-License-Identifier: Apache-2.0 */
/* All objects of the drive at one moment. */
#ifndef SCG_CLIENT_LISTING_H
#define SCG_CLIENT_LISTING_H

#include <stddef.h>

#include "base/err.h"
#include "store/store.h"

#define LISTING_MAX 10000000 /* 480 MB; a drive with more has been flooded */

struct listing {
	struct store_stat *v;
	size_t n, cap;
};
/* list begins as {0}; wipe it in every case. */
int listing_take(struct listing *list, struct store *s, struct err *e) MUST_CHECK;
/* What lies in the drive's trash. */
int listing_take_trashed(struct listing *list, struct store *s, struct err *e) MUST_CHECK;
void listing_wipe(struct listing *list);

#endif
