/* SPDX-License-Identifier: Apache-2.0 */
/* Keys at rest: the epochs and the key of the ledger's names, each a key package sealed to the gateway and, if there is
 * one, to the recovery certificate (recipients by SKI), so that a copy of the database alone opens nothing. */
#ifndef SCG_GATEWAY_REST_H
#define SCG_GATEWAY_REST_H

#include "base/secret.h"
#include "gateway/identity.h"
#include "gateway/state.h"
#include "keyring/keyring.h"

/* Makes the key of the ledger's names where the database has none yet, and records whom things are sealed to. In the
 * caller's transaction. */
int rest_init(struct state *s, const struct identity *id, const char *group, int64_t now_s, struct err *e) MUST_CHECK;
/* The epochs; *k is replaced. None yet: an empty keyring with the group's name. ERR_REFUSED: sealed to another key than
 * the gateway's. */
int rest_load(
    struct state *s, const struct identity *id, const char *group, struct keyring *k, struct err *e) MUST_CHECK;
/* The key of the ledger's names; path_key must be empty. */
int rest_load_path_key(struct state *s, const struct identity *id, struct secret *path_key, struct err *e) MUST_CHECK;
/* Seals and puts the epochs. In the caller's transaction. */
int rest_save(struct state *s, const struct identity *id, const struct keyring *k, struct err *e) MUST_CHECK;
/* Seals all anew to another identity (a renewed key). In the caller's transaction. */
int rest_reseal(struct state *s, const struct identity *from, const struct identity *to, struct err *e) MUST_CHECK;
/* *yes: what rests is sealed to this certificate's key. False where nothing rests yet. */
int rest_is_sealed_to(struct state *s, const X509 *cert, bool *yes, struct err *e) MUST_CHECK;

#endif
