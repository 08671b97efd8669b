/* SPDX-License-Identifier: Apache-2.0 */
/* Consistency proofs (RFC 6962 2.1.2): that a tree of one size is the beginning of a larger one. */
#ifndef SCG_LEDGER_PROOF_H
#define SCG_LEDGER_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ledger/tree.h"

#define PROOF_MAX (TREE_HEIGHT_MAX + 1) /* hashes: one a level, and the edge of the smaller tree */

/* Of a tree with size leaves, 0 <= old <= size; get as in tree_load. *n hashes, none where old is 0 or size. Non-zero from get is handed on. */
int proof_make(uint64_t old, uint64_t size, int (*get)(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]), void *arg,
    uint8_t path[static PROOF_MAX][32], size_t *n);

/* A tree as somebody says that it is. */
struct proof_end {
	uint64_t size;
	const uint8_t *root; /* 32 bytes */
};
/* RFC 9162 2.1.4.2: does the tree at the new end begin with the one at the old end? ERR_DAMAGED: the n hashes do not prove it. */
int proof_check(const struct proof_end *old, const struct proof_end *now, const uint8_t (*path)[32], size_t n, struct err *e) MUST_CHECK;

#endif
