/* SPDX-License-Identifier: Apache-2.0 */
/* upload, download, list, rename, remove: the group's files. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "client/change.h"
#include "client/commands.h"
#include "client/download.h"
#include "client/groupfile.h"
#include "client/names.h"
#include "client/note.h"
#include "client/print.h"
#include "client/range.h"
#include "client/session.h"
#include "client/upload.h"

int cmd_upload(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names files = {0};
	int r = names_collect(&files, operands->v, operands->n, p->to, p->recursive, e);

	if (r != 0 || (r = commands_drive(&s, p, e)) != 0)
		return r;
	if (files.n == 0)
		note("no files there: nothing was uploaded");
	struct upload_job job = {
		.files = &files,
		.replace = p->replace,
		.workers = (unsigned)p->workers,
		.threads = (unsigned)p->threads,
		.spool_dir = p->spool_dir,
		.no_spool = p->no_spool,
	};
	return upload(&s, &job, e);
}

int cmd_download(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	struct envelope_range range = {0};
	struct download_job job = {
		.names = operands->v,
		.n = (size_t)operands->n,
		.out = p->out,
		.recursive = p->recursive,
		.workers = (unsigned)p->workers,
		.threads = (unsigned)p->threads,
		.range = p->range != NULL ? &range : NULL,
	};
	int r = p->range != NULL ? range_parse(p->range, &range, e) : 0;

	if (r == 0)
		r = commands_drive(&s, p, e);
	if (r == 0 && p->out != NULL && strcmp(p->out, "-") != 0)
		r = identity_check_out(s.me.dir, p->out, e);
	return r != 0 ? r : download(&s, &job, e);
}

struct list_run {
	struct ledger *l;
	json_t *doc; /* NULL: lines */
};

/* 0 where the ledger does not know the epoch, which cannot be. */
static uint64_t epoch_of(struct ledger *l, const uint8_t key_id[static KEY_ID_LEN]) {
	uint64_t number = 0;

	return ledger_epoch_number(l, key_id, &number, NULL) == 0 ? number : 0;
}

static void list_json(struct list_run *run, const struct ledger_file *f) {
	json_t *o = json_object();
	char id[37];

	text_uuid(f->file, id);
	(void)json_object_set_new(o, "name", print_text(f->path));
	(void)json_object_set_new(o, "size", print_u64(f->content_size));
	(void)json_object_set_new(o, "epoch", print_u64(epoch_of(run->l, f->key_id)));
	(void)json_object_set_new(o, "key_id", print_hex(f->key_id, KEY_ID_LEN));
	(void)json_object_set_new(o, "author", print_text(f->author));
	(void)json_object_set_new(o, "time", print_time(f->time_s));
	(void)json_object_set_new(o, "id", print_text(id));
	(void)json_object_set_new(o, "version", print_u64(f->version));
	(void)json_object_set_new(o, "object", print_text(f->object));
	(void)json_array_append_new(run->doc, o);
}

static void list_line(const struct ledger_file *f) {
	OWN(own_free) char *path = print_safe(f->path), *author = print_safe(f->author);
	char size[16], time[CLOCK_TEXT];

	text_size(f->content_size, size);
	clock_print(f->time_s, time);
	print_line("%10s  %s  %-12s  %s", size, time, author, path);
}

static int list_one(void *arg, const struct ledger_file *f, struct err *e) {
	struct list_run *run = arg;

	(void)e;
	if (run->doc != NULL)
		list_json(run, f);
	else
		list_line(f);
	return 0;
}

static int history_one(void *arg, const struct ledger_step *st, struct err *e) {
	struct list_run *run = arg;
	const struct event *ev = st->event;
	OWN(own_free) char *path = print_safe(st->path != NULL ? st->path : ""), *signer = print_safe(st->signer);
	char time[CLOCK_TEXT];

	(void)e;
	clock_print(ev->time_s, time);
	if (run->doc == NULL) {
		print_line("%8llu  %s  %-7s  version %llu  %-12s  %s", (unsigned long long)st->index, time,
		    event_op_name(ev->op), (unsigned long long)ev->version, signer, path);
		return 0;
	}
	json_t *o = json_object();
	(void)json_object_set_new(o, "index", print_u64(st->index));
	(void)json_object_set_new(o, "op", print_text(event_op_name(ev->op)));
	(void)json_object_set_new(o, "name", print_text(st->path));
	(void)json_object_set_new(o, "version", print_u64(ev->version));
	(void)json_object_set_new(o, "author", print_text(st->signer));
	(void)json_object_set_new(o, "time", print_time(ev->time_s));
	(void)json_object_set_new(o, "size", print_u64(ev->content_size));
	(void)json_object_set_new(o, "epoch", print_u64(epoch_of(run->l, ev->key_id)));
	(void)json_object_set_new(o, "object", print_text(ev->object));
	(void)json_array_append_new(run->doc, o);
	return 0;
}

static int history(struct session *s, const char *name, struct list_run *run, struct err *e) {
	OWN(own_free) char *path = NULL;
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	int r = groupfile_path(name, &path, e);

	if (r == 0)
		r = groupfile_find(s, path, &f, e);
	return r != 0 ? text_about(name, r, e) : ledger_history(run->l, f.file, history_one, run, e);
}

int cmd_list(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(own_json) json_t *doc = p->json ? json_array() : NULL;
	struct list_run run = { .doc = doc };
	int r = commands_session(&s, p, e);

	(void)operands;
	if (r != 0)
		return r;
	run.l = session_ledger(&s);
	r = p->history != NULL ? history(&s, p->history, &run, e) : ledger_each(run.l, NULL, list_one, &run, e);
	if (r != 0)
		return r;
	return p->json ? print_json(doc, e) : 0;
}

int cmd_rename(void *plan, const struct opt_operands *operands, struct err *e) {
	OWN(session_wipe) struct session s = {0};
	int r = commands_session(&s, plan, e);

	return r != 0 ? r : change_rename(&s, operands->v[0], operands->v[1], e);
}

int cmd_remove(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	int r = commands_drive(&s, p, e);

	return r != 0 ? r : change_remove(&s, operands->v, (size_t)operands->n, p->recursive, e);
}
