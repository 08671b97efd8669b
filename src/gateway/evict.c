/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/evict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/rest.h"
#include "gateway/witness.h"
#include "pki/crl.h"
#include "pki/ossl.h"

#define RETRY_MS 1000  /* a full disk is asked again once a second */
#define LOG_SERIALS 16 /* newly revoked certificates that get a line of their own in the log */

const char *offer_text(enum offer o) {
	static const char *const text[] = {
		[OFFER_TAKEN] = "in force",
		[OFFER_SAME] = "in force already",
		[OFFER_OLDER] = "older than the list in force",
		[OFFER_OTHER] = "another list with the number of the one in force",
		[OFFER_EXPIRED] = "RFC 5280 5.1.2.5: past its nextUpdate",
		[OFFER_DROPS] = "RFC 5280 3.3: it lacks a revocation that still holds",
	};

	return text[o];
}

enum offer evict_look(const struct group *g, uint64_t number, const uint8_t *der, size_t len) {
	uint8_t sha[SHA256_LEN];
	uint64_t highest;

	if (g->list == NULL)
		return OFFER_TAKEN;
	highest = crl_set_number(g->list->set);
	if (number != highest)
		return number < highest ? OFFER_OLDER : OFFER_TAKEN;
	ossl_sha256(der, len, sha);
	return memcmp(sha, crl_set_sha256(g->list->set), sizeof sha) == 0 ? OFFER_SAME : OFFER_OTHER;
}

/* The same of a list whose digest is known: 64 MiB are not hashed again. */
static enum offer look_at(const struct group *g, const struct list *l) {
	uint64_t number = crl_set_number(l->set);

	if (g->list == NULL || number != crl_set_number(g->list->set))
		return evict_look(g, number, l->der, l->len);
	return memcmp(crl_set_sha256(l->set), crl_set_sha256(g->list->set), SHA256_LEN) == 0 ? OFFER_SAME : OFFER_OTHER;
}

static void log_offer(const struct list *l, const char *from, enum offer o) {
	bool fine = o == OFFER_TAKEN || o == OFFER_SAME;
	char number[24], entries[24];

	(void)snprintf(number, sizeof number, "%" PRIu64, crl_set_number(l->set));
	(void)snprintf(entries, sizeof entries, "%zu", crl_set_count(l->set));
	log_event(fine ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, o == OFFER_TAKEN ? "crl-taken" : "crl-ignored", "from", from,
	    "number", number, "entries", entries, "why", offer_text(o), NULL);
}

/* The refusal of these begins now. */
static int log_revoked(void *arg, const struct crl_entry *entry, struct err *e) {
	unsigned *logged = arg;
	char serial[SERIAL_HEX];

	(void)e;
	if ((*logged)++ < LOG_SERIALS) {
		text_hex(entry->serial, entry->serial_len, serial);
		log_event(LOG_LEVEL_INFO, "revoked", "serial", serial, "reason", crl_reason_name(entry->reason), NULL);
	}
	return 0;
}

static void log_news(const struct list *old, const struct list *now) {
	struct err e = ERR_INIT;
	unsigned logged = 0;

	if (crl_set_new(old != NULL ? old->set : NULL, now->set, log_revoked, &logged, &e) != 0)
		log_event(LOG_LEVEL_WARN, "crl-news", "error", e.text, NULL);
}

static void log_dropped(const struct ledger_dropped *d, const struct group *g) {
	char until[CLOCK_TEXT];

	clock_print(d->until_s, until);
	log_event(LOG_LEVEL_ERROR, "crl-incomplete", "serial", g->lacks, "name", d->name, "valid-until", until, "then",
	    "the list before it stays in force, and nobody whom either names is let in", "mend",
	    "scg-ca crl -above LIST, of GET /crl", NULL);
}

/* A CA that came out of a backup knows nothing of who was revoked since; its lists would be the last word otherwise. Whom the ledger cannot
 * tell of, group_was_revoked keeps out. */
static bool lacks_one(struct group *g, const struct list *l) {
	struct ledger_dropped d;
	struct err e = ERR_INIT;
	int r = g->list != NULL ? ledger_find_dropped(g->ledger, g->list->set, l->set, &d, &e) : ERR_NOTFOUND;

	if (r != 0 && r != ERR_NOTFOUND)
		log_event(LOG_LEVEL_ERROR, "crl-not-compared", "error", e.text, NULL);
	if (r != 0)
		return false;
	text_hex(d.serial, d.serial_len, g->lacks);
	log_dropped(&d, g);
	return true;
}

