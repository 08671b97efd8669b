/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of Drive, page by page. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "store/gdrive_state.h"

#define QUERY_MAX 14         /* names and values */
#define PAGE_SHRINK 10u
#define PAGES_MAX 100000u
#define ITEMS_MAX 2000000u   /* a folder holds 500,000 */

/* Tokens of pages are opaque: one that comes again means a list without end. Each is compared with the one of the last power of two, which finds a loop
 * of any length (Brent's way). */
struct pages {
	unsigned n, next_mark;
	unsigned size; /* items that a page may have */
	uint64_t items;
	char *mark, *token;
};

static void pages_wipe(struct pages *p) {
	free(p->mark);
	free(p->token);
}

static int turn(struct pages *p, struct gdrive_page *page, const char *what, struct err *e) {
	p->items += page->n;
	p->n++;
	free(p->token);
	p->token = page->next;
	page->next = NULL;
	if (page->incomplete)
		return err_set(e, ERR_UNREACHABLE, "%s: Drive says that its list is not complete (incompleteSearch)", what);
	if (p->token == NULL)
		return 0;
	if (p->n >= PAGES_MAX || p->items > ITEMS_MAX)
		return err_set(e, ERR_FAIL, "%s: a list of more than %u pages or %u items", what, PAGES_MAX, ITEMS_MAX);
	if (p->mark != NULL && strcmp(p->mark, p->token) == 0)
		return err_set(e, ERR_DAMAGED, "%s: a page of the list comes again (nextPageToken)", what);
	if (p->n >= p->next_mark) {
		free(p->mark);
		p->mark = xstrdup(p->token);
		p->next_mark = p->n * 2;
	}
	return 0;
}

/* The query of the next page; malloc'd. */
static char *page_url(const struct gdrive *g, const char *path, const char *const *query, const struct pages *pages) {
	OWN(own_free) char *size = xasprintf("%u", pages->size);
	const char *all[QUERY_MAX + 5];
	size_t n = 0;

	for (; n < QUERY_MAX && query[n] != NULL; n++)
		all[n] = query[n];
	all[n++] = "pageSize";
	all[n++] = size;
	all[n] = pages->token != NULL ? "pageToken" : NULL;
	all[n + 1] = pages->token;
	all[n + 2] = NULL;
	return gdrive_url(g, path, all);
}

/* One whose items have names of many kilobytes is asked for again in smaller pieces. */
static int ask_page(struct gdrive *g, const char *path, const char *const *query, struct pages *pages, const char *what, struct rest_reply *p,
    struct err *e) {
	int r;

	for (;;) {
		OWN(own_free) char *url = page_url(g, path, query, pages);

		r = gdrive_ask(g, "GET", url, GDRIVE_PAGE_MAX, what, p, e);
		if (r == 0 || !p->too_long || pages->size == 1)
			return r;
		pages->size = pages->size < PAGE_SHRINK ? 1 : pages->size / PAGE_SHRINK;
		rest_reply_wipe(p);
	}
}

static int get_page(struct gdrive *g, enum gdrive_list list, const char *path, const char *const *query, struct pages *pages, const char *what,
    struct gdrive_page *page, struct err *e) {
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	int r = ask_page(g, path, query, pages, what, &p, e);

	if (r == ERR_NOTFOUND && list == GDRIVE_FILES)
		return err_set(e, ERR_UNREACHABLE, "the drive's folder is gone, or not shared with this account any more"); /* it is not empty: it is not there */
	return r != 0 ? r : gdrive_parse_page(&p.body, list, page, e);
}

int gdrive_each_page(struct gdrive *g, enum gdrive_list list, const char *path, const char *const *query, const char *what,
    int (*each)(void *arg, const struct gdrive_page *p, struct err *e), void *arg, struct err *e) {
	OWN(pages_wipe) struct pages p = { .size = list == GDRIVE_PERMISSIONS ? 100 : 1000 }; /* the most that Drive gives */
	int r;

	do {
		OWN(gdrive_page_wipe) struct gdrive_page page = {0};

		r = get_page(g, list, path, query, &p, what, &page, e);
		if (r == 0)
			r = turn(&p, &page, what, e);
		if (r == 0)
			r = each(arg, &page, e);
	} while (r == 0 && p.token != NULL);
	return r;
}

static int each_file(struct gdrive *g, const char *where, const char *fields, bool by_age,
    int (*each)(void *arg, const struct gdrive_page *p, struct err *e), void *arg, struct err *e) {
	OWN(own_free) char *q = xasprintf("'%s' in parents%s%s", g->folder, where[0] != '\0' ? " and " : "", where);
	OWN(own_free) char *mask = xasprintf("nextPageToken,incompleteSearch,files(%s)", fields);
	bool shared = g->drive[0] != '\0';
	const char *query[QUERY_MAX + 1] = { "q", q, "fields", mask, "includeItemsFromAllDrives", "true", "corpora",
		shared ? "drive" : "user" };
	size_t n = 8;

	if (by_age) {
		query[n++] = "orderBy";
		query[n++] = "createdTime";
	}
	if (shared) {
		query[n++] = "driveId";
		query[n++] = g->drive;
	}
	return gdrive_each_page(g, GDRIVE_FILES, "/drive/v3/files", query, "files.list", each, arg, e);
}

int gdrive_each_file(struct gdrive *g, const char *where, const char *fields,
    int (*each)(void *arg, const struct gdrive_page *p, struct err *e), void *arg, struct err *e) {
	return each_file(g, where, fields, false, each, arg, e);
}

int gdrive_each_file_by_age(struct gdrive *g, const char *where, const char *fields,
    int (*each)(void *arg, const struct gdrive_page *p, struct err *e), void *arg, struct err *e) {
	return each_file(g, where, fields, true, each, arg, e);
}
