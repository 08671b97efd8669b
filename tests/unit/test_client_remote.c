/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that are taken up again, and objects that only their owners may destroy: on a folder that behaves like a drive behind a network. It
 * stands in for store/gdrive.c. */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "client/destroy.h"
#include "client/download.h"
#include "client/groupfile.h"
#include "client/growing.h"
#include "client/names.h"
#include "client/rekey.h"
#include "client/spool.h"
#include "client/upload.h"
#include "client/verify.h"
#include "client_gate.h"
#include "envelope/ticket.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/cert.h"

#define CHUNK 200000
#define OBJECTS_MAX 32

static struct {
	unsigned sends, resumed;  /* seen so far; with a token */
	unsigned break_sends;     /* so many end in the middle */
	bool rotate;              /* the next one meets a new epoch */
	unsigned gets, destroyed;
	unsigned waits;           /* for files that were not whole yet */
	bool refuse;              /* the next one, at once */
	struct buf last;          /* the bytes of the last one */
	struct {
		char id[STORE_ID_LEN + 1], owner[32];
	} object[OBJECTS_MAX];
	size_t n;
} drive;

struct account {
	void *folder;
	char name[32];
};

static int remote_open(void **state, const char *where, const struct store_env *env, struct err *e) {
	struct account *a = xcalloc(1, sizeof(*a));
	const char *slash = strrchr(env->dir, '/');
	int r = store_directory.open(&a->folder, tmp_path("drive"), env, e);

	(void)where;
	ck_assert_int_eq(r, 0);
	(void)snprintf(a->name, sizeof(a->name), "%s@example.org", slash + 1);
	*state = a;
	return 0;
}

static void remote_close(void *state) {
	struct account *a = state;

	store_directory.close(a->folder);
	free(a);
}

static void own(const struct account *a, const char *id) {
	ck_assert_uint_lt(drive.n, OBJECTS_MAX);
	memcpy(drive.object[drive.n].id, id, STORE_ID_LEN + 1);
	memcpy(drive.object[drive.n++].owner, a->name, sizeof(a->name));
}

static int remote_put_open(void *state, const char *id, bool fresh, void **put, struct err *e) {
	const struct account *a = state;

	own(a, id);
	return store_directory.put_open(a->folder, id, fresh, put, e);
}

static int remote_put_write(void *put, const void *data, size_t len, struct err *e) {
	return store_directory.put_write(put, data, len, e);
}

static int remote_put_commit(void *put, struct err *e) {
	return store_directory.put_commit(put, e);
}

static void remote_put_free(void *put) {
	store_directory.put_free(put);
}

static int remote_stat(void *state, const char *id, struct store_stat *st, struct err *e) {
	return store_directory.stat(((struct account *)state)->folder, id, st, e);
}

static int remote_get(void *state, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	drive.gets++;
	return store_directory.get(((struct account *)state)->folder, id, off, data, len, got, e);
}

static int remote_list(
    void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	return store_directory.list(((struct account *)state)->folder, f, arg, e);
}

static const char *owner_of(const char *id) {
	for (size_t i = 0; i < drive.n; i++)
		if (strcmp(drive.object[i].id, id) == 0)
			return drive.object[i].owner;
	return "";
}

static int remote_destroy(void *state, const char *id, struct err *e) {
	const struct account *a = state;
	struct store_stat st;

	if (store_directory.stat(a->folder, id, &st, NULL) != 0)
		return 0;
	if (strcmp(owner_of(id), a->name) != 0)
		return err_set(e, ERR_REFUSED, "object %s is another's", id);
	drive.destroyed++;
	return store_directory.destroy(a->folder, id, e);
}

static int remote_owner(void *state, const char *id, char owner[static STORE_OWNER_MAX], struct err *e) {
	(void)state;
	(void)e;
	(void)snprintf(owner, STORE_OWNER_MAX, "%s", owner_of(id));
	return 0;
}

static uint64_t remote_chunk(void *state) {
	(void)state;
	return CHUNK;
}

static int copy_all(const struct account *a, const char *id, const struct store_send *how, struct err *e) {
	OWN(own_free) uint8_t *data = xmalloc((size_t)how->size);
	void *put = NULL;
	size_t got;
	int r = file_pread_full(how->fd, data, (size_t)how->size, 0, &got, "spool", e);

	ck_assert(r == 0 && got == how->size);
	buf_wipe(&drive.last);
	buf_add(&drive.last, data, got);
	own(a, id);
	if ((r = store_directory.put_open(a->folder, id, false, &put, e)) != 0)
		return r;
	if ((r = store_directory.put_write(put, data, got, e)) == 0)
		r = store_directory.put_commit(put, e);
	store_directory.put_free(put);
	return r;
}

