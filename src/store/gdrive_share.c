/* SPDX-License-Identifier: Apache-2.0 */
/* Who may look into the folder. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "base/text.h"
#include "store/gdrive_state.h"

#define GRANTS_MAX 64u /* of one account on one thing */

struct grants {
	const char *email;
	bool open;           /* to anyone, or to a whole domain: then nobody is shut out */
	bool owned;          /* by the account itself */
	size_t n;
	char id[GRANTS_MAX][GDRIVE_FILE_MAX + 1];
};

static int collect(void *arg, const struct gdrive_page *page, struct err *e) {
	struct grants *g = arg;
	const struct gdrive_permission *v = page->items;

	for (size_t i = 0; i < page->n; i++) {
		if (strcmp(v[i].type, "anyone") == 0 || strcmp(v[i].type, "domain") == 0)
			g->open = true;
		if (strcasecmp(v[i].email, g->email) != 0)
			continue;
		if (strcmp(v[i].role, "owner") == 0)
			g->owned = true;
		else if (g->n == GRANTS_MAX)
			return err_set(e, ERR_FAIL, "permissions.list: more than %u for one account", GRANTS_MAX);
		else
			memcpy(g->id[g->n++], v[i].id, sizeof(v[i].id));
	}
	return 0;
}

static int list_grants(struct gdrive *g, const char *thing, struct grants *all, struct err *e) {
	OWN(own_free) char *path = xasprintf("/drive/v3/files/%s/permissions", thing);

	return gdrive_each_page(g, GDRIVE_PERMISSIONS, path,
	    (const char *const[]){ "fields", "nextPageToken,permissions(id,type,role,emailAddress)", NULL }, "permissions.list",
	    collect, all, e);
}

static int remove_grant(struct gdrive *g, const char *thing, const char *id, struct err *e) {
	OWN(own_free) char *path = xasprintf("/drive/v3/files/%s/permissions/%s", thing, id);
	OWN(own_free) char *url = gdrive_url(g, path, (const char *const[]){ NULL });
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	int r = gdrive_ask(g, "DELETE", url, GDRIVE_REPLY_MAX, "permissions.delete", &p, e);

	return r == ERR_NOTFOUND ? 0 : r;
}

/* What is left is what could not be taken: listed again, since a permission of the folder may come from above. */
static int shut_out(struct gdrive *g, const char *thing, const char *what, const char *email, struct err *e) {
	struct grants before = { .email = email }, after = { .email = email };
	int r = list_grants(g, thing, &before, e);

	for (size_t i = 0; r == 0 && i < before.n; i++)
		r = remove_grant(g, thing, before.id[i], e);
	if (r == 0)
		r = list_grants(g, thing, &after, e);
	if (r != 0)
		return err_add(e, "%s", what), r;
	if (after.owned)
		return err_set(e, ERR_REFUSED, "%s: it belongs to that very account: nobody else can take it away", what);
	if (after.n > 0)
		return err_set(e, ERR_REFUSED, "%s: the account still has access after it was taken away", what);
	if (after.open)
		return err_set(e, ERR_FAIL, "%s: it is open to anyone or to a whole domain: no account can be shut out", what);
	return 0;
}

int gdrive_unshare(void *state, const char *email, struct err *e) {
	struct gdrive *g = state;
	int r = 0;

	if (strchr(email, '@') == NULL || strlen(email) >= STORE_OWNER_MAX || !text_is_utf8(email, strlen(email)) ||
	    text_has_control(email, strlen(email)))
		return err_set(e, ERR_USAGE, "an account is named by its e-mail address");
	/* A member of the shared drive reaches every folder on it. */
	if (g->drive[0] != '\0' && strcmp(g->drive, g->folder) != 0)
		r = shut_out(g, g->drive, "the shared drive", email, e);
	return r != 0 ? r : shut_out(g, g->folder, "the drive's folder", email, e);
}
