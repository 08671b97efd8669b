/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/folders.h"
#include "gateway/sight.h"
#include "gateway/user.h"
#include "pki/cert.h"
#include "pki/ossl.h"

#define DAY_S 86400
#define OTHERS_READ 077
#define OTHERS_WRITE 022

struct check {
	const char *config, *passin;
	const char *folder; /* in front of each line where there are several; or NULL */
	struct gwconf conf;
	struct chain *chain;
	struct identity id; /* all of it, or nothing */
	X509 *cert;         /* what can be judged without the key; or NULL */
	unsigned wrong;
	int64_t now_s;
	uint64_t stored; /* number of the list in the database, 0: none */
};

static void check_wipe(struct check *c) {
	identity_wipe(&c->id);
	X509_free(c->cert);
	chain_free(c->chain);
	gwconf_wipe(&c->conf);
}

static void say(const struct check *c, const char *kind, const char *text) {
	OWN(buf_wipe) struct buf line = { 0 };

	if (c->folder != NULL) {
		text_escape(c->folder, strlen(c->folder), &line);
		buf_adds(&line, ": ");
	}
	text_escape(text, strlen(text), &line);
	(void)printf("%s: %s\n", kind, buf_str(&line));
}

static void wrong(void *arg, const char *text) {
	struct check *c = arg;

	c->wrong++;
	say(c, "wrong", text);
}

static void wrong_path(struct check *c, const char *path, const char *what) {
	OWN(own_free) char *text = xasprintf("%s: %s", path, what);

	wrong(c, text);
}

/* --- who may read and write the files --- */

static void check_mode(struct check *c, const char *path, unsigned forbidden) {
	struct stat st;

	if (stat(path, &st) != 0)
		return; /* what is missing is said elsewhere */
	if ((st.st_mode & forbidden & OTHERS_WRITE) != 0)
		wrong_path(c, path, "others may write it");
	else if ((st.st_mode & forbidden) != 0)
		wrong_path(c, path, "others may read it");
}

static void check_modes(struct check *c) {
	static const struct { const char *name; unsigned forbidden; } files[] = {
		{ ".", OTHERS_WRITE }, { FILE_KEY_NEW, OTHERS_READ }, { FILE_DB, OTHERS_READ }, { FILE_DB "-wal", OTHERS_READ },
		{ FILE_CA, OTHERS_WRITE }, { FILE_CERT, OTHERS_WRITE }, { FILE_CRL, OTHERS_WRITE }, { FILE_RECOVERY, OTHERS_WRITE },
	};
	struct stat st;

	if (stat(c->config, &st) == 0 && (st.st_mode & OTHERS_WRITE) != 0)
		wrong_path(c, c->config, "others may write it");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		OWN(own_free) char *path = gwconf_path(&c->conf, files[i].name);

		check_mode(c, path, files[i].forbidden);
	}
	if (c->conf.passin != NULL && strncmp(c->conf.passin, "file:", 5) == 0)
		check_mode(c, c->conf.passin + 5, OTHERS_READ);
}

static bool wrong_on(void *arg, const char *text) {
	wrong(arg, text);
	return true;
}

/* Who is neither root nor that user cannot know. */
static int try_user(struct check *c, struct err *e) {
	struct user u = { 0, 0 };

	if (user_find(c->conf.user, &u, e) != 0)
		return e->code;
	if (geteuid() == u.uid)
		user_try_files(&c->conf, c->config, NULL, wrong_on, c);
	return geteuid() == 0 ? user_try_files_as(&u, &c->conf, c->config, wrong_on, c, e) : 0;
}

static void check_user(struct check *c) {
	struct err e = ERR_INIT;

	if (c->conf.user != NULL && try_user(c, &e) != 0)
		wrong(c, e.text);
}

/* --- certificates --- */

static void check_dates(struct check *c, const char *what, int64_t from_s, int64_t until_s, int64_t early_s) {
	OWN(own_free) char *text = NULL;
	char limit[CLOCK_TEXT];

	clock_print(c->now_s < from_s ? from_s : until_s, limit);
	if (c->now_s >= from_s && until_s - c->now_s >= early_s)
		return;
	text = xasprintf("%s: RFC 5280 4.1.2.5: %s %s", what, c->now_s < from_s ? "not valid before" : c->now_s > until_s ? "ended" : "ends", limit);
	if (c->now_s < from_s || c->now_s > until_s)
		wrong(c, text);
	else
		say(c, "soon", text);
}

static void check_ca(struct check *c) {
	struct err e = ERR_INIT;
	const X509 *ca;

	if (identity_chain(&c->conf, &c->chain, &e) != 0) {
		wrong(c, e.text);
		return;
	}
	ca = chain_ca(c->chain);
	check_dates(c, FILE_CA, cert_not_before(ca), cert_not_after(ca), SIGHT_CA_S);
}

