/* SPDX-License-Identifier: Apache-2.0 */
#include "client/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "client/note.h"
#include "ledger/path.h"

void names_wipe(struct names *names) {
	for (size_t i = 0; i < names->n; i++) {
		free(names->v[i].local);
		free(names->v[i].path);
		free(names->v[i].fold);
	}
	free(names->v);
	*names = (struct names){0};
}

static int add(struct names *names, const char *local, const char *path, uint64_t size, struct err *e) {
	struct name_item item = {0};
	int r = path_check(path, strlen(path), e);

	if (r == 0 && names->n == NAMES_MAX)
		r = err_set(e, ERR_USAGE, "more than %d files at once", NAMES_MAX);
	if (r == 0)
		r = path_fold(path, &item.fold, e);
	if (r != 0)
		return text_about(local, r, e);
	if (names->n == names->cap) {
		names->cap = names->cap == 0 ? 16 : names->cap * 2;
		names->v = xrealloc(names->v, names->cap, sizeof(*names->v));
	}
	item.size = size;
	item.local = xstrdup(local);
	item.path = xstrdup(path);
	names->v[names->n++] = item;
	names->bytes += size;
	return 0;
}

/* FOLDER/name in NFC (RFC 5198 3): what macOS writes decomposed is the same name. */
static int join(const char *folder, const char *name, size_t len, char **path, struct err *e) {
	OWN(own_free) char *raw = xasprintf("%.*s", (int)len, name);
	OWN(own_free) char *nfc = NULL;

	*path = NULL;
	if (!text_is_utf8(raw, len)) {
		(void)err_set(e, ERR_USAGE, "its name is not UTF-8 (RFC 3629)");
		return ERR_USAGE;
	}
	if (text_nfc(raw, &nfc, e) != 0) {
		(void)err_recode(e, ERR_USAGE);
		return ERR_USAGE;
	}
	*path = folder[0] != '\0' ? xasprintf("%s/%s", folder, nfc) : xstrdup(nfc);
	return 0;
}

static int walk(struct names *names, const char *local, const char *path, int depth, struct err *e);

static void pass_over(const char *local) {
	OWN(buf_wipe) struct buf shown = {0};

	text_escape(local, strlen(local), &shown);
	note("%s: passed over: neither a file nor a folder", buf_str(&shown));
}

static int walk_entry(
    struct names *names, const char *local, const char *path, const char *name, int depth, struct err *e) {
	OWN(own_free) char *below = file_join(local, name);
	OWN(own_free) char *named = NULL;
	struct stat st;
	int r;

	if (lstat(below, &st) != 0)
		return text_about(below, err_sys(e, ERR_FAIL, "cannot stat"), e);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		pass_over(below);
		return 0;
	}
	r = join(path, name, strlen(name), &named, e);
	if (r != 0)
		return text_about(below, r, e);
	return S_ISREG(st.st_mode) ? add(names, below, named, (uint64_t)st.st_size, e)
				   : walk(names, below, named, depth + 1, e);
}

static int walk(struct names *names, const char *local, const char *path, int depth, struct err *e) {
	struct dirent **entries = NULL;
	int n, r = 0;

	if (depth > NAMES_DEPTH_MAX)
		return text_about(
		    local, err_set(e, ERR_USAGE, "more than %d folders in each other", NAMES_DEPTH_MAX), e);
	n = scandir(local, &entries, NULL, alphasort);
	if (n < 0)
		return text_about(local, err_sys(e, ERR_FAIL, "cannot read the folder"), e);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (r == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			r = walk_entry(names, local, path, name, depth, e);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* What is neither a file nor a folder to go through. */
static int not_taken(const struct stat *st, bool recursive, struct err *e) {
	if (!S_ISDIR(st->st_mode))
		return err_set(e, ERR_FAIL, "neither a file nor a folder");
	return recursive ? 0 : err_set(e, ERR_USAGE, "is a folder: -r uploads what is in it");
}

static int add_operand(struct names *names, const char *operand, const char *to, bool recursive, struct err *e) {
	size_t end = strlen(operand), start;
	OWN(own_free) char *path = NULL;
	struct stat st;
	int r;

	while (end > 1 && operand[end - 1] == '/')
		end--;
	for (start = end; start > 0 && operand[start - 1] != '/';)
		start--;
	/* Asked first, so that a missing file is not a matter of its name. */
	if (stat(operand, &st) != 0)
		return text_about(operand, err_sys(e, ERR_FAIL, "cannot open"), e);
	r = join(to, operand + start, end - start, &path, e);
	if (r != 0)
		return text_about(operand, r, e);
	if (S_ISREG(st.st_mode))
		return add(names, operand, path, (uint64_t)st.st_size, e);
	if ((r = not_taken(&st, recursive, e)) != 0 || (r = path_check(path, strlen(path), e)) != 0)
		return text_about(operand, r, e);
	return walk(names, operand, path, 1, e);
}

static int by_fold(const void *a, const void *b) {
	const struct name_item *x = a, *y = b;

	return strcmp(x->fold, y->fold);
}

static int by_path(const void *a, const void *b) {
	const struct name_item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Two files that the group would take for one, or for one and its other spelling. */
static int check_distinct(struct names *names, struct err *e) {
	if (names->n < 2)
		return 0;
	qsort(names->v, names->n, sizeof(*names->v), by_fold);
	for (size_t i = 1; i < names->n; i++) {
		OWN(buf_wipe) struct buf other = {0};

		if (strcmp(names->v[i - 1].fold, names->v[i].fold) != 0)
			continue;
		text_escape(names->v[i - 1].local, strlen(names->v[i - 1].local), &other);
		return text_about(names->v[i].local,
		    err_set(e, ERR_USAGE, "would have the same name in the group as %s", buf_str(&other)), e);
	}
	qsort(names->v, names->n, sizeof(*names->v), by_path);
	return 0;
}

int names_collect(struct names *names, char *const *operands, int n, const char *to, bool recursive, struct err *e) {
	OWN(own_free) char *folder = NULL;
	size_t len = to != NULL ? strlen(to) : 0;
	int r;

	while (len > 1 && to[len - 1] == '/')
		len--;
	r = join("", to != NULL ? to : "", len, &folder, e);
	if (r == 0 && len > 0)
		r = path_check(folder, strlen(folder), e);
	if (r != 0)
		return text_about("-to", r, e);
	for (int i = 0; i < n; i++)
		if ((r = add_operand(names, operands[i], folder, recursive, e)) != 0)
			return r;
	return check_distinct(names, e);
}
