/* SPDX-License-Identifier: Apache-2.0 */
/* The rules under which an entry may follow the ones before it. The gateway asks them of what is posted, a mirror of
 * what it replays: so what the one takes the other takes too. */
#include "ledger/step.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "pki/ossl.h"

static void step_wipe(struct step *s) {
	place_wipe(&s->at);
	place_wipe(&s->from);
}

/* Somebody else was faster: the poster can mend it. */
static int conflict(struct step *s, enum ledger_why why, const char *text) {
	s->r->why = why;
	return err_set(s->e, s->how->mode == LEDGER_REPLAY ? ERR_DAMAGED : ERR_CONFLICT, "event: %s", text);
}

static void show_file(struct step *s, const struct row *row) {
	s->r->file_index = row->f.base;
	s->r->file_version = row->f.version;
	memcpy(s->r->file_author, row->f.author, sizeof s->r->file_author);
}

/* --- who and when --- */

static int check_group(struct step *s) {
	return strcmp(s->ev->group, chain_group(s->l->chain)) == 0 ? 0 : step_refuse(s, "of another group");
}

static int check_role(struct step *s) {
	if (s->signer->gateway && is(s, MEMBERS))
		return step_refuse(s, "RFC 5280 4.2.1.12: signed with a gateway's certificate");
	if (!s->signer->gateway && !is(s, MEMBERS))
		return step_refuse(s, "only a gateway signs %s events", event_op_name(s->ev->op));
	return 0;
}

static int check_not_revoked(struct step *s) {
	return s->signer->revoked
	    ? step_refuse(s, "RFC 5280 5.3: the signer's certificate was revoked by an earlier crl event")
	    : 0;
}

static int check_dates(struct step *s) {
	struct err why = ERR_INIT;

	if (chain_check_time(s->signer->cert, s->ev->time_s, &why) != VERDICT_GOOD)
		return step_refuse(s, "at its time: %s", why.text);
	return 0;
}

/* The gateway's verdict was about the certificate of the connection. */
static int check_peer(struct step *s) {
	uint8_t hash[32];

	if (s->how->mode != LEDGER_POST)
		return 0;
	if (s->how->peer == NULL || !is(s, MEMBERS))
		return step_refuse(s, "only a member posts, and only members' events");
	cert_sha256(s->how->peer, hash);
	return memcmp(hash, s->signer->sha256, sizeof hash) == 0
	    ? 0
	    : step_refuse(s, "signed by another certificate than the connection's");
}

static int check_clock(struct step *s) {
	int64_t off = s->ev->time_s - s->how->now_s;
	char here[CLOCK_TEXT];

	if (s->how->mode != LEDGER_POST || (off <= EVENT_SKEW_S && off >= -EVENT_SKEW_S))
		return 0;
	s->r->why = LEDGER_WHY_CLOCK;
	clock_print(s->how->now_s, here);
	return step_refuse(
	    s, "its time is %" PRId64 " seconds off the gateway's clock, which says %s; %d are allowed", off, here, EVENT_SKEW_S);
}

/* Two events whose clocks were each within the limit of the gateway's cannot be further apart than twice that. Only
 * members' times count: each of them was measured against a second clock, so that a gateway whose clock once ran ahead
 * does not lock everybody out. */
static int check_not_back_dated(struct step *s) {
	if (s->ev->time_s >= s->l->latest_s - INT64_C(2) * EVENT_SKEW_S)
		return 0;
	s->r->why = LEDGER_WHY_CLOCK;
	return step_refuse(
	    s, "back-dated: earlier events are %" PRId64 " seconds later", s->l->latest_s - s->ev->time_s);
}

static int check_seen(struct step *s) {
	uint8_t root[32];
	int r;

	if (s->ev->seen > s->l->tree.size)
		return step_refuse(s, "it saw %" PRIu64 " entries, there are %" PRIu64, s->ev->seen, s->l->tree.size);
	if ((event_fields(s->ev->op) & EVENT_HAS_BASE) != 0 && s->ev->seen <= s->ev->base)
		return step_refuse(s, "it did not see its base");
	if ((r = ledger_root(s->l, s->ev->seen, root, s->e)) != 0)
		return r;
	if (memcmp(root, s->ev->seen_root, sizeof root) != 0)
		return step_refuse(s, "its signer saw another ledger (size %" PRIu64 ")", s->ev->seen);
	if (s->ev->seen < s->signer->seen)
		return conflict(s, LEDGER_WHY_SEEN, "it saw less than an earlier event of the same signer");
	return 0;
}

