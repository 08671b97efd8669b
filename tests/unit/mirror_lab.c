/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/mirror_lab.h"

#include <check.h>
#include <string.h>

#include "base/own.h"
#include "lib/tmp.h"

struct mirror_lab lab;

struct mirror *open_mirror(const char *name, const X509 *own) {
	struct mirror *m;

	ck_assert_msg(mirror_open(&m, tmp_path(name), lab.f.chain, own, &lab.e) == 0, "%s", lab.e.text);
	return m;
}

void mirror_lab_set_up(void) {
	tmp_make();
	fixture_init(&lab.f);
	fixture_member(&lab.f, "carol", &lab.carol);
	fixture_issue(&lab.f.ca, ROLE_GATEWAY, "gw", NULL, lab.f.now_s - 300, lab.f.now_s + 90 * (int64_t)FIXTURE_DAY_S,
	    &lab.gateway2);
	memgate_init(&lab.g, &lab.f, tmp_path("gateway.db"));
	lab.alice = open_mirror("alice.db", lab.f.alice.cert);
	lab.bob = open_mirror("bob.db", lab.f.bob.cert);
}

void mirror_lab_tear_down(void) {
	mirror_close(lab.alice);
	mirror_close(lab.bob);
	memgate_wipe(&lab.g);
	fixture_id_wipe(&lab.carol);
	fixture_id_wipe(&lab.gateway2);
	fixture_wipe(&lab.f);
	tmp_drop();
}

void sync_ok(struct mirror *m) {
	ck_assert_msg(mirror_sync(m, &lab.g.transport, lab.g.crl, lab.g.now_s, &lab.e) == 0, "%s", lab.e.text);
}

/* Draws up a change as the mirror stands. */
void draft(struct mirror *m, enum event_op op, const char *path, const char *to, struct memgate_step *s) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	if (op != EVENT_PUT)
		ck_assert_msg(ledger_find(mirror_ledger(m), path, &file, &lab.e) == 0, "%s: %s", path, lab.e.text);
	memgate_step(&lab.g, op, to, op != EVENT_PUT ? &file : NULL, s);
}

void change_ok(struct mirror *m, const struct fixture_id *who, enum event_op op, const char *path, const char *to) {
	struct memgate_step s;

	sync_ok(m);
	draft(m, op, path, to, &s);
	ck_assert_msg(memgate_change(&lab.g, m, who, &s.c, NULL, &lab.e) == 0, "%s", lab.e.text);
}

void must_find(struct mirror *m, const char *path, struct ledger_file *file) {
	ck_assert_msg(ledger_find(mirror_ledger(m), path, file, &lab.e) == 0, "%s: %s", path, lab.e.text);
}

void roots_are_equal(struct ledger *a, struct ledger *b) {
	struct head x, y;

	ledger_head(a, &x);
	ledger_head(b, &y);
	ck_assert_uint_eq(x.size, y.size);
	ck_assert_mem_eq(x.root, y.root, 32);
}

static int count_evidence(void *arg, const struct mirror_evidence *ev, struct err *err) {
	(void)err;
	(*(size_t *)arg)++;
	ck_assert_str_ne(ev->reason, "");
	ck_assert_int_eq(ev->at_s, lab.g.now_s);
	ck_assert_uint_gt(ev->head_len, 0);
	return 0;
}

size_t evidence_count(struct mirror *m) {
	size_t n = 0;

	ck_assert_int_eq(mirror_evidence(m, count_evidence, &n, &lab.e), 0);
	return n;
}
