/* SPDX-License-Identifier: Apache-2.0 */
#include "client/install.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/db.h"
#include "base/file.h"
#include "base/own.h"
#include "base/pass.h"
#include "base/text.h"
#include "client/identity.h"
#include "client/settings.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"

static int read_new_pass(const struct install_req *q, struct secret *pass, struct err *e) {
	return q->noenc ? 0 : pass_read(q->passout, "new private key", true, pass, e);
}

/* A renewal's key waits beside the one in use. */
static int choose_key_path(const char *dir, char **path, struct err *e) {
	OWN(own_free) char *cert = file_join(dir, CERT_FILE);

	*path = file_join(dir, file_exists(cert) ? NEXT_KEY_FILE : KEY_FILE);
	if (file_exists(*path))
		return err_set(e, ERR_EXISTS,
		    "a key waits for its certificate already (%s in the member's folder); remove it to begin again",
		    file_exists(cert) ? NEXT_KEY_FILE : KEY_FILE);
	return 0;
}

/* Nothing needs the mirror yet, but all later commands do. */
static int check_folder(const char *dir, struct err *e) {
	OWN(own_free) char *mirror = file_join(dir, LEDGER_FILE);

	return db_check_place(mirror, e);
}

int install_req(const struct install_req *q, struct err *e) {
	OWN(own_free) char *path = NULL;
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(secret_wipe) struct secret pass = {0};
	OWN(buf_wipe) struct buf pem = {0};
	int r;

	if ((r = name_check(q->name, "member", e)) != 0 || (r = check_folder(q->dir, e)) != 0 || (r = file_mkdir(q->dir, 0700, true, e)) != 0)
		return r;
	if ((r = choose_key_path(q->dir, &path, e)) != 0 || (r = read_new_pass(q, &pass, e)) != 0)
		return r;
	if ((r = key_make(q->newkey, &key, e)) != 0 || (r = csr_make(key, q->name, &pem, e)) != 0)
		return r;
	if ((r = key_save_new(path, key, &pass, e)) != 0)
		return r;
	/* Asked now that the new key has its name too. */
	r = identity_check_out(q->dir, q->out, e);
	if (r == 0)
		r = file_save(q->out, pem.data, pem.len, 0644, e);
	/* Without its request the key is of no use, and would be in the way of the next try. */
	if (r != 0 && remove(path) != 0)
		(void)err_add(e, "%s stays behind", path);
	return r;
}

/* What is to be written, checked as far as it can be. */
struct installing {
	const struct install_cert *i;
	X509 *cert;
	struct chain *chain;
	char *name;
	bool renewal;
	bool next_key; /* the key is the one that waits */
	bool has_conf;
};

static void installing_wipe(struct installing *in) {
	X509_free(in->cert);
	chain_free(in->chain);
	free(in->name);
}

static int load_given(struct installing *in, struct err *e) {
	OWN(own_x509) X509 *ca = NULL;
	enum verdict v;
	int r;

	if ((r = cert_load(in->i->cacert, &ca, e)) != 0 || (r = chain_new(ca, &in->chain, e)) != 0)
		return r;
	if ((r = cert_load(in->i->cert, &in->cert, e)) != 0 ||
	    (r = identity_check_cert(in->chain, in->cert, "-cert", e)) != 0)
		return r;
	v = chain_check_now(in->cert, e);
	if (v == VERDICT_EXPIRED)
		return err_recode(e, ERR_REFUSED);
	return cert_name(in->cert, &in->name, e);
}

/* An identity that is there already: the same member of the same group is renewed, any other stays what it is. */
static int check_present(struct installing *in, struct err *e) {
	OWN(own_free) char *path = file_join(in->i->dir, CERT_FILE);
	OWN(identity_wipe) struct identity old = {0};
	int r;

	if (!file_exists(path))
		return 0;
	r = identity_load_public(&old, in->i->dir, e);
	if (r != 0)
		return text_about("the folder holds a member already", r, e);
	if (strcmp(old.name, in->name) != 0 || X509_cmp(chain_ca(old.chain), chain_ca(in->chain)) != 0)
		return err_set(
		    e, ERR_EXISTS, "the folder holds another identity already: %s of group %s", old.name, old.group);
	in->renewal = true;
	return 0;
}

