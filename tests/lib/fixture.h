/* SPDX-License-Identifier: Apache-2.0 */
/* A group in memory for unit tests: a CA, members, gateways, and everybody who must be refused. Any failure here aborts the test. */
#ifndef SCG_TESTS_FIXTURE_H
#define SCG_TESTS_FIXTURE_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "pki/chain.h"
#include "pki/profile.h"

#define FIXTURE_DAY_S ((int64_t)86400)

struct fixture_id {
	EVP_PKEY *key;
	X509 *cert;
};

struct fixture {
	int64_t now_s;                  /* clock_now_s() when it was made */
	struct fixture_id ca;           /* group "lab", P-256, from a day ago to ten years ahead */
	struct fixture_id alice, bob;   /* members, 90 days */
	struct fixture_id admin;        /* role admin, "officer" */
	struct fixture_id gateway;      /* "gw", SAN DNS:localhost,IP:127.0.0.1 */
	struct fixture_id foreign_ca;   /* of another group with the same name */
	struct fixture_id foreign;      /* "alice" by the foreign CA */
	struct fixture_id foreign_gateway;
	struct fixture_id expired;      /* member "eve", ended an hour ago */
	struct fixture_id early;        /* member "adam", begins in an hour */
	struct chain *chain;            /* of ca */
};

void fixture_init(struct fixture *f);
void fixture_wipe(struct fixture *f);

void fixture_id_wipe(struct fixture_id *id);
/* A CA of this group with a key of this kind (NULL: P-256). */
void fixture_ca(const char *group, const char *spec, struct fixture_id *out);
/* A certificate and its key (spec as in key_make). Gateways get the SAN above. */
void fixture_issue(const struct fixture_id *ca, enum role role, const char *name, const char *spec, int64_t not_before_s, int64_t not_after_s,
    struct fixture_id *out);
/* A member of the fixture's group for 90 days from now. */
void fixture_member(const struct fixture *f, const char *name, struct fixture_id *out);
/* The certificate's body changed by hand and signed again by this CA; md NULL: the hash that fits the CA's key. Returns a new certificate. */
X509 *fixture_tamper(const X509 *cert, const struct fixture_id *ca, const EVP_MD *md, void (*change)(X509 *cert));
/* The DER of a SIGNED{} (RFC 5280 4.1.1): the body that is given, an algorithm, and a signature over it. For what OpenSSL does not make any more. */
void fixture_sign_body(EVP_PKEY *key, const EVP_MD *md, const X509_ALGOR *alg, const uint8_t *body, size_t len, struct buf *der);
/* Replaces (or, value NULL, removes) an extension, given in OpenSSL's notation: for fixture_tamper. */
void fixture_set_ext(X509 *cert, int nid, const char *value);
/* A list that names the n certificates, with this number and reason, from an hour ago to a week ahead; DER is appended. */
void fixture_crl(const struct fixture *f, uint64_t number, X509 *const *revoked, size_t n, int reason, struct buf *der);

#endif
