/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/keypair.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "base/pass.h"
#include "gateway/identity.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/name.h"

int keypair_make(const char *spec, const char *passout, struct keypair *k, struct err *e) {
	if (key_make(spec, &k->key, e) != 0)
		return e->code;
	return passout != NULL ? pass_read(passout, FILE_KEY, true, &k->pass, e) : 0;
}

void keypair_wipe(struct keypair *k) {
	EVP_PKEY_free(k->key);
	secret_wipe(&k->pass);
	k->key = NULL;
}

int keypair_save(const struct keypair *k, const char *path, struct err *e) {
	return key_save_new(path, k->key, &k->pass, e);
}

int keypair_request(const struct keypair *k, const char *hosts, const char *path, bool replace, struct err *e) {
	OWN(buf_wipe) struct buf pem = { 0 };
	char name[NAME_MAX_BYTES + 1];

	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(hosts, ","), hosts);
	if (csr_make(k->key, name, &pem, e) != 0)
		return e->code;
	return replace ? file_save(path, pem.data, pem.len, 0644, e) : file_save_new(path, pem.data, pem.len, 0644, e);
}
