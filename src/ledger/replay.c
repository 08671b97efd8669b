/* SPDX-License-Identifier: Apache-2.0 */
/* Replay: rules in order on one thread, signatures on all cores, the line kept busy. */
#include "ledger/state.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/work.h"

#define CHUNK 16 /* entries that a thread takes at once */
#define SLICE_MAX                                                                                                      \
	4096 /* entries in memory at once, 1 KiB each beside their DER; what else a reply holds is asked for again */
#define WORKERS_MAX 60 /* work_run takes 64 threads; one appends, one fetches */

/* What one reply brought. */
struct slice {
	const struct chain *chain;
	struct buf der;
	struct item *items; /* borrow from der */
	X509 **certs; /* whose signature each one claims to be; borrowed; NULL: nobody's that is known */
	bool *parsed;
	size_t n;
	atomic_size_t next; /* what no thread has taken yet */
};

static void slice_free(struct slice *s) {
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		item_wipe(&s->items[i]);
	free(s->items);
	free(s->certs);
	free(s->parsed);
	buf_wipe(&s->der);
	free(s);
}

OWN_DEFINE(slice, struct slice, slice_free)

/* --- what threads do, without the database --- */

/* Failures are only noted: the pass in order meets them again, and says which is the first. */
static void parse_one(struct slice *s, size_t i) {
	const struct entry en = s->items[i].en;

	s->parsed[i] = item_parse(s->chain, &en, &s->items[i], NULL) == 0;
	s->items[i].en = en;
}

static void verify_one(struct slice *s, size_t i) {
	if (s->certs[i] != NULL && item_verify(&s->items[i], s->certs[i], NULL) != 0)
		s->certs[i] = NULL;
}

static void help(struct slice *s, void (*one)(struct slice *s, size_t i)) {
	size_t at;

	while ((at = atomic_fetch_add(&s->next, CHUNK)) < s->n)
		for (size_t i = at; i < at + CHUNK && i < s->n; i++)
			one(s, i);
}