/* What the one record in this member's spool begins with. */
static bool is_recorded_as(const struct account *a, const char *kind) {
	OWN(own_free) char *pattern = xasprintf("%s/%.*s/spool/*.rec", tmp_path("."), (int)strcspn(a->name, "@"), a->name);
	OWN(buf_wipe) struct buf text = {0};
	struct err e = ERR_INIT;
	glob_t found;

	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	ck_assert_uint_eq(found.gl_pathc, 1);
	ck_assert_int_eq(file_load(found.gl_pathv[0], SPOOL_RECORD_MAX, &text, &e), 0);
	globfree(&found);
	return strncmp(buf_str(&text), kind, strlen(kind)) == 0;
}

/* First for what is sealed already, as a drive that takes it piece by piece. Nothing of the manifest may be sent before the next run would know. */
static int wait_for_all(const struct account *a, const struct store_send *how, struct err *e) {
	struct stat st;
	int r = how->wait(how->arg, how->size / 2, e);

	if (r != 0)
		return r;
	ck_assert_int_eq(fstat(how->fd, &st), 0);
	ck_assert_uint_ge((uint64_t)st.st_size, how->size / 2);
	drive.waits++;
	if ((r = how->wait(how->arg, how->size - 1, e)) != 0)
		return r;
	ck_assert(is_recorded_as(a, "scg-spool 1\n"));
	return how->wait(how->arg, how->size, e);
}

static int remote_send(void *state, const char *id, const struct store_send *how, struct err *e) {
	int r = how->keep(how->arg, "a session", e);

	drive.sends++;
	if (how->token != NULL) {
		ck_assert_str_eq(how->token, "a session");
		drive.resumed++;
	}
	if (r != 0)
		return r;
	if (drive.rotate) {
		drive.rotate = false;
		gate_rotate();
	}
	if (drive.refuse) {
		drive.refuse = false;
		return err_set(e, ERR_FAIL, "the drive is full");
	}
	if (drive.break_sends > 0) {
		drive.break_sends--;
		return err_set(e, ERR_UNREACHABLE, "the connection broke");
	}
	if (how->wait != NULL && (r = wait_for_all(state, how, e)) != 0)
		return r;
	how->progress(how->arg, how->size);
	return copy_all(state, id, how, e);
}

const struct store_kind store_gdrive = {
	.name = "gdrive",
	.remote = true,
	.open = remote_open,
	.close = remote_close,
	.put_open = remote_put_open,
	.put_write = remote_put_write,
	.put_commit = remote_put_commit,
	.put_free = remote_put_free,
	.stat = remote_stat,
	.get = remote_get,
	.list = remote_list,
	.destroy = remote_destroy,
	.owner = remote_owner,
	.chunk = remote_chunk,
	.send = remote_send,
};

/* --- */

static void use_drive(const char *who) {
	OWN(own_free) char *conf = xasprintf("%s/scg.conf", tmp_path(who));
	OWN(buf_wipe) struct buf text = {0};
	struct err e = ERR_INIT;

	settings_print(GATE_URL, &text);
	buf_adds(&text, "store = { type = \"gdrive\"; folder = \"X\"; };\n");
	ck_assert_int_eq(file_save(conf, text.data, text.len, 0600, &e), 0);
}

static void teardown(void) {
	buf_wipe(&drive.last);
	gate_teardown();
}

static void setup(void) {
	memset(&drive, 0, sizeof(drive));
	gate_setup();
	use_drive("alice");
	use_drive("bob");
}

/* Longer than a chunk. */
static void write_doc(char letter) {
	static char text[250000];

	memset(text, letter, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	gate_file("doc", text);
}

static int try_upload(const char *who, struct err *e) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char *operand = (char *)(uintptr_t)tmp_path("doc");
	struct upload_job job = { .files = &names, .workers = 1 };

	gate_session(who, &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, NULL, false, e), 0);
	return upload(&s, &job, e);
}

static void uploads(const char *who) {
	struct err e = ERR_INIT;

	ck_assert_msg(try_upload(who, &e) == 0, "%s", e.text);
}

static void fails(const char *who, int code) {
	struct err e = ERR_INIT;

	ck_assert_msg(try_upload(who, &e) == code, "%s", e.text);
}

