/* SPDX-License-Identifier: Apache-2.0 */
/* req, install, status, keys: the member himself. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "client/auditlog.h"
#include "client/commands.h"
#include "client/destroy.h"
#include "client/install.h"
#include "client/print.h"
#include "client/session.h"
#include "pki/cert.h"
#include "pki/chain.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

#define DAY_S 86400
#define STATUS_WAIT_S 5 /* for a drive behind a network */

int commands_session(struct session *s, const struct plan *p, struct err *e) {
	struct session_need need = { .dir = p->dir, .passin = p->passin, .stale_ok = p->stale_ok };
	int r = session_open(s, &need, e);

	return r != 0 ? r : session_connect(s, &need, e);
}

int commands_drive(struct session *s, const struct plan *p, struct err *e) {
	int r = commands_session(s, p, e);

	if (r == 0)
		r = session_store(s, e);
	if (r == 0)
		destroy_own(s);
	return r;
}

int cmd_req(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(own_free) char *dir = NULL;
	int r = opt_dir(p->dir, &dir, e);

	(void)operands;
	if (r != 0)
		return r;
	struct install_req q = {
		.dir = dir,
		.name = p->name,
		.out = p->out,
		.newkey = p->newkey,
		.passout = p->passout,
		.noenc = p->noenc,
	};
	return install_req(&q, e);
}

int cmd_install(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(own_free) char *dir = NULL;
	int r = opt_dir(p->dir, &dir, e);

	(void)operands;
	if (r != 0)
		return r;
	struct install_cert i = {
		.dir = dir, .cert = p->cert, .cacert = p->cacert, .gateway = p->gateway, .passin = p->passin
	};
	return install_cert(&i, e);
}

static json_t *epoch_json(const struct epoch *ep) {
	json_t *o = json_object();

	(void)json_object_set_new(o, "epoch", print_u64(ep->number));
	(void)json_object_set_new(o, "key_id", print_hex(ep->key_id, KEY_ID_LEN));
	(void)json_object_set_new(o, "created", print_time(ep->created_s));
	(void)json_object_set_new(o, "retired", print_time(ep->retired_s));
	return o;
}

static void epoch_line(const struct epoch *ep) {
	char key_id[KEY_ID_HEX], created[CLOCK_TEXT], retired[CLOCK_TEXT] = "current";

	text_hex(ep->key_id, KEY_ID_LEN, key_id);
	clock_print(ep->created_s, created);
	if (ep->retired_s != 0)
		clock_print(ep->retired_s, retired);
	print_line("%6llu  %s  %s  %s", (unsigned long long)ep->number, key_id, created, retired);
}

int cmd_keys(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(own_json) json_t *doc = json_array();
	OWN(own_free) char *dir = NULL;
	int r = opt_dir(p->dir, &dir, e);

	(void)operands;
	if (r == 0 && p->forget_audit)
		r = auditlog_forget(dir, e);
	if (r == 0)
		r = commands_session(&s, p, e);
	if (r != 0)
		return r;
	for (size_t i = 0; i < s.keys.n; i++) {
		if (p->json)
			(void)json_array_append_new(doc, epoch_json(&s.keys.v[i]));
		else
			epoch_line(&s.keys.v[i]);
	}
	return p->json ? print_json(doc, e) : 0;
}

/* What status knows, whether or not the gateway answered. */
struct status {
	struct session *s;
	const char *gateway, *drive; /* "reachable" or what is wrong */
	const struct crl_set *crl;
	const struct epoch *epoch;
};

static int64_t days_left(const X509 *cert) {
	return (cert_not_after(cert) - clock_now_s()) / DAY_S;
}

