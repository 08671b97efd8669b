/* SPDX-License-Identifier: Apache-2.0 */
/* What Drive keeps besides the objects: the trash (30 days) and older revisions of a file that somebody wrote over (30 days or 100 of them; owner,
 * managers and writers can read them). Nothing here is destroyed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "store/gdrive_pull.h"

struct keeping {
	struct gdrive *g;
	int (*f)(void *arg, const struct store_kept *k, struct err *e);
	void *arg;
	const struct gdrive_file *file; /* whose revisions are listed */
};

static int tell(struct keeping *k, const struct gdrive_file *f, const char *what, const char *revision, uint64_t size, struct err *e) {
	OWN(own_free) char *handle = xasprintf("%s%s%s", f->id, revision != NULL ? "/revisions/" : "", revision != NULL ? revision : "");
	struct store_kept kept = { .what = what, .handle = handle, .size = size };

	memcpy(kept.name, f->name, sizeof(kept.name));
	memcpy(kept.owner, f->owner, sizeof(kept.owner));
	return k->f(k->arg, &kept, e);
}

static int tell_revisions(void *arg, const struct gdrive_page *page, struct err *e) {
	struct keeping *k = arg;
	const struct gdrive_revision *v = page->items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < page->n; i++)
		if (strcmp(v[i].id, k->file->head) != 0)
			r = tell(k, k->file, "revision", v[i].id, v[i].size, e);
	return r;
}

/* A file without content of its own has none; one that went meanwhile neither. */
static int each_revision(struct keeping *k, const struct gdrive_file *f, struct err *e) {
	OWN(own_free) char *path = xasprintf("/drive/v3/files/%s/revisions", f->id);
	int r;

	if (!f->content || f->head[0] == '\0')
		return 0;
	k->file = f;
	r = gdrive_each_page(k->g, GDRIVE_REVISIONS, path,
	    (const char *const[]){ "fields", "nextPageToken,revisions(id,size)", NULL }, "revisions.list", tell_revisions, k, e);
	k->file = NULL;
	return r == ERR_NOTFOUND ? 0 : r;
}

static int each_file(void *arg, const struct gdrive_page *page, struct err *e) {
	struct keeping *k = arg;
	const struct gdrive_file *v = page->items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < page->n; i++) {
		if (v[i].trashed && v[i].content)
			r = tell(k, &v[i], "trashed file", NULL, v[i].size, e);
		if (r == 0)
			r = each_revision(k, &v[i], e);
	}
	return r;
}

int gdrive_each_kept(void *state, int (*f)(void *arg, const struct store_kept *k, struct err *e), void *arg, struct err *e) {
	struct keeping k = { .g = state, .f = f, .arg = arg };

	return gdrive_each_file(state, "", "id,name,mimeType,size,trashed,headRevisionId,owners(emailAddress)", each_file, &k, e);
}

/* "FILE" or "FILE/revisions/ID", as told above. */
static bool is_handle(const char *handle) {
	static const char middle[] = "/revisions/";
	const char *slash = strchr(handle, '/');
	char file[GDRIVE_FILE_MAX + 1];

	if (slash == NULL)
		return gdrive_is_file_id(handle);
	if ((size_t)(slash - handle) >= sizeof(file) || strncmp(slash, middle, strlen(middle)) != 0)
		return false;
	memcpy(file, handle, (size_t)(slash - handle));
	file[slash - handle] = '\0';
	return gdrive_is_file_id(file) && gdrive_is_file_id(slash + strlen(middle));
}

int gdrive_kept_get(void *state, const char *handle, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	OWN(own_free) char *path = xasprintf("/drive/v3/files/%s", handle);

	*got = 0;
	if (!is_handle(handle))
		return err_set(e, ERR_FAIL, "not a handle of what Drive keeps");
	return gdrive_pull_into(state, path, off, data, len, got, e);
}
