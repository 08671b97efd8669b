/* SPDX-License-Identifier: Apache-2.0 */
/* What a member's mirror does with an honest gateway, also in several processes at once. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "lib/rawlog.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "unit/mirror_lab.h"

/* --- an honest gateway --- */

START_TEST(what_one_member_does_another_sees) {
	OWN(ledger_file_wipe) struct ledger_file file = {0}, gone = {0};

	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "dir/a.txt");
	change_ok(lab.alice, &lab.f.alice, EVENT_REPLACE, "dir/a.txt", NULL);
	change_ok(lab.bob, &lab.f.bob, EVENT_RENAME, "dir/a.txt", "b.txt");
	change_ok(lab.bob, &lab.f.bob, EVENT_REKEY, "b.txt", NULL);
	sync_ok(lab.alice);
	must_find(lab.alice, "b.txt", &file);
	ck_assert_uint_eq(file.version, 2);
	ck_assert_str_eq(file.author, "alice");
	change_ok(lab.bob, &lab.f.bob, EVENT_REMOVE, "b.txt", NULL);
	memgate_revoke(&lab.g, lab.f.bob.cert);
	sync_ok(lab.alice);
	ck_assert_int_eq(ledger_find(mirror_ledger(lab.alice), "b.txt", &gone, &lab.e), ERR_NOTFOUND);
	roots_are_equal(mirror_ledger(lab.alice), lab.g.ledger);
} END_TEST

/* One entry a reply: each is verified while the one before it, which may bring its signer, is appended. Or some dozens. */
START_TEST(small_batches_come_to_the_same) {
	static const size_t sizes[] = {0, 1, 20000};
	char name[24];

	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof name, "file %d", i);
		change_ok(i < 30 ? lab.alice : lab.bob, i < 30 ? &lab.f.alice : &lab.f.bob, EVENT_PUT, NULL, name);
	}
	lab.g.batch_bytes = sizes[_i];
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	sync_ok(fresh);
	roots_are_equal(mirror_ledger(fresh), lab.g.ledger);
	ck_assert_msg(mirror_audit(fresh, NULL, &lab.e) == 0, "%s", lab.e.text);
	mirror_close(fresh);
} END_TEST

static struct mirror_object told[10];

static size_t mine(struct mirror *m, size_t max) {
	size_t n;

	ck_assert_msg(mirror_mine(m, max, told, &n, &lab.e) == 0, "%s", lab.e.text);
	return n;
}

static void object_of(struct mirror *m, const char *path, char object[static OBJECT_ID_LEN + 1]) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	must_find(m, path, &file);
	memcpy(object, file.object, OBJECT_ID_LEN + 1);
}

START_TEST(each_member_is_told_what_he_has_to_destroy) {
	char first[OBJECT_ID_LEN + 1], second[OBJECT_ID_LEN + 1], third[OBJECT_ID_LEN + 1];

	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "a");
	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "kept");
	sync_ok(lab.alice);
	object_of(lab.alice, "a", first);
	ck_assert_uint_eq(mine(lab.alice, 10), 0);
	/* whoever replaces it: who brought it is asked */
	change_ok(lab.bob, &lab.f.bob, EVENT_REKEY, "a", NULL);
	sync_ok(lab.alice);
	ck_assert_uint_eq(mine(lab.alice, 10), 1);
	ck_assert_str_eq(told[0].id, first);
	object_of(lab.alice, "a", second);
	change_ok(lab.alice, &lab.f.alice, EVENT_RENAME, "a", "b");
	change_ok(lab.alice, &lab.f.alice, EVENT_REPLACE, "b", NULL);
	sync_ok(lab.alice);
	sync_ok(lab.bob);
	object_of(lab.alice, "b", third);
	ck_assert_uint_eq(mine(lab.alice, 10), 1);
	ck_assert_uint_eq(mine(lab.bob, 10), 1);
	ck_assert_str_eq(told[0].id, second);
	change_ok(lab.bob, &lab.f.bob, EVENT_REMOVE, "b", NULL);
	sync_ok(lab.alice);
	ck_assert_uint_eq(mine(lab.alice, 10), 2);
	ck_assert_uint_eq(mine(lab.alice, 1), 1);
	/* what could not be destroyed waits behind the others */
	ck_assert_str_eq(told[0].id, first);
	ck_assert_int_eq(mirror_mine_tried(lab.alice, first, false, &lab.e), 0);
	ck_assert_uint_eq(mine(lab.alice, 1), 1);
	ck_assert_str_eq(told[0].id, third);
	ck_assert_int_eq(mirror_mine_tried(lab.alice, third, true, &lab.e), 0);
	ck_assert_uint_eq(mine(lab.alice, 10), 1);
	ck_assert_str_eq(told[0].id, first);
	ck_assert_int_eq(mirror_mine_tried(lab.alice, first, true, &lab.e), 0);
	ck_assert_uint_eq(mine(lab.alice, 10), 0);
} END_TEST

