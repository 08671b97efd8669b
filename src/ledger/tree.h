/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of RFC 6962 2.1 as it grows: 0x00 leaves, 0x01 nodes, SHA-256. */
#ifndef SCG_LEDGER_TREE_H
#define SCG_LEDGER_TREE_H

#include <stddef.h>
#include <stdint.h>

/* Roots of the complete subtrees on the right edge, largest first: all that appending needs. */
struct tree { uint64_t size; unsigned n; uint8_t node[64][32]; };

void tree_init(struct tree *t);
void tree_leaf(const void *event, size_t len, uint8_t out[static 32]);
void tree_add(struct tree *t, const uint8_t leaf[static 32]);
/* The root (of the empty tree: SHA-256 of nothing). */
void tree_root(const struct tree *t, uint8_t out[static 32]);

#endif