static unsigned workers(const struct slice *s) {
	unsigned cores = work_cores();
	size_t chunks = (s->n + CHUNK - 1) / CHUNK, n = chunks < cores ? chunks : cores;

	return n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static int parse_some(void *arg, unsigned thread, struct err *e) {
	(void)thread;
	(void)e;
	help(arg, parse_one);
	return 0;
}

/* --- taking a reply apart --- */

static int take_entries(struct slice *s, struct der run, uint64_t known, uint64_t max, struct err *e) {
	size_t cap = 0;
	struct entry en;
	int r;

	for (; known > 0 && run.len > 0; known--)
		if ((r = entry_take(&run, &en, e)) != 0)
			return r;
	while (run.len > 0 && s->n < max && s->n < SLICE_MAX) {
		if (s->n == cap) {
			cap = cap > 0 ? 2 * cap : 64;
			s->items = xrealloc(s->items, cap, sizeof *s->items);
		}
		s->items[s->n] = (struct item){0};
		if ((r = entry_take(&run, &s->items[s->n].en, e)) != 0)
			return r;
		s->n++;
	}
	s->certs = xcalloc(s->n, sizeof(X509 *));
	s->parsed = xcalloc(s->n, sizeof *s->parsed);
	return 0;
}

/* The bytes of der are taken. known: entries at its front that the ledger has. */
static int slice_make(
    const struct replay *p, struct buf *der, uint64_t known, uint64_t max, struct slice **out, struct err *e) {
	OWN(own_slice) struct slice *s = xcalloc(1, sizeof *s);
	struct der run;
	int r;

	*out = NULL;
	s->chain = p->l->chain;
	s->der = *der;
	*der = (struct buf){0};
	if ((r = entries_open(s->der.data, s->der.len, &run, e)) != 0 || (r = take_entries(s, run, known, max, e)) != 0)
		return r;
	if (s->n > 0 && (r = work_run(workers(s), parse_some, s, e)) != 0)
		return r;
	*out = s;
	s = NULL;
	return 0;
}

static X509 *brought_by(const struct slice *s, size_t n, const uint8_t ski[static SKI_LEN]) {
	for (size_t i = 0; i < n; i++)
		if (s->items[i].fresh != NULL && memcmp(s->items[i].fresh->ski, ski, SKI_LEN) == 0)
			return s->items[i].fresh->cert;
	return NULL;
}

/* Known to the ledger, or brought by an entry before this one that is not appended yet. */
static int find_certs(struct ledger *l, const struct slice *before, struct slice *s, struct err *e) {
	struct signer *known;
	int r;

	signers_trim(l);
	for (size_t i = 0; i < s->n; i++) {
		const uint8_t *ski = s->items[i].info.ski;

		if (!s->parsed[i])
			continue;
		if ((r = signers_find(l, ski, &known, e)) != 0)
			return r;
		s->certs[i] = known != NULL ? known->cert : before != NULL ? brought_by(before, before->n, ski) : NULL;
		if (s->certs[i] == NULL)
			s->certs[i] = brought_by(s, i + 1, ski);
	}
	return 0;
}

/* --- appending --- */

static int append_one(const struct replay *p, struct slice *s, size_t i, struct err *e) {
	const struct ledger_how how = {.mode = LEDGER_REPLAY};
	struct item *it = &s->items[i];
	struct ledger_result result;
	int r;

	if (!s->parsed[i]) {
		const struct entry en = it->en;

		r = item_parse(s->chain, &en, it, e);
		it->en = en;
		if (r != 0)
			return r;
	}
	if ((r = rules_append(p->l, it, &how, &result, e)) != 0)
		return r;
	return p->applied != NULL ? p->applied(p->arg, result.index, it, e) : 0;
}

static int append_all(const struct replay *p, struct slice *s, struct err *e) {
	for (size_t i = 0; i < s->n; i++) {
		uint64_t index = p->l->tree.size;

		if (append_one(p, s, i, e) == 0)
			continue;
		if (p->culprit != NULL)
			entry_print(&s->items[i].en, p->culprit);
		return err_add(e, "ledger entry %" PRIu64, index);
	}
	return 0;
}

/* --- all three at once --- */

struct stage {
	const struct replay *p;
	struct slice *append; /* verified before; or NULL */
	struct slice *verify; /* or NULL */
	unsigned n_verify; /* threads */
	uint64_t from; /* what is fetched meanwhile */
	struct buf *der; /* into this; NULL: nothing */
};

/* Thread 0 is the caller's, the only one that uses the database; when it has appended it helps to verify. */
static int work(void *arg, unsigned thread, struct err *e) {
	const struct stage *g = arg;
	int r = 0;

	if (thread == 0 && g->append != NULL && (r = append_all(g->p, g->append, e)) != 0)
		return r;
	if (thread > g->n_verify)
		return g->p->fetch(g->p->arg, g->from, g->der, e);
	if (g->verify != NULL)
		help(g->verify, verify_one);
	return 0;
}

static int stage_run(struct stage *g, struct err *e) {
	bool fetches = g->der != NULL;

	if (g->verify != NULL) {
		atomic_store(&g->verify->next, 0);
		g->n_verify = workers(g->verify) - 1;
	}
	return work_run(1 + g->n_verify + fetches, work, g, e);
}

/* A reply for the entries from next on: the one fetched ahead, or one fetched now. */
static int next_slice(
    const struct replay *p, struct buf *ahead, uint64_t ahead_from, uint64_t next, struct slice **s, struct err *e) {
	int r;

	if (ahead->len > 0) {
		r = slice_make(p, ahead, next > ahead_from ? next - ahead_from : 0, p->upto - next, s, e);
		if (r != 0 || (*s)->n > 0 || ahead_from == next)
			return r;
		slice_free(*s); /* others were faster, and all of it is there already */
	}
	*s = NULL;
	r = p->fetch(p->arg, next, ahead, e);
	return r != 0 ? r : slice_make(p, ahead, 0, p->upto - next, s, e);
}

static int step(const struct replay *p, struct slice **done, struct buf *ahead, uint64_t ahead_from, uint64_t *next,
    struct err *e) {
	OWN(own_slice) struct slice *now = NULL;
	struct stage g = {.p = p, .append = *done};
	int r;

	if (*next < p->upto) {
		if ((r = next_slice(p, ahead, ahead_from, *next, &now, e)) != 0 ||
		    (r = find_certs(p->l, *done, now, e)) != 0)
			return r;
		if (now->n == 0)
			return err_set(e, ERR_DAMAGED,
			    "ledger: the head says %" PRIu64 " entries, it has only %" PRIu64, p->upto, *next);
		*next += now->n;
		g.verify = now;
		g.from = *next;
		g.der = p->aside && *next < p->upto ? ahead : NULL;
	}
	if ((r = stage_run(&g, e)) != 0)
		return r;
	slice_free(*done);
	*done = now;
	now = NULL;
	return 0;
}

int replay_run(const struct replay *p, struct err *e) {
	OWN(own_slice) struct slice *done = NULL;
	OWN(buf_wipe) struct buf ahead = {0};
	uint64_t next = p->l->tree.size, ahead_from = next;
	int r = 0;

	if (p->ahead != NULL) {
		ahead = *p->ahead;
		ahead_from = p->ahead_from;
		*p->ahead = (struct buf){0};
	}
	while (r == 0 && (next < p->upto || done != NULL)) {
		r = step(p, &done, &ahead, ahead_from, &next, e);
		ahead_from = next;
	}
	return r;
}