static void swapped(struct group *g) {
	g->revoked_self = group_is_listed(g, g->id.cert);
	if (g->revoked_self)
		log_event(LOG_LEVEL_ERROR, "gateway-revoked", "why", "the gateway's own certificate is listed", NULL);
	if (g->swapped != NULL)
		g->swapped(g->swapped_arg);
}

static void hold(struct group *g, struct list *l) {
	list_free(g->held);
	g->held = l;
}

enum offer evict_offer(struct group *g, struct list *l, const char *from, int64_t now_s) {
	enum offer o = look_at(g, l);

	if (o == OFFER_TAKEN && now_s >= crl_set_next_update(l->set))
		o = OFFER_EXPIRED;
	if (o == OFFER_TAKEN && lacks_one(g, l))
		o = OFFER_DROPS;
	log_offer(l, from, o);
	if (o != OFFER_TAKEN && o != OFFER_DROPS)
		return o;
	if (!list_is_large(l)) /* else it takes a while: evict_settle does it */
		log_news(g->list, l);
	if (o == OFFER_DROPS) {
		hold(g, list_ref(l));
	} else {
		if (g->held != NULL && crl_set_number(g->held->set) < crl_set_number(l->set))
			hold(g, NULL);
		list_free(g->list);
		g->list = list_ref(l);
		g->retry_at_ms = 0;
	}
	swapped(g);
	return o;
}

static void log_epoch(const struct epoch *ep, const char *why) {
	char number[24], id[KEY_ID_HEX];

	(void)snprintf(number, sizeof number, "%" PRIu64, ep->number);
	text_hex(ep->key_id, KEY_ID_LEN, id);
	log_event(LOG_LEVEL_INFO, "epoch", "epoch", number, "key-id", id, "why", why, NULL);
}

static int add_epoch(struct group *g, const char *why, int64_t now_s, struct err *e) {
	const struct ledger_signer by = group_signer(g, now_s);
	OWN(buf_wipe) struct buf entry = { 0 };

	if (keyring_rotate(&g->keyring, now_s, e) != 0)
		return e->code;
	g->generation++;
	if (ledger_epoch_entry(g->ledger, keyring_current(&g->keyring), &by, &entry, e) != 0 ||
	    group_append_own(g, &entry, now_s, e) != 0)
		return err_add(e, "epoch event");
	witness_epoch(g, why, now_s);
	return rest_save(g->state, &g->id, &g->keyring, e);
}

static int is_eviction(void *arg, const struct crl_entry *entry, struct err *e) {
	bool *evicts = arg;

	(void)e;
	if (entry->reason != CRL_SUPERSEDED)
		*evicts = true;
	return 0;
}

/* The list in force and its event; *evicts: it newly names somebody for another reason than superseded. */
static int store_list(struct group *g, int64_t now_s, bool *evicts, struct err *e) {
	const struct crl_set *old = g->stored != NULL ? g->stored->set : NULL;
	const struct ledger_signer by = group_signer(g, now_s);
	OWN(buf_wipe) struct buf entry = { 0 };
	const struct list *l = g->list;
	uint8_t sha[SHA256_LEN];
	uint64_t number;

	if (ledger_crl(g->ledger, &number, sha, e) != 0)
		return e->code;
	if (number == crl_set_number(l->set) && memcmp(sha, crl_set_sha256(l->set), sizeof sha) == 0)
		return 0; /* a commit that was reported as failed, but was not */
	if (crl_set_new(old, l->set, is_eviction, evicts, e) != 0)
		return e->code;
	/* The bytes first: those of a million entries need not be in memory together with the event. */
	if (state_crl_put(g->state, crl_set_number(l->set), l->der, l->len, e) != 0)
		return e->code;
	list_rest(l);
	if (ledger_crl_entry(g->ledger, old, l->set, l->len, &by, &entry, e) != 0 ||
	    group_append_own(g, &entry, now_s, e) != 0)
		return err_add(e, "crl event");
	witness_crl(g, l->set, now_s);
	return 0;
}

struct ended {
	struct group *g;
	int64_t now_s;
	bool evicts;
};

/* A valid certificate of the same name that is not revoked ends the search. */
static int is_successor(void *arg, const struct state_member *m, struct err *e) {
	struct ended *d = arg;
	bool revoked;

	if (ledger_is_revoked(d->g->ledger, m->serial, m->serial_len, &revoked, e) != 0)
		return e->code;
	return revoked ? 0 : 1;
}

