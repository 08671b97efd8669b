/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's audit log as this member last saw it: its head is kept in the member's folder, and a gateway whose log no longer contains what it
 * had then is refused. */
#ifndef SCG_CLIENT_AUDITLOG_H
#define SCG_CLIENT_AUDITLOG_H

#include <stdbool.h>

#include "base/err.h"
#include "ledger/head.h"
#include "ledger/proof.h"
#include "net/fetch.h"

#define AUDITLOG_JSON_MAX 16384 /* a proof has at most 65 hashes of 47 characters */

struct auditlog {
	const char *dir, *group; /* borrowed */
	bool has_kept, has_now;
	struct head kept, now;
};

/* What was kept: before the nonce of the request is drawn whose answer it will be compared with (others work in this folder too). ERR_DAMAGED. */
int auditlog_load(struct auditlog *a, const char *dir, const char *group, struct err *e) MUST_CHECK;
/* The head that came with a verified key reply ("": none). Asks the gateway for the proof that it contains the kept one. ERR_DAMAGED: it does not;
 * or what fetch says. */
int auditlog_check(struct auditlog *a, const char *text, struct fetch *f, struct err *e) MUST_CHECK;
/* Keeps what was checked. */
int auditlog_save(const struct auditlog *a, struct err *e) MUST_CHECK;
/* Forgets what was kept: the next head is taken as it comes. */
int auditlog_forget(const char *dir, struct err *e) MUST_CHECK;

/* Of {"consistency": [BASE64, ...]} (RFC 6962 4.4). ERR_DAMAGED. */
int auditlog_parse_proof(const struct buf *json, uint8_t path[static PROOF_MAX][32], size_t *n, struct err *e) MUST_CHECK;

#endif