START_TEST(who_only_reads_has_nothing_to_destroy) {
	struct mirror *fresh = open_mirror("fresh.db", lab.carol.cert);

	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "a");
	change_ok(lab.alice, &lab.f.alice, EVENT_REMOVE, "a", NULL);
	ck_assert_uint_eq(mine(fresh, 10), 0);
	sync_ok(fresh);
	ck_assert_uint_eq(mine(fresh, 10), 0);
	mirror_close(fresh);
	fresh = open_mirror("none.db", NULL);
	sync_ok(fresh);
	ck_assert_uint_eq(mine(fresh, 10), 0);
	mirror_close(fresh);
} END_TEST

START_TEST(a_ledger_without_entries_is_a_ledger) {
	struct rawlog r = {0};
	struct head h;
	int64_t at_s;

	rawlog_copy(&r, &lab.g);
	while (r.n > 0)
		rawlog_drop(&r, 0);
	ck_assert_int_eq(mirror_head(lab.alice, &h, NULL, &at_s, &lab.e), ERR_NOTFOUND);
	ck_assert_msg(mirror_sync(lab.alice, &r.transport, NULL, lab.g.now_s, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_int_eq(mirror_head(lab.alice, &h, NULL, &at_s, &lab.e), 0);
	ck_assert_uint_eq(h.size, 0);
	ck_assert_int_eq(mirror_audit(lab.alice, NULL, &lab.e), 0);
	sync_ok(lab.alice);
	rawlog_wipe(&r);
} END_TEST

START_TEST(the_head_is_kept_with_its_time) {
	OWN(buf_wipe) struct buf der = {0};
	struct head h;
	int64_t at_s;

	sync_ok(lab.alice);
	ck_assert_msg(mirror_head(lab.alice, &h, &der, &at_s, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_int_eq(at_s, lab.g.now_s);
	ck_assert_uint_eq(h.size, ledger_size(lab.g.ledger));
	ck_assert_uint_gt(der.len, 500);
	lab.g.now_s += 10;
	sync_ok(lab.alice);
	ck_assert_int_eq(mirror_head(lab.alice, &h, NULL, &at_s, &lab.e), 0);
	ck_assert_int_eq(at_s, lab.g.now_s);
} END_TEST

static int collect(void *arg, const struct ledger_file *file, struct err *err) {
	(void)err;
	buf_addf(arg, "%s;", file->path);
	return strcmp(file->path, "stop") == 0 ? 7 : 0;
}

static void list_is(const char *prefix, int rc, const char *want) {
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_int_eq(ledger_each(mirror_ledger(lab.alice), prefix, collect, &b, &lab.e), rc);
	ck_assert_str_eq(buf_str(&b), want);
}

START_TEST(files_are_listed_in_order) {
	static const char *const names[] = {"b", "a/z", "a/b/c", "B2", "\xc3\xbc", "ab"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, names[i]);
	sync_ok(lab.alice);
	change_ok(lab.alice, &lab.f.alice, EVENT_REMOVE, "ab", NULL);
	sync_ok(lab.alice);
	list_is(NULL, 0, "B2;a/b/c;a/z;b;\xc3\xbc;");
	list_is("a/", 0, "a/b/c;a/z;");
	list_is("none/", 0, "");
	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "stop");
	sync_ok(lab.alice);
	list_is(NULL, 7, "B2;a/b/c;a/z;b;stop;");
} END_TEST

/* --- bases --- */

static uint64_t base_of(struct mirror *m, const char *path) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	uint64_t n;

	must_find(m, path, &file);
	if (mirror_base_get(m, file.file, &n, &lab.e) == ERR_NOTFOUND)
		return UINT64_MAX;
	return n;
}

START_TEST(what_a_member_uploaded_is_his_base) {
	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "a"); /* and is killed before he notes it */
	sync_ok(lab.alice);
	sync_ok(lab.bob);
	ck_assert_uint_eq(base_of(lab.alice, "a"), 3);
	ck_assert_uint_eq(base_of(lab.bob, "a"), UINT64_MAX);
	change_ok(lab.bob, &lab.f.bob, EVENT_REKEY, "a", NULL);
	change_ok(lab.bob, &lab.f.bob, EVENT_RENAME, "a", "b");
	sync_ok(lab.alice);
	ck_assert_uint_eq(base_of(lab.alice, "b"), 3);
	change_ok(lab.bob, &lab.f.bob, EVENT_REPLACE, "b", NULL);
	sync_ok(lab.alice);
	sync_ok(lab.bob);
	ck_assert_uint_eq(base_of(lab.alice, "b"), 3);
	ck_assert_uint_eq(base_of(lab.bob, "b"), 7);
} END_TEST

START_TEST(a_base_only_rises) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	change_ok(lab.bob, &lab.f.bob, EVENT_PUT, NULL, "a");
	sync_ok(lab.alice);
	must_find(lab.alice, "a", &file);
	ck_assert_int_eq(mirror_base_set(lab.alice, file.file, 5, &lab.e), 0);
	ck_assert_int_eq(mirror_base_set(lab.alice, file.file, 3, &lab.e), 0);
	ck_assert_uint_eq(base_of(lab.alice, "a"), 5);
} END_TEST

