/* SPDX-License-Identifier: Apache-2.0 */
/* /crl: the revocation list, for everybody; the list proves itself. */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/own.h"
#include "base/spool.h"
#include "base/text.h"
#include "gateway/call.h"
#include "gateway/evict.h"
#include "pki/pem.h"

static void unref(void *owner) {
	list_free(owner);
}

void handle_crl_get(struct call *c) {
	struct list *l = list_ref(group_told(c->g, c->now_s));

	if (l == NULL) {
		http_problem(c->r, 404, "not-found", "the gateway has no revocation list yet");
		return;
	}
	c->r->status = 200;
	c->r->type = "application/pkix-crl";
	c->r->shared = l->der;
	c->r->shared_len = l->len;
	c->r->unref = unref;
	c->r->owner = l;
}

static void answer_lacks(struct call *c) {
	char detail[160];

	(void)snprintf(detail, sizeof detail, "%s: serial number %s", offer_text(OFFER_DROPS), c->g->lacks);
	http_problem(c->r, 409, "crl-incomplete", detail);
}

static void answer(struct call *c, enum offer o) {
	switch (o) {
	case OFFER_TAKEN:
	case OFFER_SAME:
		c->r->status = 204;
		return;
	case OFFER_OLDER:
		http_problem(c->r, 409, "crl-older", offer_text(o));
		return;
	case OFFER_OTHER:
		http_problem(c->r, 409, "crl-number", offer_text(o));
		return;
	case OFFER_EXPIRED:
		http_problem(c->r, 400, "crl-expired", offer_text(o));
		return;
	case OFFER_DROPS:
		answer_lacks(c);
		return;
	}
}

static void log_ignored(const struct call *c, uint64_t number, const char *why) {
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRIu64, number);
	log_event(LOG_LEVEL_WARN, "crl-ignored", "from", "PUT /crl", "peer", c->peer->address, "number", text, "why",
	    why, NULL);
}

/* True: refused by what its first and last bytes say. The bytes between are not looked at here, nor is PEM. */
static bool is_hopeless(struct call *c, const struct spool_map *m) {
	struct err e = ERR_INIT;
	uint64_t number;

	if (!pem_is_der(m->data, m->len) && text_has_control((const char *)m->data, 1))
		(void)err_set(&e, ERR_DAMAGED, "RFC 7468 2: neither DER nor PEM");
	else if (!pem_is_der(m->data, m->len))
		return false;
	if (e.code != 0 || crl_peek_number(m->data, m->len, &number, &e) != 0) {
		log_ignored(c, 0, e.text);
		http_problem(c->r, 400, "crl-invalid", e.text);
		return true;
	}
	if (c->g->list == NULL || number >= crl_set_number(c->g->list->set))
		return false;
	log_ignored(c, number, offer_text(OFFER_OLDER));
	answer(c, OFFER_OLDER);
	return true;
}

/* A list that came into a file: the loop does not wait for the signature over it. */
static void give_to_inbox(struct call *c) {
	OWN(spool_unmap) struct spool_map m = { 0 };
	struct err e = ERR_INIT;

	if (spool_map(c->q->spool, (size_t)2 * CRL_MAX_BYTES, &m, &e) != 0) {
		call_not_stored(c, &e);
		return;
	}
	if (is_hopeless(c, &m))
		return;
	if (c->s->inbox == NULL || !inbox_give(c->s->inbox, &c->q->spool, "PUT /crl")) {
		http_problem(c->r, 503, "busy", "another large list is being verified");
		c->r->retry_after_s = 1;
		return;
	}
	c->r->status = 202;
}

/* Whoever sent the list may stop sending it only when it outlives a crash. */
static void store(struct call *c, enum offer o) {
	static const struct err waits = { ERR_FAIL, "the list in force waits to be written" };
	const char *fault = group_self_fault(c->g, c->now_s);
	struct err e = ERR_INIT;

	if (fault != NULL)
		http_problem(c->r, 503, "gateway-certificate", fault);
	else if (settler_settle(c->s->settler, c->g, c->now_s, &e) != 0)
		call_not_stored(c, &e);
	else if (c->g->away)
		c->r->later = true; /* then it is the list in force */
	else if (c->g->list == c->g->stored)
		answer(c, o);
	else
		call_not_stored(c, &waits);
}

static void verify_and_offer(struct call *c, struct buf *der, uint64_t number) {
	struct list *l = NULL;
	struct err e = ERR_INIT;
	enum offer o;

	if (list_make_of(der, chain_ca(c->g->chain), &l, &e) != 0) {
		log_ignored(c, number, e.text);
		http_problem(c->r, 400, "crl-invalid", e.text);
		return;
	}
	o = evict_offer(c->g, l, "PUT /crl", c->now_s);
	list_free(l);
	if (o == OFFER_TAKEN)
		store(c, o);
	else
		answer(c, o);
}

/* The list proves itself, so it goes to the group of its issuer, whoever sent it. One that names none of them is refused by that of the connection. */
static void find_group(struct call *c, const struct buf *der) {
	for (struct service *s = c->first; s != NULL; s = s->next) {
		if (!crl_peek_is_of(der->data, der->len, chain_ca(s->group->chain)))
			continue;
		c->s = s;
		c->g = s->group;
		log_set_group(s->name);
		return;
	}
}

/* Cheap refusals come first: the number is compared before the signature is verified. */
void handle_crl_put(struct call *c) {
	OWN(buf_wipe) struct buf der = { 0 };
	struct err e = ERR_INIT;
	uint64_t number;
	enum offer o;

	if (c->q->spooled) {
		give_to_inbox(c);
		return;
	}
	if (crl_der(c->q->body.data, c->q->body.len, &der, &e) != 0 ||
	    crl_peek_number(der.data, der.len, &number, &e) != 0) {
		log_ignored(c, 0, e.text);
		http_problem(c->r, 400, "crl-invalid", e.text);
		return;
	}
	if (c->first->next != NULL)
		find_group(c, &der);
	if ((o = evict_look(c->g, number, der.data, der.len)) != OFFER_TAKEN) {
		if (o == OFFER_SAME) {
			store(c, o);
			return;
		}
		log_ignored(c, number, offer_text(o));
		answer(c, o);
		return;
	}
	verify_and_offer(c, &der, number);
}