static void reads(const char *who, char letter) {
	OWN(session_wipe) struct session s = {0};
	OWN(buf_wipe) struct buf got = {0};
	char name[] = "doc", *operand = name;
	struct download_job job = { .names = &operand, .n = 1, .out = tmp_path("got"), .workers = 1 };
	struct err e = ERR_INIT;

	gate_session(who, &s);
	ck_assert_msg(download(&s, &job, &e) == 0, "%s", e.text);
	ck_assert_int_eq(file_load(tmp_path("got"), 1000000, &got, &e), 0);
	ck_assert_uint_eq(got.len, 249999);
	ck_assert_int_eq(got.data[0], letter);
	ck_assert_int_eq(got.data[249998], letter);
}

/* The record that an upload of alice's left, or false. */
static bool left(struct spool_record *rec) {
	OWN(session_wipe) struct session s = {0};
	OWN(own_free) char *dir = spool_dir(tmp_path("alice"), NULL);
	OWN(spool_close) struct spool sp = SPOOL_INIT;
	struct err e = ERR_INIT;
	const uint8_t *ski;
	bool kept;
	size_t len;

	gate_session("alice", &s);
	ski = cert_ski(s.me.cert, &len);
	ck_assert_int_eq(spool_open(&sp, dir, "lab", ski, "doc", &e), 0);
	kept = sp.kept;
	if (kept) {
		*rec = sp.record;
		sp.record = (struct spool_record){0};
	}
	return kept;
}

static void leaves_nothing(void) {
	OWN(spool_record_wipe) struct spool_record rec = {0};

	ck_assert(!left(&rec));
}

static void find(struct ledger_file *f) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	gate_session("bob", &s);
	ck_assert_msg(groupfile_find(&s, "doc", f, &e) == 0, "%s", e.text);
}

START_TEST(what_is_longer_than_a_chunk_is_sent_from_the_spool) {
	write_doc('a');
	uploads("alice");
	ck_assert_uint_eq(drive.sends, 1);
	ck_assert_uint_eq(drive.resumed, 0);
	reads("bob", 'a');
	leaves_nothing();
	write_doc('b');
	uploads("alice");
	reads("bob", 'b');
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(what_is_short_goes_straight) {
	gate_file("doc", "short");
	uploads("alice");
	ck_assert_uint_eq(drive.sends, 0);
	ck_assert_uint_eq(drive.n, 1);
}
END_TEST

START_TEST(a_broken_upload_goes_on_with_the_same_object) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	write_doc('a');
	drive.break_sends = 2;
	fails("alice", ERR_UNREACHABLE);
	ck_assert(left(&rec));
	ck_assert_str_eq(rec.token, "a session");
	ck_assert(!rec.sent);
	ck_assert_uint_eq(gate.posts, 0);
	fails("alice", ERR_UNREACHABLE);
	uploads("alice");
	ck_assert_uint_eq(drive.resumed, 2);
	find(&f);
	ck_assert_str_eq(f.object, rec.object);
	reads("bob", 'a');
	leaves_nothing();
}
END_TEST

START_TEST(a_changed_file_or_base_is_sealed_anew) {
	OWN(spool_record_wipe) struct spool_record first = {0}, second = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	write_doc('a');
	drive.break_sends = 1;
	fails("alice", ERR_UNREACHABLE);
	ck_assert(left(&first));
	write_doc('b');
	drive.break_sends = 1;
	fails("alice", ERR_UNREACHABLE);
	ck_assert(left(&second));
	ck_assert_str_ne(first.object, second.object);
	/* a file of that name came to the group meanwhile */
	uploads("bob");
	fails("alice", ERR_CONFLICT);
	find(&f);
	ck_assert_str_eq(f.author, "bob");
	ck_assert_uint_eq(drive.resumed, 0);
	leaves_nothing();
}
END_TEST

START_TEST(under_a_new_epoch_it_is_sealed_anew) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	write_doc('a');
	drive.break_sends = 1;
	fails("alice", ERR_UNREACHABLE);
	ck_assert(left(&rec));
	gate_rotate();
	uploads("alice");
	ck_assert_uint_eq(drive.resumed, 0);
	find(&f);
	ck_assert_str_ne(f.object, rec.object);
	ck_assert_mem_eq(f.key_id, gate.keys.v[0].key_id, KEY_ID_LEN);
	reads("bob", 'a');
}
END_TEST

