/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sight.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/own.h"
#include "pki/cert.h"

void sight_take(struct sight *s, const struct group *g, const struct tally *refused, int64_t now_s) {
	const char *text;

	s->refused = *refused;
	s->taken_ms = clock_mono_ms();
	s->closed = group_closed(g, now_s, &text);
	s->has_list = g->list != NULL;
	s->is_stored = g->list == g->stored;
	s->has_held = g->held != NULL;
	if (s->has_list) {
		s->crl_number = crl_set_number(g->list->set);
		s->crl_entries = crl_set_count(g->list->set);
		s->crl_bytes = g->list->len;
		s->crl_this_s = crl_set_this_update(g->list->set);
		s->crl_next_s = crl_set_next_update(g->list->set);
	}
	s->epoch = g->keyring.n > 0 ? keyring_current(&g->keyring)->number : 0;
	s->ledger_size = ledger_size(g->ledger);
	s->audit_fails = g->audit_at_ms != 0;
	s->audit_size = audit_size(g->audit);
	s->audit_signed = audit_signed(g->audit);
	s->audit_waiting = audit_waiting(g->audit);
	s->audit_newest_s = audit_newest_s(g->audit);
	s->cert_end_s = g->id_valid.until_s;
	s->ca_end_s = cert_not_after(chain_ca(g->chain));
}

bool sight_crl_is_old(int64_t this_s, int64_t next_s, int64_t now_s) {
	return now_s - this_s >= next_s - now_s;
}

static void add_reason(const char *reasons[static SIGHT_REASONS], size_t *n, bool holds, const char *text) {
	if (holds && *n < SIGHT_REASONS)
		reasons[(*n)++] = text;
}

enum sight_state sight_judge(const struct sight *s, int64_t now_s, int64_t now_ms, const char *reasons[static SIGHT_REASONS], size_t *n) {
	*n = 0;
	add_reason(reasons, n, s->closed != NULL, s->closed);
	add_reason(reasons, n, now_ms - s->taken_ms > SIGHT_STALL_MS, "stalled");
	add_reason(reasons, n, s->has_list && sight_crl_is_old(s->crl_this_s, s->crl_next_s, now_s), "crl-half-life");
	add_reason(reasons, n, !s->is_stored, "crl-not-stored");
	add_reason(reasons, n, s->has_held, "crl-incomplete");
	add_reason(reasons, n, s->audit_fails, "audit-not-written");
	add_reason(reasons, n, s->cert_end_s - now_s < SIGHT_CERT_S, "certificate-ends");
	add_reason(reasons, n, s->ca_end_s - now_s < SIGHT_CA_S, "ca-ends");
	if (s->closed != NULL)
		return SIGHT_CLOSED;
	return *n > 0 ? SIGHT_DEGRADED : SIGHT_OK;
}

static json_t *list_json(const struct sight *s, int64_t now_s) {
	if (!s->has_list)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "number", (json_int_t)s->crl_number, "entries", (json_int_t)s->crl_entries, "age_s",
	    (json_int_t)(now_s - s->crl_this_s), "expires_in_s", (json_int_t)(s->crl_next_s - now_s), "stored", (int)s->is_stored);
}

static json_t *audit_json(const struct sight *s) {
	char time[CLOCK_TEXT];

	clock_print(s->audit_newest_s, time);
	return json_pack("{s:I, s:I, s:I, s:s?, s:b}", "size", (json_int_t)s->audit_size, "signed", (json_int_t)s->audit_signed, "waiting",
	    (json_int_t)s->audit_waiting, "last", s->audit_newest_s != 0 ? time : NULL, "written", (int)!s->audit_fails);
}

static const char *const state_names[] = { [SIGHT_OK] = "ok", [SIGHT_DEGRADED] = "degraded", [SIGHT_CLOSED] = "closed" };

/* What concerns one group. */
static json_t *group_json(const struct sight *s, int64_t now_s, int64_t now_ms, enum sight_state *state) {
	const char *reasons[SIGHT_REASONS];
	json_t *why = json_array();
	size_t n;

	*state = sight_judge(s, now_s, now_ms, reasons, &n);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(why, json_string(reasons[i]));
	return json_pack("{s:s*, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "group", s->group, "status", state_names[*state], "reasons", why, "crl",
	    list_json(s, now_s), "audit", audit_json(s), "epoch", (json_int_t)s->epoch, "ledger_size", (json_int_t)s->ledger_size, "certificate_days",
	    (json_int_t)((s->cert_end_s - now_s) / 86400), "ca_days", (json_int_t)((s->ca_end_s - now_s) / 86400));
}

