/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "gateway/witness.h"
#include "pki/crl.h"

struct route {
	enum http_method method;
	const char *path;
	void (*handle)(struct call *c);
	bool writes;  /* has to wait while a list is being stored */
	bool anybody; /* also without a certificate, and while the gateway is closed */
	size_t body_max, body_max_admin;
	struct rate *(*rate)(const struct service *s);
};

static struct rate *crl_rate(const struct service *s) {
	return s->crl_rate;
}

static struct rate *get_rate(const struct service *s) {
	return s->get_rate;
}

static const struct route routes[] = {
	{ HTTP_GET, "/v1/keys", handle_keys, false, false, 0, 0, NULL },
	{ HTTP_GET, "/v1/group", handle_group, false, false, 0, 0, NULL },
	{ HTTP_PUT, "/v1/group/store", handle_store_put, true, false, ROUTE_BODY, ROUTE_BODY, NULL },
	{ HTTP_GET, "/crl", handle_crl_get, false, true, 0, 0, get_rate },
	{ HTTP_PUT, "/crl", handle_crl_put, false, true, ROUTE_CRL_ANYBODY, CRL_MAX_BYTES, crl_rate },
	{ HTTP_GET, "/v1/audit/head", handle_audit_head, false, false, 0, 0, NULL },
	{ HTTP_GET, "/v1/audit/consistency", handle_audit_consistency, false, false, 0, 0, NULL },
	{ HTTP_GET, "/v1/ledger/head", handle_head, false, false, 0, 0, NULL },
	{ HTTP_GET, "/v1/ledger/entries", handle_entries, false, false, 0, 0, NULL },
	{ HTTP_POST, "/v1/ledger/events", handle_events, true, false, ENTRIES_POST_MAX, ENTRIES_POST_MAX, NULL },
};

/* The Allow header of a path, from the methods that the table has for it (each path has one or two). */
static const char *allow_of(const char *path) {
	static const char *const text[4] = { "", "GET, HEAD", "PUT", "GET, HEAD, PUT" };
	unsigned have = 0;

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strcmp(routes[i].path, path) == 0) {
			if (routes[i].method == HTTP_POST)
				return "POST";
			have |= routes[i].method == HTTP_GET ? 1 : 2;
		}
	return text[have];
}

/* NULL: the reply says 404 or 405. */
static const struct route *find(const struct http_request *q, struct http_reply *r) {
	enum http_method method = q->method == HTTP_HEAD ? HTTP_GET : q->method;
	const char *allow;

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (routes[i].method == method && strcmp(routes[i].path, q->path) == 0)
			return &routes[i];
	allow = allow_of(q->path);
	if (*allow == '\0') {
		http_problem(r, 404, "not-found", "no such resource");
		return NULL;
	}
	http_problem(r, 405, "method-not-allowed", "the resource has other methods");
	r->allow = allow;
	r->close = true;
	return NULL;
}

/* The group of this connection, whose name stands in the thread's log lines from here on. A peer whose group is not served (there is none such) gets
 * the first one's refusals: verdict_of sees that the chain is another. */
static struct service *enter(void *first, const struct server_peer *p) {
	struct service *s = service_of(first, p->chain);

	if (s == NULL)
		s = first;
	log_set_group(s->name);
	return s;
}

static struct who *who_of(struct server_peer *p) {
	struct err e = ERR_INIT;
	OWN(own_free) char *role = NULL;
	struct who *w = p->data;

	if (w != NULL)
		return w;
	w = xcalloc(1, sizeof *w);
	p->data = w;
	if (p->cert == NULL)
		return w;
	cert_serial_hex(p->cert, w->serial);
	cert_sha256(p->cert, w->sha256);
	w->valid = validity_of(p->cert);
	if (p->verdict != VERDICT_GOOD) /* a foreign certificate's names are nobody's names */
		return w;
	if (cert_name(p->cert, &w->name, &e) == 0 && cert_role(p->cert, &role, &e) == 0)
		w->has_role = role_parse(role, &w->role, &e) == 0;
	return w;
}

void route_forget(void *arg, struct server_peer *p) {
	struct who *w = p->data;

	(void)arg;
	if (w == NULL)
		return;
	free(w->name);
	free(w);
	p->data = NULL;
}

/* What the ledger says of a certificate changes with the list in force alone, which is asked each time. */
static int recall(const struct group *g, const struct server_peer *p, struct who *w, enum verdict *v, struct err *e) {
	uint64_t number = g->list != NULL ? crl_set_number(g->list->set) : 0;
	bool yes = false;

	if (w->is_clear && w->clear_of == number)
		return 0;
	if (group_was_revoked(g, p->cert, &yes, e) != 0)
		return e->code;
	w->is_clear = !yes;
	w->clear_of = number;
	if (yes)
		*v = VERDICT_REVOKED;
	return 0;
}