/* --- several processes --- */

#define ROUNDS 25

/* A command of a member, from start to end: own handles for all. 0, or the exit status of a failure. */
static int one_command(struct memgate *mine, const struct fixture_id *who, const char *db, const char *path) {
	struct mirror *m;
	struct memgate_step s;
	struct ledger_result r = {0};
	int rc;

	while ((rc = mirror_open(&m, db, lab.f.chain, who->cert, &lab.e)) == ERR_UNREACHABLE)
		continue;
	if (rc != 0)
		return rc;
	memgate_step(mine, EVENT_PUT, path, NULL, &s);
	do
		rc = path != NULL ? memgate_change(mine, m, who, &s.c, &r, &lab.e)
				  : mirror_sync(m, &mine->transport, mine->crl, mine->now_s, &lab.e);
	while (rc == ERR_UNREACHABLE || /* the others held the database for as long as one waits: try again */
	    (rc == ERR_CONFLICT && r.why == LEDGER_WHY_SEEN)); /* another command of the same member was faster: sign anew */
	mirror_close(m);
	return rc;
}

static void child(int id, const struct fixture_id *who, const char *db, bool writes) {
	struct memgate mine;
	char path[32];

	memgate_init(&mine, &lab.f, tmp_path("gateway.db"));
	if (db_run(mine.db, &lab.e, "PRAGMA busy_timeout = 3600000", "") != 0) /* a disk may be slower than a user is patient */
		_exit(1);
	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(path, sizeof path, "%d/%d", id, i);
		if (one_command(&mine, who, db, writes ? path : NULL) != 0) {
			fprintf(stderr, "process %d: %s\n", id, lab.e.text);
			_exit(1);
		}
	}
	memgate_wipe(&mine);
	_exit(0);
}