/* --- the file --- */

static int check_new_file(struct step *s) {
	int r = row_load(s->l, s->ev->file, &s->row, s->e);

	if (r == 0)
		return step_refuse(s, "the file's id was used before");
	return r == ERR_NOTFOUND ? 0 : r;
}

static int check_base(struct step *s) {
	int r = row_load(s->l, s->ev->file, &s->row, s->e);

	if (r == ERR_NOTFOUND)
		return step_refuse(s, "no such file");
	if (r != 0)
		return r;
	if (s->ev->base != s->row.f.base) {
		show_file(s, &s->row);
		return conflict(s, LEDGER_WHY_BASE, "the file has a newer event");
	}
	return s->row.f.removed ? step_refuse(s, "the file was removed") : 0;
}

static int check_version(struct step *s) {
	uint64_t want = is(s, OP(PUT)) ? 1 : is(s, OP(REPLACE)) ? s->row.f.version + 1 : s->row.f.version;

	return s->ev->version == want ? 0
				      : step_refuse(s, "version %" PRIu64 ", %" PRIu64 " is due", s->ev->version, want);
}

static int check_same_content(struct step *s) {
	const struct ledger_file *f = &s->row.f;

	if (s->ev->content_size != f->content_size ||
	    memcmp(s->ev->content_sha256, f->content_sha256, sizeof f->content_sha256) != 0)
		return step_refuse(s, "content is not the base's");
	return 0;
}

static int check_same_object(struct step *s) {
	const struct ledger_file *f = &s->row.f;

	if (strcmp(s->ev->object, f->object) != 0 || s->ev->object_size != f->object_size ||
	    memcmp(s->ev->object_sha256, f->object_sha256, sizeof f->object_sha256) != 0 ||
	    memcmp(s->ev->key_id, f->key_id, sizeof f->key_id) != 0)
		return step_refuse(s, "object or epoch is not the base's");
	return 0;
}

static int check_same_name(struct step *s) {
	return memcmp(s->ev->name, s->row.f.name, sizeof s->row.f.name) == 0 ? 0
									     : step_refuse(s, "name is not the base's");
}

static int check_current_epoch(struct step *s) {
	if (s->l->epoch == 0)
		return step_refuse(s, "there is no epoch yet");
	if (memcmp(s->ev->key_id, s->l->key_id, sizeof s->l->key_id) != 0)
		return conflict(s, LEDGER_WHY_EPOCH, "not the current epoch");
	return 0;
}

static int check_path(struct step *s) {
	const struct entry *en = &s->it->en;
	struct err why = ERR_INIT;
	int r = s->how->mode == LEDGER_REPLAY ? path_check_taken(en->path, en->path_len, &why)
					      : path_check(en->path, en->path_len, &why);

	return r == 0 ? 0 : step_refuse(s, "%s", why.text);
}

/* Where the file stands until now. */
static int find_old_place(struct step *s) {
	OWN(buf_wipe) struct buf name = {0};
	int r = row_name(s->l, s->row.named, &name, s->e);

	return r != 0 ? r : place_make(s->l, buf_str(&name) + SALT_LEN, name.len - SALT_LEN, &s->from, s->e);
}

static int check_place(struct step *s) {
	const struct entry *en = &s->it->en;
	bool moves = is(s, OP(RENAME)), yes;
	struct row by;
	int r;

	if ((r = place_make(s->l, en->path, en->path_len, &s->at, s->e)) != 0)
		return r;
	r = place_is_free(s->l, &s->at, moves ? s->row.f.file : NULL, moves ? &s->from : NULL, &yes, &by, s->e);
	if (r != 0 || yes)
		return r;
	show_file(s, &by);
	return conflict(s, LEDGER_WHY_PATH,
	    "the path is taken (names that differ only in case collide; a file is not also a folder)");
}

/* --- what gateways say --- */

static int check_next_epoch(struct step *s) {
	return s->ev->version == s->l->epoch + 1
	    ? 0
	    : step_refuse(s, "epoch %" PRIu64 ", %" PRIu64 " is due", s->ev->version, s->l->epoch + 1);
}

