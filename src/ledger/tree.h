/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of RFC 6962 2.1 as it grows: 0x00 leaves, 0x01 nodes, SHA-256. */
#ifndef SCG_LEDGER_TREE_H
#define SCG_LEDGER_TREE_H

#include <stddef.h>
#include <stdint.h>

#define TREE_HEIGHT_MAX 64

/* Roots of the complete subtrees on the right edge, largest first: all that appending needs. */
struct tree {
	uint64_t size;
	unsigned n;
	uint8_t node[TREE_HEIGHT_MAX][32];
};

/* The hash of a leaf with this content, at most EVENT_MAX_BYTES long. */
void tree_leaf(const void *event, size_t len, uint8_t out[static 32]);
/* The hash of a node above these two; out may be one of them. */
void tree_node(const uint8_t left[static 32], const uint8_t right[static 32], uint8_t out[static 32]);
/* Adds a leaf. The subtrees that it completes are stored at done[0..] as hashes of 32 bytes from the leaf upwards;
 * returns how many they are (1..64). */
unsigned tree_add(struct tree *t, const uint8_t leaf[static 32], uint8_t done[static TREE_HEIGHT_MAX][32]);
/* The root (of the empty tree: SHA-256 of nothing). A zeroed struct tree is the empty tree. */
void tree_root(const struct tree *t, uint8_t out[static 32]);
/* The edge of a tree of this size from stored nodes: get yields, for the leaf with this index, the hash of the subtree
 * of height level that it completed. */
int tree_load(struct tree *t, uint64_t size,
    int (*get)(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]), void *arg);

#endif