START_TEST(commands_at_once_raise_no_false_alarm) {
	const char *const dbs[] = {tmp_path("alice.db"), tmp_path("bob.db")};
	pid_t pids[5];
	int status;

	(void)tmp_path("gateway.db");
	memgate_member(&lab.g, lab.f.alice.cert);
	memgate_member(&lab.g, lab.f.bob.cert);
	for (int i = 0; i < 5; i++) {
		bool is_bob = i >= 3;

		if ((pids[i] = fork()) == 0)
			child(i, is_bob ? &lab.f.bob : &lab.f.alice, dbs[is_bob], i != 2);
	}
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	ck_assert_int_eq(ledger_reload(lab.g.ledger, &lab.e), 0);
	ck_assert_uint_eq(ledger_size(lab.g.ledger), 4 + 4 * ROUNDS);
	sync_ok(lab.alice);
	sync_ok(lab.bob);
	roots_are_equal(mirror_ledger(lab.alice), lab.g.ledger);
	ck_assert_uint_eq(evidence_count(lab.alice) + evidence_count(lab.bob), 0);
	ck_assert_int_eq(mirror_audit(lab.alice, NULL, &lab.e), 0);
} END_TEST

/* One process draws its nonce, another goes ahead before the answer is there. */
static struct mirror *other_process;

static int overtaken_head(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *err) {
	int rc = lab.g.transport.head(arg, nonce, nonce_len, der, err);

	change_ok(other_process, &lab.f.bob, EVENT_PUT, NULL, "later");
	sync_ok(other_process);
	return rc;
}

START_TEST(a_head_that_was_overtaken_is_no_rollback) {
	struct mirror_transport t = lab.g.transport;

	t.head = overtaken_head;
	sync_ok(lab.alice);
	other_process = open_mirror("alice.db", lab.f.alice.cert);
	ck_assert_msg(mirror_sync(lab.alice, &t, NULL, lab.g.now_s, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(evidence_count(lab.alice), 0);
	roots_are_equal(mirror_ledger(lab.alice), lab.g.ledger);
	mirror_close(other_process);
} END_TEST

/* The gateway's certificate is renewed and the old one revoked, and another process of the member has seen it, while a head is on
 * its way. */
static void renew_gateway(void) {
	lab.g.id = &lab.gateway2;
	memgate_member(&lab.g, lab.gateway2.cert);
	memgate_revoke(&lab.g, lab.f.gateway.cert);
	sync_ok(other_process);
}

static unsigned heads;

static int head_of_before(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *err) {
	int rc = lab.g.transport.head(arg, nonce, nonce_len, der, err);

	if (heads++ == 0)
		renew_gateway();
	return rc;
}

START_TEST(a_head_whose_signer_was_revoked_on_its_way_is_no_forgery) {
	struct mirror_transport t = lab.g.transport;

	t.head = head_of_before;
	sync_ok(lab.alice);
	other_process = open_mirror("alice.db", lab.f.alice.cert);
	ck_assert_msg(mirror_sync(lab.alice, &t, NULL, lab.g.now_s, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(heads, 2);
	ck_assert_uint_eq(evidence_count(lab.alice), 0);
	roots_are_equal(mirror_ledger(lab.alice), lab.g.ledger);
	mirror_close(other_process);
} END_TEST

/* A thief of the old key, who knows the ledger up to his revocation, signs whatever is asked. */
static int head_of_a_thief(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *err) {
	const struct head_sign by = {.key = lab.f.gateway.key, .cert = lab.f.gateway.cert, .nonce = nonce, .nonce_len = nonce_len, .now_s = lab.g.now_s};
	static struct head h;

	(void)arg;
	if (heads++ == 0)
		ledger_head(lab.g.ledger, &h);
	if (head_sign(&h, &by, der, err) != 0)
		return err->code;
	if (heads == 1)
		renew_gateway();
	return 0;
}

START_TEST(a_revoked_gateway_that_gives_such_heads_twice_is_found) {
	struct mirror_transport t = lab.g.transport;

	t.head = head_of_a_thief;
	sync_ok(lab.alice);
	other_process = open_mirror("alice.db", lab.f.alice.cert);
	ck_assert_int_eq(mirror_sync(lab.alice, &t, NULL, lab.g.now_s, &lab.e), ERR_DAMAGED);
	ck_assert_msg(strstr(lab.e.text, "rolled back") != NULL, "%s", lab.e.text);
	ck_assert_uint_eq(heads, 2);
	ck_assert_uint_eq(evidence_count(lab.alice), 1);
	mirror_close(other_process);
} END_TEST

/* --- what a machine does to processes --- */

static int killed_in_between(void *arg, uint64_t from, struct buf *der, struct err *err) {
	if (from > 5)
		(void)raise(SIGKILL);
	return lab.g.transport.entries(arg, from, der, err);
}

static void child_that_is_killed(void) {
	struct memgate mine; /* a handle of the database belongs to one process */
	struct mirror_transport t;
	struct mirror *m;

	memgate_init(&mine, &lab.f, tmp_path("gateway.db"));
	mine.batch_bytes = 1;
	t = mine.transport;
	t.entries = killed_in_between;
	m = open_mirror("bob.db", NULL);
	_exit(mirror_sync(m, &t, NULL, mine.now_s, &lab.e) == 0 ? 0 : 1);
}

START_TEST(a_sync_that_was_killed_is_done_again) {
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
	int status;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, names[i]);
	pid_t pid = fork();
	if (pid == 0)
		child_that_is_killed();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(ledger_reload(mirror_ledger(lab.bob), &lab.e), 0);
	ck_assert_uint_eq(ledger_size(mirror_ledger(lab.bob)), 0);
	sync_ok(lab.bob);
	ck_assert_msg(mirror_audit(lab.bob, NULL, &lab.e) == 0, "%s", lab.e.text);
} END_TEST

START_TEST(a_full_disk_leaves_the_mirror_as_it_was) {
	struct rlimit limit, old;
	int failed = 0;
	char name[24];

	sync_ok(lab.bob);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof name, "file %d", i);
		change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, name);
	}
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t kib = 100; kib < 240; kib += 20) { /* where it stops differs */
		limit = (struct rlimit){kib * 1024, old.rlim_max};
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		int rc = mirror_sync(lab.bob, &lab.g.transport, NULL, lab.g.now_s, &lab.e);
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
		if (rc == 0)
			break;
		ck_assert_msg(rc == ERR_FAIL, "%s", lab.e.text);
		failed++;
		ck_assert_uint_eq(ledger_size(mirror_ledger(lab.bob)), 2);
		ck_assert_uint_eq(evidence_count(lab.bob), 0);
	}
	ck_assert_int_gt(failed, 0);
	sync_ok(lab.bob);
	roots_are_equal(mirror_ledger(lab.bob), lab.g.ledger);
	ck_assert_msg(mirror_audit(lab.bob, NULL, &lab.e) == 0, "%s", lab.e.text);
} END_TEST

