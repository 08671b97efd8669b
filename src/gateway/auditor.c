/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/auditor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/folders.h"
#include "gateway/identity.h"
#include "gateway/record.h"
#include "gateway/state.h"
#include "ledger/head.h"
#include "ledger/tree.h"
#include "pki/ossl.h"

struct opened {
	struct gwconf conf;
	struct chain *chain;
	struct state *state;
};

static void opened_wipe(struct opened *o) {
	state_close(&o->state);
	chain_free(o->chain);
	gwconf_wipe(&o->conf);
}

static int open_log(struct opened *o, const struct auditor_plan *p, struct err *e) {
	OWN(own_free) char *path = NULL;

	if (folders_load(p->config, p->group, &o->conf, e) != 0 || identity_chain(&o->conf, &o->chain, e) != 0)
		return e->code;
	path = gwconf_path(&o->conf, FILE_DB);
	return state_open(&o->state, path, false, e);
}

/* --- listing --- */

struct listing {
	const struct auditor_plan *plan;
	int64_t since_s;
	bool any; /* printed already */
};

static const char *or_null(const char *s) {
	return *s != '\0' ? s : NULL;
}

static json_t *number_or_null(uint64_t v) {
	return v != 0 ? json_integer((json_int_t)v) : json_null();
}

static int print_json(const struct record *r, bool first, struct err *e) {
	char time[CLOCK_TEXT];
	json_t *o;
	int rc;

	clock_print(r->time_s, time);
	o = json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o}", "number", (json_int_t)r->number, "time", time, "kind",
	    record_kind_name(r->kind), "name", or_null(r->name), "serial", or_null(r->serial), "address", or_null(r->address), "reason",
	    or_null(r->reason), "epoch", number_or_null(r->epoch), "crl", number_or_null(r->crl), "count", number_or_null(r->count));
	rc = o == NULL || fputs(first ? "" : ",\n", stdout) == EOF || json_dumpf(o, stdout, JSON_COMPACT) != 0;
	json_decref(o);
	return rc ? err_sys(e, ERR_FAIL, "standard output") : 0;
}

static int print_line(const struct record *r, struct err *e) {
	OWN(buf_wipe) struct buf line = { 0 };

	record_line(r, &line);
	return puts(buf_str(&line)) == EOF ? err_sys(e, ERR_FAIL, "standard output") : 0;
}

static int list_one(void *arg, const struct state_audit_row *row, struct err *e) {
	struct listing *l = arg;
	struct record r;
	int rc;

	if (record_parse(row->entry, row->entry_len, &r, e) != 0)
		return err_set(e, ERR_DAMAGED, "audit log: entry %" PRIu64 " is damaged; -verify says more", row->n);
	if (r.time_s < l->since_s || (l->plan->name != NULL && strcmp(r.name, l->plan->name) != 0))
		return 0;
	rc = l->plan->json ? print_json(&r, !l->any, e) : print_line(&r, e);
	l->any = true;
	return rc;
}

