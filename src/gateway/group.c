/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "gateway/rest.h"
#include "gateway/witness.h"
#include "pki/cert.h"
#include "pki/crl.h"

struct validity validity_of(const X509 *cert) {
	return (struct validity){ .from_s = cert_not_before(cert), .until_s = cert_not_after(cert) };
}

enum verdict validity_check(const struct validity *v, int64_t now_s) {
	if (now_s < v->from_s)
		return VERDICT_NOT_YET_VALID;
	return now_s > v->until_s ? VERDICT_EXPIRED : VERDICT_GOOD;
}

/* The store: the configuration's word goes before a member's, unless it leaves it to members to make one. */
static int load_store(struct group *g, struct err *e) {
	OWN(buf_wipe) struct buf set = { 0 };

	free(g->store);
	g->store = NULL;
	if (g->conf->store != NULL && !gwconf_is_wish(g->conf->store)) {
		g->store = xstrdup(g->conf->store);
		return 0;
	}
	if (state_get(g->state, STATE_STORE, &set, e) == 0)
		g->store = (char *)buf_take(&set, NULL);
	else if (e->code != ERR_NOTFOUND)
		return e->code;
	else if (g->conf->store != NULL)
		g->store = xstrdup(g->conf->store);
	return 0;
}

static int reload(struct group *g, struct err *e) {
	g->generation++;
	g->stale = true;
	if (ledger_reload(g->ledger, e) != 0 || audit_reload(g->audit, e) != 0 ||
	    rest_load(g->state, &g->id, chain_group(g->chain), &g->keyring, e) != 0 || load_store(g, e) != 0)
		return e->code;
	g->stale = false;
	return 0;
}

static int refresh(struct group *g, struct err *e) {
	bool changed;

	if (state_changed(g->state, &changed, e) != 0)
		return e->code;
	return changed || g->stale ? reload(g, e) : 0;
}

int group_fresh(struct group *g, struct err *e) {
	int64_t now_ms = clock_mono_ms();

	if (now_ms == g->fresh_ms && !g->stale)
		return 0;
	if (refresh(g, e) != 0)
		return e->code;
	g->fresh_ms = now_ms;
	return 0;
}

int group_begin(struct group *g, struct err *e) {
	if (g->in_txn)
		return 0;
	if (g->away)
		return err_set(e, ERR_UNREACHABLE, "a revocation list is being stored");
	if (state_begin(g->state, e) != 0)
		return e->code;
	g->in_txn = true;
	if (refresh(g, e) != 0) {
		state_rollback(g->state);
		g->in_txn = false;
		return e->code;
	}
	return 0;
}

/* Ends the transaction: what the audit log has to say about it is on disk with it, or neither is. */
static int finish(struct group *g, bool sign, struct err *e) {
	int64_t now_s = clock_now_s();
	const struct head_sign by = { .key = g->id.key, .cert = g->id.cert, .now_s = now_s };
	int rc = 0;

	if (g->audit != NULL)
		rc = audit_write(g->audit, group_self_fault(g, now_s) == NULL ? &by : NULL, sign, e);
	if (rc != 0)
		state_rollback(g->state);
	else
		rc = state_commit(g->state, e);
	g->in_txn = false;
	if (rc == 0 && g->audit != NULL)
		audit_committed(g->audit);
	return rc;
}

/* Nothing of the transaction is left, on disk or in memory. */
static void undone(struct group *g) {
	g->stale = true;
	if (g->audit != NULL)
		audit_undone(g->audit);
}

int group_commit(struct group *g, struct err *e) {
	if (!g->in_txn && g->away) {
		audit_keep(g->audit); /* replies leave now: it is done (settler.h) */
		return 0;
	}
	if (!g->in_txn && !audit_has_to_be_written(g->audit))
		return 0;
	if (group_begin(g, e) != 0 || finish(g, false, e) != 0) {
		g->failed = true;
		undone(g);
		log_event(LOG_LEVEL_ERROR, "commit-failed", "error", e->text, NULL);
		return e->code;
	}
	return 0;
}

