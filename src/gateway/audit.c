/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "pki/ossl.h"

/* Bodies of entries (record.h), each behind its length. */
struct queue {
	struct buf bytes;
	size_t n;
	int64_t newest_s;
};

struct audit {
	struct state *state;
	char *group;
	struct tree tree;      /* committed */
	struct tree next;      /* with what was written since */
	uint8_t root[32];      /* of tree */
	struct queue lasting, fleeting;
	int64_t newest_s;      /* time of tree's last entry, 0: none */
	uint64_t signed_size, next_signed;
	int64_t signed_ms, next_signed_ms;
	struct buf text;       /* of the committed head; empty: to be made */
};

struct nodes {
	struct audit *a;
	struct err *e;
};

static int get_node(void *arg, uint64_t leaf, unsigned level, uint8_t out[static 32]) {
	const struct nodes *n = arg;

	return state_audit_node(n->a->state, leaf, level, out, n->e);
}

static int root_at(struct audit *a, uint64_t size, uint8_t root[static 32], struct err *e) {
	struct nodes nodes = { a, e };
	struct tree t;

	if (tree_load(&t, size, get_node, &nodes) != 0)
		return e->code;
	tree_root(&t, root);
	return 0;
}

static void forget(struct queue *q) {
	buf_clear(&q->bytes);
	q->n = 0;
}

static void take_tree(struct audit *a, const struct tree *t) {
	a->tree = a->next = *t;
	tree_root(&a->tree, a->root);
	buf_clear(&a->text);
}

int audit_reload(struct audit *a, struct err *e) {
	OWN(buf_wipe) struct buf newest = { 0 };
	struct nodes nodes = { a, e };
	struct record last;
	uint8_t root[32];
	struct tree t;
	uint64_t size;

	if (state_audit_size(a->state, &size, &newest, e) != 0)
		return e->code;
	if (size < a->tree.size)
		return err_set(e, ERR_DAMAGED, "audit log: %" PRIu64 " entries, but it had %" PRIu64, size, a->tree.size);
	if (root_at(a, a->tree.size, root, e) != 0 || tree_load(&t, size, get_node, &nodes) != 0)
		return e->code;
	if (memcmp(root, a->root, sizeof root) != 0)
		return err_set(e, ERR_DAMAGED, "audit log: its first %" PRIu64 " entries are not what they were", a->tree.size);
	take_tree(a, &t);
	a->newest_s = record_parse(newest.data, newest.len, &last, NULL) == 0 ? last.time_s : 0;
	return 0;
}

int audit_open(struct audit **out, struct state *s, const char *group, struct err *e) {
	struct audit *a = xcalloc(1, sizeof *a);

	a->state = s;
	a->group = xstrdup(group);
	a->signed_ms = INT64_MIN / 2;
	tree_root(&a->tree, a->root);
	if (audit_reload(a, e) != 0) {
		audit_close(a);
		return e->code;
	}
	*out = a;
	return 0;
}

void audit_close(struct audit *a) {
	if (a == NULL)
		return;
	buf_wipe(&a->lasting.bytes);
	buf_wipe(&a->fleeting.bytes);
	buf_wipe(&a->text);
	free(a->group);
	free(a);
}

struct check {
	struct audit *a;
	const struct chain *chain;
};

static int check_head(void *arg, uint64_t size, const uint8_t *der, size_t len, struct err *e) {
	const struct check *c = arg;
	const struct head_check want = { .chain = c->chain, .audit = true, .when_signed = true };
	OWN(own_x509) X509 *signer = NULL;
	uint8_t root[32];
	struct head h;

	if (head_open(der, len, &want, &h, &signer, e) != 0)
		return err_add(e, "audit log: its newest signed head");
	if (h.size != size || h.size > c->a->tree.size)
		return err_set(e, ERR_DAMAGED, "audit log: it has %" PRIu64 " entries, but %" PRIu64 " were signed", c->a->tree.size, h.size);
	if (root_at(c->a, h.size, root, e) != 0)
		return e->code;
	if (memcmp(root, h.root, sizeof root) != 0)
		return err_set(e, ERR_DAMAGED, "audit log: its first %" PRIu64 " entries are not the signed ones", h.size);
	c->a->signed_size = c->a->next_signed = h.size;
	return 0;
}

int audit_check(struct audit *a, const struct chain *chain, struct err *e) {
	struct check c = { a, chain };

	return state_audit_heads(a->state, true, check_head, &c, e);
}

void audit_add(struct audit *a, const struct record *r, bool lasting) {
	struct queue *q = lasting ? &a->lasting : &a->fleeting;
	OWN(buf_wipe) struct buf body = { 0 };
	uint32_t len;

	record_print_body(r, &body);
	len = (uint32_t)body.len;
	buf_add(&q->bytes, &len, sizeof len);
	buf_add(&q->bytes, body.data, body.len);
	q->newest_s = r->time_s;
	q->n++;
}