static int key_fits(struct installing *in, const char *name, struct err *e) {
	OWN(own_free) char *path = file_join(in->i->dir, name);
	OWN(own_pkey) EVP_PKEY *key = NULL;
	int r;

	if (!file_exists(path))
		return err_set(e, ERR_FAIL, "no key %s in the member's folder (scg req makes one)", name);
	if ((r = key_load(path, in->i->passin, &key, e)) != 0)
		return r;
	if (cert_check_key(in->cert, key, "-cert", NULL) != 0)
		return err_set(e, ERR_FAIL, "-cert was issued for another key than the member's %s", name);
	return 0;
}

static int check_key(struct installing *in, struct err *e) {
	OWN(own_free) char *next = file_join(in->i->dir, NEXT_KEY_FILE);

	in->next_key = in->renewal && file_exists(next);
	return key_fits(in, in->next_key ? NEXT_KEY_FILE : KEY_FILE, e);
}

/* What stands in scg.conf is the member's own: it is kept, and never contradicted. */
static int check_conf(struct installing *in, struct err *e) {
	OWN(own_free) char *path = file_join(in->i->dir, CONF_FILE);
	OWN(own_free) char *host = NULL;
	OWN(settings_wipe) struct settings s = {0};
	int r = settings_host(in->i->gateway, &host, e);

	if (r != 0)
		return text_about("-gateway", r, e);
	in->has_conf = file_exists(path);
	if (!in->has_conf)
		return 0;
	if ((r = settings_load(path, &s, e)) != 0)
		return r;
	if (strcmp(s.gateway, in->i->gateway) != 0)
		return err_set(e, ERR_EXISTS, "%s names another gateway, %s: change it there", CONF_FILE, s.gateway);
	return 0;
}

/* One new file, not yet under its name. */
static int stage(struct file_out *o, const char *dir, const char *name, const struct buf *data, struct err *e) {
	OWN(own_free) char *path = file_join(dir, name);
	int r = file_out_open(o, path, 0644, e);

	return r != 0 ? r : file_write_all(o->fd, data->data, data->len, path, e);
}

struct staged {
	struct file_out ca, conf, cert;
};

static void staged_wipe(struct staged *s) {
	file_out_wipe(&s->ca);
	file_out_wipe(&s->conf);
	file_out_wipe(&s->cert);
}

static int stage_all(const struct installing *in, struct staged *s, struct err *e) {
	OWN(buf_wipe) struct buf ca = {0}, conf = {0}, cert = {0};
	const char *dir = in->i->dir;
	int r;

	settings_print(in->i->gateway, &conf);
	if ((r = cert_pem(chain_ca(in->chain), &ca, e)) != 0 || (r = cert_pem(in->cert, &cert, e)) != 0)
		return r;
	if ((r = stage(&s->ca, dir, CA_FILE, &ca, e)) != 0 || (r = stage(&s->cert, dir, CERT_FILE, &cert, e)) != 0)
		return r;
	return in->has_conf ? 0 : stage(&s->conf, dir, CONF_FILE, &conf, e);
}

/* All bytes are on the disk before the first name is given. cert.pem comes last but for a renewal's key: a folder
 * without it holds no member, and one with it and the old key is put right at its next use (identity_load). */
static int name_all(const struct installing *in, struct staged *s, struct err *e) {
	OWN(own_free) char *next = file_join(in->i->dir, NEXT_KEY_FILE);
	OWN(own_free) char *key = file_join(in->i->dir, KEY_FILE);
	OWN(own_fd) int lock = -1;
	int r = identity_lock(in->i->dir, &lock, e);

	if (r != 0)
		return r;
	if (in->next_key && !file_exists(next))
		return err_set(e, ERR_UNREACHABLE, "another scg install was at work: try again");
	if ((r = file_out_keep(&s->ca, true, e)) != 0)
		return r;
	if (!in->has_conf && (r = file_out_keep(&s->conf, false, e)) != 0)
		return r;
	if ((r = file_out_keep(&s->cert, true, e)) != 0)
		return r;
	if (in->next_key && rename(next, key) != 0)
		return err_sys(e, ERR_FAIL, "%s: cannot become %s", NEXT_KEY_FILE, KEY_FILE);
	return in->next_key ? file_sync_dir(in->i->dir, e) : 0;
}

int install_cert(const struct install_cert *i, struct err *e) {
	OWN(installing_wipe) struct installing in = { .i = i };
	OWN(staged_wipe) struct staged s = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
	int r;

	if ((r = check_folder(i->dir, e)) != 0 || (r = load_given(&in, e)) != 0 || (r = check_present(&in, e)) != 0)
		return r;
	if ((r = check_key(&in, e)) != 0 || (r = check_conf(&in, e)) != 0)
		return r;
	r = stage_all(&in, &s, e);
	return r != 0 ? r : name_all(&in, &s, e);
}
