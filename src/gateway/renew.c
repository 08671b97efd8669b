/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/renew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "gateway/folders.h"
#include "gateway/keypair.h"
#include "gateway/user.h"
#include "pki/ossl.h"

static bool is_there(const struct gwconf *c, const char *name) {
	OWN(own_free) char *path = gwconf_path(c, name);

	return file_exists(path);
}

/* Between the two renames of renew_finish the new key has its final name already. */
static int load_new(struct identity *id, const struct identity_source *from, struct err *e) {
	const char *key = is_there(from->conf, FILE_KEY_NEW) ? FILE_KEY_NEW : FILE_KEY;

	return identity_load_pair(id, from, key, FILE_CERT_NEW, e);
}

int renew_load(struct identity *id, bool *renewed, const struct identity_source *from, struct err *e) {
	*renewed = is_there(from->conf, FILE_CERT_NEW);
	return *renewed ? load_new(id, from, e) : identity_load(id, from, e);
}

static int rename_in(const struct gwconf *c, const char *from, const char *to, struct err *e) {
	OWN(own_free) char *old = gwconf_path(c, from), *new = gwconf_path(c, to);

	if (!file_exists(old))
		return 0;
	if (rename(old, new) != 0)
		return err_sys(e, ERR_FAIL, "%s", old);
	return file_sync_dir(c->dir, e);
}

int renew_finish(const struct gwconf *c, struct err *e) {
	if (rename_in(c, FILE_KEY_NEW, FILE_KEY, e) != 0 || rename_in(c, FILE_CERT_NEW, FILE_CERT, e) != 0)
		return e->code;
	log_event(LOG_LEVEL_INFO, "renewed", "certificate", FILE_CERT, NULL);
	return 0;
}

static int open_with(struct group **g, struct identity *id, const struct identity_source *from, struct err *e) {
	if (group_open(g, from->conf, from->chain, id, GROUP_SERVE, e) != 0) {
		identity_wipe(id);
		return e->code;
	}
	return 0;
}

static int open_old(struct group **g, const struct identity_source *from, struct err *e) {
	struct identity id = { 0 };

	if (identity_load(&id, from, e) != 0)
		return e->code;
	return open_with(g, &id, from, e);
}

int renew_open(struct group **g, const struct identity_source *from, struct err *e) {
	struct identity id = { 0 };
	struct err old = ERR_INIT;

	if (!is_there(from->conf, FILE_CERT_NEW))
		return open_old(g, from, e);
	if (load_new(&id, from, e) != 0)
		return e->code;
	if (open_old(g, from, &old) == 0) {
		if (group_change(*g, from->conf, &id, e) != 0) {
			identity_wipe(&id);
			return e->code;
		}
	} else if (open_with(g, &id, from, e) != 0) { /* an earlier run got as far as sealing to it */
		return e->code == ERR_REFUSED ? err_set(e, old.code, "%s", old.text) : e->code;
	}
	return renew_finish(from->conf, e);
}

/* What root made the gateway could not read. */
static int be_its_user(const struct gwconf *c, struct err *e) {
	struct user u = { 0, 0 };

	if (c->user == NULL || geteuid() != 0)
		return 0;
	return user_find(c->user, &u, e) != 0 ? e->code : user_become(&u, e);
}

int renew_start(const struct renew_plan *p, struct err *e) {
	OWN(gwconf_wipe) struct gwconf c = { 0 };
	OWN(own_free) char *san = NULL, *key = NULL, *csr = NULL;
	OWN(keypair_wipe) struct keypair fresh = { 0 };

	if (folders_load(p->config, p->group, &c, e) != 0 || gwconf_san(c.host, &san, e) != 0 || be_its_user(&c, e) != 0)
		return e->code;
	key = gwconf_path(&c, FILE_KEY_NEW);
	csr = gwconf_path(&c, FILE_CSR);
	if (file_exists(key))
		return err_set(e, ERR_EXISTS, "%s: a renewal is under way: let scg-ca sign %s", key, csr);
	if (keypair_make(p->newkey, p->passout, &fresh, e) != 0 || keypair_save(&fresh, key, e) != 0)
		return e->code;
	if (keypair_request(&fresh, c.host, csr, true, e) != 0) {
		(void)unlink(key);
		return e->code;
	}
	printf("%s: have it signed: scg-ca sign -in %s -out %s -name gateway -role gateway -san %s; then send SIGHUP\n",
	    csr, FILE_CSR, FILE_CERT_NEW, san);
	return 0;
}