/* A gateway that serves some of its groups is degraded; one that serves none is closed. */
static json_t *groups_json(const struct sight *v, size_t n, int64_t now_s, int64_t now_ms, enum sight_state *all) {
	json_t *list = json_array();
	size_t closed = 0;

	*all = SIGHT_OK;
	for (size_t i = 0; i < n; i++) {
		enum sight_state state;

		(void)json_array_append_new(list, group_json(&v[i], now_s, now_ms, &state));
		closed += state == SIGHT_CLOSED;
		if (state != SIGHT_OK)
			*all = SIGHT_DEGRADED;
	}
	if (closed == n)
		*all = SIGHT_CLOSED;
	return json_pack("{s:s, s:o}", "status", state_names[*all], "groups", list);
}

int sight_health(const struct sight *v, size_t n, int64_t now_s, int64_t now_ms, struct buf *out) {
	OWN(own_free) char *text = NULL;
	enum sight_state state;
	json_t *o;

	o = v[0].group == NULL ? group_json(&v[0], now_s, now_ms, &state) : groups_json(v, n, now_s, now_ms, &state);
	if (o != NULL && json_object_set_new(o, "connections", json_integer((json_int_t)v[0].server.connections)) == 0)
		text = json_dumps(o, JSON_INDENT(1));
	buf_adds(out, text != NULL ? text : "{}");
	buf_adds(out, "\n");
	json_decref(o);
	return state == SIGHT_CLOSED ? 503 : 200;
}

static void add_head(struct buf *b, const char *name, const char *type, const char *help) {
	buf_addf(b, "# HELP scg_%s %s\n# TYPE scg_%s %s\n", name, help, name, type);
}

static void add_one(struct buf *b, const char *name, const char *type, const char *help, int64_t v) {
	add_head(b, name, type, help);
	buf_addf(b, "scg_%s %" PRId64 "\n", name, v);
}

static void add_traffic(const struct server_stats *s, struct buf *b) {
	add_one(b, "threads", "gauge", "Threads that serve.", (int64_t)s->threads);
	add_one(b, "connections", "gauge", "Connections that are open.", (int64_t)s->connections);
	add_one(b, "requests_waiting", "gauge", "Requests that wait until a revocation list is stored.", (int64_t)s->parked);
	add_one(b, "connections_accepted_total", "counter", "Connections accepted.", (int64_t)s->accepted);
	add_head(b, "connections_turned_away_total", "counter", "Connections closed for want of room, by reason.");
	buf_addf(b, "scg_connections_turned_away_total{reason=\"address\"} %" PRIu64 "\n", s->refused_address);
	buf_addf(b, "scg_connections_turned_away_total{reason=\"room\"} %" PRIu64 "\n", s->evicted);
	add_head(b, "handshakes_total", "counter", "TLS handshakes, by result.");
	buf_addf(b, "scg_handshakes_total{result=\"ok\"} %" PRIu64 "\n", s->handshakes);
	buf_addf(b, "scg_handshakes_total{result=\"failed\"} %" PRIu64 "\n", s->handshakes_failed);
	add_one(b, "handshakes_resumed_total", "counter", "Handshakes that resumed a session.", (int64_t)s->resumed);
	add_one(b, "late_total", "counter", "Connections ended by a limit of time.", (int64_t)s->late);
	add_one(b, "accept_pauses_total", "counter", "Times without descriptors or room for a connection.", (int64_t)s->paused);
	add_head(b, "requests_total", "counter", "Replies, by status.");
	for (int i = 0; i < SERVER_STATUS_MAX; i++)
		if (s->replies[i] > 0)
			buf_addf(b, "scg_requests_total{status=\"%d\"} %" PRIu64 "\n", i, s->replies[i]);
}

