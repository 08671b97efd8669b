/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/lean.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#define ALGORITHMS_MAX 15

/* What is there of one kind of algorithm. */
struct kind {
	int operation;
	const char *property; /* part of what the provider says of it, or "" */
	const char *names[ALGORITHMS_MAX + 1];
	OSSL_ALGORITHM found[ALGORITHMS_MAX + 1]; /* ends with zeros */
};

/* TLS 1.3's (RFC 8446 9.1), and what OpenSSL itself cannot begin without: MD5 in SSL_CTX_new, SHA-1 for a certificate's
 * fingerprint. HMAC is a key in the binder of a resumed session, RSA-PSS the kind of key by which OpenSSL sees that it can make
 * rsa_pss_rsae signatures. */
static struct kind kinds[] = {
	{ OSSL_OP_DIGEST, "", { "SHA2-256", "SHA2-384", "SHA2-512", "SHA1", "MD5" }, { { 0 } } },
	{ OSSL_OP_CIPHER, "", { "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305" }, { { 0 } } },
	{ OSSL_OP_MAC, "", { "HMAC" }, { { 0 } } },
	{ OSSL_OP_KDF, "", { "TLS13-KDF", "HKDF" }, { { 0 } } },
	{ OSSL_OP_RAND, "", { "CTR-DRBG", "SEED-SRC" }, { { 0 } } },
	{ OSSL_OP_KEYMGMT, "", { "EC", "RSA", "RSA-PSS", "X25519", "HMAC" }, { { 0 } } },
	{ OSSL_OP_KEYEXCH, "", { "ECDH", "X25519" }, { { 0 } } },
	{ OSSL_OP_SIGNATURE, "", { "ECDSA", "RSA", "HMAC" }, { { 0 } } },
	{ OSSL_OP_ENCODER, "structure=SubjectPublicKeyInfo", { "EC", "RSA" }, { { 0 } } },
	{ OSSL_OP_DECODER, "input=der,structure=SubjectPublicKeyInfo", { "EC", "RSA" }, { { 0 } } },
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *lean;
static OSSL_PROVIDER *whole, *part; /* of the default context, of the lean one */

/* names: "EC:id-ecPublicKey:1.2.840.10045.2.1" */
static bool has_name(const char *names, const char *wanted) {
	size_t len = strlen(wanted);

	for (const char *p = names; (p = strstr(p, wanted)) != NULL; p += len)
		if ((p == names || p[-1] == ':') && (p[len] == ':' || p[len] == '\0'))
			return true;
	return false;
}

static bool is_wanted(const struct kind *k, const OSSL_ALGORITHM *a) {
	if (strstr(a->property_definition, k->property) == NULL)
		return false;
	for (const char *const *name = k->names; *name != NULL; name++)
		if (has_name(a->algorithm_names, *name))
			return true;
	return false;
}

static void choose(struct kind *k) {
	int no_cache;
	const OSSL_ALGORITHM *a = OSSL_PROVIDER_query_operation(whole, k->operation, &no_cache);
	size_t n = 0;

	for (; a != NULL && a->algorithm_names != NULL && n < ALGORITHMS_MAX; a++)
		if (is_wanted(k, a))
			k->found[n++] = *a;
}

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache) {
	(void)ctx;
	*no_cache = 0;
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].operation == operation)
			return kinds[i].found;
	return NULL;
}

static int get_capabilities(void *ctx, const char *capability, OSSL_CALLBACK *cb, void *arg) {
	(void)ctx;
	return OSSL_PROVIDER_get_capabilities(whole, capability, cb, arg);
}

/* What is handed out is the default provider's own, so its functions must be given its context. provider-base(7). */
static int start(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **ctx) {
	static const OSSL_DISPATCH ours[] = { { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
	    { OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities }, { 0, NULL } };

	(void)core, (void)in;
	*out = ours;
	*ctx = OSSL_PROVIDER_get0_provider_ctx(whole);
	return 1;
}

/* Not where an administrator has set other providers than OpenSSL's own, or FIPS 140; and only in the releases that are slow: 3.2
 * keeps what it found (https://github.com/openssl/openssl/pull/21426). */
static bool is_of_use(void) {
	return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0 && EVP_default_properties_is_fips_enabled(NULL) == 0 &&
	    OSSL_PROVIDER_available(NULL, "default") == 1;
}

static OSSL_LIB_CTX *new_ctx(void) {
	OSSL_LIB_CTX *c = OSSL_LIB_CTX_new();

	if (c != NULL && OSSL_PROVIDER_add_builtin(c, "lean", start) == 1 && (part = OSSL_PROVIDER_load(c, "lean")) != NULL)
		return c;
	OSSL_LIB_CTX_free(c);
	return NULL;
}

/* Before OpenSSL's own end, which was asked for earlier (atexit(3)) and would free the provider but not this context. */
static void end(void) {
	(void)OSSL_PROVIDER_unload(part);
	OSSL_LIB_CTX_free(lean);
	lean = NULL;
}

static void make(void) {
	(void)ERR_set_mark();
	if (is_of_use() && (whole = OSSL_PROVIDER_load(NULL, "default")) != NULL) {
		for (size_t i = 0; i < KINDS; i++)
			choose(&kinds[i]);
		lean = new_ctx();
		if (lean != NULL && atexit(end) != 0)
			end();
	}
	(void)ERR_pop_to_mark();
}

OSSL_LIB_CTX *lean_libctx(void) {
	(void)pthread_once(&once, make);
	return lean;
}
