/* SPDX-License-Identifier: Apache-2.0 */
/* A lone AuthEnvelopedData of another tool: as strict as ours, but definite or indefinite, in pieces, under any nonce, and signed by nobody. */
#ifndef SCG_ENVELOPE_STOCK_H
#define SCG_ENVELOPE_STOCK_H

#include "envelope/envelope.h"
#include "envelope/object.h"
#include "envelope/stream.h"

/* A nonce as a sealed file has it: such an object is a piece of one, and without its manifest it is nothing. (A random nonce looks so
 * once in four million times.) */
bool stock_nonce_is_ours(const struct object *o);

/* The whole feed must be one object. Sets key_id, is_unsigned. Plaintext goes out before the tag was checked: the caller must not let
 * it be seen until this succeeds. */
int stock_open(const struct keyring *keys, struct feed *in, struct outlet *out, struct envelope_result *r, struct err *e) MUST_CHECK;
/* The same without a key: only what is in the clear. */
int stock_walk(struct feed *in, uint8_t key_id[static KEY_ID_LEN], uint64_t *plain_size, struct err *e) MUST_CHECK;

#endif
