/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/tree.h"

#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "pki/ossl.h"

#define LEAF 0x00 /* RFC 6962 2.1: what tells leaves from nodes */
#define NODE 0x01

void tree_leaf(const void *event, size_t len, uint8_t out[static 32]) {
	OWN(buf_wipe) struct buf b = {0};

	(void)buf_room(&b, len + 1);
	buf_addc(&b, LEAF);
	buf_add(&b, event, len);
	ossl_sha256(b.data, b.len, out);
}

void tree_node(const uint8_t left[static 32], const uint8_t right[static 32], uint8_t out[static 32]) {
	uint8_t b[65];

	b[0] = NODE;
	memcpy(b + 1, left, 32);
	memcpy(b + 33, right, 32);
	ossl_sha256(b, sizeof b, out);
}

unsigned tree_add(struct tree *t, const uint8_t leaf[static 32], uint8_t done[static TREE_HEIGHT_MAX][32]) {
	unsigned levels = 0;

	memcpy(done[levels], leaf, 32);
	/* Each set bit of the size is a complete subtree; those at its low end get a sibling now. */
	for (uint64_t size = t->size; (size & 1) != 0; size >>= 1, levels++)
		tree_node(t->node[--t->n], done[levels], done[levels + 1]);
	memcpy(t->node[t->n++], done[levels], 32);
	t->size++;
	return levels + 1;
}

void tree_root(const struct tree *t, uint8_t out[static 32]) {
	if (t->n == 0) {
		ossl_sha256("", 0, out);
		return;
	}
	memcpy(out, t->node[t->n - 1], 32);
	for (unsigned i = t->n - 1; i > 0; i--)
		tree_node(t->node[i - 1], out, out);
}

int tree_load(struct tree *t, uint64_t size,
    int (*get)(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]), void *arg) {
	uint64_t end = 0;
	int r;

	*t = (struct tree){.size = size};
	for (unsigned level = TREE_HEIGHT_MAX - 1; level < TREE_HEIGHT_MAX; level--) {
		if ((size >> level & 1) == 0)
			continue;
		end += UINT64_C(1) << level;
		if ((r = get(arg, end - 1, level, t->node[t->n++])) != 0)
			return r;
	}
	return 0;
}
