/* SPDX-License-Identifier: Apache-2.0 */
/* The signed text of an envelope: which file this is and the digest of each segment. */
#ifndef SCG_ENVELOPE_MANIFEST_H
#define SCG_ENVELOPE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define SEGMENT_LEN (4u << 20)             /* plaintext of each segment but the last: fixed by format 1 */
#define SEGMENTS_MAX (1u << 24)           /* 64 TiB: the manifest still fits the 2 GiB that OpenSSL takes in one piece */
#define MANIFEST_NAME_MAX 4096             /* bytes, as for a path of the ledger */

struct manifest {
	char *group, *name;
	uint8_t file_id[16];
	uint64_t version, size, segment_size, count;
	uint8_t (*digests)[32]; /* count of them: SHA-256 of each segment's plaintext */
};
/* Releases names and digests; safe on {0}. */
void manifest_wipe(struct manifest *m);
/* Segments of a file of size bytes; an empty file has one. */
uint64_t manifest_count(uint64_t size);
/* All but the digests: group as name_check has it; name 1..4096 bytes of UTF-8 without control characters (whether it may serve as a path
 * is for its user to check); version 1..; segment size, count and size agree. ERR_USAGE. */
int manifest_check(const struct manifest *m, struct err *e) MUST_CHECK;
/* The text of fixed lines in fixed order. */
void manifest_print(const struct manifest *m, struct buf *out);
/* Exactly that form (printed again it gives the same bytes) and what manifest_check asks. m must be empty. ERR_DAMAGED. */
int manifest_parse(const uint8_t *text, size_t len, struct manifest *m, struct err *e) MUST_CHECK;
/* The longest text for count segments. */
uint64_t manifest_text_max(uint64_t count);

#endif
