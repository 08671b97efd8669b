/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator may see of the gateway at a moment: no name, no address, no key. Health and metrics are texts made of it. */
#ifndef SCG_GATEWAY_SIGHT_H
#define SCG_GATEWAY_SIGHT_H

#include "gateway/group.h"
#include "gateway/tally.h"

#define SIGHT_CERT_S ((int64_t)14 * 86400) /* before the end of the gateway's certificate: degraded */
#define SIGHT_CA_S ((int64_t)60 * 86400)   /* of the CA's */
#define SIGHT_STALL_MS 5000                /* without a sign of the loop: degraded */
#define SIGHT_REASONS 8

struct sight {
	const char *group; /* where there are several: whose it is; borrowed. NULL: alone */
	struct server_stats server; /* of the process: the same in all */
	struct tally refused;
	int64_t taken_ms; /* monotonic */
	const char *closed; /* why the gateway serves nobody, or NULL */
	bool has_list, is_stored;
	bool has_held; /* a newer list lacks a revocation (OFFER_DROPS) */
	bool audit_fails; /* the audit log could not be written when that was last tried */
	uint64_t audit_size, audit_signed, audit_waiting;
	int64_t audit_newest_s; /* time of its last entry, 0: none */
	uint64_t crl_number, crl_entries, crl_bytes, epoch, ledger_size;
	int64_t crl_this_s, crl_next_s, cert_end_s, ca_end_s;
};
/* In the loop's thread. */
void sight_take(struct sight *s, const struct group *g, const struct tally *refused, int64_t now_s);

enum sight_state { SIGHT_OK, SIGHT_DEGRADED, SIGHT_CLOSED };
/* The state now, and why it is not ok, each a static text. */
enum sight_state sight_judge(const struct sight *s, int64_t now_s, int64_t now_ms, const char *reasons[static SIGHT_REASONS], size_t *n);
/* True from half of the list's life on. */
bool sight_crl_is_old(int64_t this_s, int64_t next_s, int64_t now_s);

/* Both tell of n groups, at least one. */
/* JSON; returns the HTTP status: 200, or 503 where it is closed (of several: all). */
int sight_health(const struct sight *v, size_t n, int64_t now_s, int64_t now_ms, struct buf *out);
/* Prometheus text format 0.0.4; what is one of several groups' has the label group. */
void sight_metrics(const struct sight *v, size_t n, int64_t now_s, int64_t now_ms, struct buf *out);

#endif
