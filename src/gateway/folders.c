/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/folders.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/own.h"
#include "gateway/identity.h"
#include "pki/key.h"

OWN_DEFINE(chain, struct chain, chain_free)

static const char *dir_of(const struct gwconf *c, size_t i) {
	return ((const struct gwconf_group *)c->groups.v)[i].dir;
}

char *folders_config(const struct gwconf *c, size_t i) {
	OWN(own_free) char *dir = NULL;

	if (c->groups.v == NULL || dir_of(c, i) == NULL)
		return NULL;
	dir = gwconf_path(c, dir_of(c, i));
	return file_join(dir, FILE_CONF);
}

static bool is_folder(const struct gwconf *c, size_t i, struct stat *st) {
	OWN(own_free) char *dir = dir_of(c, i) != NULL ? gwconf_path(c, dir_of(c, i)) : NULL;

	return dir != NULL && stat(dir, st) == 0;
}

int folders_check(const struct gwconf *c, struct err *e) {
	struct stat a, b;

	for (size_t i = 0; c->groups.v != NULL && i < c->groups.n; i++)
		for (size_t k = 0; k < i; k++)
			if (is_folder(c, i, &a) && is_folder(c, k, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
				return err_set(e, ERR_USAGE, "groups: %s: the folder of two groups", dir_of(c, i));
	return 0;
}

/* Each connection is of one group: its CA, and the name that heads and keys bear, say which. */
int folders_distinct(const struct chain *a, const struct chain *b, struct err *e) {
	X509 *one = chain_ca(a), *two = chain_ca(b);

	if (key_equal(X509_get0_pubkey(one), X509_get0_pubkey(two)) || X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(two)) == 0)
		return err_set(e, ERR_USAGE, "%s: the CA of another group too", FILE_CA);
	if (strcmp(chain_group(a), chain_group(b)) == 0)
		return err_set(e, ERR_USAGE, "%s: another group has the same name", FILE_CA);
	return 0;
}

/* NULL: check says of that folder what is wrong. */
static struct chain *load_anchor(const struct gwconf *c, size_t i) {
	OWN(own_free) char *dir = dir_of(c, i) != NULL ? gwconf_path(c, dir_of(c, i)) : NULL;
	const struct gwconf one = { .dir = dir };
	struct chain *chain = NULL;
	struct err e = ERR_INIT;

	return dir != NULL && identity_chain(&one, &chain, &e) == 0 ? chain : NULL;
}

int folders_check_anchors(const struct gwconf *c, struct err *e) {
	struct chain *chains[GWCONF_GROUPS_MAX] = { NULL };
	int r = 0;

	for (size_t i = 0; c->groups.v != NULL && i < c->groups.n && i < GWCONF_GROUPS_MAX; i++) {
		chains[i] = load_anchor(c, i);
		for (size_t k = 0; k < i && r == 0; k++)
			if (chains[i] != NULL && chains[k] != NULL && folders_distinct(chains[i], chains[k], e) != 0)
				r = err_add(e, "group in %s", dir_of(c, i));
	}
	for (size_t i = 0; i < GWCONF_GROUPS_MAX; i++)
		chain_free(chains[i]);
	return r;
}

static bool is_of(const struct gwconf *c, const char *group) {
	OWN(own_chain) struct chain *chain = NULL;
	struct err e = ERR_INIT;

	return identity_chain(c, &chain, &e) == 0 && strcmp(chain_group(chain), group) == 0;
}

/* What stands in the way in a folder is said by check: it is not to keep the commands about other groups from working. */
static bool has_group(const char *path, const char *group, unsigned *hidden) {
	OWN(gwconf_wipe) struct gwconf c = { 0 };
	OWN(own_chain) struct chain *chain = NULL;
	struct err e = ERR_INIT;

	if (gwconf_load(path, &c, &e) != 0 || c.groups.n != 0 || identity_chain(&c, &chain, &e) != 0) {
		++*hidden;
		return false;
	}
	return strcmp(chain_group(chain), group) == 0;
}

static int find(const struct gwconf *c, const char *config, const char *group, char **path, struct err *e) {
	unsigned hidden = 0;

	for (size_t i = 0; i < c->groups.n; i++) {
		OWN(own_free) char *one = folders_config(c, i);

		if (!has_group(one, group, &hidden))
			continue;
		*path = one;
		one = NULL;
		return 0;
	}
	return err_set(e, ERR_NOTFOUND, "%s: -group: no folder of a group of this name%s", config,
	    hidden > 0 ? ", as far as they can be read: scg-gateway check says what is wrong" : "");
}

static int find_in(const struct gwconf *common, const char *config, const char *group, char **path, struct err *e) {
	if (common->groups.n > 0 && group == NULL)
		return err_set(e, ERR_USAGE, "%s: names several groups: say which one with -group", config);
	if (common->groups.n > 0)
		return find(common, config, group, path, e);
	if (group != NULL && !is_of(common, group))
		return err_set(e, ERR_NOTFOUND, "%s: -group: another group's", config);
	*path = xstrdup(config);
	return 0;
}

int folders_find(const char *config, const char *group, char **path, struct err *e) {
	OWN(gwconf_wipe) struct gwconf common = { 0 };
	int r = gwconf_load(config, &common, e);

	return r != 0 ? r : find_in(&common, config, group, path, e);
}

void folders_take_user(struct gwconf *c, const struct gwconf *common) {
	free(c->user);
	c->user = common->user != NULL ? xstrdup(common->user) : NULL;
}

int folders_load(const char *config, const char *group, struct gwconf *c, struct err *e) {
	OWN(gwconf_wipe) struct gwconf common = { 0 };
	OWN(own_free) char *path = NULL;
	int r;

	if ((r = gwconf_load(config, &common, e)) != 0 || (r = find_in(&common, config, group, &path, e)) != 0 || (r = gwconf_load(path, c, e)) != 0)
		return r;
	folders_take_user(c, &common);
	return 0;
}
