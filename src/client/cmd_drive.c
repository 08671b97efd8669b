/* SPDX-License-Identifier: Apache-2.0 */
/* rekey, verify, gc, ledger: the state of the whole group. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "client/commands.h"
#include "client/gc.h"
#include "client/print.h"
#include "client/rekey.h"
#include "client/session.h"
#include "client/upload.h"
#include "client/verify.h"
#include "pki/ossl.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

#define DAY_S 86400
#define OLDER_MAX_DAYS 36500

static unsigned long long ull(uint64_t v) {
	return v;
}

/* What became of -unshare. */
struct unshare {
	const char *email; /* NULL: not asked for */
	struct err failure;
};

static json_t *owners_json(const struct left *left) {
	json_t *o = json_object();

	for (size_t i = 0; i < left->n; i++)
		(void)json_object_set_new(o, left->v[i].name, print_u64(left->v[i].n));
	return o;
}

static void owners_lines(const struct left *left) {
	for (size_t i = 0; i < left->n; i++) {
		OWN(own_free) char *name = print_safe(left->v[i].name);

		print_line("left to %s: %llu, until the next command there", name, ull(left->v[i].n));
	}
}

static json_t *rekey_json(const struct rekey_report *r, bool rewrap, const struct unshare *u) {
	json_t *o = json_object();

	(void)json_object_set_new(o, "rekeyed", print_u64(r->rekeyed));
	(void)json_object_set_new(o, "unchanged", print_u64(r->unchanged));
	(void)json_object_set_new(o, "failed", print_u64(r->failed));
	(void)json_object_set_new(o, "bytes", print_u64(r->bytes));
	(void)json_object_set_new(o, "epoch", print_u64(r->epoch));
	(void)json_object_set_new(o, "mode", print_text(rewrap ? "rewrap" : "reencrypt"));
	(void)json_object_set_new(o, "destroyed", print_u64(r->destroyed));
	(void)json_object_set_new(o, "left", print_u64(r->left));
	(void)json_object_set_new(o, "owners", owners_json(&r->owners));
	if (u->email != NULL)
		(void)json_object_set_new(o, "unshared", json_boolean(u->failure.code == 0));
	return o;
}

static void unshare_line(const struct unshare *u) {
	OWN(own_free) char *email = u->email == NULL ? NULL : print_safe(u->email);

	if (email == NULL)
		print_line(
		    "not done by scg: who was evicted has to lose his access to the drive itself, where its accounts are kept");
	else if (u->failure.code == 0)
		print_line("%s has no access to the drive any more", email);
	else
		print_line("not done: %s may still have access to the drive: %s", email, u->failure.text);
}

static void rekey_lines(const struct rekey_report *r, bool rewrap, const struct unshare *u) {
	char size[16];

	text_size(r->bytes, size);
	print_line("epoch %llu: %llu files re-keyed (%s), %llu unchanged, %llu failed", ull(r->epoch), ull(r->rekeyed),
	    size, ull(r->unchanged), ull(r->failed));
	print_line("%llu superseded objects destroyed, %llu left on the drive", ull(r->destroyed), ull(r->left));
	owners_lines(&r->owners);
	if (rewrap)
		print_line("rewrap is weaker: the content keys stay, and whoever kept one opens the new object too");
	print_line("not undone: copies taken before, and what the drive or its backups keep of the past");
	unshare_line(u);
}

/* -mode: the default is what fully evicts. */
static int parse_mode(const char *mode, bool *rewrap, struct err *e) {
	*rewrap = mode != NULL && strcmp(mode, "rewrap") == 0;
	if (mode != NULL && !*rewrap && strcmp(mode, "reencrypt") != 0)
		return err_set(e, ERR_USAGE, "-mode is reencrypt or rewrap");
	return 0;
}

/* First of all: who may still write there can destroy what is made. All else is done even if that fails, and the status tells. */
static void take_access(struct session *s, struct unshare *u) {
	if (u->email != NULL)
		u->failure.code = store_unshare(s->store, u->email, &u->failure);
}

