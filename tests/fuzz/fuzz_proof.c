/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: auditlog_parse_proof, proof_check. No bytes are a proof for roots that nobody made. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "client/auditlog.h"

/* Sizes and roots come from the input too, so that each way through the check is met. */
static void check(const uint8_t *data, size_t len, const uint8_t (*path)[32], size_t n) {
	uint8_t old_root[32] = { 1 }, root[32] = { 2 };
	struct proof_end old = { .root = old_root }, now = { .root = root };
	struct err e = ERR_INIT;

	if (len < 4)
		return;
	old.size = data[0];
	now.size = (uint64_t)data[1] << (data[2] % 56) | data[3];
	if (proof_check(&old, &now, path, n, &e) == 0)
		abort(); /* not even the empty tree has this root */
	if (e.code != ERR_DAMAGED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf json = { 0 };
	uint8_t path[PROOF_MAX][32] = { { 0 } };
	struct err e = ERR_INIT;
	size_t n = 0;

	if (len < 4)
		return 0;
	buf_add(&json, data + 4, len - 4);
	if (auditlog_parse_proof(&json, path, &n, &e) != 0) {
		if (e.code != ERR_DAMAGED)
			abort();
		n = len % (PROOF_MAX + 1);
	}
	if (n > PROOF_MAX)
		abort();
	check(data, len, (const uint8_t(*)[32])path, n);
	return 0;
}