static int look_at_ended(void *arg, const struct state_member *m, struct err *e) {
	struct ended *d = arg;
	bool revoked;
	int rc;

	if (ledger_is_revoked(d->g->ledger, m->serial, m->serial_len, &revoked, e) != 0)
		return e->code;
	if (revoked)
		return 0;
	if ((rc = state_member_valid(d->g->state, m->name, d->now_s, is_successor, d, e)) < 0)
		return rc;
	log_event(LOG_LEVEL_INFO, "expired", "name", m->name, "successor", rc > 0 ? "yes" : "no", NULL);
	if (rc == 0)
		d->evicts = true;
	return 0;
}

static int count_ended(void *arg, const struct state_member *m, struct err *e) {
	(void)arg, (void)m, (void)e;
	return 1;
}

static int store_ended(struct group *g, int64_t now_s, bool *evicts, struct err *e) {
	struct ended d = { .g = g, .now_s = now_s };

	if (state_member_ended(g->state, now_s, look_at_ended, &d, e) != 0)
		return e->code;
	*evicts = d.evicts;
	return state_member_close(g->state, now_s, e);
}

struct settle {
	int64_t now_s;
	const char *why; /* of a new epoch, or NULL */
};

/* The order matters: a certificate is in the ledger before it signs, and its revocation before the epoch that shuts it
 * out. */
static int settle(struct group *g, void *arg, struct err *e) {
	struct settle *s = arg;
	bool revoked = false, expired = false;

	if (group_see(g, g->id.cert, s->now_s, e) != 0)
		return e->code;
	if (g->keyring.n == 0) {
		s->why = "first";
		if (add_epoch(g, s->why, s->now_s, e) != 0)
			return e->code;
	}
	if (g->list != g->stored && store_list(g, s->now_s, &revoked, e) != 0)
		return e->code;
	if (store_ended(g, s->now_s, &expired, e) != 0)
		return e->code;
	if (revoked && g->conf->rotate_on_revoke)
		s->why = "revoked";
	else if (expired && g->conf->rotate_on_expiry)
		s->why = "expired";
	else
		return 0;
	return add_epoch(g, s->why, s->now_s, e);
}

static int is_due(struct group *g, int64_t now_s, bool *due, struct err *e) {
	bool seen;
	int ended;

	if (ledger_has_signer(g->ledger, g->id.cert, &seen, e) != 0)
		return e->code;
	*due = !seen || g->keyring.n == 0 || g->list != g->stored;
	if (*due)
		return 0;
	if ((ended = state_member_ended(g->state, now_s, count_ended, NULL, e)) < 0)
		return ended;
	*due = ended > 0;
	return 0;
}

bool evict_is_long(const struct group *g, int64_t now_s) {
	return g->list != g->stored && list_is_large(g->list) && group_self_fault(g, now_s) == NULL &&
	    clock_mono_ms() >= g->retry_at_ms;
}

void evict_hold_off(struct group *g) {
	g->retry_at_ms = clock_mono_ms() + RETRY_MS;
}

int evict_settle(struct group *g, int64_t now_s, struct err *e) {
	struct settle s = { .now_s = now_s };
	bool due = false;

	if (g->away || group_self_fault(g, now_s) != NULL || clock_mono_ms() < g->retry_at_ms)
		return 0;
	if (group_fresh(g, e) != 0 || is_due(g, now_s, &due, e) != 0)
		return e->code;
	if (!due)
		return 0;
	if (group_alone(g, settle, &s, e) != 0) {
		evict_hold_off(g);
		return e->code;
	}
	if (g->stored != g->list) {
		if (list_is_large(g->list))
			log_news(g->stored, g->list);
		list_free(g->stored);
		g->stored = list_ref(g->list);
	}
	if (s.why != NULL)
		log_epoch(keyring_current(&g->keyring), s.why);
	return 0;
}

static int rotate(struct group *g, void *arg, struct err *e) {
	const int64_t *now_s = arg;

	if (g->keyring.n == 0)
		return err_set(e, ERR_FAIL, "no epoch yet: the first run of the gateway makes it");
	if (group_see(g, g->id.cert, *now_s, e) != 0)
		return e->code;
	return add_epoch(g, "rotate", *now_s, e);
}

int evict_rotate(struct group *g, int64_t now_s, struct err *e) {
	const char *fault = group_self_fault(g, now_s);

	if (fault != NULL)
		return err_set(e, ERR_REFUSED, "%s", fault);
	if (group_alone(g, rotate, &now_s, e) != 0)
		return e->code;
	log_epoch(keyring_current(&g->keyring), "rotate");
	return 0;
}