/* ERR_*: the ledger could not be asked, so that nothing is known. */
static int judge(
    const struct group *g, const struct server_peer *p, struct who *w, int64_t now_s, enum verdict *v, struct err *e) {
	enum verdict handshake = p->chain == g->chain || p->cert == NULL ? p->verdict : VERDICT_FOREIGN;

	*v = group_verdict(g, p->cert, &w->valid, handshake, now_s);
	if (*v == VERDICT_GOOD && (!w->has_role || w->role == ROLE_GATEWAY))
		*v = VERDICT_WRONG_PURPOSE;
	return *v == VERDICT_GOOD ? recall(g, p, w, v, e) : 0;
}

static bool is_good(const struct group *g, const struct server_peer *p, struct who *w, int64_t now_s) {
	struct err e = ERR_INIT;
	enum verdict v;

	return judge(g, p, w, now_s, &v, &e) == 0 && v == VERDICT_GOOD;
}

/* The 403 of a peer whose certificate is not good. The gateway's time is named where the reason may be a wrong clock.
 */
static void refuse(enum verdict v, const struct who *w, int64_t now_s, struct http_reply *r) {
	char now[CLOCK_TEXT], limit[CLOCK_TEXT], detail[256];

	clock_print(now_s, now);
	switch (v) {
	case VERDICT_EXPIRED:
		clock_print(w->valid.until_s, limit);
		(void)snprintf(detail, sizeof detail, "certificate %s was valid until %s; the gateway's clock says %s",
		    w->serial, limit, now);
		break;
	case VERDICT_NOT_YET_VALID:
		clock_print(w->valid.from_s, limit);
		(void)snprintf(detail, sizeof detail, "certificate %s is valid from %s; the gateway's clock says %s",
		    w->serial, limit, now);
		break;
	case VERDICT_REVOKED:
		(void)snprintf(detail, sizeof detail, "certificate %s is revoked", w->serial);
		break;
	case VERDICT_WRONG_PURPOSE:
		(void)snprintf(detail, sizeof detail, "certificate %s is no member's (RFC 5280 4.2.1.12)", w->serial);
		break;
	case VERDICT_FOREIGN:
		(void)snprintf(detail, sizeof detail, "certificate %s was not issued by the group's CA", w->serial);
		break;
	default:
		(void)snprintf(detail, sizeof detail, "the client presented no certificate");
	}
	http_problem(r, 403, verdict_name(v), detail);
	r->close = true;
}

/* The gate: open, and the peer good at this moment. False: the reply says why not. */
static bool passes(const struct group *g, const struct server_peer *p, struct who *w, int64_t now_s, struct http_reply *r) {
	const char *text, *closed = group_closed(g, now_s, &text);
	struct err e = ERR_INIT;
	enum verdict v;

	if (closed != NULL) {
		http_problem(r, 503, closed, text);
		r->retry_after_s = 10;
		return false;
	}
	if (judge(g, p, w, now_s, &v, &e) != 0) {
		log_event(LOG_LEVEL_ERROR, "ledger-not-read", "error", e.text, NULL);
		http_problem(r, 503, "not-stored", "the gateway could not read its database");
		return false;
	}
	if (v != VERDICT_GOOD) {
		refuse(v, w, now_s, r);
		return false;
	}
	return true;
}

/* The reason in a problem, "" without one. */
static size_t reason_of(const struct http_reply *r, const char **reason) {
	const char *type = strstr(buf_str(&r->body), "urn:scg:");

	*reason = type != NULL ? type + strlen("urn:scg:") : "";
	return strcspn(*reason, "\"");
}

static void count_refused(struct service *s, const struct server_peer *p, const struct who *w, const struct http_reply *r) {
	const struct witness_peer known = { w->name, w->serial, p->address };
	const char *reason;
	size_t len = reason_of(r, &reason);

	tally_add(&s->refused, reason, len);
	if (r->status == 403 || r->status == 429)
		witness_refused(s->group, w->name != NULL ? &known : NULL, reason, len);
}

static void log_refused(struct service *s, const struct server_peer *p, const struct who *w, const struct http_request *q,
    const struct http_reply *r) {
	char rule[64], status[8];
	const char *reason;
	size_t len = reason_of(r, &reason);

	count_refused(s, p, w, r);
	(void)snprintf(rule, sizeof rule, "%.*s", (int)len, reason);
	(void)snprintf(status, sizeof status, "%d", r->status);
	log_event(LOG_LEVEL_INFO, "refused", "peer", p->address, "name", w->name, "serial",
	    w->serial[0] != '\0' ? w->serial : NULL, "method", http_method_name(q->method), "path", q->path, "status",
	    status, "rule", rule, NULL);
}