static int check_newer_list(struct step *s) {
	return s->ev->version > s->l->crl
	    ? 0
	    : step_refuse(s, "RFC 5280 5.2.3: list %" PRIu64 " after %" PRIu64, s->ev->version, s->l->crl);
}

static int check_new_member(struct step *s) {
	const struct signer *fresh = s->it->fresh;
	struct err why = ERR_INIT;
	struct signer *known;
	bool revoked;
	int r;

	if ((r = signers_find(s->l, fresh->ski, &known, s->e)) != 0 ||
	    (r = ledger_is_revoked(s->l, fresh->serial, fresh->serial_len, &revoked, s->e)) != 0)
		return r;
	if (known != NULL)
		return step_refuse(s, "a certificate with this key is known");
	if (revoked)
		return step_refuse(s, "RFC 5280 5.3: a certificate that an earlier crl event revoked");
	if (chain_check_time(fresh->cert, s->ev->time_s, &why) != VERDICT_GOOD)
		return step_refuse(s, "certificate: %s", why.text);
	return 0;
}

static const struct rule {
	unsigned ops;
	int (*check)(struct step *s);
} rules[] = {
    {ALL, check_group},
    {ALL, check_role},
    {ALL, check_not_revoked},
    {ALL, check_dates},
    {ALL, check_peer},
    {ALL, check_clock},
    {MEMBERS, check_not_back_dated},
    {OP(PUT), check_new_file},
    {MEMBERS & ~OP(PUT), check_base},
    {ALL, check_seen},
    {MEMBERS, check_version},
    {OP(RENAME) | OP(REMOVE) | OP(REKEY), check_same_content},
    {OP(RENAME) | OP(REMOVE), check_same_object},
    {OP(REPLACE) | OP(REMOVE) | OP(REKEY), check_same_name},
    {OP(PUT) | OP(REPLACE) | OP(REKEY), check_current_epoch},
    {OP(PUT) | OP(RENAME), check_path},
    {OP(RENAME) | OP(REMOVE), find_old_place},
    {OP(PUT) | OP(RENAME), check_place},
    {OP(EPOCH), check_next_epoch},
    {OP(CRL), check_newer_list},
    {OP(MEMBER), check_new_member},
};

static int check_rules(struct step *s) {
	int r = 0;

	for (size_t i = 0; i < sizeof rules / sizeof rules[0] && r == 0; i++)
		if (is(s, rules[i].ops))
			r = rules[i].check(s);
	return r;
}

/* A member event may be signed with the very certificate that it brings, if that is a gateway's: so begins a ledger,
 * and so goes on a gateway whose key is new. */
static int find_signer(struct step *s) {
	const uint8_t *ski = s->it->info.ski;
	struct signer *fresh = s->it->fresh;
	int r = signers_find(s->l, ski, &s->signer, s->e);

	if (r == 0 && s->signer == NULL && fresh != NULL && memcmp(fresh->ski, ski, SKI_LEN) == 0)
		s->signer = fresh;
	if (r == 0 && s->signer == NULL)
		return step_refuse(s, "nobody's signature: no member event brought the signer's certificate");
	return r;
}

static int check_signature(struct step *s) {
	if (!s->it->verified)
		return item_verify(s->it, s->signer->cert, s->e);
	/* Verified in advance with a certificate of this hash: it must be the one that the ledger knows. */
	if (memcmp(s->it->info.cert_hash, s->signer->sha256, sizeof s->signer->sha256) != 0)
		return step_refuse(s, "RFC 5035 5: signed with another certificate of the same key");
	return 0;
}

int rules_append(
    struct ledger *l, struct item *it, const struct ledger_how *how, struct ledger_result *r, struct err *e) {
	OWN(step_wipe) struct step s = {.l = l, .how = how, .it = it, .ev = &it->ev, .r = r, .e = e};
	int rc;

	*r = (struct ledger_result){0};
	if ((rc = find_signer(&s)) != 0 || (rc = check_signature(&s)) != 0 || (rc = check_rules(&s)) != 0)
		return rc;
	return step_append(&s);
}

int ledger_append(
    struct ledger *l, const struct entry *en, const struct ledger_how *how, struct ledger_result *r, struct err *e) {
	OWN(item_wipe) struct item it = {0};
	int rc;

	*r = (struct ledger_result){0};
	signers_trim(l);
	if ((rc = item_parse(l->chain, en, &it, e)) != 0)
		return rc;
	return rules_append(l, &it, how, r, e);
}
