/* SPDX-License-Identifier: Apache-2.0 */
/* How often each reason to refuse was given. */
#ifndef SCG_GATEWAY_TALLY_H
#define SCG_GATEWAY_TALLY_H

#include <stddef.h>
#include <stdint.h>

#define TALLY_MAX 32 /* reasons told apart: PROTOCOL section 3 has 30; what comes beyond is counted as the last one */
#define TALLY_NAME 24

struct tally {
	struct {
		char name[TALLY_NAME];
		uint64_t n;
	} v[TALLY_MAX];
	size_t n;
};

/* name: [a-z-]+, cut where it is longer. */
void tally_add(struct tally *t, const char *name, size_t len);

#endif