static bool within_rate(
    const struct service *s, const struct route *t, const struct server_peer *p, struct http_reply *r) {
	bool exempt = p->loopback && !s->count_loopback;
	unsigned retry_s;

	if (t->rate == NULL || exempt || rate_allow(t->rate(s), p->address, clock_mono_ms(), &retry_s))
		return true;
	http_problem(r, 429, "too-many", "more lists than one address may send or fetch in a minute");
	r->retry_after_s = retry_s;
	r->close = true;
	return false;
}

static int64_t body_max(struct service *s, struct server_peer *p, const struct http_request *q, struct http_reply *r) {
	const struct route *t = find(q, r);
	struct who *w = who_of(p);
	int64_t now_s = clock_now_s();
	bool admin;

	if (t == NULL || (!t->anybody && !passes(s->group, p, w, now_s, r)) || !within_rate(s, t, p, r)) {
		log_refused(s, p, w, q, r);
		return -r->status;
	}
	admin = w->has_role && w->role == ROLE_ADMIN && is_good(s->group, p, w, now_s);
	return (int64_t)(admin ? t->body_max_admin : t->body_max);
}

int64_t route_body_max(void *arg, struct server_peer *p, const struct http_request *q, struct http_reply *r) {
	int64_t max = body_max(enter(arg, p), p, q, r);

	log_set_group(NULL);
	return max;
}

/* What has a body was counted when that was announced. A member fetches the list as often as he likes. */
static bool may_ask(const struct service *s, const struct route *t, const struct call *c) {
	if (c->q->has_body || (t->method == HTTP_GET && is_good(s->group, c->peer, c->who, c->now_s)))
		return true;
	return within_rate(s, t, c->peer, c->r);
}

static void handle(struct call *c) {
	const struct route *t = find(c->q, c->r);
	struct err e = ERR_INIT;

	/* First what is on disk: a failed settling leaves an epoch in memory that nobody may be let in for. */
	if (t != NULL && group_fresh(c->g, &e) != 0) {
		call_not_stored(c, &e);
		return;
	}
	if (t == NULL || (!t->anybody && !passes(c->g, c->peer, c->who, c->now_s, c->r)) || !may_ask(c->s, t, c)) {
		log_refused(c->s, c->peer, c->who, c->q, c->r);
		return;
	}
	if (t->writes && c->g->away)
		c->r->later = true;
	else if (t->anybody || call_see(c))
		t->handle(c);
}

void route_handle(void *arg, struct server_peer *p, struct http_request *q, struct http_reply *r) {
	struct service *s = enter(arg, p);
	struct call c = { .first = arg, .s = s, .g = s->group, .peer = p, .who = who_of(p), .q = q, .r = r, .now_s = clock_now_s() };

	handle(&c);
	log_set_group(NULL);
}

/* What one group cannot store is no fault of another's: alone it is the round's (the server answers 503), among several it is told by
 * still_good. */
int route_commit(void *arg) {
	struct service *first = arg, *s = first;

	do {
		log_set_group(s->name);
		s->lost = group_round_end(s->group) != 0;
	} while ((s = s->next) != NULL);
	log_set_group(NULL);
	return first->next == NULL && first->lost ? -1 : 0;
}

static bool is_still_good(struct service *s, struct server_peer *p, const struct http_request *q, struct http_reply *r) {
	struct http_reply none = { 0 };
	int was = r->status;
	const struct route *t;

	t = find(q, &none);
	http_reply_wipe(&none);
	if (t == NULL || t->anybody)
		return true;
	if (passes(s->group, p, who_of(p), clock_now_s(), r))
		return true;
	if (was != 403 && was != 503)
		count_refused(s, p, who_of(p), r);
	return false;
}

bool route_still_good(void *arg, struct server_peer *p, const struct http_request *q, struct http_reply *r) {
	struct service *first = arg, *s = enter(arg, p);
	bool good;

	if (s->lost && first->next != NULL)
		http_problem(r, 503, "not-stored", "the gateway could not store the outcome; nothing was done");
	good = is_still_good(s, p, q, r);
	log_set_group(NULL);
	return good;
}

bool route_is_revoked(void *arg, struct server_peer *p, struct http_reply *r) {
	struct service *s = arg;

	if (p->cert == NULL || p->verdict != VERDICT_GOOD || p->chain != s->group->chain || !group_is_listed(s->group, p->cert))
		return false;
	refuse(VERDICT_REVOKED, who_of(p), clock_now_s(), r);
	count_refused(s, p, who_of(p), r);
	return true;
}

void route_refused(void *arg, const struct server_peer *p, int status, const char *why) {
	char text[8];

	(void)arg;
	(void)snprintf(text, sizeof text, "%d", status);
	log_event(LOG_LEVEL_INFO, "bad-request", "peer", p->address, "status", text, "why", why, NULL);
}
