/* SPDX-License-Identifier: Apache-2.0 */
#include "client/download.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "client/groupfile.h"
#include "client/output.h"
#include "client/range.h"
#include "client/worker.h"
#include "envelope/io.h"

struct target {
	char *name;  /* in the group */
	char *path;  /* here */
	bool nested; /* the folders in path behind base_len are ours to make; what stands before is the user's */
	size_t base_len;
};

struct targets {
	struct target *v;
	size_t n, cap;
	bool replace;
	bool stream;      /* to standard output, when it is verified: v[0].path is a nameless file's */
	const char *make; /* the folder of -out where it is not there yet, else NULL */
	const struct envelope_range *range;
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

static bool is_nothing(const char *path) {
	struct stat st;

	return lstat(path, &st) != 0 && errno == ENOENT;
}

static const char *last_part(const char *name) {
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

static int by_path(const void *a, const void *b) {
	const struct target *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int check_distinct(const struct targets *t, struct err *e) {
	if (t->n < 2)
		return 0;
	qsort(t->v, t->n, sizeof(*t->v), by_path);
	for (size_t i = 1; i < t->n; i++) {
		if (strcmp(t->v[i - 1].path, t->v[i].path) != 0)
			continue;
		return text_about(
		    t->v[i].name, err_set(e, ERR_USAGE, "would be written to the same file as another"), e);
	}
	return 0;
}

/* Names were checked as received ones are (path_check): what is put below the folder cannot climb out of it. */
static char *below(const char *out, const char *name) {
	return out == NULL ? xstrdup(name) : file_join(out, name);
}

/* Takes name and path over. */
static struct target *add(struct targets *t, char *name, char *path) {
	if (t->n == t->cap) {
		t->cap = t->cap > 0 ? 2 * t->cap : 16;
		t->v = xrealloc(t->v, t->cap, sizeof(*t->v));
	}
	t->v[t->n] = (struct target){ .name = name, .path = path };
	return &t->v[t->n++];
}

/* All files of one folder of the group. */
struct expansion {
	struct targets *t;
	const char *out;
	size_t skip; /* what stands before the folder's own name in its files' names */
};

static int add_inside(void *arg, const struct ledger_file *f, struct err *e) {
	const struct expansion *x = arg;
	struct target *t = add(x->t, xstrdup(f->path), below(x->out, f->path + x->skip));

	(void)e;
	t->nested = true;
	t->base_len = strlen(t->path) - strlen(f->path + x->skip);
	return 0;
}

static int add_folder(
    struct session *s, const struct download_job *job, const char *name, struct targets *t, struct err *e) {
	struct expansion x = { t, job->out, (size_t)(last_part(name) - name) };
	int r = groupfile_inside(s, name, add_inside, &x, e);

	if (r != 0)
		return r;
	return job->recursive ? 0 : err_set(e, ERR_USAGE, "is a folder (-r gets what is in it)");
}

static int check_out(const char *out, size_t n, struct err *e) {
	struct stat st;

	if (n > 1)
		return text_about(out, err_set(e, ERR_USAGE, "is no folder, and there are %zu files", n), e);
	if (stat(out, &st) == 0 && !S_ISREG(st.st_mode))
		return text_about(out, err_set(e, ERR_USAGE, "is no plain file"), e);
	return 0;
}

static int add_named(struct session *s, const struct download_job *job, bool folder, const char *given,
    struct targets *t, struct err *e) {
	OWN(own_free) char *name = NULL;
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	bool new = !folder && is_nothing(job->out);
	int r = groupfile_path(given, &name, e);

	if (r == 0 && (r = groupfile_find(s, name, &f, e)) == ERR_NOTFOUND) {
		t->make = new ? job->out : t->make;
		r = add_folder(s, job, name, t, e);
		return r != 0 || folder || new ? r : err_set(e, ERR_USAGE, "is a folder, and %s is none", job->out);
	}
	if (r != 0)
		return r;
	(void)add(t, name, folder ? below(job->out, last_part(name)) : xstrdup(job->out));
	name = NULL;
	return 0;
}

static int make_out(const struct targets *t, struct err *e) {
	if (t->make == NULL || mkdir(t->make, 0777) == 0)
		return 0;
	return err_sys(e, ERR_FAIL, "%s: cannot make the folder", t->make);
}

static int plan_stream(struct session *s, const struct download_job *job, struct targets *t, struct err *e) {
	OWN(own_free) char *name = NULL;
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	int r = job->n == 1 ? groupfile_path(job->names[0], &name, e)
			    : err_set(e, ERR_USAGE, "standard output takes one file, and there are %zu names", job->n);

	if (r == 0)
		r = groupfile_find(s, name, &f, e);
	if (r != 0)
		return text_about(job->names[0], r, e);
	t->range = job->range;
	t->replace = t->stream = true;
	(void)add(t, name, output_spool_path());
	name = NULL;
	return 0;
}

static int plan(struct session *s, const struct download_job *job, struct targets *t, struct err *e) {
	bool many = job->n > 1 && job->recursive && job->out != NULL && is_nothing(job->out);
	bool folder = job->out == NULL || is_folder(job->out) || many;
	int r;

	if (job->range != NULL && job->n > 1)
		return err_set(e, ERR_USAGE, "-range is of one file, and there are %zu names", job->n);
	if (!folder && (r = check_out(job->out, job->n, e)) != 0)
		return r;
	t->range = job->range;
	t->make = many ? job->out : NULL;
	for (size_t i = 0; i < job->n; i++)
		if ((r = add_named(s, job, folder, job->names[i], t, e)) != 0)
			return text_about(job->names[i], r, e);
	t->replace = !folder && t->make == NULL;
	r = check_distinct(t, e);
	return r != 0 ? r : make_out(t, e);
}

/* Makes the folders between the user's one and the file, a part at a time; a link among them is not followed. */
static int make_folders(const struct target *t, struct err *e) {
	OWN(own_free) char *path = xstrdup(t->path);
	struct stat st;

	for (char *slash = path + t->base_len; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		if (mkdir(path, 0777) != 0 && (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
			return err_set(
			    e, ERR_EXISTS, "a folder that it stands in cannot be made here, or is a link or a file");
		*slash = '/';
	}
	return 0;
}

/* The file being written for one name. */
struct landing {
	const struct target *target;
	mode_t mode;
	struct file_out file;
	struct io_fd io;
	struct sink sink;
};

static void landing_wipe(struct landing *l) {
	file_out_wipe(&l->file);
}

static int begin(void *arg, const struct ledger_file *f, const struct sink **out, struct err *e) {
	struct landing *l = arg;
	OWN(own_free) char *folder = file_folder(l->target->path);
	int r;

	(void)f;
	file_out_wipe(&l->file);
	if (l->target->nested && (r = make_folders(l->target, e)) != 0)
		return r;
	file_sweep(folder);
	if ((r = file_out_open(&l->file, l->target->path, l->mode, e)) != 0)
		return r;
	l->io = (struct io_fd){ l->file.fd, l->target->path };
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
	OWN(landing_wipe) struct landing l = { .target = &t->v[i], .mode = t->stream ? 0600 : 0666, .file = { .fd = -1 } };
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct groupfile_target target = { .begin = begin, .arg = &l, .range = t->range };
	char size[16];
	int r;

	/* Asked before hours are spent on it; asked again, by the link, when it gets its name. */
	if (!t->replace && file_exists(l.target->path))
		return err_set(e, ERR_EXISTS, "is here already and is not overwritten");
	if ((r = groupfile_open_newest(w, t->v[i].name, &target, &f, e)) != 0)
		return r;
	if ((r = t->stream ? output_release(l.file.fd, e) : file_out_keep(&l.file, t->replace, e)) != 0)
		return r;
	/* Who has a part of it has not seen it: what he uploads later must not replace the whole unasked. */
	if (t->range == NULL && (r = note_base(w->session, &f, e)) != 0)
		return r;
	text_size(t->range == NULL ? f.content_size : range_len(t->range, f.content_size), size);
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
			bytes += t->range == NULL ? f.content_size : range_len(t->range, f.content_size);
	}
	return bytes;
}

int download(struct session *s, const struct download_job *job, struct err *e) {
	OWN(targets_wipe) struct targets t = {0};
	bool stream = job->out != NULL && strcmp(job->out, "-") == 0;
	int r = stream ? plan_stream(s, job, &t, e) : plan(s, job, &t, e);

	if (r != 0)
		return r;
	struct worker_job run = {
		.verb = "download",
		.bytes = total(s, &t),
		.workers = job->workers,
		.threads = job->threads,
		.n = t.n,
		.arg = &t,
		.name = name_of,
		.f = download_one,
	};
	return worker_run(s, &run, NULL, e);
}