/* --- anything goes: the gateway, two mirrors and a naive model agree --- */

#define PATHS 10
#define STEPS 160

static const char *const paths[PATHS] = {"a", "A", "b", "a/b", "a/B", "a/b/c", "A/d", "dir/x", "DIR/x", "dir/x/y"};
static struct model { bool present; uint64_t version; } model[PATHS];
static uint32_t seed;

static uint32_t pick(uint32_t n) {
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % n;
}

/* By the words of the rule, comparing every pair of names. */
static bool collides(const char *a, const char *b) {
	OWN(own_free) char *x = NULL, *y = NULL;
	size_t n;

	ck_assert_int_eq(text_casefold(a, &x, &lab.e), 0);
	ck_assert_int_eq(text_casefold(b, &y, &lab.e), 0);
	n = strlen(x) < strlen(y) ? strlen(x) : strlen(y);
	return memcmp(x, y, n) == 0 && (strlen(x) == strlen(y) || x[n] == '/' || y[n] == '/');
}

static bool is_free(size_t at, size_t leaving) {
	for (size_t i = 0; i < PATHS; i++)
		if (model[i].present && i != leaving && collides(paths[at], paths[i]))
			return false;
	return true;
}

static bool model_step(enum event_op op, size_t from, size_t to) {
	if (op == EVENT_PUT || op == EVENT_RENAME) {
		uint64_t version = op == EVENT_PUT ? 1 : model[from].version;

		if (!is_free(to, op == EVENT_PUT ? PATHS : from))
			return false;
		if (op == EVENT_RENAME)
			model[from].present = false;
		model[to] = (struct model){true, version};
	}
	if (op == EVENT_REPLACE)
		model[from].version++;
	if (op == EVENT_REMOVE)
		model[from].present = false;
	return true;
}

