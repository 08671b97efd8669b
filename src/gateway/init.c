/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/db.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/own.h"
#include "gateway/gwconf.h"
#include "gateway/identity.h"
#include "gateway/keypair.h"
#include "gateway/state.h"
#include "pki/cert.h"
#include "pki/ossl.h"

#define FILES 7

struct work {
	const struct init_plan *plan;
	char *dir, *san, *store;
	X509 *ca, *recovery;
	struct chain *chain;
	struct keypair keypair;
	char *made[FILES]; /* what to take away again if a later step fails */
	size_t n_made;
};

static void work_wipe(struct work *w) {
	chain_free(w->chain);
	free(w->dir);
	free(w->san);
	free(w->store);
	X509_free(w->ca);
	X509_free(w->recovery);
	keypair_wipe(&w->keypair);
	for (size_t i = 0; i < w->n_made; i++)
		free(w->made[i]);
}

static char *will_make(struct work *w, const char *name) {
	char *path = file_join(w->dir, name);

	w->made[w->n_made++] = path;
	return path;
}

/* A relative folder would be another one for each program that reads the configuration. */
static int absolute_store(const char *store, char **out, struct err *e) {
	static const char kind[] = "directory:";
	OWN(own_free) char *cwd = NULL;

	if (store == NULL)
		return 0;
	if (strncmp(store, kind, strlen(kind)) != 0 || store[strlen(kind)] == '/' || store[strlen(kind)] == '\0')
		*out = xstrdup(store);
	else if ((cwd = getcwd(NULL, 0)) == NULL)
		return err_sys(e, ERR_FAIL, "working folder");
	else
		*out = xasprintf("%s%s/%s", kind, cwd, store + strlen(kind));
	return gwconf_check_store(*out, e);
}

/* Everything that can be wrong is found before anything is written. */
static int check(struct work *w, struct err *e) {
	static const char *const names[] = { FILE_CONF, FILE_KEY, FILE_CSR, FILE_CA, FILE_DB, FILE_CERT,
		FILE_RECOVERY };
	const struct init_plan *p = w->plan;
	OWN(own_free) char *db = file_join(w->dir, FILE_DB);

	if (db_check_place(db, e) != 0 || gwconf_check_listen(p->listen, e) != 0 || gwconf_san(p->host, &w->san, e) != 0 ||
	    absolute_store(p->store, &w->store, e) != 0)
		return e->code;
	if (cert_load(p->cacert, &w->ca, e) != 0)
		return e->code;
	if (chain_new(w->ca, &w->chain, e) != 0)
		return err_add(e, "%s", p->cacert);
	if (p->recovery != NULL && identity_load_recipient(p->recovery, &w->recovery, e) != 0)
		return e->code;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		OWN(own_free) char *path = file_join(w->dir, names[i]);

		if (file_exists(path))
			return err_set(e, ERR_EXISTS, "%s: there already; init makes a new gateway only", path);
	}
	return keypair_make(p->newkey, p->passout, &w->keypair, e);
}

static int write_key(struct work *w, struct err *e) {
	return keypair_save(&w->keypair, will_make(w, FILE_KEY), e);
}

static int write_csr(struct work *w, struct err *e) {
	return keypair_request(&w->keypair, w->plan->host, will_make(w, FILE_CSR), false, e);
}

static int write_cert(struct work *w, const char *name, const X509 *cert, struct err *e) {
	OWN(buf_wipe) struct buf pem = { 0 };

	if (cert == NULL)
		return 0;
	if (cert_pem(cert, &pem, e) != 0)
		return e->code;
	return file_save_new(will_make(w, name), pem.data, pem.len, 0644, e);
}

static int write_db(struct work *w, struct err *e) {
	struct state *s = NULL;

	if (state_open(&s, will_make(w, FILE_DB), true, e) != 0)
		return e->code;
	state_close(&s);
	return 0;
}

static int write_conf(struct work *w, struct err *e) {
	const struct init_plan *p = w->plan;
	OWN(own_free) char *text = gwconf_print(
	    chain_group(w->chain), p->listen, p->host, w->store, p->recovery != NULL ? FILE_RECOVERY : NULL);

	return file_save_new(will_make(w, FILE_CONF), text, strlen(text), 0644, e);
}

/* The configuration comes last: where it stands, the folder is complete. */
static int write_all(struct work *w, struct err *e) {
	if (write_key(w, e) != 0 || write_csr(w, e) != 0 || write_cert(w, FILE_CA, w->ca, e) != 0 ||
	    write_cert(w, FILE_RECOVERY, w->recovery, e) != 0 || write_db(w, e) != 0 || write_conf(w, e) != 0) {
		for (size_t i = 0; i < w->n_made; i++)
			if (e->code != ERR_EXISTS || i + 1 < w->n_made) /* the last one was somebody else's */
				(void)unlink(w->made[i]);
		return e->code;
	}
	return 0;
}

int init_gateway(const struct init_plan *plan, struct err *e) {
	struct init_plan p = *plan;
	OWN(work_wipe) struct work w = { .plan = &p };

	p.listen = p.listen != NULL ? p.listen : GWCONF_LISTEN;
	if (opt_dir(p.dir, &w.dir, e) != 0 || check(&w, e) != 0 || file_mkdir(w.dir, 0700, true, e) != 0 ||
	    write_all(&w, e) != 0)
		return e->code;
	printf("%s/%s: have it signed: scg-ca sign -in %s -out %s -name gateway -role gateway -san %s\n", w.dir,
	    FILE_CSR, FILE_CSR, FILE_CERT, w.san);
	return 0;
}
