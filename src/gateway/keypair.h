/* SPDX-License-Identifier: Apache-2.0 */
/* A new private key of the gateway, and the request that goes to the CA. */
#ifndef SCG_GATEWAY_KEYPAIR_H
#define SCG_GATEWAY_KEYPAIR_H

#include <stdbool.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "base/secret.h"

struct keypair {
	EVP_PKEY *key;
	struct secret pass; /* under which it will be saved; empty: in the clear */
};

/* In memory only, so that what is wrong with the options is found before anything is written. spec as in key_make;
 * passout NULL: no passphrase. *k must be zeroed. */
int keypair_make(const char *spec, const char *passout, struct keypair *k, struct err *e) MUST_CHECK;
void keypair_wipe(struct keypair *k);
/* PKCS #8, 0600, never over an existing file. */
int keypair_save(const struct keypair *k, const char *path, struct err *e) MUST_CHECK;
/* PKCS #10 over the key for the first of the hosts ("NAME,NAME,IP"). replace: over an older request. */
int keypair_request(
    const struct keypair *k, const char *hosts, const char *path, bool replace, struct err *e) MUST_CHECK;

#endif