int group_round_end(struct group *g) {
	struct err e = ERR_INIT;
	int rc = group_commit(g, &e);
	bool failed = g->failed;

	g->failed = false;
	return rc != 0 || failed ? -1 : 0;
}

static int alone(struct group *g, int (*f)(struct group *g, void *arg, struct err *e), void *arg, struct err *e) {
	int rc = f(g, arg, e);

	if (rc == 0) {
		rc = finish(g, false, e);
	} else {
		state_rollback(g->state);
		g->in_txn = false;
	}
	if (rc != 0)
		undone(g);
	return rc;
}

int group_alone(struct group *g, int (*f)(struct group *g, void *arg, struct err *e), void *arg, struct err *e) {
	if (group_commit(g, e) != 0 || group_begin(g, e) != 0)
		return e->code;
	return alone(g, f, arg, e);
}

int group_write_audit(struct group *g, bool sign, struct err *e) {
	if (group_commit(g, e) != 0 || group_begin(g, e) != 0)
		return e->code;
	if (finish(g, sign, e) != 0) {
		undone(g);
		return e->code;
	}
	return 0;
}

int group_part(struct group *g, struct err *e) {
	if (group_begin(g, e) != 0)
		return e->code;
	return state_savepoint(g->state, e);
}

int group_keep(struct group *g, struct err *e) {
	return state_savepoint_keep(g->state, e);
}

void group_undo(struct group *g) {
	struct err e = ERR_INIT;

	state_savepoint_undo(g->state);
	if (reload(g, &e) != 0)
		log_event(LOG_LEVEL_ERROR, "reload-failed", "error", e.text, NULL);
}

struct ledger_signer group_signer(const struct group *g, int64_t now_s) {
	return (struct ledger_signer){ .key = g->id.key, .cert = g->id.cert, .now_s = now_s };
}

int group_append_own(struct group *g, const struct buf *entry, int64_t now_s, struct err *e) {
	const struct ledger_how how = { .mode = LEDGER_OWN, .now_s = now_s };
	struct ledger_result result = { 0 };
	struct entry en;

	if (entry_parse(entry->data, entry->len, &en, e) != 0)
		return e->code;
	return ledger_append(g->ledger, &en, &how, &result, e);
}

/* Gateways' own certificates are no members: their end starts no epoch. */
static int keep_member(struct group *g, X509 *cert, struct err *e) {
	OWN(own_free) char *name = NULL, *role = NULL;
	struct state_member m = { .not_after_s = cert_not_after(cert) };

	if (cert_name(cert, &name, e) != 0 || cert_role(cert, &role, e) != 0)
		return e->code;
	if (strcmp(role, role_name(ROLE_GATEWAY)) == 0)
		return 0;
	m.name = name;
	m.serial_len = cert_serial(cert, m.serial);
	cert_sha256(cert, m.sha256);
	return state_member_add(g->state, &m, e);
}

static int append_member(struct group *g, X509 *cert, int64_t now_s, struct err *e) {
	const struct ledger_signer by = group_signer(g, now_s);
	OWN(buf_wipe) struct buf entry = { 0 };

	if (ledger_member_entry(g->ledger, cert, &by, &entry, e) != 0 || group_append_own(g, &entry, now_s, e) != 0)
		return e->code;
	return keep_member(g, cert, e);
}

int group_see(struct group *g, X509 *cert, int64_t now_s, struct err *e) {
	bool seen;

	if (ledger_has_signer(g->ledger, cert, &seen, e) != 0)
		return e->code;
	if (seen)
		return 0;
	if (group_part(g, e) != 0)
		return e->code;
	if (append_member(g, cert, now_s, e) != 0 || group_keep(g, e) != 0) {
		group_undo(g);
		return err_add(e, "member event");
	}
	witness_member(g, cert, now_s);
	return 0;
}

