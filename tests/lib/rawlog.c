/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/rawlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ledger/tree.h"

static void must(int rc, const struct err *e) {
	if (rc != 0) {
		fprintf(stderr, "rawlog: %s\n", e->text);
		abort();
	}
}

void rawlog_add(struct rawlog *r, const struct buf *entry) {
	rawlog_insert(r, r->n, entry);
}

void rawlog_insert(struct rawlog *r, size_t at, const struct buf *entry) {
	if (r->n == RAWLOG_MAX)
		abort();
	memmove(&r->entry[at + 1], &r->entry[at], (r->n - at) * sizeof r->entry[0]);
	r->entry[at] = (struct buf){0};
	buf_add(&r->entry[at], entry->data, entry->len);
	r->n++;
}

void rawlog_drop(struct rawlog *r, size_t at) {
	buf_wipe(&r->entry[at]);
	r->n--;
	memmove(&r->entry[at], &r->entry[at + 1], (r->n - at) * sizeof r->entry[0]);
}

void rawlog_swap(struct rawlog *r, size_t a, size_t b) {
	struct buf t = r->entry[a];

	r->entry[a] = r->entry[b];
	r->entry[b] = t;
}

void rawlog_edit(struct rawlog *r, size_t at, void (*change)(struct entry *en)) {
	struct buf old = r->entry[at];
	struct err e = ERR_INIT;
	struct entry en;

	must(entry_parse(old.data, old.len, &en, &e), &e);
	r->entry[at] = (struct buf){0};
	change(&en);
	entry_print(&en, &r->entry[at]);
	buf_wipe(&old);
}

static int give_head(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) {
	static const uint8_t other[16] = "an older request";
	const struct rawlog *r = arg;
	struct head_sign by = {
	    .key = r->id->key, .cert = r->id->cert, .nonce = nonce, .nonce_len = nonce_len, .now_s = r->now_s};
	uint8_t leaf[32], done[TREE_HEIGHT_MAX][32];
	struct head h = {.group = "lab"};
	struct tree t = {0};
	struct entry en;

	for (size_t i = 0; i < r->n; i++) {
		if (entry_parse(r->entry[i].data, r->entry[i].len, &en, NULL) == 0)
			tree_leaf(en.event, en.event_len, leaf);
		(void)tree_add(&t, leaf, done);
	}
	tree_root(&t, h.root);
	h.size = r->claim != 0 ? r->claim : t.size;
	if (r->old_nonce)
		by.nonce = other;
	return head_sign(&h, &by, der, e);
}

static int give_entries(void *arg, uint64_t from, struct buf *der, struct err *e) {
	const struct rawlog *r = arg;

	(void)e;
	for (size_t i = (size_t)from; i < r->n; i++)
		buf_add(der, r->entry[i].data, r->entry[i].len);
	entries_wrap(der, 0);
	return 0;
}

void rawlog_copy(struct rawlog *r, struct memgate *g) {
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;
	struct der run, rest;
	struct entry en;
	uint64_t next;

	*r = (struct rawlog){.id = g->id, .now_s = g->now_s};
	r->transport = (struct mirror_transport){.arg = r, .head = give_head, .entries = give_entries};
	must(ledger_entries(g->ledger, 0, SIZE_MAX, &der, &next, &e), &e);
	must(entries_open(der.data, der.len, &run, &e), &e);
	while (run.len > 0) {
		rest = run;
		must(entry_take(&run, &en, &e), &e);
		const struct buf one = {.data = (uint8_t *)(uintptr_t)rest.p, .len = rest.len - run.len};
		rawlog_add(r, &one);
	}
}

void rawlog_wipe(struct rawlog *r) {
	while (r->n > 0)
		rawlog_drop(r, r->n - 1);
}