static void check_recovery(struct check *c) {
	OWN(own_free) char *path = NULL;
	OWN(own_x509) X509 *cert = NULL;
	struct err e = ERR_INIT;

	if (c->conf.recovery == NULL)
		return;
	path = gwconf_path(&c->conf, c->conf.recovery);
	if (identity_load_recipient(path, &cert, &e) != 0)
		wrong(c, e.text);
}

static void check_cert(struct check *c) {
	const struct identity id = { .cert = c->cert };
	OWN(own_free) char *host = NULL;

	check_dates(c, FILE_CERT, cert_not_before(c->cert), cert_not_after(c->cert), SIGHT_CERT_S);
	if (c->conf.host != NULL)
		host = identity_missing_host(&id, &c->conf);
	if (host != NULL)
		wrong_path(c, host, "RFC 9525 6.3: the gateway's certificate does not name this host");
}

/* A fault of the key hides none of the certificate. Who loads the key says whether others may read it. */
static void check_identity(struct check *c) {
	struct gwconf conf = c->conf;
	const struct identity_source from = { .conf = &conf, .chain = c->chain, .passin = c->passin };
	OWN(own_free) char *cert = gwconf_path(&c->conf, FILE_CERT);
	OWN(own_free) char *key = gwconf_path(&c->conf, FILE_KEY);
	struct err e = ERR_INIT;

	conf.recovery = NULL; /* said already */
	if (c->chain != NULL && identity_load(&c->id, &from, &e) != 0)
		wrong(c, e.text);
	if (cert_load(cert, &c->cert, &e) == 0)
		check_cert(c);
	if (c->chain == NULL || c->cert == NULL)
		check_mode(c, key, OTHERS_READ);
}

/* --- database and list --- */

static void check_list(struct check *c, const struct list *l, const char *what) {
	OWN(own_free) char *expired = xasprintf("%s: RFC 5280 5.1.2.5: past its nextUpdate", what);
	OWN(own_free) char *old = xasprintf("%s: more than half of its life is over", what);
	int64_t this_s = crl_set_this_update(l->set), next_s = crl_set_next_update(l->set);

	if (c->now_s >= next_s)
		wrong(c, expired);
	else if (sight_crl_is_old(this_s, next_s, c->now_s))
		say(c, "soon", old);
	if (c->cert != NULL && crl_set_has_cert(l->set, c->cert))
		wrong_path(c, what, "lists the gateway's own certificate");
}

/* Opens what rests there with the gateway's key. A gateway may run on it. */
static void check_database(struct check *c) {
	OWN(own_free) char *path = gwconf_path(&c->conf, FILE_DB);
	struct identity id = { 0 };
	struct group *g = NULL;
	struct err e = ERR_INIT;

	if (c->id.cert == NULL || !file_exists(path))
		return;
	identity_ref(&c->id, &id);
	if (group_open(&g, &c->conf, c->chain, &id, GROUP_TOOL, &e) == 0)
		group_close(&g);
	else if (e.code != ERR_NOTFOUND)
		wrong(c, e.text);
	identity_wipe(&id);
}

static int load_stored(const struct check *c, struct state *s, struct list **l, struct err *e) {
	OWN(list_in_wipe) struct list_in in = LIST_IN(c->conf.dir);
	int r = state_crl(s, list_in_add, &in, e);

	return r != 0 ? r : list_make(&in, chain_ca(c->chain), l, e);
}

/* It needs no key. */
static void check_stored(struct check *c) {
	OWN(own_free) char *path = gwconf_path(&c->conf, FILE_DB);
	OWN(state_close) struct state *s = NULL;
	struct list *l = NULL;
	struct err e = ERR_INIT;

	if (c->chain == NULL || !file_exists(path))
		return;
	if (state_open(&s, path, false, &e) != 0 || load_stored(c, s, &l, &e) != 0) {
		if (e.code != ERR_NOTFOUND)
			wrong_path(c, "list in force", e.text);
		return;
	}
	c->stored = crl_set_number(l->set);
	check_list(c, l, "list in force");
	list_free(l);
}

static int load_file(const struct check *c, const char *path, struct list **l, struct err *e) {
	OWN(list_in_wipe) struct list_in in = LIST_IN(c->conf.dir);
	OWN(own_fd) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	int r;

	if (fd < 0)
		return err_sys(e, ERR_FAIL, "cannot be read");
	if ((r = list_in_read(&in, fd, (size_t)2 * CRL_MAX_BYTES, e)) != 0)
		return r;
	return list_make(&in, chain_ca(c->chain), l, e);
}

static int find_dropped(const struct check *c, const struct list *l, struct ledger_dropped *d, struct err *e) {
	OWN(own_free) char *path = gwconf_path(&c->conf, FILE_DB);
	OWN(state_close) struct state *s = NULL;
	struct ledger *ledger = NULL;
	struct list *stored = NULL;
	int r;

	if ((r = state_open(&s, path, false, e)) != 0 || (r = load_stored(c, s, &stored, e)) != 0)
		return r;
	if ((r = ledger_open(&ledger, state_db(s), c->chain, NULL, e)) == 0)
		r = ledger_find_dropped(ledger, stored->set, l->set, d, e);
	ledger_close(ledger);
	list_free(stored);
	return r;
}