int cmd_rekey(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(own_json) json_t *doc = NULL;
	OWN(rekey_report_wipe) struct rekey_report report = {0};
	struct unshare u = { p->unshare, ERR_INIT };
	struct err printing = ERR_INIT;
	bool rewrap;
	int r, printed = 0;

	(void)operands;
	if ((r = parse_mode(p->mode, &rewrap, e)) != 0 || (r = commands_drive(&s, p, e)) != 0)
		return r;
	take_access(&s, &u);
	r = rekey(&s, rewrap, &report, e);
	if (p->json) {
		doc = rekey_json(&report, rewrap, &u);
		printed = print_json(doc, &printing);
	} else {
		rekey_lines(&report, rewrap, &u);
	}
	if (r == 0 && printed != 0)
		return err_set(e, printed, "%s", printing.text);
	return r == 0 && u.failure.code != 0 ? err_set(e, u.failure.code, "%s", u.failure.text) : r;
}

static json_t *verify_json(const struct verify_report *v) {
	static const char *const kinds[] = { "name", "object", "kept" };
	json_t *o = json_object(), *findings = json_array();

	(void)json_object_set_new(o, "files", print_u64(v->files));
	(void)json_object_set_new(o, "failed", print_u64(v->failed));
	(void)json_object_set_new(o, "superseded", print_u64(v->superseded));
	(void)json_object_set_new(o, "orphans", print_u64(v->orphans));
	(void)json_object_set_new(o, "injected", print_u64(v->injected));
	(void)json_object_set_new(o, "old", print_u64(v->old));
	(void)json_object_set_new(o, "kept", print_u64(v->kept));
	(void)json_object_set_new(o, "complete", json_boolean(v->complete));
	for (size_t i = 0; i < v->n; i++) {
		json_t *finding = json_object();

		(void)json_object_set_new(finding, kinds[v->v[i].kind], print_text(v->v[i].what));
		(void)json_object_set_new(finding, "why", print_text(v->v[i].why));
		if (v->v[i].owner != NULL)
			(void)json_object_set_new(finding, "owner", print_text(v->v[i].owner));
		(void)json_array_append_new(findings, finding);
	}
	(void)json_object_set_new(o, "findings", findings);
	return o;
}

static void verify_lines(const struct verify_report *v, bool old) {
	for (size_t i = 0; i < v->n; i++) {
		OWN(own_free) char *what = print_safe(v->v[i].what);

		print_line("%s%s: %s%s%s", v->v[i].kind == VERIFY_OBJECT ? "object " : "", what, v->v[i].why,
		    v->v[i].owner != NULL ? ", left to " : "", v->v[i].owner != NULL ? v->v[i].owner : "");
	}
	print_line("%llu files, %llu bad", ull(v->files), ull(v->failed));
	if (v->injected > 0)
		print_line("besides: %llu objects that nobody of the group put there, or somebody after his eviction (scg gc: at once under an older "
			   "epoch's key, else after %d days or with -older)", ull(v->injected), (int)(UPLOAD_ORPHAN_S / DAY_S));
	if (v->superseded > 0 || v->orphans > 0)
		print_line("besides: %llu superseded objects, %llu that no event names (scg gc)", ull(v->superseded),
		    ull(v->orphans));
	if (!v->complete)
		print_line("not looked at to its end: what else lies on the drive");
	else if (old)
		print_line("%llu objects under older epochs, %llu of them in the trash or as older revisions", ull(v->old),
		    ull(v->kept));
}

int cmd_verify(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(own_json) json_t *doc = NULL;
	struct verify_job job = { .names = operands->v, .n = (size_t)operands->n, .old = p->old };
	OWN(verify_report_wipe) struct verify_report report = {0};
	struct err printing = ERR_INIT;
	int r, printed = 0;

	if (p->old && operands->n > 0)
		return err_set(e, ERR_USAGE, "-old looks at the whole drive, not at single files");
	if ((r = commands_drive(&s, p, e)) != 0)
		return r;
	r = verify(&s, &job, &report, e);
	if (!report.begun)
		return r;
	if (p->json) {
		doc = verify_json(&report);
		printed = print_json(doc, &printing);
	} else {
		verify_lines(&report, p->old);
	}
	return r == 0 && printed != 0 ? err_set(e, printed, "%s", printing.text) : r;
}

