/* SPDX-License-Identifier: Apache-2.0 */
#include "client/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "client/groupfile.h"
#include "client/worker.h"
#include "envelope/io.h"

struct target {
	char *name; /* in the group */
	char *path; /* here */
};

struct targets {
	struct target *v;
	size_t n;
	bool replace;
};

static void targets_wipe(struct targets *t) {
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		free(t->v[i].path);
	}
	free(t->v);
}

static bool is_folder(const char *path) {
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *last_part(const char *name) {
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

static int with_name(const char *name, struct err *e) {
	OWN(buf_wipe) struct buf shown = {0};

	text_escape(name, strlen(name), &shown);
	return err_add(e, "%s", buf_str(&shown));
}

static int by_path(const void *a, const void *b) {
	const struct target *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int check_distinct(const struct targets *t, struct err *e) {
	qsort(t->v, t->n, sizeof(*t->v), by_path);
	for (size_t i = 1; i < t->n; i++) {
		if (strcmp(t->v[i - 1].path, t->v[i].path) != 0)
			continue;
		(void)err_set(e, ERR_USAGE, "would be written to the same file as another");
		return with_name(t->v[i].name, e);
	}
	return 0;
}

/* The names are checked as received ones are: nothing but a plain file name is put below the folder. */
static char *place(const struct download_job *job, bool folder, const char *name) {
	if (!folder)
		return xstrdup(job->out);
	return job->out == NULL ? xstrdup(last_part(name)) : file_join(job->out, last_part(name));
}

static int check_out(const char *out, size_t n, struct err *e) {
	struct stat st;

	if (n > 1)
		(void)err_set(e, ERR_USAGE, "is no folder, and there are %zu files", n);
	else if (stat(out, &st) == 0 && !S_ISREG(st.st_mode))
		(void)err_set(e, ERR_USAGE, "is no plain file");
	else
		return 0;
	return with_name(out, e);
}

static int plan(const struct download_job *job, struct targets *t, struct err *e) {
	bool folder = job->out == NULL || is_folder(job->out);
	int r;

	if (!folder && (r = check_out(job->out, job->n, e)) != 0)
		return r;
	t->v = xcalloc(job->n, sizeof(*t->v));
	t->replace = !folder;
	for (size_t i = 0; i < job->n; i++, t->n++) {
		if (groupfile_path(job->names[i], &t->v[i].name, e) != 0)
			return with_name(job->names[i], e);
		t->v[i].path = place(job, folder, t->v[i].name);
	}
	return check_distinct(t, e);
}

/* The file being written for one name. */
struct landing {
	const char *path;
	struct file_out file;
	struct io_fd io;
	struct sink sink;
};

static void landing_wipe(struct landing *l) {
	file_out_wipe(&l->file);
}

static int begin(void *arg, const struct ledger_file *f, const struct sink **out, struct err *e) {
	struct landing *l = arg;
	int r;

	(void)f;
	file_out_wipe(&l->file);
	if ((r = file_out_open(&l->file, l->path, 0666, e)) != 0)
		return r;
	l->io = (struct io_fd){ l->file.fd, l->path };
	if ((r = sink_fd(&l->io, &l->sink, e)) != 0)
		return r;
	*out = &l->sink;
	return 0;
}

static int note_base(struct session *s, const struct ledger_file *f, struct err *e) {
	int r;

	session_lock(s);
	r = mirror_base_set(s->mirror, f->file, f->content_index, e);
	session_unlock(s);
	return r;
}

static int download_one(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	const struct targets *t = arg;
	OWN(landing_wipe) struct landing l = { .path = t->v[i].path, .file = { .fd = -1 } };
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct groupfile_target target = { begin, &l };
	char size[16];
	int r;

	/* Asked before hours are spent on it; asked again, by the link, when it gets its name. */
	if (!t->replace && file_exists(l.path))
		return err_set(e, ERR_EXISTS, "is here already and is not overwritten");
	if ((r = groupfile_open_newest(w, t->v[i].name, &target, &f, e)) != 0)
		return r;
	if ((r = file_out_keep(&l.file, t->replace, e)) != 0 || (r = note_base(w->session, &f, e)) != 0)
		return r;
	text_size(f.content_size, size);
	(void)snprintf(result, WORKER_RESULT_MAX, "downloaded, %s", size);
	return 0;
}

static const char *name_of(void *arg, size_t i) {
	const struct targets *t = arg;

	return t->v[i].name;
}

static uint64_t total(struct session *s, const struct targets *t) {
	uint64_t bytes = 0;

	for (size_t i = 0; i < t->n; i++) {
		OWN(ledger_file_wipe) struct ledger_file f = {0};

		if (groupfile_find(s, t->v[i].name, &f, NULL) == 0)
			bytes += f.content_size;
	}
	return bytes;
}

int download(struct session *s, const struct download_job *job, struct err *e) {
	OWN(targets_wipe) struct targets t = {0};
	int r = plan(job, &t, e);

	if (r != 0)
		return r;
	struct worker_job run = {
	    .verb = "download", .bytes = total(s, &t), .workers = job->workers, .n = t.n, .arg = &t, .name = name_of, .f = download_one,
	};
	return worker_run(s, &run, NULL, e);
}
