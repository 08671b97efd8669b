/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway tells its group's audit log. An entry of what is done in a transaction becomes one with it. */
#ifndef SCG_GATEWAY_WITNESS_H
#define SCG_GATEWAY_WITNESS_H

#include "gateway/group.h"

/* Who did it, or was refused: of a certificate that the group's CA issued. */
struct witness_peer {
	const char *name, *serial;
	const char *address; /* or NULL */
};
/* Where the configuration says audit_sync the round's commit writes it, and no reply of a round leaves before that; else the next tick does. */
void witness_keys(struct group *g, const struct witness_peer *to, enum record_kind kind, int64_t now_s);
/* False: the log cannot be written at present, or too many entries wait: no key is handed out. */
bool witness_is_able(const struct group *g);
/* who NULL: a stranger. reason need not end with NUL. */
void witness_refused(struct group *g, const struct witness_peer *who, const char *reason, size_t reason_len);
/* Gateways' own are no members. */
void witness_member(struct group *g, X509 *cert, int64_t now_s);
void witness_crl(struct group *g, const struct crl_set *set, int64_t now_s);
void witness_epoch(struct group *g, const char *why, int64_t now_s);

/* The gateway serves from here on, or ends. A failure is logged; the entry waits for the next commit. */
void witness_start(struct group *g, int64_t now_s);
void witness_stop(struct group *g, int64_t now_s);
/* Each tick: what waits, refusals that are due, and a head for what is not signed yet. */
void witness_tick(struct group *g, int64_t now_s);

#endif