int cmd_gc(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(gc_report_wipe) struct gc_report report = {0};
	uint64_t days = UPLOAD_ORPHAN_S / DAY_S;
	char size[16];
	int r;

	(void)operands;
	if (p->older != NULL && text_u64(p->older, OLDER_MAX_DAYS, &days, e) != 0)
		return err_set(e, ERR_USAGE, "-older needs a number of days, at most %d", OLDER_MAX_DAYS);
	if ((r = commands_drive(&s, p, e)) != 0)
		return r;
	if ((r = gc(&s, (int64_t)days * DAY_S, &report, e)) != 0)
		return r;
	text_size(report.bytes, size);
	print_line("%llu objects destroyed (%s), %llu left to their owners, %llu too young, %llu broken writes cleared",
	    ull(report.destroyed), size, ull(report.left), ull(report.waiting), ull(report.swept));
	owners_lines(&report.owners);
	return 0;
}

static int ledger_print_head(struct session *s, bool json, struct err *e) {
	OWN(own_json) json_t *o = json_object();
	OWN(buf_wipe) struct buf root = {0};
	struct head head;
	char fetched[CLOCK_TEXT];
	int64_t fetched_s;
	int r = mirror_head(s->mirror, &head, NULL, &fetched_s, e);

	if (r != 0)
		return r;
	text_base64(head.root, sizeof(head.root), &root);
	clock_print(fetched_s, fetched);
	if (!json) {
		print_line("scg/%s\n%llu\n%s\nas of %s", head.group, ull(head.size), buf_str(&root), fetched);
		return 0;
	}
	(void)json_object_set_new(o, "group", print_text(head.group));
	(void)json_object_set_new(o, "size", print_u64(head.size));
	(void)json_object_set_new(o, "root", print_text(buf_str(&root)));
	(void)json_object_set_new(o, "time", print_text(fetched));
	return print_json(o, e);
}

static void add_base64(json_t *o, const char *key, const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf text = {0};

	text_base64(data, len, &text);
	(void)json_object_set_new(o, key, print_text(buf_str(&text)));
}

/* The gateway's head beside ours: whoever knows the CA's certificate can check that both were signed. */
static int add_refused(void *arg, const struct mirror_evidence *ev, struct err *e) {
	json_t *o = json_object();

	(void)e;
	(void)json_object_set_new(o, "time", print_time(ev->at_s));
	(void)json_object_set_new(o, "reason", print_text(ev->reason));
	add_base64(o, "head", ev->head, ev->head_len);
	add_base64(o, "own", ev->own, ev->own_len);
	add_base64(o, "entry", ev->entry, ev->entry_len);
	(void)json_array_append_new(arg, o);
	return 0;
}

static int refused_line(void *arg, const struct mirror_evidence *ev, struct err *e) {
	char at[CLOCK_TEXT];

	(void)arg;
	(void)e;
	clock_print(ev->at_s, at);
	print_line("refused at %s: %s", at, ev->reason);
	return 0;
}

/* The mirror as it is, and what was ever refused as forged. The list is asked for only where the ledger was fetched
 * after it: one that came when the ledger did not is ahead of the mirror, and no sign of anything. */
static int ledger_audit(struct session *s, bool fetched, bool json, struct err *e) {
	OWN(own_crl_set) struct crl_set *crl = fetched ? revocation_set(&s->revocation) : NULL;
	OWN(own_json) json_t *o = json_object();
	json_t *refused = json_array();
	uint64_t size = ledger_size(session_ledger(s));
	int r;

	(void)json_object_set_new(o, "refused", refused);
	if ((r = mirror_audit(s->mirror, crl, e)) != 0)
		return r;
	if (!json) {
		print_line("%llu entries replayed: every rule holds", ull(size));
		return mirror_evidence(s->mirror, refused_line, NULL, e);
	}
	if ((r = mirror_evidence(s->mirror, add_refused, refused, e)) != 0)
		return r;
	(void)json_object_set_new(o, "entries", print_u64(size));
	(void)json_object_set_new(o, "good", json_true());
	return print_json(o, e);
}

int cmd_ledger(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	bool head = strcmp(operands->v[0], "head") == 0, audit = strcmp(operands->v[0], "audit") == 0;
	struct err ours = ERR_INIT;
	int r;

	if (!head && !audit)
		return err_set(e, ERR_USAGE, "ledger head, or ledger audit");
	r = commands_session(&s, p, e);
	/* What the gateway gives is forged: the evidence is wanted now. */
	if (r == ERR_DAMAGED && audit && s.mirror != NULL && ledger_audit(&s, false, p->json, &ours) != 0)
		(void)err_add(e, "%s", ours.text);
	if (r != 0)
		return r;
	return head ? ledger_print_head(&s, p->json, e) : ledger_audit(&s, !s.stale, p->json, e);
}
