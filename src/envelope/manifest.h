/* SPDX-License-Identifier: Apache-2.0 */
/* The signed text of an envelope: which file this is and the digest of each segment. */
#ifndef SCG_ENVELOPE_MANIFEST_H
#define SCG_ENVELOPE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct manifest {
	char *group, *name;
	uint8_t file_id[16];
	uint64_t version, size, segment_size, count;
	uint8_t (*digests)[32]; /* count of them: SHA-256 of each segment's plaintext */
};
void manifest_wipe(struct manifest *m);
/* The text of fixed lines in fixed order. */
void manifest_print(const struct manifest *m, struct buf *out);
/* Exactly that form (printed again it gives the same bytes); counts and sizes agree with each other. ERR_DAMAGED. */
int manifest_parse(const uint8_t *text, size_t len, struct manifest *m, struct err *e) MUST_CHECK;

#endif
