/* SPDX-License-Identifier: Apache-2.0 */
/* A group that lies in a folder, without gateway and client: ca.crt, cert.pem, key.pem, group.key ("KEY ID" in hex). */
#ifndef SCG_TESTS_BENCH_ENVELOPE_GROUP_H
#define SCG_TESTS_BENCH_ENVELOPE_GROUP_H

#include "envelope/envelope.h"

struct group {
	struct epoch epoch;
	struct keyring keys;
	EVP_PKEY *key;
	X509 *cert, *ca;
	struct chain *chain;
};
/* Makes one in a new folder. */
int group_init(const char *dir, struct err *e) MUST_CHECK;
/* g begins as {0}; wipe it in every case. */
int group_load(const char *dir, struct group *g, struct err *e) MUST_CHECK;
void group_wipe(struct group *g);

#endif