START_TEST(an_epoch_that_changes_while_it_is_sent_leaves_one_object) {
	write_doc('a');
	drive.rotate = true;
	uploads("alice");
	ck_assert_uint_eq(drive.sends, 2);
	ck_assert_uint_eq(gate_objects(), 1);
	reads("bob", 'a');
	leaves_nothing();
}
END_TEST

/* The drive has it all, the gateway has not taken the event. */
START_TEST(what_was_sent_is_not_sent_again) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	write_doc('a');
	gate.lose_requests = 100;
	fails("alice", ERR_UNREACHABLE);
	ck_assert(left(&rec));
	ck_assert(rec.sent);
	ck_assert_uint_eq(gate_objects(), 1);
	gate.lose_requests = 0;
	uploads("alice");
	ck_assert_uint_eq(drive.sends, 1);
	find(&f);
	ck_assert_str_eq(f.object, rec.object);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void copy_file(const char *from, const char *to) {
	OWN(buf_wipe) struct buf data = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_load(from, 1000000, &data, &e), 0);
	ck_assert_int_eq(file_save(to, data.data, data.len, 0600, &e), 0);
}

/* Killed between the event and the removal of the record: as if the spool were never cleared. */
START_TEST(what_the_ledger_has_is_only_cleared_away) {
	OWN(own_free) char *dir = spool_dir(tmp_path("alice"), NULL);
	OWN(own_free) char *data = NULL, *record = NULL;
	unsigned posts;

	write_doc('a');
	drive.break_sends = 1;
	fails("alice", ERR_UNREACHABLE);
	{
		OWN(session_wipe) struct session s = {0};
		OWN(spool_close) struct spool sp = SPOOL_INIT;
		struct err e = ERR_INIT;
		size_t len;

		gate_session("alice", &s);
		ck_assert_int_eq(spool_open(&sp, dir, "lab", cert_ski(s.me.cert, &len), "doc", &e), 0);
		data = xasprintf("%s/%s.cms", dir, sp.stem);
		record = xasprintf("%s/%s.rec", dir, sp.stem);
	}
	copy_file(data, tmp_path("data"));
	copy_file(record, tmp_path("record"));
	uploads("alice");
	posts = gate.posts;
	copy_file(tmp_path("data"), data);
	copy_file(tmp_path("record"), record);
	uploads("alice");
	ck_assert_uint_eq(gate.posts, posts);
	ck_assert_uint_eq(drive.sends, 2);
	ck_assert_uint_eq(gate_objects(), 1);
	leaves_nothing();
	/* but another content is another upload */
	copy_file(tmp_path("data"), data);
	copy_file(tmp_path("record"), record);
	write_doc('c');
	uploads("alice");
	ck_assert_uint_eq(gate.posts, posts + 1);
	reads("bob", 'c');
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void put_in_the_way(void *arg) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char *operand = (char *)(uintptr_t)gate_file("inner", "short");
	struct upload_job job = { .files = &names, .workers = 1 };
	struct err e = ERR_INIT;

	(void)arg;
	gate_session("bob", &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, "doc", false, &e), 0);
	ck_assert_msg(upload(&s, &job, &e) == 0, "%s", e.text);
}

/* A folder of that name came to the group meanwhile. */
START_TEST(a_refused_event_leaves_neither_object_nor_spool) {
	write_doc('a');
	gate.before_post = put_in_the_way;
	fails("alice", ERR_CONFLICT);
	ck_assert_uint_eq(gate_objects(), 1);
	leaves_nothing();
}
END_TEST

/* Sealed by a key that is not alice's, or other bytes: a record cannot make us sign them. */
START_TEST(a_spool_that_was_changed_is_not_sent) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(own_free) char *dir = spool_dir(tmp_path("alice"), NULL);
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct err e = ERR_INIT;

	write_doc('a');
	drive.break_sends = 1;
	fails("alice", ERR_UNREACHABLE);
	{
		OWN(session_wipe) struct session s = {0};
		OWN(spool_close) struct spool sp = SPOOL_INIT;
		size_t len;
		uint8_t byte;

		gate_session("alice", &s);
		ck_assert_int_eq(spool_open(&sp, dir, "lab", cert_ski(s.me.cert, &len), "doc", &e), 0);
		ck_assert_int_eq(pread(sp.fd, &byte, 1, 1000), 1);
		byte ^= 1;
		ck_assert_int_eq(pwrite(sp.fd, &byte, 1, 1000), 1);
	}
	ck_assert(left(&rec));
	uploads("alice");
	ck_assert_uint_eq(drive.resumed, 0);
	find(&f);
	ck_assert_str_ne(f.object, rec.object);
	reads("bob", 'a');
}
END_TEST

