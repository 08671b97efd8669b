/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/ledger_lab.h"

#include <check.h>
#include <string.h>

#include "base/own.h"
#include "lib/tmp.h"
#include "pki/signed.h"

struct lab lab;

void lab_set_up(void) {
	tmp_make();
	fixture_init(&lab.f);
	fixture_member(&lab.f, "carol", &lab.carol);
	fixture_issue(&lab.f.ca, ROLE_GATEWAY, "gw", NULL, lab.f.now_s - 300, lab.f.now_s + 90 * (int64_t)FIXTURE_DAY_S,
	    &lab.gateway2);
	memgate_init(&lab.g, &lab.f, tmp_path("gateway.db"));
	memgate_member(&lab.g, lab.f.alice.cert);
	memgate_member(&lab.g, lab.f.bob.cert);
}

void lab_tear_down(void) {
	memgate_wipe(&lab.g);
	fixture_id_wipe(&lab.carol);
	fixture_id_wipe(&lab.gateway2);
	fixture_wipe(&lab.f);
	tmp_drop();
}

void draft_wipe(struct draft *d) {
	buf_wipe(&d->serials);
}

void draft_rename(struct draft *d, const char *path) {
	d->path = path;
	d->salted = true;
	memset(d->salt, 9, sizeof d->salt);
	path_hash(path, strlen(path), d->salt, d->ev.name);
}

void draft_sees(struct event *ev) {
	ev->seen = ledger_size(lab.g.ledger);
	ck_assert_int_eq(ledger_root(lab.g.ledger, ev->seen, ev->seen_root, &lab.e), 0);
}

/* The step's own ids and digests, and what every op takes over from the file as it stands. */
static void draw(struct draft *d, enum event_op op, const struct ledger_file *file) {
	struct memgate_step s;

	memgate_step(&lab.g, op, NULL, op == EVENT_PUT ? NULL : file, &s);
	d->ev = (struct event){.group = "lab", .op = op, .version = file->version, .base = file->base,
	    .object_size = 1000, .content_size = file->content_size, .time_s = lab.f.now_s};
	memcpy(d->ev.file, s.file, sizeof s.file);
	memcpy(d->ev.object, s.object, sizeof s.object);
	memcpy(d->ev.object_sha256, s.digest, sizeof s.digest);
	memcpy(d->ev.content_sha256, file->content_sha256, sizeof file->content_sha256);
	memcpy(d->ev.key_id, s.key_id, sizeof s.key_id);
	memcpy(d->ev.name, file->name, sizeof file->name);
}

static void new_content(struct draft *d) {
	d->ev.version++;
	d->ev.content_size = 500;
	memcpy(d->ev.content_sha256, d->ev.object_sha256, sizeof d->ev.content_sha256);
}

static void same_object(struct draft *d, const struct ledger_file *file) {
	memcpy(d->ev.object, file->object, sizeof file->object);
	memcpy(d->ev.object_sha256, file->object_sha256, sizeof file->object_sha256);
	memcpy(d->ev.key_id, file->key_id, sizeof file->key_id);
	d->ev.object_size = file->object_size;
}

void draft_file(struct draft *d, enum event_op op, const char *path, const char *to) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	*d = (struct draft){.by = &lab.f.alice, .how = {LEDGER_POST, lab.f.alice.cert, lab.f.now_s}};
	if (op != EVENT_PUT)
		ck_assert_msg(ledger_find(lab.g.ledger, path, &file, &lab.e) == 0, "%s: %s", path, lab.e.text);
	draw(d, op, &file);
	if (op == EVENT_PUT || op == EVENT_REPLACE)
		new_content(d);
	if (op == EVENT_RENAME || op == EVENT_REMOVE)
		same_object(d, &file);
	if (op == EVENT_PUT || op == EVENT_RENAME)
		draft_rename(d, to);
	draft_sees(&d->ev);
}

void draft_own(struct draft *d, enum event_op op) {
	*d = (struct draft){.by = &lab.f.gateway, .how = {LEDGER_OWN, NULL, 0}};
	d->ev = (struct event){.group = "lab", .op = op, .time_s = lab.f.now_s};
	draft_sees(&d->ev);
}

void draft_print(struct draft *d, struct buf *entry) {
	const struct signed_make m = {.key = d->by->key, .cert = d->by->cert, .by_ski = !d->with_cert,
	    .nonce = d->with_nonce ? (const uint8_t *)"12345678" : NULL, .nonce_len = d->with_nonce ? 8 : 0,
	    .time_s = d->signing_time_s != 0 ? d->signing_time_s : d->ev.time_s};
	OWN(buf_wipe) struct buf text = {0}, der = {0}, cert = {0};
	struct entry en = {0};

	event_print(&d->ev, &text);
	ck_assert_msg(signed_make(&m, text.data, text.len, &der, &lab.e) == 0, "%s", lab.e.text);
	en.event = der.data;
	en.event_len = der.len;
	if (d->salted) {
		en.salt = d->salt;
		en.path = d->path;
		en.path_len = strlen(d->path);
	}
	if (d->brought != NULL) {
		ck_assert_int_eq(cert_der(d->brought, &cert, &lab.e), 0);
		en.cert = cert.data;
		en.cert_len = cert.len;
	}
	if (d->raw != NULL) {
		en.cert = d->raw->data;
		en.cert_len = d->raw->len;
	}
	if (d->revokes) {
		(void)buf_room(&d->serials, 1);
		en.revoked = d->serials.data;
		en.revoked_len = d->serials.len;
	}
	entry_print(&en, entry);
}

int draft_append(struct draft *d, struct ledger_result *r) {
	OWN(buf_wipe) struct buf entry = {0};

	draft_print(d, &entry);
	return memgate_append(&lab.g, &entry, &d->how, r, &lab.e);
}

void draft_append_ok(struct draft *d) {
	ck_assert_msg(draft_append(d, NULL) == 0, "%s", lab.e.text);
}

void file_ok(enum event_op op, const char *path, const char *to) {
	OWN(draft_wipe) struct draft d;

	draft_file(&d, op, path, to);
	draft_append_ok(&d);
}

void some_files(void) {
	file_ok(EVENT_PUT, NULL, "dir/old");
	file_ok(EVENT_PUT, NULL, "other");
	file_ok(EVENT_PUT, NULL, "third/a/b");
}
