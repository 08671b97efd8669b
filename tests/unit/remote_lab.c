/* SPDX-License-Identifier: Apache-2.0 */
#include "remote_lab.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "client/download.h"
#include "client/groupfile.h"
#include "client/names.h"
#include "client/spool.h"
#include "client/upload.h"
#include "client_gate.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/cert.h"
#include "pki/ossl.h"

#define CHUNK 200000

struct remote remote;

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
	ck_assert_uint_lt(remote.n, REMOTE_OBJECTS_MAX);
	memcpy(remote.object[remote.n].id, id, STORE_ID_LEN + 1);
	memcpy(remote.object[remote.n++].owner, a->name, sizeof(a->name));
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
	remote.gets++;
	return store_directory.get(((struct account *)state)->folder, id, off, data, len, got, e);
}

static int remote_prefer(void *state, const char *id, const uint8_t sha256[static 32], struct err *e) {
	OWN(own_free) char *path = xasprintf("%s/%.2s/%s.cms", tmp_path("drive"), id, id);
	OWN(buf_wipe) struct buf twin = {0};
	uint8_t digest[SHA256_LEN];

	(void)state;
	if (remote.twin == NULL)
		return err_set(e, ERR_NOTFOUND, "one file of this name");
	ck_assert_int_eq(file_load(remote.twin, 1000000, &twin, e), 0);
	ossl_sha256(twin.data, twin.len, digest);
	ck_assert_mem_eq(digest, sha256, sizeof(digest));
	ck_assert_int_eq(rename(remote.twin, path), 0);
	remote.twin = NULL;
	return 0;
}

static int remote_list(
    void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	return store_directory.list(((struct account *)state)->folder, f, arg, e);
}

static const char *owner_of(const char *id) {
	for (size_t i = 0; i < remote.n; i++)
		if (strcmp(remote.object[i].id, id) == 0)
			return remote.object[i].owner;
	return "";
}

static int remote_destroy(void *state, const char *id, struct err *e) {
	const struct account *a = state;
	struct store_stat st;

	if (store_directory.stat(a->folder, id, &st, NULL) != 0)
		return 0;
	if (strcmp(owner_of(id), a->name) != 0)
		return err_set(e, ERR_REFUSED, "object %s is another's", id);
	remote.destroyed++;
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
	buf_wipe(&remote.last);
	buf_add(&remote.last, data, got);
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
	remote.waits++;
	if ((r = how->wait(how->arg, how->size - 1, e)) != 0)
		return r;
	ck_assert(is_recorded_as(a, "scg-spool 1\n"));
	return how->wait(how->arg, how->size, e);
}

static int remote_send(void *state, const char *id, const struct store_send *how, struct err *e) {
	int r = how->keep(how->arg, "a session", e);

	remote.sends++;
	if (how->token != NULL) {
		ck_assert_str_eq(how->token, "a session");
		remote.resumed++;
	}
	if (r != 0)
		return r;
	if (remote.rotate) {
		remote.rotate = false;
		gate_rotate();
	}
	if (remote.refuse) {
		remote.refuse = false;
		return err_set(e, ERR_FAIL, "the drive is full");
	}
	if (remote.break_sends > 0) {
		remote.break_sends--;
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
	.prefer = remote_prefer,
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

void remote_teardown(void) {
	buf_wipe(&remote.last);
	gate_teardown();
}

void remote_setup(void) {
	memset(&remote, 0, sizeof(remote));
	gate_setup();
	use_drive("alice");
	use_drive("bob");
}

void remote_doc(char letter) {
	static char text[250000];

	memset(text, letter, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	gate_file("doc", text);
}

int remote_try(const char *who, struct err *e) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char *operand = (char *)(uintptr_t)tmp_path("doc");
	struct upload_job job = { .files = &names, .workers = 1 };

	gate_session(who, &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, NULL, false, e), 0);
	return upload(&s, &job, e);
}

void remote_uploads(const char *who) {
	struct err e = ERR_INIT;

	ck_assert_msg(remote_try(who, &e) == 0, "%s", e.text);
}

void remote_fails(const char *who, int code) {
	struct err e = ERR_INIT;

	ck_assert_msg(remote_try(who, &e) == code, "%s", e.text);
}

void remote_reads(const char *who, char letter) {
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

/* The record that an upload of alice's remote_left, or false. */
bool remote_left(struct spool_record *rec) {
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

void remote_leaves_nothing(void) {
	OWN(spool_record_wipe) struct spool_record rec = {0};

	ck_assert(!remote_left(&rec));
}

void remote_find(struct ledger_file *f) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	gate_session("bob", &s);
	ck_assert_msg(groupfile_find(&s, "doc", f, &e) == 0, "%s", e.text);
}
