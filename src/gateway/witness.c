/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/witness.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "pki/crl.h"
#include "pki/profile.h"

#define RETRY_MS 1000 /* a full disk is asked again once a second */

void witness_keys(struct group *g, const struct witness_peer *to, enum record_kind kind, int64_t now_s) {
	struct record r = { .kind = kind, .time_s = now_s, .epoch = keyring_current(&g->keyring)->number };

	record_set(r.name, sizeof r.name, to->name);
	record_set(r.serial, sizeof r.serial, to->serial);
	record_set(r.address, sizeof r.address, to->address);
	audit_add(g->audit, &r, !g->conf->audit_sync);
}

bool witness_is_able(const struct group *g) {
	return g->audit_at_ms == 0 && audit_waiting(g->audit) < AUDIT_WAITING_MAX;
}

void witness_refused(struct group *g, const struct witness_peer *who, const char *reason, size_t reason_len) {
	if (who != NULL)
		refusals_add(g->refusals, reason, reason_len, who->name, who->serial, who->address);
	else
		refusals_add(g->refusals, reason, reason_len, NULL, NULL, NULL);
}

void witness_member(struct group *g, X509 *cert, int64_t now_s) {
	struct record r = { .kind = RECORD_MEMBER, .time_s = now_s };
	OWN(own_free) char *name = NULL, *role = NULL;
	struct err e = ERR_INIT;

	if (cert_name(cert, &name, &e) != 0 || cert_role(cert, &role, &e) != 0 || strcmp(role, role_name(ROLE_GATEWAY)) == 0)
		return;
	record_set(r.name, sizeof r.name, name);
	cert_serial_hex(cert, r.serial);
	audit_add(g->audit, &r, false);
}

void witness_crl(struct group *g, const struct crl_set *set, int64_t now_s) {
	const struct record r = { .kind = RECORD_CRL, .time_s = now_s, .crl = crl_set_number(set), .count = crl_set_count(set) };

	audit_add(g->audit, &r, false);
}

void witness_epoch(struct group *g, const char *why, int64_t now_s) {
	struct record r = { .kind = RECORD_EPOCH, .time_s = now_s, .epoch = keyring_current(&g->keyring)->number };

	record_set(r.reason, sizeof r.reason, why);
	audit_add(g->audit, &r, false);
}

static void write_now(struct group *g, bool sign) {
	struct err e = ERR_INIT;

	if (group_write_audit(g, sign, &e) == 0) {
		g->audit_at_ms = 0;
		return;
	}
	g->audit_at_ms = clock_mono_ms() + RETRY_MS;
	log_event(LOG_LEVEL_ERROR, "audit-failed", "error", e.text, "then", "the entries wait; tried again", NULL);
}

static void tell(struct group *g, enum record_kind kind, int64_t now_s) {
	struct record r = { .kind = kind, .time_s = now_s };

	if (g->keyring.n > 0)
		r.epoch = keyring_current(&g->keyring)->number;
	if (g->list != NULL)
		r.crl = crl_set_number(g->list->set);
	audit_add(g->audit, &r, true);
	write_now(g, true);
}

void witness_start(struct group *g, int64_t now_s) {
	tell(g, RECORD_START, now_s);
}

void witness_stop(struct group *g, int64_t now_s) {
	refusals_tell(g->refusals, g->audit, now_s, true);
	tell(g, RECORD_STOP, now_s);
}

/* After a failure it is tried until it succeeds, also where another transaction took what had waited: no key is handed out before. */
static bool has_to_write(const struct group *g, int64_t now_s) {
	if (g->audit_at_ms != 0)
		return clock_mono_ms() >= g->audit_at_ms;
	return audit_waiting(g->audit) > 0 || (audit_is_due(g->audit) && group_self_fault(g, now_s) == NULL);
}

void witness_tick(struct group *g, int64_t now_s) {
	refusals_tell(g->refusals, g->audit, now_s, false);
	if (!g->away && has_to_write(g, now_s))
		write_now(g, false);
}