const char *group_self_fault(const struct group *g, int64_t now_s) {
	if (g->revoked_self)
		return "the gateway's own certificate is revoked";
	if (validity_check(&g->id_valid, now_s) != VERDICT_GOOD)
		return "the gateway's own certificate is not valid at this time";
	return NULL;
}

const char *group_closed(const struct group *g, int64_t now_s, const char **text) {
	const char *self;

	if (g->list == NULL) {
		*text = "the gateway has no revocation list yet";
		return "no-crl";
	}
	if (now_s >= crl_set_next_update(g->list->set)) {
		*text = "RFC 5280 5.1.2.5: the gateway's revocation list is past its nextUpdate";
		return "crl-not-current";
	}
	if ((self = group_self_fault(g, now_s)) != NULL) {
		*text = self;
		return "gateway-certificate";
	}
	if (g->keyring.n == 0) {
		*text = "the gateway could not store its first epoch";
		return "not-stored";
	}
	return NULL;
}

struct list *group_told(const struct group *g, int64_t now_s) {
	const char *text;

	return group_closed(g, now_s, &text) == NULL ? g->stored : g->list;
}

enum verdict group_verdict(
    const struct group *g, X509 *cert, const struct validity *valid, enum verdict handshake, int64_t now_s) {
	enum verdict v;

	if (cert == NULL)
		return VERDICT_NO_CERTIFICATE;
	if (handshake != VERDICT_GOOD && handshake != VERDICT_WRONG_PURPOSE)
		return handshake;
	/* Of two faults of a certificate of ours the dates are named: they are what its holder can mend. */
	if ((v = validity_check(valid, now_s)) != VERDICT_GOOD)
		return v;
	if (handshake != VERDICT_GOOD)
		return handshake;
	return group_is_listed(g, cert) ? VERDICT_REVOKED : VERDICT_GOOD;
}

bool group_is_listed(const struct group *g, const X509 *cert) {
	return (g->list != NULL && crl_set_has_cert(g->list->set, cert)) || (g->held != NULL && crl_set_has_cert(g->held->set, cert));
}

int group_was_revoked(const struct group *g, const X509 *cert, bool *yes, struct err *e) {
	return ledger_was_revoked(g->ledger, cert, yes, e);
}

/* The list that was accepted last, verified again: who can write to the database cannot make up a list. */
static int load_list(struct group *g, struct err *e) {
	OWN(list_in_wipe) struct list_in in = LIST_IN(g->conf->dir);
	int rc = state_crl(g->state, list_in_add, &in, e);

	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	if (list_make(&in, chain_ca(g->chain), &g->stored, e) != 0)
		return err_add(e, "revocation list in the database");
	g->list = list_ref(g->stored);
	g->revoked_self = group_is_listed(g, g->id.cert);
	return 0;
}

/* What rests is sealed to whom the configuration names now: the recovery certificate may be another than yesterday. */
static int init_rest(struct group *g, void *arg, struct err *e) {
	int64_t now_s = clock_now_s();

	(void)arg;
	if (rest_init(g->state, &g->id, chain_group(g->chain), now_s, e) != 0)
		return e->code;
	return rest_reseal(g->state, &g->id, &g->id, e);
}

static int open_all(struct group *g, const char *path, enum group_open how, struct err *e) {
	if (state_open(&g->state, path, how == GROUP_SERVE, e) != 0)
		return e->code;
	if (how == GROUP_SERVE && (state_begin(g->state, e) != 0 || alone(g, init_rest, NULL, e) != 0))
		return e->code;
	if (rest_load_path_key(g->state, &g->id, &g->path_key, e) != 0)
		return e->code == ERR_NOTFOUND ? err_set(e, ERR_NOTFOUND, "%s: the gateway never ran", path) : e->code;
	if (ledger_open(&g->ledger, state_db(g->state), g->chain, &g->path_key, e) != 0)
		return e->code;
	if (audit_open(&g->audit, g->state, chain_group(g->chain), e) != 0 ||
	    (how == GROUP_SERVE && audit_check(g->audit, g->chain, e) != 0))
		return e->code == ERR_DAMAGED ? err_add(e, "%s: scg-gateway audit -verify says more", path) : e->code;
	if (load_list(g, e) != 0)
		return e->code;
	g->stale = true;
	return group_fresh(g, e);
}

