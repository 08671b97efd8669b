/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/keypair.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "base/pass.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"

int keypair_make(const char *spec, const char *passout, const char *path, EVP_PKEY **key, struct err *e) {
	OWN(secret_wipe) struct secret pass = { 0 };
	OWN(own_pkey) EVP_PKEY *made = NULL;

	if (passout != NULL && pass_read(passout, path, true, &pass, e) != 0)
		return e->code;
	if (key_make(spec, &made, e) != 0 || key_save_new(path, made, &pass, e) != 0)
		return e->code;
	*key = made;
	made = NULL;
	return 0;
}

int keypair_request(EVP_PKEY *key, const char *hosts, const char *path, bool replace, struct err *e) {
	OWN(buf_wipe) struct buf pem = { 0 };
	char name[NAME_MAX_BYTES + 1];

	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(hosts, ","), hosts);
	if (csr_make(key, name, &pem, e) != 0)
		return e->code;
	return replace ? file_save(path, pem.data, pem.len, 0644, e) : file_save_new(path, pem.data, pem.len, 0644, e);
}