#define LONG_BYTES ((off_t)80 << 20) /* sent before it is sealed to its end */

static void write_long(void) {
	gate_file("doc", "x");
	ck_assert_int_eq(truncate(tmp_path("doc"), LONG_BYTES), 0);
}

START_TEST(what_is_there_is_given_before_the_end_and_nothing_after_a_failure) {
	struct err why = ERR_INIT, e = ERR_INIT;
	struct growing g;

	growing_init(&g);
	ck_assert(growing_add(&g, GROWING_AHEAD));
	ck_assert_int_eq(growing_wait(&g, 1, false, &e), 0);
	ck_assert_int_eq(growing_wait(&g, GROWING_AHEAD, false, &e), 0);
	growing_end(&g, err_set(&why, ERR_FAIL, "it was changed"), &why);
	ck_assert_int_eq(growing_wait(&g, 1, false, &e), ERR_FAIL);
	ck_assert_str_eq(e.text, "it was changed");
	ck_assert_int_eq(growing_wait(&g, GROWING_AHEAD + 1, true, &e), ERR_FAIL);
	growing_wipe(&g);
}
END_TEST

START_TEST(what_is_short_is_given_when_it_is_whole_and_nobody_works_for_who_has_left) {
	struct err none = ERR_INIT, e = ERR_INIT;
	struct growing g;

	growing_init(&g);
	ck_assert(growing_add(&g, 100));
	growing_end(&g, 0, &none);
	ck_assert_int_eq(growing_wait(&g, 50, false, &e), 0);
	ck_assert_int_eq(growing_wait(&g, 100, true, &e), 0);
	ck_assert(!growing_is_stopped(&g));
	growing_stop(&g);
	ck_assert(!growing_add(&g, 1));
	ck_assert(growing_is_stopped(&g));
	growing_wipe(&g);
}
END_TEST

START_TEST(what_is_sealed_is_sent_before_the_rest_is) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	write_long();
	uploads("alice");
	ck_assert_uint_eq(drive.waits, 1);
	find(&f);
	ck_assert_uint_eq(f.content_size, (uint64_t)LONG_BYTES);
	ck_assert_uint_eq(gate_objects(), 1);
	leaves_nothing();
}
END_TEST

/* The disk is full behind what goes out already. */
START_TEST(what_is_not_sealed_to_its_end_never_gets_a_name) {
	struct rlimit limit = { ((rlim_t)LONG_BYTES / 4096 - 1000) * 4096, RLIM_INFINITY };
	struct err e = ERR_INIT;

	write_long();
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(try_upload("alice", &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "-spool-dir"));
	ck_assert_uint_eq(drive.sends, 1);
	ck_assert_uint_eq(gate_objects(), 0);
	ck_assert_uint_eq(gate.posts, 0);
	leaves_nothing();
}
END_TEST

START_TEST(a_refusal_ends_the_sealing_too) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct err e = ERR_INIT;

	write_long();
	drive.refuse = true;
	ck_assert_int_eq(try_upload("alice", &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "the drive is full"));
	ck_assert_uint_eq(gate.posts, 0);
	ck_assert(left(&rec)); /* sealed to its end or not: it goes on from there */
	uploads("alice");
	ck_assert_uint_eq(drive.resumed, 1);
	find(&f);
	ck_assert_str_eq(f.object, rec.object);
	ck_assert_uint_eq(gate_objects(), 1);
	leaves_nothing();
}
END_TEST

/* --- ended while it is sealed --- */

#define THREE_SEGMENTS ((off_t)9 << 20)

/* A sealing that was ended: what an upload left that had sealed to its end, cut. */
static struct {
	struct buf whole;             /* the spool before it was cut */
	struct object_file file;      /* its key and nonces */
	uint64_t body;
	char object[OBJECT_ID_LEN + 1];
} ended;

static void open_spool(struct spool *sp) {
	OWN(session_wipe) struct session s = {0};
	OWN(own_free) char *dir = spool_dir(tmp_path("alice"), NULL);
	struct err e = ERR_INIT;
	size_t len;

	gate_session("alice", &s);
	ck_assert_msg(spool_open(sp, dir, "lab", cert_ski(s.me.cert, &len), "doc", &e) == 0, "%s", e.text);
}

