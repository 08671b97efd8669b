/* SPDX-License-Identifier: Apache-2.0 */
/* Making entries: what members and gateways sign, as the ledger stands. */
#include "ledger/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "pki/ossl.h"

/* Group, time and what was seen: every entry that the database has by now, which may be more than this process knows
 * of. */
static int begin(struct ledger *l, enum event_op op, const struct ledger_signer *by, struct event *ev, struct err *e) {
	const char *group = chain_group(l->chain);
	int64_t latest_s;

	ev->op = op;
	ev->time_s = by->now_s;
	memcpy(ev->group, group, strlen(group) + 1);
	return ledger_tip(l, &ev->seen, ev->seen_root, &latest_s, e);
}

static int finish(
    const struct event *ev, struct entry *en, const struct ledger_signer *by, struct buf *out, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	int r = event_sign(ev, by->key, by->cert, &der, e);

	if (r != 0)
		return r;
	en->event = der.data;
	en->event_len = der.len;
	entry_print(en, out);
	return 0;
}

/* What an op on a file takes over from its base. */
static void inherit(const struct ledger_file *f, const struct ledger_change *c, struct event *ev) {
	ev->base = c->base;
	ev->version = f->version + (c->op == EVENT_REPLACE);
	memcpy(ev->name, f->name, sizeof ev->name);
	memcpy(ev->object, f->object, sizeof ev->object);
	memcpy(ev->object_sha256, f->object_sha256, sizeof ev->object_sha256);
	memcpy(ev->content_sha256, f->content_sha256, sizeof ev->content_sha256);
	memcpy(ev->key_id, f->key_id, sizeof ev->key_id);
	ev->object_size = f->object_size;
	ev->content_size = f->content_size;
}

static int start_from_base(struct ledger *l, const struct ledger_change *c, struct event *ev, struct err *e) {
	struct row row;
	int r = row_load(l, c->file, &row, e);

	if (r != 0)
		return r;
	if (row.f.base != c->base)
		return err_set(e, ERR_CONFLICT, "ledger: the file has a newer event");
	if (row.f.removed)
		return err_set(e, ERR_NOTFOUND, "ledger: the file was removed");
	inherit(&row.f, c, ev);
	return 0;
}

static int set_object(const struct ledger_change *c, struct event *ev, struct err *e) {
	if (strlen(c->object) != OBJECT_ID_LEN)
		return err_set(e, ERR_FAIL, "ledger: not an object id");
	memcpy(ev->object, c->object, sizeof ev->object);
	memcpy(ev->object_sha256, c->object_sha256, sizeof ev->object_sha256);
	memcpy(ev->key_id, c->key_id, sizeof ev->key_id);
	ev->object_size = c->object_size;
	if (c->op != EVENT_REKEY) {
		memcpy(ev->content_sha256, c->content_sha256, sizeof ev->content_sha256);
		ev->content_size = c->content_size;
	}
	return 0;
}

static int set_name(
    const struct ledger_change *c, uint8_t salt[static SALT_LEN], struct event *ev, struct entry *en, struct err *e) {
	int r;

	if ((r = path_check(c->path, strlen(c->path), e)) != 0 || (r = random_bytes(salt, SALT_LEN, e)) != 0)
		return r;
	en->salt = salt;
	en->path = c->path;
	en->path_len = strlen(c->path);
	path_hash(en->path, en->path_len, salt, ev->name);
	return 0;
}

int ledger_change(
    struct ledger *l, const struct ledger_change *c, const struct ledger_signer *by, struct buf *entry, struct err *e) {
	struct event ev = {.version = 1};
	uint8_t salt[SALT_LEN];
	struct entry en = {0};
	int r = 0;

	if (c->op > EVENT_REKEY)
		return err_set(e, ERR_FAIL, "ledger: %s is not a member's to say", event_op_name(c->op));
	/* First the file, then the size: what is seen then holds the base, whatever other processes append meanwhile.
	 */
	if ((c->op != EVENT_PUT && (r = start_from_base(l, c, &ev, e)) != 0) || (r = begin(l, c->op, by, &ev, e)) != 0)
		return r;
	memcpy(ev.file, c->file, sizeof ev.file);
	if (c->op == EVENT_PUT || c->op == EVENT_REPLACE || c->op == EVENT_REKEY)
		r = set_object(c, &ev, e);
	if (r == 0 && (c->op == EVENT_PUT || c->op == EVENT_RENAME))
		r = set_name(c, salt, &ev, &en, e);
	return r != 0 ? r : finish(&ev, &en, by, entry, e);
}

int ledger_epoch_entry(
    struct ledger *l, const struct epoch *ep, const struct ledger_signer *by, struct buf *entry, struct err *e) {
	struct entry en = {0};
	struct event ev = {0};
	int r = begin(l, EVENT_EPOCH, by, &ev, e);

	if (r != 0)
		return r;
	ev.version = ep->number;
	memcpy(ev.key_id, ep->key_id, sizeof ev.key_id);
	return finish(&ev, &en, by, entry, e);
}

struct revoking {
	struct ledger *l;
	struct buf *serials;
};

/* Only what the ledger does not know yet: a serial number may stand on one list, not on the next, and come again. */
static int add_serial(void *arg, const struct crl_entry *c, struct err *e) {
	const struct revoking *v = arg;
	bool known;
	int r = ledger_is_revoked(v->l, c->serial, c->serial_len, &known, e);

	if (r == 0 && !known)
		entry_put_serial(v->serials, c->serial, c->serial_len);
	return r;
}

int ledger_crl_entry(struct ledger *l, const struct crl_set *old, const struct crl_set *now, size_t der_len,
    const struct ledger_signer *by, struct buf *entry, struct err *e) {
	OWN(buf_wipe) struct buf serials = {0};
	struct revoking v = {l, &serials};
	struct entry en = {0};
	struct event ev = {0};
	int r;

	if ((r = begin(l, EVENT_CRL, by, &ev, e)) != 0 || (r = crl_set_new(old, now, add_serial, &v, e)) != 0)
		return r;
	ev.version = crl_set_number(now);
	memcpy(ev.content_sha256, crl_set_sha256(now), sizeof ev.content_sha256);
	ev.content_size = der_len;
	(void)buf_room(&serials, 1); /* an empty list is a list */
	en.revoked = serials.data;
	en.revoked_len = serials.len;
	entry_revoked_hash(en.revoked, en.revoked_len, ev.name);
	return finish(&ev, &en, by, entry, e);
}

int ledger_member_entry(
    struct ledger *l, X509 *seen, const struct ledger_signer *by, struct buf *entry, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	struct entry en = {0};
	struct event ev = {0};
	int r;

	if ((r = begin(l, EVENT_MEMBER, by, &ev, e)) != 0 || (r = cert_der(seen, &der, e)) != 0)
		return r;
	en.cert = der.data;
	en.cert_len = der.len;
	ossl_sha256(der.data, der.len, ev.content_sha256);
	ev.content_size = der.len;
	return finish(&ev, &en, by, entry, e);
}