/* Of what waits, in the order in which it is written; the committed one where nothing does. */
static int64_t newest_s(const struct audit *a) {
	if (a->fleeting.n > 0)
		return a->fleeting.newest_s;
	return a->lasting.n > 0 ? a->lasting.newest_s : a->newest_s;
}

void audit_keep(struct audit *a) {
	buf_add(&a->lasting.bytes, a->fleeting.bytes.data, a->fleeting.bytes.len);
	a->lasting.n += a->fleeting.n;
	a->lasting.newest_s = newest_s(a);
	forget(&a->fleeting);
}

bool audit_has_to_be_written(const struct audit *a) {
	return a->fleeting.n > 0;
}

size_t audit_waiting(const struct audit *a) {
	return a->lasting.n + a->fleeting.n;
}

static int write_one(struct audit *a, const uint8_t *body, size_t len, struct err *e) {
	struct state_audit_row row = { .n = a->next.size };
	uint8_t leaf[32], done[TREE_HEIGHT_MAX][32];
	OWN(buf_wipe) struct buf entry = { 0 };

	record_print_as(row.n, body, len, &entry);
	tree_leaf(entry.data, entry.len, leaf);
	row.entry = entry.data;
	row.entry_len = entry.len;
	row.nodes = done[0];
	row.nodes_len = (size_t)tree_add(&a->next, leaf, done) * 32;
	return state_audit_add(a->state, &row, e);
}

static int write_queue(struct audit *a, const struct queue *q, struct err *e) {
	const uint8_t *at = q->bytes.data;
	uint32_t len;

	for (size_t i = 0; i < q->n; i++, at += len) {
		memcpy(&len, at, sizeof len);
		at += sizeof len;
		if (write_one(a, at, len, e) != 0)
			return e->code;
	}
	return 0;
}

static void head_of(const struct audit *a, const struct tree *t, struct head *h) {
	*h = (struct head){ .audit = true, .size = t->size };
	record_set(h->group, sizeof h->group, a->group);
	tree_root(t, h->root);
}

static int write_head(struct audit *a, const struct head_sign *by, struct err *e) {
	OWN(buf_wipe) struct buf der = { 0 };
	struct head h;

	head_of(a, &a->next, &h);
	if (head_sign(&h, by, &der, e) != 0 || state_audit_head_put(a->state, h.size, by->now_s, der.data, der.len, e) != 0)
		return err_add(e, "audit log");
	a->next_signed = h.size;
	a->next_signed_ms = clock_mono_ms();
	return 0;
}

int audit_write(struct audit *a, const struct head_sign *by, bool sign, struct err *e) {
	bool due = sign || clock_mono_ms() - a->signed_ms >= AUDIT_SIGN_MS;

	a->next = a->tree;
	a->next_signed = a->signed_size;
	a->next_signed_ms = a->signed_ms;
	if (write_queue(a, &a->lasting, e) != 0 || write_queue(a, &a->fleeting, e) != 0)
		return err_add(e, "audit log");
	return by != NULL && due && a->next.size > a->signed_size ? write_head(a, by, e) : 0;
}

bool audit_is_due(const struct audit *a) {
	return a->tree.size > a->signed_size && clock_mono_ms() - a->signed_ms >= AUDIT_SIGN_MS;
}

void audit_committed(struct audit *a) {
	const struct tree t = a->next;

	if (t.size != a->tree.size)
		take_tree(a, &t);
	a->signed_size = a->next_signed;
	a->signed_ms = a->next_signed_ms;
	a->newest_s = newest_s(a);
	forget(&a->lasting);
	forget(&a->fleeting);
}

void audit_undone(struct audit *a) {
	a->next = a->tree;
	forget(&a->fleeting);
}

void audit_head(const struct audit *a, struct head *h) {
	head_of(a, &a->tree, h);
}

uint64_t audit_size(const struct audit *a) {
	return a->tree.size;
}

int64_t audit_newest_s(const struct audit *a) {
	return a->newest_s;
}

uint64_t audit_signed(const struct audit *a) {
	return a->signed_size;
}

const char *audit_head_text(struct audit *a) {
	struct head h;

	if (a->text.len == 0) {
		audit_head(a, &h);
		head_print(&h, &a->text);
	}
	return buf_str(&a->text);
}

int audit_prove(struct audit *a, uint64_t old, uint64_t size, uint8_t path[static PROOF_MAX][32], size_t *n, struct err *e) {
	struct nodes nodes = { a, e };

	if (size > a->tree.size || old > size)
		return err_set(e, ERR_NOTFOUND, "audit log: it has %" PRIu64 " entries", a->tree.size);
	return proof_make(old, size, get_node, &nodes, path, n);
}