static void parse_head(const struct buf *object, struct object_file *file) {
	struct object first;
	size_t header_len;
	struct err e = ERR_INIT;

	ck_assert_msg(object_parse(object->data, object->len, file, &first, &header_len, &e) == 0, "%s", e.text);
}

static void make_ticket(struct spool_record *rec) {
	OWN(content_wipe) struct content c = {0};
	uint8_t purpose[32];
	struct err e = ERR_INIT;

	ck_assert_int_eq(content_unwrap(&c, &ended.file, &gate.keys, &e), 0);
	spool_record_purpose(rec, purpose);
	ck_assert_int_eq(ticket_make(&c, &gate.keys.v[0], purpose, rec->ticket, &e), 0);
}

/* before, after: what is changed of the record before its ticket is made, or after. */
static void end_it(void (*before)(struct spool_record *), void (*after)(struct spool_record *)) {
	OWN(spool_close) struct spool sp = SPOOL_INIT;
	struct err e = ERR_INIT;

	drive.break_sends = 1;
	fails("alice", ERR_UNREACHABLE);
	open_spool(&sp);
	ck_assert(sp.kept && !sp.record.sealing);
	buf_wipe(&ended.whole);
	ck_assert_int_eq(lseek(sp.fd, 0, SEEK_SET), 0);
	(void)buf_room(&ended.whole, (size_t)sp.record.object_size);
	ck_assert_int_eq(pread(sp.fd, ended.whole.data, (size_t)sp.record.object_size, 0), (ssize_t)sp.record.object_size);
	ended.whole.len = (size_t)sp.record.object_size;
	parse_head(&ended.whole, &ended.file);
	ended.body = envelope_body_size(sp.record.local.size);
	memcpy(ended.object, sp.record.object, sizeof(ended.object));
	sp.record.sealing = true;
	ck_assert(spool_place(&sp, &sp.record.place));
	if (before != NULL)
		before(&sp.record);
	make_ticket(&sp.record);
	if (after != NULL)
		after(&sp.record);
	ck_assert_msg(spool_keep(&sp, &e) == 0, "%s", e.text);
}

/* So much of it is there. */
static void cut_at(uint64_t len) {
	OWN(spool_close) struct spool sp = SPOOL_INIT;

	open_spool(&sp);
	ck_assert(sp.kept && sp.record.sealing);
	ck_assert_int_eq(ftruncate(sp.fd, (off_t)len), 0);
}

static void flip_at(uint64_t off) {
	OWN(spool_close) struct spool sp = SPOOL_INIT;
	uint8_t byte;

	open_spool(&sp);
	ck_assert_int_eq(pread(sp.fd, &byte, 1, (off_t)off), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(sp.fd, &byte, 1, (off_t)off), 1);
}

/* The same object; and what was there, and may have been sent, was not made again otherwise. */
static void goes_on(bool manifest_too) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	unsigned resumed = drive.resumed;

	uploads("alice");
	ck_assert_uint_eq(drive.resumed, resumed + 1);
	find(&f);
	ck_assert_str_eq(f.object, ended.object);
	ck_assert_uint_eq(drive.last.len, ended.whole.len);
	ck_assert_int_eq(memcmp(drive.last.data, ended.whole.data, (size_t)ended.body), 0);
	ck_assert(manifest_too == (memcmp(drive.last.data, ended.whole.data, ended.whole.len) == 0));
	ck_assert_uint_eq(gate_objects(), 1);
	leaves_nothing();
}

static void begins_anew(void) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct object_file file;

	uploads("alice");
	find(&f);
	ck_assert_str_ne(f.object, ended.object);
	parse_head(&drive.last, &file);
	ck_assert(memcmp(file.wrapped, ended.file.wrapped, sizeof(file.wrapped)) != 0);
	ck_assert(memcmp(file.prefix, ended.file.prefix, sizeof(file.prefix)) != 0);
	ck_assert_uint_eq(gate_objects(), 1);
	leaves_nothing();
}

