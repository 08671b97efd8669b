/* SPDX-License-Identifier: Apache-2.0 */
/* A CA and a member that are the same at each run, so that a corpus can hold what is signed by and sealed to them. */
#ifndef SCG_TESTS_IDENTITY_H
#define SCG_TESTS_IDENTITY_H

#include <openssl/x509.h>

/* Owned by the caller. */
void identity_ca(X509 **cert, EVP_PKEY **key);
void identity_member(X509 **cert, EVP_PKEY **key);

#endif
