/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/proof.h"

#include <stdbool.h>
#include <string.h>

#include "pki/ossl.h"

struct range {
	uint64_t from, to;
};

/* The hash over the leaves of a range whose beginning is a multiple of a power of two that is not less than its length: complete subtrees of
 * falling height, folded from the right. */
static int hash_range(const struct range *r, int (*get)(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]), void *arg,
    uint8_t out[static 32]) {
	uint64_t len = r->to - r->from, end = r->to;
	uint8_t node[32];
	bool first = true;
	int rc;

	for (unsigned level = 0; level < TREE_HEIGHT_MAX; level++) {
		if ((len >> level & 1) == 0)
			continue;
		if ((rc = get(arg, end - 1, level, node)) != 0)
			return rc;
		end -= UINT64_C(1) << level;
		if (first)
			memcpy(out, node, 32);
		else
			tree_node(node, out, out);
		first = false;
	}
	return 0;
}

/* The largest power of two below n, which is at least 2. */
static uint64_t split_of(uint64_t n) {
	uint64_t k = 1;

	while (k <= (n - 1) / 2)
		k *= 2;
	return k;
}

/* SUBPROOF of RFC 6962 2.1.2, from the top down: the last range is the first hash. */
static size_t split(uint64_t old, uint64_t size, struct range part[static PROOF_MAX]) {
	struct range all = { 0, size };
	bool whole = true; /* what is left begins at the first leaf: its hash is the old root */
	size_t n = 0;

	while (old != all.to) {
		uint64_t middle = all.from + split_of(all.to - all.from);

		if (old <= middle) {
			part[n++] = (struct range){ middle, all.to };
			all.to = middle;
		} else {
			part[n++] = (struct range){ all.from, middle };
			all.from = middle;
			whole = false;
		}
	}
	if (!whole)
		part[n++] = all;
	return n;
}

int proof_make(uint64_t old, uint64_t size, int (*get)(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]), void *arg,
    uint8_t path[static PROOF_MAX][32], size_t *n) {
	struct range part[PROOF_MAX];
	int r;

	*n = 0;
	if (old == 0)
		return 0;
	*n = split(old, size, part);
	for (size_t i = 0; i < *n; i++)
		if ((r = hash_range(&part[*n - 1 - i], get, arg, path[i])) != 0)
			return r;
	return 0;
}

static int fail(struct err *e) {
	return err_set(e, ERR_DAMAGED, "RFC 9162 2.1.4.2: the proof does not show that the log still contains what it had");
}

/* Both roots from one path; false: too long. fn and sn number the last leaves, a level higher with each step. */
static bool climb(const struct proof_end *old, const struct proof_end *now, const uint8_t (*path)[32], size_t n, uint8_t fr[static 32],
    uint8_t sr[static 32]) {
	uint64_t fn = old->size - 1, sn = now->size - 1;
	size_t i = 0;

	while ((fn & 1) != 0)
		fn >>= 1, sn >>= 1;
	memcpy(fr, fn == 0 ? old->root : path[i++], 32); /* a complete old tree is its own first node */
	memcpy(sr, fr, 32);
	for (; i < n; i++, fn >>= 1, sn >>= 1) {
		if (sn == 0)
			return false;
		if ((fn & 1) == 0 && fn != sn) {
			tree_node(sr, path[i], sr);
			continue;
		}
		tree_node(path[i], fr, fr);
		tree_node(path[i], sr, sr);
		while ((fn & 1) == 0 && fn != 0)
			fn >>= 1, sn >>= 1;
	}
	return sn == 0;
}

int proof_check(const struct proof_end *old, const struct proof_end *now, const uint8_t (*path)[32], size_t n, struct err *e) {
	uint8_t fr[32], sr[32], empty[32];

	if (old->size > now->size)
		return err_set(e, ERR_DAMAGED, "RFC 6962 2.1.2: the log has become smaller");
	if (old->size == 0 || old->size == now->size) {
		ossl_sha256("", 0, empty);
		if (n != 0 || memcmp(old->root, old->size == 0 ? empty : now->root, 32) != 0)
			return fail(e);
		return 0;
	}
	if (n == 0 || n > PROOF_MAX || !climb(old, now, path, n, fr, sr) || memcmp(fr, old->root, 32) != 0 || memcmp(sr, now->root, 32) != 0)
		return fail(e);
	return 0;
}