static void random_step(void) {
	bool is_bob = pick(2) == 1;
	struct mirror *m = is_bob ? lab.bob : lab.alice;
	enum event_op op = (enum event_op)pick(5);
	size_t from = pick(PATHS), to = pick(PATHS);
	struct memgate_step s;
	int rc;

	if (pick(12) == 0)
		memgate_epoch(&lab.g);
	if (op != EVENT_PUT && !model[from].present)
		return;
	sync_ok(m);
	draft(m, op, paths[from], paths[to], &s);
	rc = memgate_change(&lab.g, m, is_bob ? &lab.f.bob : &lab.f.alice, &s.c, NULL, &lab.e);
	ck_assert_msg(rc == (model_step(op, from, to) ? 0 : ERR_CONFLICT), "%s %s %s: %s", event_op_name(op),
	    paths[from], paths[to], lab.e.text);
}

static void same_file(const struct ledger_file *a, const struct ledger_file *b) {
	struct ledger_file x = *a, y = *b;

	ck_assert_str_eq(x.path, y.path);
	x.path = y.path = NULL;
	ck_assert_mem_eq(&x, &y, sizeof x);
}

static void all_agree(void) {
	for (size_t i = 0; i < PATHS; i++) {
		OWN(ledger_file_wipe) struct ledger_file at_gate = {0}, at_alice = {0}, at_bob = {0};
		int want = model[i].present ? 0 : ERR_NOTFOUND;

		ck_assert_int_eq(ledger_find(lab.g.ledger, paths[i], &at_gate, &lab.e), want);
		ck_assert_int_eq(ledger_find(mirror_ledger(lab.alice), paths[i], &at_alice, &lab.e), want);
		ck_assert_int_eq(ledger_find(mirror_ledger(lab.bob), paths[i], &at_bob, &lab.e), want);
		if (want != 0)
			continue;
		same_file(&at_gate, &at_alice);
		same_file(&at_gate, &at_bob);
		ck_assert_uint_eq(at_gate.version, model[i].version);
	}
}

START_TEST(gateway_and_mirrors_agree_whatever_happens) {
	seed = (uint32_t)_i + 1;
	for (int i = 0; i < STEPS; i++) {
		random_step();
		if (i % 20 != 0)
			continue;
		sync_ok(lab.alice);
		sync_ok(lab.bob);
		all_agree();
	}
	ck_assert_msg(mirror_audit(lab.alice, NULL, &lab.e) == 0, "%s", lab.e.text);
} END_TEST

int main(void) {
	TCase *t = tcase_create("mirror");

	tcase_add_checked_fixture(t, mirror_lab_set_up, mirror_lab_tear_down);
	tcase_add_test(t, what_one_member_does_another_sees);
	tcase_add_test(t, each_member_is_told_what_he_has_to_destroy);
	tcase_add_test(t, who_only_reads_has_nothing_to_destroy);
	tcase_add_loop_test(t, small_batches_come_to_the_same, 0, 3);
	tcase_add_test(t, a_ledger_without_entries_is_a_ledger);
	tcase_add_test(t, the_head_is_kept_with_its_time);
	tcase_add_test(t, files_are_listed_in_order);
	tcase_add_test(t, what_a_member_uploaded_is_his_base);
	tcase_add_test(t, a_base_only_rises);
	tcase_add_test(t, commands_at_once_raise_no_false_alarm);
	tcase_add_test(t, a_head_that_was_overtaken_is_no_rollback);
	tcase_add_test(t, a_head_whose_signer_was_revoked_on_its_way_is_no_forgery);
	tcase_add_test(t, a_revoked_gateway_that_gives_such_heads_twice_is_found);
	tcase_add_test(t, a_sync_that_was_killed_is_done_again);
	tcase_add_test(t, a_full_disk_leaves_the_mirror_as_it_was);
	tcase_add_loop_test(t, gateway_and_mirrors_agree_whatever_happens, 0, 4);
	return suite_run("mirror", t);
}
