/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/envelope_group.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "lib/fixture.h"
#include "pki/cert.h"
#include "pki/key.h"

#define KEY_HEX (2 * (size_t)GROUP_KEY_LEN)
#define ID_HEX (2 * (size_t)KEY_ID_LEN)
#define LINE_LEN (KEY_HEX + 1 + ID_HEX + 1) /* "KEY ID\n" */

static int save_pem(const char *dir, const char *name, const X509 *cert, struct err *e) {
	OWN(own_free) char *path = file_join(dir, name);
	OWN(buf_wipe) struct buf pem = {0};
	int r = cert_pem(cert, &pem, e);

	return r != 0 ? r : file_save(path, pem.data, pem.len, 0600, e);
}

int group_init(const char *dir, struct err *e) {
	OWN(fixture_wipe) struct fixture f = {0};
	OWN(own_free) char *key = file_join(dir, "key.pem");
	OWN(own_free) char *group = file_join(dir, "group.key");
	uint8_t raw[GROUP_KEY_LEN + KEY_ID_LEN];
	char line[LINE_LEN + 1];
	struct secret none = {0};
	int r;

	fixture_init(&f);
	if ((r = random_bytes(raw, sizeof raw, e)) != 0)
		return r;
	text_hex(raw, GROUP_KEY_LEN, line);
	line[KEY_HEX] = ' ';
	text_hex(raw + GROUP_KEY_LEN, KEY_ID_LEN, line + KEY_HEX + 1);
	line[LINE_LEN - 1] = '\n';
	if ((r = file_mkdir(dir, 0700, true, e)) != 0 || (r = save_pem(dir, "ca.crt", f.ca.cert, e)) != 0 ||
	    (r = save_pem(dir, "cert.pem", f.alice.cert, e)) != 0 || (r = key_save_new(key, f.alice.key, &none, e)) != 0)
		return r;
	return file_save(group, line, LINE_LEN, 0600, e);
}

int group_load(const char *dir, struct group *g, struct err *e) {
	OWN(own_free) char *ca = file_join(dir, "ca.crt");
	OWN(own_free) char *cert = file_join(dir, "cert.pem");
	OWN(own_free) char *key = file_join(dir, "key.pem");
	OWN(own_free) char *group = file_join(dir, "group.key");
	OWN(buf_wipe) struct buf line = {0};
	int r;

	if ((r = file_load(group, 1024, &line, e)) != 0 || (r = cert_load(ca, &g->ca, e)) != 0 || (r = cert_load(cert, &g->cert, e)) != 0 ||
	    (r = key_load(key, NULL, &g->key, e)) != 0 || (r = chain_new(g->ca, &g->chain, e)) != 0 ||
	    (r = secret_init(&g->epoch.key, GROUP_KEY_LEN, e)) != 0)
		return r;
	if (line.len != LINE_LEN)
		return err_set(e, ERR_FAIL, "group.key is not what init wrote");
	line.data[KEY_HEX] = line.data[LINE_LEN - 1] = '\0';
	g->epoch.number = 1;
	g->keys = (struct keyring){ .v = &g->epoch, .n = 1 };
	if ((r = text_unhex(buf_str(&line), g->epoch.key.data, GROUP_KEY_LEN, e)) != 0)
		return r;
	return text_unhex(buf_str(&line) + KEY_HEX + 1, g->epoch.key_id, KEY_ID_LEN, e);
}

void group_wipe(struct group *g) {
	secret_wipe(&g->epoch.key);
	EVP_PKEY_free(g->key);
	X509_free(g->cert);
	X509_free(g->ca);
	chain_free(g->chain);
}
