/* SPDX-License-Identifier: Apache-2.0 */
/* Replay: signatures on all cores, rules in order on one. */
#include "ledger/state.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/work.h"

#define CHUNK 16 /* entries that a thread takes at once */
#define SLICE_MAX                                                                                                      \
	2048 /* entries in memory at once, about 1 KiB each beside their DER, however small a gateway makes them */

/* A run of entries as one array; certificates are found on the caller's thread between the two passes of the others. */
struct batch {
	const struct chain *chain;
	struct item *items;
	X509 **certs; /* whose signature each one claims to be; borrowed; NULL: nobody's that is known */
	bool *parsed;
	size_t n;
	atomic_size_t next;
};

static void batch_wipe(struct batch *b) {
	for (size_t i = 0; i < b->n; i++)
		item_wipe(&b->items[i]);
	free(b->items);
	free(b->certs);
	free(b->parsed);
}

/* Failures are only noted: the pass in order meets them again, and says which is the first. */
static void parse_one(struct batch *b, size_t i) {
	const struct entry en = b->items[i].en;

	b->parsed[i] = item_parse(b->chain, &en, &b->items[i], NULL) == 0;
	b->items[i].en = en;
}

static void verify_one(struct batch *b, size_t i) {
	if (b->certs[i] != NULL && item_verify(&b->items[i], b->certs[i], NULL) != 0)
		b->certs[i] = NULL;
}

struct pass {
	struct batch *b;
	void (*one)(struct batch *b, size_t i);
};

static int work(void *arg, unsigned thread, struct err *e) {
	const struct pass *p = arg;
	size_t at;

	(void)thread;
	(void)e;
	while ((at = atomic_fetch_add(&p->b->next, CHUNK)) < p->b->n)
		for (size_t i = at; i < at + CHUNK && i < p->b->n; i++)
			p->one(p->b, i);
	return 0;
}

static int on_all_cores(struct batch *b, void (*one)(struct batch *b, size_t i), struct err *e) {
	struct pass p = {b, one};
	unsigned cores = work_cores();
	size_t chunks = (b->n + CHUNK - 1) / CHUNK;

	atomic_store(&b->next, 0);
	return work_run(chunks < cores ? (unsigned)chunks : cores, work, &p, e);
}

static X509 *brought_before(const struct batch *b, size_t i) {
	for (size_t k = 0; k <= i; k++)
		if (b->items[k].fresh != NULL && memcmp(b->items[k].fresh->ski, b->items[i].info.ski, SKI_LEN) == 0)
			return b->items[k].fresh->cert;
	return NULL;
}

static int find_certs(struct ledger *l, struct batch *b, struct err *e) {
	struct signer *s;
	int r;

	for (size_t i = 0; i < b->n; i++) {
		if (!b->parsed[i])
			continue;
		if ((r = signers_find(l, b->items[i].info.ski, &s, e)) != 0)
			return r;
		b->certs[i] = s != NULL ? s->cert : brought_before(b, i);
	}
	return 0;
}

static int take_slice(struct batch *b, struct der *run, uint64_t max, struct err *e) {
	size_t cap = 0;
	int r;

	while (run->len > 0 && b->n < max && b->n < SLICE_MAX) {
		if (b->n == cap) {
			cap = cap > 0 ? 2 * cap : 64;
			b->items = xrealloc(b->items, cap, sizeof *b->items);
		}
		b->items[b->n] = (struct item){0};
		if ((r = entry_take(run, &b->items[b->n].en, e)) != 0)
			return r;
		b->n++;
	}
	b->certs = xcalloc(b->n, sizeof(X509 *));
	b->parsed = xcalloc(b->n, sizeof *b->parsed);
	return 0;
}

static int append_one(const struct replay *p, struct batch *b, size_t i, struct err *e) {
	const struct ledger_how how = {.mode = LEDGER_REPLAY};
	struct item *it = &b->items[i];
	struct ledger_result result;
	int r;

	if (!b->parsed[i]) {
		const struct entry en = it->en;

		r = item_parse(b->chain, &en, it, e);
		it->en = en;
		if (r != 0)
			return r;
	}
	if ((r = rules_append(p->l, it, &how, &result, e)) != 0)
		return r;
	return p->applied != NULL ? p->applied(p->arg, result.index, it, e) : 0;
}

static int append_all(const struct replay *p, struct batch *b, struct err *e) {
	for (size_t i = 0; i < b->n; i++) {
		uint64_t index = p->l->tree.size;

		if (append_one(p, b, i, e) == 0)
			continue;
		if (p->culprit != NULL)
			entry_print(&b->items[i].en, p->culprit);
		return err_add(e, "ledger entry %" PRIu64, index);
	}
	return 0;
}

static int replay_slice(const struct replay *p, struct der *run, struct err *e) {
	OWN(batch_wipe) struct batch b = {.chain = p->l->chain};
	int r;

	signers_trim(p->l);
	if ((r = take_slice(&b, run, p->upto - p->l->tree.size, e)) != 0)
		return r;
	if ((r = on_all_cores(&b, parse_one, e)) != 0 || (r = find_certs(p->l, &b, e)) != 0 ||
	    (r = on_all_cores(&b, verify_one, e)) != 0)
		return r;
	return append_all(p, &b, e);
}

int replay_run(const struct replay *p, struct der run, struct err *e) {
	int r = 0;

	while (run.len > 0 && p->l->tree.size < p->upto && r == 0)
		r = replay_slice(p, &run, e);
	return r;
}