static json_t *status_json(const struct status *st) {
	const struct session *s = st->s;
	char serial[SERIAL_HEX];
	json_t *o = json_object();

	cert_serial_hex(s->me.cert, serial);
	(void)json_object_set_new(o, "name", print_text(s->me.name));
	(void)json_object_set_new(o, "group", print_text(s->me.group));
	(void)json_object_set_new(o, "serial", print_text(serial));
	(void)json_object_set_new(o, "not_after", print_time(cert_not_after(s->me.cert)));
	(void)json_object_set_new(o, "days_left", json_integer(days_left(s->me.cert)));
	(void)json_object_set_new(o, "gateway", print_text(s->conf.gateway));
	(void)json_object_set_new(o, "gateway_state", print_text(st->gateway));
	(void)json_object_set_new(o, "crl_number", st->crl != NULL ? print_u64(crl_set_number(st->crl)) : json_null());
	(void)json_object_set_new(o, "crl_next_update", print_time(st->crl != NULL ? crl_set_next_update(st->crl) : 0));
	(void)json_object_set_new(o, "epoch", st->epoch != NULL ? print_u64(st->epoch->number) : json_null());
	(void)json_object_set_new(
	    o, "key_id", st->epoch != NULL ? print_hex(st->epoch->key_id, KEY_ID_LEN) : json_null());
	(void)json_object_set_new(o, "ledger_size", print_u64(ledger_size(session_ledger(s))));
	(void)json_object_set_new(o, "drive", print_text(s->store != NULL ? store_spec(s->store) : s->group.store));
	(void)json_object_set_new(o, "drive_state", print_text(st->drive));
	return o;
}

/* Some errors name the thing themselves. */
static void print_state(const char *label, const char *thing, const char *state) {
	if (strncmp(state, thing, strlen(thing)) == 0)
		print_line("%s%s", label, state);
	else
		print_line("%s%s: %s", label, thing, state);
}

static void status_lines(const struct status *st) {
	const struct session *s = st->s;
	OWN(own_free)
	char *drive = print_safe(s->store != NULL ? store_spec(s->store)
		: s->group.store != NULL          ? s->group.store
						  : "none");
	char not_after[CLOCK_TEXT], next[CLOCK_TEXT] = "-";

	clock_print(cert_not_after(s->me.cert), not_after);
	print_line("member       %s of group %s", s->me.name, s->me.group);
	if (chain_check_now(s->me.cert, NULL) == VERDICT_EXPIRED)
		print_line("certificate  expired at %s", not_after);
	else
		print_line("certificate  until %s, %lld days left", not_after, (long long)days_left(s->me.cert));
	print_state("gateway      ", s->conf.gateway, st->gateway);
	if (st->crl != NULL)
		clock_print(crl_set_next_update(st->crl), next);
	print_line("revocation   list %llu, next by %s",
	    st->crl != NULL ? (unsigned long long)crl_set_number(st->crl) : 0, next);
	if (st->epoch != NULL)
		print_line("epoch        %llu", (unsigned long long)st->epoch->number);
	print_line("ledger       %llu entries", (unsigned long long)ledger_size(session_ledger(s)));
	print_state("drive        ", drive, st->drive);
}

/* Nothing is made and nobody is waited for: this is a look. */
static int look_at_drive(struct session *s, const char **state, struct err *why) {
	int r = 0;

	s->drive_wait_s = STATUS_WAIT_S;
	*state = "not made yet: the first command that needs it does";
	if (session_store_is_wish(s))
		return 0;
	r = session_store(s, why);
	*state = r == 0 ? "reachable" : why->text;
	return r;
}

int cmd_status(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	struct session_need need = { .dir = p->dir, .passin = p->passin, .stale_ok = p->stale_ok };
	OWN(session_wipe) struct session s = {0};
	struct err gateway = ERR_INIT, drive = ERR_INIT, recall = ERR_INIT;
	const char *drive_state;
	int r = session_open(&s, &need, e), asked, opened;

	(void)operands;
	if (r != 0)
		return r;
	asked = session_connect(&s, &need, &gateway);
	if (asked != 0 && session_recall(&s, &recall) != 0)
		group_info_wipe(&s.group);
	opened = look_at_drive(&s, &drive_state, &drive);
	OWN(own_crl_set) struct crl_set *crl = revocation_set(&s.revocation);
	OWN(own_json) json_t *doc = NULL;
	struct status st = {
		.s = &s,
		.gateway = asked != 0 ? gateway.text
		    : s.stale         ? "unreachable"
				      : "reachable",
		.drive = drive_state,
		.crl = crl,
		.epoch = keyring_current(&s.keys),
	};
	if (p->json) {
		doc = status_json(&st);
		r = print_json(doc, e);
	} else {
		status_lines(&st);
	}
	if (r != 0)
		return r;
	return asked != 0 ? err_set(e, asked, "%s", gateway.text)
	    : opened != 0 ? err_set(e, opened, "%s", drive.text)
			  : 0;
}