int group_open(struct group **out, const struct gwconf *conf, const struct chain *chain, struct identity *id,
    enum group_open how, struct err *e) {
	OWN(own_free) char *path = gwconf_path(conf, FILE_DB);
	struct group *g = xcalloc(1, sizeof *g);

	g->conf = conf;
	g->chain = chain;
	g->id = *id;
	g->id_valid = validity_of(id->cert);
	g->refusals = refusals_new();
	if (open_all(g, path, how, e) != 0) {
		g->id = (struct identity){ NULL, NULL, NULL };
		group_close(&g);
		return e->code;
	}
	*id = (struct identity){ NULL, NULL, NULL };
	*out = g;
	return 0;
}

void group_job_take(const struct group *g, struct group_job *job) {
	*job = (struct group_job){ .conf = g->conf, .chain = g->chain, .list = list_ref(g->list), .stored = list_ref(g->stored) };
	identity_ref(&g->id, &job->id);
}

void group_job_wipe(struct group_job *job) {
	list_free(job->list);
	list_free(job->stored);
	identity_wipe(&job->id);
	*job = (struct group_job){ 0 };
}

static int open_beside(struct group *g, const char *path, struct err *e) {
	if (state_open(&g->state, path, false, e) != 0 || rest_load_path_key(g->state, &g->id, &g->path_key, e) != 0 ||
	    ledger_open(&g->ledger, state_db(g->state), g->chain, &g->path_key, e) != 0 ||
	    audit_open(&g->audit, g->state, chain_group(g->chain), e) != 0)
		return e->code;
	return group_fresh(g, e);
}

int group_open_beside(struct group **out, const struct group_job *job, struct err *e) {
	OWN(own_free) char *path = gwconf_path(job->conf, FILE_DB);
	struct group *g = xcalloc(1, sizeof *g);

	g->conf = job->conf;
	g->chain = job->chain;
	identity_ref(&job->id, &g->id);
	g->id_valid = validity_of(g->id.cert);
	g->list = list_ref(job->list);
	g->stored = list_ref(job->stored);
	g->revoked_self = group_is_listed(g, g->id.cert);
	g->stale = true;
	if (open_beside(g, path, e) != 0) {
		group_close(&g);
		return e->code;
	}
	*out = g;
	return 0;
}

static int reseal(struct group *g, void *arg, struct err *e) {
	return rest_reseal(g->state, &g->id, arg, e);
}

int group_change(struct group *g, const struct gwconf *conf, struct identity *id, struct err *e) {
	if (group_alone(g, reseal, id, e) != 0)
		return e->code;
	identity_wipe(&g->id);
	g->id = *id;
	g->id_valid = validity_of(g->id.cert);
	*id = (struct identity){ NULL, NULL, NULL };
	g->conf = conf;
	g->stale = true;
	g->revoked_self = group_is_listed(g, g->id.cert);
	return 0;
}

void group_close(struct group **gp) {
	struct group *g = *gp;

	if (g == NULL)
		return;
	if (g->in_txn)
		state_rollback(g->state);
	if (g->ledger != NULL)
		ledger_close(g->ledger);
	audit_close(g->audit);
	refusals_free(g->refusals);
	state_close(&g->state);
	keyring_wipe(&g->keyring);
	secret_wipe(&g->path_key);
	list_free(g->list);
	list_free(g->stored);
	list_free(g->held);
	identity_wipe(&g->id);
	free(g->store);
	free(g->text.store);
	buf_wipe(&g->text.json);
	free(g);
	*gp = NULL;
}
