/* SPDX-License-Identifier: Apache-2.0 */
/* A new private key of the gateway, and the request that goes to the CA. */
#ifndef SCG_GATEWAY_KEYPAIR_H
#define SCG_GATEWAY_KEYPAIR_H

#include <stdbool.h>
#include <openssl/evp.h>

#include "base/err.h"

/* spec as in key_make; passout NULL: not encrypted. path: 0600, never over an existing file. */
int keypair_make(const char *spec, const char *passout, const char *path, EVP_PKEY **key, struct err *e) MUST_CHECK;
/* PKCS #10 over key for the first of the hosts ("NAME,NAME,IP"). replace: over an older request. */
int keypair_request(EVP_PKEY *key, const char *hosts, const char *path, bool replace, struct err *e) MUST_CHECK;

#endif
