/* SPDX-License-Identifier: Apache-2.0 */
/* A CA and a member that are the same at each run, so that a corpus can hold what is signed by and sealed to them. */
#ifndef SCG_TESTS_IDENTITY_H
#define SCG_TESTS_IDENTITY_H

#include <openssl/x509.h>

#include "pki/chain.h"

/* Owned by the caller. */
void identity_ca(X509 **cert, EVP_PKEY **key);
void identity_member(X509 **cert, EVP_PKEY **key);
/* The CA as an anchor; borrowed. */
const struct chain *identity_chain(void);

struct epoch;
struct envelope_open;
/* identity_group.c, for targets that link the envelope: an epoch whose key and identifier are the same at each run, and the chain and
 * name of the group; the rest of o stays. Kept to the end of the process. */
void identity_group(struct epoch *epoch, struct envelope_open *o);

#endif