/* So long ago: "90", "90s", "15m", "12h", "2d". */
static bool parse_ago(const char *text, uint64_t *ago_s) {
	static const struct {
		char letter;
		uint64_t s;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	OWN(own_free) char *number = xstrdup(text);
	size_t len = strlen(number);
	uint64_t unit = 1;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (len > 1 && number[len - 1] == units[i].letter) {
			unit = units[i].s;
			number[len - 1] = '\0';
			break;
		}
	if (text_u64(number, INT32_MAX, ago_s, NULL) != 0)
		return false;
	*ago_s *= unit;
	return true;
}

static int parse_since(const char *text, int64_t *since_s, struct err *e) {
	uint64_t ago_s;

	*since_s = INT64_MIN;
	if (text == NULL)
		return 0;
	if (parse_ago(text, &ago_s))
		*since_s = clock_now_s() - (int64_t)ago_s;
	else if (clock_parse_given(text, since_s, NULL) != 0)
		return err_set(e, ERR_USAGE, "-since takes a date (2026-01-31, from midnight UTC on), a time (2026-01-31T00:00:00Z, RFC 3339) or "
		    "how long ago (90, 15m, 12h, 2d)");
	return 0;
}

static int list(const struct auditor_plan *p, struct err *e) {
	OWN(opened_wipe) struct opened o = { 0 };
	struct listing l = { .plan = p };

	if (parse_since(p->since, &l.since_s, e) != 0 || open_log(&o, p, e) != 0)
		return e->code;
	if (p->json && fputs("[", stdout) == EOF)
		return err_sys(e, ERR_FAIL, "standard output");
	if (state_audit_each(o.state, list_one, &l, e) != 0)
		return e->code;
	return p->json && puts("]") == EOF ? err_sys(e, ERR_FAIL, "standard output") : 0;
}

/* --- verifying --- */

struct seen_head {
	uint64_t size;
	uint8_t root[32];
};

struct verify {
	const struct chain *chain;
	struct seen_head *head; /* by rising size */
	size_t n_heads, passed;
	struct tree tree;
};

/* Each head was signed by a gateway of the group, with a certificate that was valid then. */
static int take_head(void *arg, uint64_t size, const uint8_t *der, size_t len, struct err *e) {
	struct verify *v = arg;
	const struct head_check want = { .chain = v->chain, .audit = true, .when_signed = true };
	OWN(own_x509) X509 *signer = NULL;
	struct seen_head *s;
	struct head h;

	if (head_open(der, len, &want, &h, &signer, e) != 0)
		return err_add(e, "audit log: the signed head of %" PRIu64 " entries", size);
	if (h.size != size)
		return err_set(e, ERR_DAMAGED, "audit log: the signed head of %" PRIu64 " entries is filed under %" PRIu64, h.size, size);
	v->head = xrealloc(v->head, v->n_heads + 1, sizeof *v->head);
	s = &v->head[v->n_heads++];
	s->size = h.size;
	memcpy(s->root, h.root, sizeof s->root);
	return 0;
}

static int check_heads(struct verify *v, struct err *e) {
	uint8_t root[32];

	for (; v->passed < v->n_heads && v->head[v->passed].size == v->tree.size; v->passed++) {
		uint64_t from = v->passed > 0 ? v->head[v->passed - 1].size : 0;

		tree_root(&v->tree, root);
		if (memcmp(root, v->head[v->passed].root, sizeof root) != 0)
			return err_set(e, ERR_DAMAGED, "audit log: among entries %" PRIu64 " to %" PRIu64 " are some that were not signed", from,
			    v->tree.size - 1);
	}
	return 0;
}

static int check_entry(const struct state_audit_row *row, const uint8_t *done, size_t done_len, struct err *e) {
	struct record r;

	if (row->nodes_len < 32 || memcmp(row->nodes, done, 32) != 0 || record_parse(row->entry, row->entry_len, &r, e) != 0)
		return err_set(e, ERR_DAMAGED, "audit log: entry %" PRIu64 " is not what was written", row->n);
	if (r.number != row->n)
		return err_set(e, ERR_DAMAGED, "audit log: in the place of entry %" PRIu64 " is entry %" PRIu64, row->n, r.number);
	if (row->nodes_len != done_len || memcmp(row->nodes, done, done_len) != 0)
		return err_set(e, ERR_DAMAGED, "audit log: entry %" PRIu64 " or one before it is not what was written", row->n);
	return 0;
}

static int verify_one(void *arg, const struct state_audit_row *row, struct err *e) {
	uint8_t leaf[32], done[TREE_HEIGHT_MAX][32];
	struct verify *v = arg;
	unsigned levels;

	if (row->n != v->tree.size)
		return err_set(e, ERR_DAMAGED, "audit log: entry %" PRIu64 " is missing", v->tree.size);
	tree_leaf(row->entry, row->entry_len, leaf);
	levels = tree_add(&v->tree, leaf, done);
	return check_entry(row, done[0], (size_t)levels * 32, e) != 0 ? e->code : check_heads(v, e);
}

static int check_end(const struct verify *v, struct err *e) {
	if (v->passed < v->n_heads)
		return err_set(e, ERR_DAMAGED, "audit log: entries from %" PRIu64 " on are cut off: %" PRIu64 " were signed", v->tree.size,
		    v->head[v->n_heads - 1].size);
	if (v->n_heads == 0 && v->tree.size > 0)
		return err_set(e, ERR_DAMAGED, "audit log: its signed heads are missing, so nothing shows that entry 0 is what was written");
	return 0;
}

/* The heads first: what is appended meanwhile is newer than they are. */
static int verify_all(struct verify *v, struct state *s, struct err *e) {
	if (state_audit_heads(s, false, take_head, v, e) != 0 || check_heads(v, e) != 0 || state_audit_each(s, verify_one, v, e) != 0)
		return e->code;
	return check_end(v, e);
}

static int verify(const struct auditor_plan *p, struct err *e) {
	OWN(opened_wipe) struct opened o = { 0 };
	struct verify v = { 0 };
	int r;

	if (p->json || p->since != NULL || p->name != NULL)
		return err_set(e, ERR_USAGE, "-verify takes the whole log: without -json, -since and -name");
	if (open_log(&o, p, e) != 0)
		return e->code;
	v.chain = o.chain;
	r = verify_all(&v, o.state, e);
	if (r == 0)
		printf("%" PRIu64 " entries are what was written, %" PRIu64 " of them signed\n", v.tree.size,
		    v.n_heads > 0 ? v.head[v.n_heads - 1].size : 0);
	free(v.head);
	return r;
}

int auditor_run(const struct auditor_plan *p, struct err *e) {
	return p->verify ? verify(p, e) : list(p, e);
}