/* Such a list is not taken. */
static void check_complete(struct check *c, const struct list *l, const char *what) {
	struct ledger_dropped d;
	struct err e = ERR_INIT, why = ERR_INIT;
	char hex[SERIAL_HEX];
	int r = c->stored > 0 ? find_dropped(c, l, &d, &e) : ERR_NOTFOUND;

	if (r != 0) {
		if (r != ERR_NOTFOUND)
			wrong_path(c, what, e.text);
		return;
	}
	text_hex(d.serial, d.serial_len, hex);
	(void)err_set(&why, ERR_FAIL, "RFC 5280 3.3: it lacks the revocation of %s (%s), and is not taken: scg-ca crl -above LIST", hex, d.name);
	wrong_path(c, what, why.text);
}

static void check_crl(struct check *c) {
	OWN(own_free) char *path = gwconf_path(&c->conf, FILE_CRL);
	struct list *l = NULL;
	struct err e = ERR_INIT;

	if (c->chain == NULL)
		return;
	if (!file_exists(path)) {
		if (c->stored == 0 && c->conf.crl_url == NULL)
			wrong_path(c, path, "no revocation list: the gateway stays closed");
		return;
	}
	if (load_file(c, path, &l, &e) != 0) {
		wrong_path(c, path, e.text);
		return;
	}
	if (crl_set_number(l->set) < c->stored) {
		say(c, "soon", "crl.pem: older than the list in force: it is ignored");
	} else if (crl_set_number(l->set) > c->stored) {
		check_list(c, l, FILE_CRL);
		check_complete(c, l, path);
	}
	list_free(l);
}

/* One group's. */
static unsigned check_folder(const char *config, const char *passin, const char *folder, struct gwconf *conf) {
	OWN(check_wipe) struct check c = { .config = config, .passin = passin, .folder = folder, .conf = *conf, .now_s = clock_now_s() };

	*conf = (struct gwconf){ 0 };
	check_modes(&c);
	check_user(&c);
	check_ca(&c);
	check_recovery(&c);
	check_identity(&c);
	check_database(&c);
	check_stored(&c);
	check_crl(&c);
	return c.wrong;
}

/* One of several: faults of its configuration are its own. */
static unsigned load_and_check(const char *config, const char *folder, const struct gwconf *common) {
	struct check c = { .config = config, .folder = folder };
	struct err e = ERR_INIT;

	if (gwconf_load_all(config, &c.conf, wrong, &c, &e) != 0) {
		wrong(&c, e.text);
	} else if (c.conf.groups.n > 0) {
		wrong_path(&c, config, "groups: in the folder of one group");
	} else {
		folders_take_user(&c.conf, common);
		c.wrong += check_folder(config, NULL, folder, &c.conf);
	}
	gwconf_wipe(&c.conf);
	return c.wrong;
}

/* Two of one CA or of one name are found by the start as well, one after the other. */
static void check_distinct(struct check *c) {
	struct err e = ERR_INIT;

	if (folders_check(&c->conf, &e) != 0 || folders_check_anchors(&c->conf, &e) != 0)
		wrong(c, e.text);
}

static void check_groups(struct check *c) {
	const struct gwconf_group *groups = c->conf.groups.v;

	for (size_t i = 0; groups != NULL && i < c->conf.groups.n; i++) {
		OWN(own_free) char *config = folders_config(&c->conf, i);

		if (config != NULL)
			c->wrong += load_and_check(config, groups[i].dir, &c->conf);
	}
	if (c->passin != NULL)
		wrong(c, "-passin: there are several keys: say which group with -group");
	check_distinct(c);
}

static int check_all(struct check *c, struct err *e) {
	struct stat st;

	if (gwconf_load_all(c->config, &c->conf, wrong, c, e) != 0)
		return e->code;
	if (c->conf.groups.n == 0) {
		c->wrong += check_folder(c->config, c->passin, NULL, &c->conf);
		return 0;
	}
	if (stat(c->config, &st) == 0 && (st.st_mode & OTHERS_WRITE) != 0)
		wrong_path(c, c->config, "others may write it");
	check_user(c);
	check_groups(c);
	return 0;
}

int check_gateway(const struct check_plan *p, struct err *e) {
	OWN(own_free) char *config = NULL;
	struct check c = { .config = p->config, .passin = p->passin };
	int r;

	if (p->group != NULL && folders_find(p->config, p->group, &config, e) != 0)
		return e->code;
	if (config != NULL)
		c.config = config;
	r = check_all(&c, e);
	gwconf_wipe(&c.conf);
	if (r == 0 && c.wrong > 0)
		return err_set(e, ERR_FAIL, "%s: %u thing%s wrong", c.config, c.wrong, c.wrong == 1 ? " is" : "s are");
	return r;
}