START_TEST(what_was_ended_while_it_was_sealed_goes_on_as_the_same_object) {
	const uint64_t body = envelope_body_size(249999), cuts[] = { 0, 100, 5000, body };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		write_doc((char)('a' + i));
		end_it(NULL, NULL);
		ck_assert_uint_eq(ended.body, body);
		cut_at(cuts[i]);
		goes_on(false);
		reads("bob", (char)('a' + i));
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(of_many_segments_too_at_any_of_them) {
	const uint64_t body = envelope_body_size(THREE_SEGMENTS), segment = envelope_body_size((uint64_t)THREE_SEGMENTS + SEGMENT_LEN) - body,
		       last = envelope_body_size(1 << 20), note = body - 2 * segment - last, cuts[] = { note, note + 1, note + segment, body - last - 1 };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		gate_file("doc", "x");
		ck_assert_int_eq(truncate(tmp_path("doc"), THREE_SEGMENTS), 0);
		end_it(NULL, NULL);
		cut_at(cuts[i]);
		goes_on(false);
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(ended_again_and_again_it_still_goes_on) {
	write_doc('a');
	end_it(NULL, NULL);
	cut_at(1000);
	for (unsigned i = 1; i < 4; i++) {
		OWN(spool_record_wipe) struct spool_record rec = {0};

		drive.refuse = true;
		fails("alice", ERR_FAIL);
		ck_assert(left(&rec));
		ck_assert_str_eq(rec.object, ended.object);
		ck_assert_uint_eq(drive.resumed, i);
	}
	uploads("alice");
	ck_assert_uint_eq(drive.resumed, 4);
	ck_assert_int_eq(memcmp(drive.last.data, ended.whole.data, (size_t)ended.body), 0);
	reads("bob", 'a');
	buf_wipe(&ended.whole);
}
END_TEST

/* Its manifest is signed already, and no signature is made twice. */
START_TEST(what_was_sealed_to_its_end_and_not_recorded_as_that_is_sent_as_it_is) {
	write_doc('a');
	end_it(NULL, NULL);
	goes_on(true);
	reads("bob", 'a');
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(part_of_a_manifest_is_never_made_again) {
	const uint64_t body = envelope_body_size(249999);

	for (unsigned i = 0; i < 3; i++) {
		write_doc((char)('a' + i));
		end_it(NULL, NULL);
		if (i < 2)
			cut_at(i == 0 ? body + 1 : ended.whole.len - 1);
		else
			flip_at(ended.whole.len - 1);
		begins_anew();
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(a_spool_that_differs_anywhere_is_sealed_anew_under_another_key) {
	const uint64_t body = envelope_body_size(249999), at[] = { 0, 60, 5000, body - 1 };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		write_doc((char)('a' + i));
		end_it(NULL, NULL);
		cut_at(body);
		flip_at(at[i]);
		begins_anew();
		reads("bob", (char)('a' + i));
	}
	buf_wipe(&ended.whole);
}
END_TEST

static void other_boot(struct spool_record *rec) {
	rec->place.boot[0] ^= 1;
}

static void other_file_of_the_spool(struct spool_record *rec) {
	rec->place.ino++;
}

static void other_folder(struct spool_record *rec) {
	rec->place.dev++;
}

static void other_local(struct spool_record *rec) {
	rec->local.ctime_ns ^= 1;
}

static void other_object(struct spool_record *rec) {
	rec->object[0] = rec->object[0] == 'a' ? 'b' : 'a';
}

static void other_put(struct spool_record *rec) {
	rec->put_id[0] ^= 1;
	rec->file_id[0] ^= 1;
}

static void other_ticket(struct spool_record *rec) {
	rec->ticket[ENVELOPE_TICKET_LEN - 1] ^= 1;
}

START_TEST(a_key_serves_only_where_its_bytes_were_left) {
	static void (*const change[])(struct spool_record *) = { other_boot, other_file_of_the_spool, other_folder, other_local };

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		write_doc((char)('a' + i));
		end_it(change[i], NULL);
		begins_anew();
	}
	buf_wipe(&ended.whole);
}
END_TEST

/* Whoever holds the spool's folder, and not the group's key, cannot say which file a key is for. */
START_TEST(a_record_that_was_edited_brings_no_key) {
	static void (*const change[])(struct spool_record *) = { other_put, other_object, other_ticket };

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		write_doc((char)('a' + i));
		end_it(NULL, change[i]);
		cut_at(1000);
		begins_anew();
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(a_key_of_an_older_epoch_is_not_taken_again) {
	write_doc('a');
	end_it(NULL, NULL);
	cut_at(1000);
	gate_rotate();
	begins_anew();
	buf_wipe(&ended.whole);
}
END_TEST

static void as_it_is_now(struct spool_record *rec) {
	struct stat st;

	write_doc('b');
	ck_assert_int_eq(stat(tmp_path("doc"), &st), 0);
	spool_local_take(&st, &rec->local);
}

/* As if neither time of it had moved. */
START_TEST(a_file_that_changed_unseen_is_sealed_anew_under_another_key) {
	write_doc('a');
	end_it(as_it_is_now, NULL);
	cut_at(envelope_body_size(249999) - 1);
	begins_anew();
	reads("bob", 'b');
	buf_wipe(&ended.whole);
}
END_TEST

/* --- owners --- */

START_TEST(what_is_anothers_is_counted_by_its_owner_and_worked_off_by_him) {
	OWN(session_wipe) struct session bob = {0}, alice = {0};
	OWN(rekey_report_wipe) struct rekey_report report = {0};
	OWN(verify_report_wipe) struct verify_report before = {0}, after = {0};
	struct verify_job job = { .old = true };
	struct err e = ERR_INIT;

	write_doc('a');
	uploads("alice");
	gate_rotate();
	gate_session("bob", &bob);
	ck_assert_msg(rekey(&bob, false, &report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, 1);
	ck_assert_uint_eq(report.left, 1);
	ck_assert_uint_eq(report.destroyed, 0);
	ck_assert_uint_eq(report.owners.n, 1);
	ck_assert_str_eq(report.owners.v[0].name, "alice@example.org");
	ck_assert_uint_eq(report.owners.v[0].n, 1);
	ck_assert_int_eq(verify(&bob, &job, &before, &e), ERR_FAIL);
	ck_assert_uint_eq(before.old, 1);
	ck_assert_uint_eq(before.n, 1);
	ck_assert_str_eq(before.v[0].owner, "alice@example.org");
	/* bob's own work has nothing to do with it */
	destroy_own(&bob);
	ck_assert_uint_eq(gate_objects(), 2);
	gate_session("alice", &alice);
	destroy_own(&alice);
	ck_assert_uint_eq(gate_objects(), 1);
	ck_assert_uint_eq(drive.destroyed, 1);
	destroy_own(&alice);
	ck_assert_msg(verify(&bob, &job, &after, &e) == 0, "%s", e.text);
	reads("alice", 'a');
}
END_TEST

int main(void) {
	TCase *t = tcase_create("remote");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_longer_than_a_chunk_is_sent_from_the_spool);
	tcase_add_test(t, what_is_short_goes_straight);
	tcase_add_test(t, a_broken_upload_goes_on_with_the_same_object);
	tcase_add_test(t, a_changed_file_or_base_is_sealed_anew);
	tcase_add_test(t, under_a_new_epoch_it_is_sealed_anew);
	tcase_add_test(t, an_epoch_that_changes_while_it_is_sent_leaves_one_object);
	tcase_add_test(t, what_was_sent_is_not_sent_again);
	tcase_add_test(t, what_the_ledger_has_is_only_cleared_away);
	tcase_add_test(t, a_refused_event_leaves_neither_object_nor_spool);
	tcase_add_test(t, a_spool_that_was_changed_is_not_sent);
	tcase_add_test(t, what_is_there_is_given_before_the_end_and_nothing_after_a_failure);
	tcase_add_test(t, what_is_short_is_given_when_it_is_whole_and_nobody_works_for_who_has_left);
	tcase_add_test(t, what_is_sealed_is_sent_before_the_rest_is);
	tcase_add_test(t, what_is_not_sealed_to_its_end_never_gets_a_name);
	tcase_add_test(t, a_refusal_ends_the_sealing_too);
	tcase_add_test(t, what_was_ended_while_it_was_sealed_goes_on_as_the_same_object);
	tcase_add_test(t, of_many_segments_too_at_any_of_them);
	tcase_add_test(t, ended_again_and_again_it_still_goes_on);
	tcase_add_test(t, what_was_sealed_to_its_end_and_not_recorded_as_that_is_sent_as_it_is);
	tcase_add_test(t, part_of_a_manifest_is_never_made_again);
	tcase_add_test(t, a_spool_that_differs_anywhere_is_sealed_anew_under_another_key);
	tcase_add_test(t, a_key_serves_only_where_its_bytes_were_left);
	tcase_add_test(t, a_record_that_was_edited_brings_no_key);
	tcase_add_test(t, a_key_of_an_older_epoch_is_not_taken_again);
	tcase_add_test(t, a_file_that_changed_unseen_is_sealed_anew_under_another_key);
	tcase_add_test(t, what_is_anothers_is_counted_by_its_owner_and_worked_off_by_him);
	return suite_run("client/remote", t);
}