static void add_seconds(struct buf *b, uint64_t us) {
	buf_addf(b, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void add_latency(const struct server_stats *s, struct buf *b) {
	uint64_t n = 0;

	add_head(b, "request_seconds", "histogram", "From a whole request to its reply.");
	for (int i = 0; i < SERVER_BUCKETS; i++) {
		n += s->latency[i];
		buf_adds(b, "scg_request_seconds_bucket{le=\"");
		if (i < SERVER_BUCKETS - 1)
			add_seconds(b, server_bucket_us[i]);
		else
			buf_adds(b, "+Inf");
		buf_addf(b, "\"} %" PRIu64 "\n", n);
	}
	buf_adds(b, "scg_request_seconds_sum ");
	add_seconds(b, s->latency_us);
	buf_addf(b, "\nscg_request_seconds_count %" PRIu64 "\n", n);
}

/* Labels of what is one group's, more being a further one; the exposition format's escapes. */
static void add_labels(const struct sight *s, const char *more, const char *value, struct buf *b) {
	if (s->group == NULL && more == NULL)
		return;
	buf_addc(b, '{');
	if (s->group != NULL) {
		buf_adds(b, "group=\"");
		for (const char *c = s->group; *c != '\0'; c++)
			buf_addf(b, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		buf_adds(b, more != NULL ? "\"," : "\"");
	}
	if (more != NULL)
		buf_addf(b, "%s=\"%s\"", more, value);
	buf_addc(b, '}');
}

static void add_refusals(const struct sight *v, size_t n, struct buf *b) {
	add_head(b, "refusals_total", "counter", "Requests refused, by reason.");
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < v[k].refused.n; i++) {
			buf_adds(b, "scg_refusals_total");
			add_labels(&v[k], "reason", v[k].refused.v[i].name, b);
			buf_addf(b, " %" PRIu64 "\n", v[k].refused.v[i].n);
		}
}

/* --- what is told of each group --- */

struct now {
	int64_t s, ms;
};

static enum sight_state state_of(const struct sight *s, const struct now *now) {
	const char *reasons[SIGHT_REASONS];
	size_t n;

	return sight_judge(s, now->s, now->ms, reasons, &n);
}

static int64_t is_open(const struct sight *s, const struct now *now) {
	return state_of(s, now) != SIGHT_CLOSED;
}

static int64_t is_degraded(const struct sight *s, const struct now *now) {
	return state_of(s, now) != SIGHT_OK;
}

static int64_t crl_number(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->crl_number;
}

static int64_t crl_age(const struct sight *s, const struct now *now) {
	return now->s - s->crl_this_s;
}

static int64_t crl_remaining(const struct sight *s, const struct now *now) {
	return s->crl_next_s - now->s;
}

static int64_t crl_entries(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->crl_entries;
}

static int64_t crl_bytes(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->crl_bytes;
}

static int64_t crl_stored(const struct sight *s, const struct now *now) {
	(void)now;
	return s->is_stored;
}

static int64_t crl_incomplete(const struct sight *s, const struct now *now) {
	(void)now;
	return s->has_held;
}

static int64_t cert_remaining(const struct sight *s, const struct now *now) {
	return s->cert_end_s - now->s;
}

static int64_t ca_remaining(const struct sight *s, const struct now *now) {
	return s->ca_end_s - now->s;
}

static int64_t epoch(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->epoch;
}

static int64_t size_of_ledger(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->ledger_size;
}

static int64_t size_of_audit(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->audit_size;
}

static int64_t audit_is_signed(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->audit_signed;
}

static int64_t audit_waits(const struct sight *s, const struct now *now) {
	(void)now;
	return (int64_t)s->audit_waiting;
}

static int64_t audit_last(const struct sight *s, const struct now *now) {
	(void)now;
	return s->audit_newest_s;
}

static int64_t audit_written(const struct sight *s, const struct now *now) {
	(void)now;
	return !s->audit_fails;
}

static const struct gauge {
	const char *name, *help;
	int64_t (*get)(const struct sight *s, const struct now *now);
	bool of_list; /* left out of a group that has none */
} gauges[] = {
	{ "open", "1: members are served.", is_open, false },
	{ "degraded", "1: something needs the operator; /healthz says what.", is_degraded, false },
	{ "crl_number", "Number of the revocation list in force.", crl_number, true },
	{ "crl_age_seconds", "Since its thisUpdate.", crl_age, true },
	{ "crl_remaining_seconds", "Until its nextUpdate.", crl_remaining, true },
	{ "crl_entries", "Certificates on it.", crl_entries, true },
	{ "crl_bytes", "Its size.", crl_bytes, true },
	{ "crl_stored", "1: it and its ledger entry are on disk.", crl_stored, true },
	{ "crl_incomplete", "1: a newer list lacks a revocation that still holds, and is not taken.", crl_incomplete, true },
	{ "certificate_remaining_seconds", "Until the end of the gateway's certificate.", cert_remaining, false },
	{ "ca_remaining_seconds", "Until the end of the CA's certificate.", ca_remaining, false },
	{ "epoch", "Epoch of the group key.", epoch, false },
	{ "ledger_size", "Entries of the ledger.", size_of_ledger, false },
	{ "audit_size", "Entries of the audit log.", size_of_audit, false },
	{ "audit_signed", "Its entries under the newest signed head.", audit_is_signed, false },
	{ "audit_waiting", "Entries that are not on disk yet.", audit_waits, false },
	{ "audit_last_timestamp_seconds", "When its last entry was made, since 1970; 0: never.", audit_last, false },
	{ "audit_written", "0: the audit log could not be written; no key is handed out.", audit_written, false },
};

static void add_gauge(const struct gauge *g, const struct sight *v, size_t n, const struct now *now, struct buf *b) {
	bool has_head = false;

	for (size_t i = 0; i < n; i++) {
		if (g->of_list && !v[i].has_list)
			continue;
		if (!has_head)
			add_head(b, g->name, "gauge", g->help);
		has_head = true;
		buf_addf(b, "scg_%s", g->name);
		add_labels(&v[i], NULL, NULL, b);
		buf_addf(b, " %" PRId64 "\n", g->get(&v[i], now));
	}
}

void sight_metrics(const struct sight *v, size_t n, int64_t now_s, int64_t now_ms, struct buf *out) {
	const struct now now = { now_s, now_ms };

	for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
		add_gauge(&gauges[i], v, n, &now, out);
	add_traffic(&v[0].server, out);
	add_latency(&v[0].server, out);
	add_refusals(v, n, out);
}
