/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/x509v3.h>

#include "net/hello.h"
#include "net/resume.h"
#include "pki/cert.h"
#include "pki/lean.h"
#include "pki/ossl.h"

OWN_DEFINE(ssl_ctx, SSL_CTX, SSL_CTX_free)

/* The key shares that every TLS 1.3 client has; X25519 costs OpenSSL 3.0's server 200 us, P-256 255 us. */
#define GROUPS "X25519:P-256"
/* What keys of the profiles sign with (RFC 8446 4.2.3); the PKCS #1 ones only for certificates of an RSA authority. */
#define SIGNATURES "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:" \
	"rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512"
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
/* Two certificates of the largest size: ours send one. */
#define CERT_LIST_MAX (2L * CERT_MAX_BYTES)

/* Certificates that were found good: members come back with each command, and what chain_check says of the same bytes never changes. Direct
 * mapped; an entry holds the SHA-256 of the whole certificate. */
#define KNOWN 1024
struct known {
	const struct chain *chain;
	pthread_mutex_t lock;
	uint8_t sha256[KNOWN][SHA256_LEN];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int verdict_index = -1, known_index = -1, chain_index = -1, front_index = -1, joined_index = -1;

/* What stands behind one front. */
struct joined {
	size_t n;
	SSL_CTX *v[];
};

static void known_free(void *parent, void *p, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp) {
	struct known *k = p;

	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	if (k == NULL)
		return;
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static void joined_free(void *parent, void *p, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp) {
	struct joined *j = p;

	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	for (size_t i = 0; j != NULL && i < j->n; i++)
		SSL_CTX_free(j->v[i]);
	free(j);
}

static void make_indexes(void) {
	verdict_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	chain_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	front_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	known_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, known_free);
	joined_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, joined_free);
}

static bool is_known(struct known *k, const uint8_t sha256[static SHA256_LEN]) {
	size_t slot = (size_t)(sha256[0] << 8 | sha256[1]) % KNOWN;
	bool same;

	pthread_mutex_lock(&k->lock);
	same = memcmp(k->sha256[slot], sha256, SHA256_LEN) == 0;
	pthread_mutex_unlock(&k->lock);
	return same;
}

static void remember(struct known *k, const uint8_t sha256[static SHA256_LEN]) {
	size_t slot = (size_t)(sha256[0] << 8 | sha256[1]) % KNOWN;

	pthread_mutex_lock(&k->lock);
	memcpy(k->sha256[slot], sha256, SHA256_LEN);
	pthread_mutex_unlock(&k->lock);
}

static enum verdict judge_client(struct known *k, X509 *cert) {
	uint8_t sha256[SHA256_LEN];
	enum verdict v;

	if (cert == NULL)
		return VERDICT_NO_CERTIFICATE;
	cert_sha256(cert, sha256);
	if (is_known(k, sha256))
		return VERDICT_GOOD;
	v = chain_check(k->chain, cert, PURPOSE_CLIENT, NULL);
	if (v == VERDICT_GOOD)
		remember(k, sha256);
	return v;
}

static struct known *known_of(const SSL_CTX *ctx) {
	return SSL_CTX_get_ex_data(ctx, known_index);
}

/* The first of the others that issued it, or NULL. Who issued none of a certificate's names is told by a comparison of names. */
static struct known *find_issuer(const struct joined *j, X509 *cert, enum verdict *v) {
	for (size_t i = 0; j != NULL && i < j->n; i++)
		if ((*v = judge_client(known_of(j->v[i]), cert)) != VERDICT_FOREIGN)
			return known_of(j->v[i]);
	*v = VERDICT_FOREIGN;
	return NULL;
}

/* Instead of OpenSSL's path building: one signature, no store, no list. Whatever it finds the handshake goes on, so that the client can
 * be told the reason. */
static int verify_client(X509_STORE_CTX *store, void *arg) {
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	struct known *k = arg, *other = NULL;
	enum verdict v = judge_client(k, cert);

	if (v == VERDICT_FOREIGN)
		other = find_issuer(SSL_get_ex_data(ssl, front_index), cert, &v);
	if (other != NULL)
		k = other;
	if (v == VERDICT_GOOD)
		resume_allow(ssl, cert, k->chain);
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return SSL_set_ex_data(ssl, verdict_index, (void *)(uintptr_t)v) == 1 && SSL_set_ex_data(ssl, chain_index, (void *)(uintptr_t)k->chain) == 1;
}

/* One protocol is spoken here; a client that offers others alone is at the wrong door (ALPACA). RFC 7301 3.2. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned int in_len,
    void *arg) {
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl, (void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Both ends. */
static int set_policy(SSL_CTX *ctx, EVP_PKEY *key, X509 *cert, struct err *e) {
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 || SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, SUITES) != 1 || SSL_CTX_set1_groups_list(ctx, GROUPS) != 1 ||
	    SSL_CTX_set1_sigalgs_list(ctx, SIGNATURES) != 1)
		return ossl_err(e, ERR_FAIL, "TLS 1.3 (RFC 8446)");
	if (cert == NULL)
		return 0;
	if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
		return ossl_err(e, ERR_DAMAGED, "certificate and key of this end");
	if (SSL_CTX_check_private_key(ctx) != 1)
		return ossl_err(e, ERR_DAMAGED, "the key is not the certificate's");
	return 0;
}

int tls_server_new(EVP_PKEY *key, X509 *cert, const struct chain *chain, SSL_CTX **ctx, struct err *e) {
	OWN(own_ssl_ctx) SSL_CTX *c = SSL_CTX_new_ex(lean_libctx(), NULL, TLS_server_method());
	struct known *k;
	int rc;

	pthread_once(&once, make_indexes);
	if (c == NULL || verdict_index < 0 || known_index < 0 || chain_index < 0 || front_index < 0)
		return ossl_err(e, ERR_FAIL, "TLS context");
	if ((rc = set_policy(c, key, cert, e)) != 0)
		return rc;
	/* Without AUTO_RETRY a peer's endless key updates come back to the loop instead of keeping SSL_read busy. */
	SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	/* Who hangs up without a goodbye keeps his session; where a request ends its own length says (RFC 9112 6.3). */
	SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_read_ahead(c, 1);
	SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
	resume_install(c);
	if (SSL_CTX_set_num_tickets(c, 0) != 1)
		return ossl_err(e, ERR_FAIL, "TLS context");
	k = xcalloc(1, sizeof *k);
	k->chain = chain;
	pthread_mutex_init(&k->lock, NULL);
	if (SSL_CTX_set_ex_data(c, known_index, k) != 1) {
		known_free(NULL, k, NULL, 0, 0, NULL);
		return ossl_err(e, ERR_FAIL, "TLS context");
	}
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c, verify_client, k);
	*ctx = c;
	c = NULL;
	return 0;
}

static bool names_authority(SSL *ssl, const struct known *k) {
	const unsigned char *ext;
	size_t len;

	return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_certificate_authorities, &ext, &len) == 1 &&
	    hello_names_authority(ext, len, X509_get_subject_name(chain_ca(k->chain)));
}

static bool is_good_for(const SSL_CTX *ctx, const char *name) {
	return X509_check_host(SSL_CTX_get0_certificate(ctx), name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* The one that alone has this name. */
static SSL_CTX *find_host(const struct joined *j, const char *name) {
	SSL_CTX *found = NULL;

	for (size_t i = 0; i < j->n; i++) {
		if (!is_good_for(j->v[i], name))
			continue;
		if (found != NULL)
			return NULL;
		found = j->v[i];
	}
	return found;
}

static SSL_CTX *choose(SSL *ssl, const struct joined *j) {
	char name[HELLO_NAME_MAX + 1];
	const unsigned char *ext;
	SSL_CTX *found = NULL;
	size_t len;

	for (size_t i = 0; i < j->n; i++)
		if (names_authority(ssl, known_of(j->v[i])))
			return j->v[i];
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) == 1 && hello_server_name(ext, len, name))
		found = find_host(j, name);
	return found != NULL ? found : j->v[0];
}

/* The SSL keeps the context that it began with, and so what is joined, as long as it lives. */
static int on_hello(SSL *ssl, int *alert, void *arg) {
	struct joined *j = arg;

	if (SSL_set_ex_data(ssl, front_index, j) == 1 && SSL_set_SSL_CTX(ssl, choose(ssl, j)) != NULL)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}

int tls_server_join(SSL_CTX *const *v, size_t n, SSL_CTX **front, struct err *e) {
	OWN(own_ssl_ctx) SSL_CTX *c = NULL;
	struct joined *j;
	int rc = tls_server_new(SSL_CTX_get0_privatekey(v[0]), SSL_CTX_get0_certificate(v[0]), known_of(v[0])->chain, &c, e);

	if (rc != 0)
		return rc;
	j = xcalloc(1, sizeof *j + n * sizeof(SSL_CTX *));
	for (size_t i = 0; i < n; i++) {
		(void)SSL_CTX_up_ref(v[i]);
		j->v[j->n++] = v[i];
	}
	if (joined_index < 0 || SSL_CTX_set_ex_data(c, joined_index, j) != 1) {
		joined_free(NULL, j, NULL, 0, 0, NULL);
		return ossl_err(e, ERR_FAIL, "TLS context");
	}
	SSL_CTX_set_client_hello_cb(c, on_hello, j);
	*front = c;
	c = NULL;
	return 0;
}

const struct chain *tls_peer_chain(const SSL *ssl) {
	const struct chain *judge = SSL_session_reused(ssl) == 1 ? resume_chain(ssl) : SSL_get_ex_data(ssl, chain_index);

	return judge != NULL ? judge : known_of(SSL_get_SSL_CTX(ssl))->chain;
}

X509 *tls_peer_cert(const SSL *ssl) {
	return SSL_get0_peer_certificate(ssl);
}

enum verdict tls_peer_verdict(const SSL *ssl) {
	if (SSL_get0_peer_certificate(ssl) == NULL)
		return VERDICT_NO_CERTIFICATE;
	if (SSL_session_reused(ssl) == 1)
		return resume_chain(ssl) != NULL ? VERDICT_GOOD : VERDICT_NO_CERTIFICATE;
	return (enum verdict)(uintptr_t)SSL_get_ex_data(ssl, verdict_index);
}

/* The judge travels with the context: OpenSSL hands a callback one argument. */
struct judge {
	tls_judge *f;
	void *arg;
};

static pthread_once_t judge_once = PTHREAD_ONCE_INIT;
static int judge_index = -1;

static void judge_free(void *parent, void *p, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp) {
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	free(p);
}

static void make_judge_index(void) {
	judge_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, judge_free);
}

static int verify_server(X509_STORE_CTX *store, void *arg) {
	const struct judge *j = arg;
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	bool good = cert != NULL && j->f(j->arg, cert);

	X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
	return good;
}

int tls_client_set(SSL_CTX *ctx, EVP_PKEY *key, X509 *cert, tls_judge *judge, void *arg, struct err *e) {
	struct judge *j;
	int rc = set_policy(ctx, key, cert, e);

	pthread_once(&judge_once, make_judge_index);
	if (rc != 0)
		return rc;
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	j = xmalloc(sizeof *j);
	*j = (struct judge){ judge, arg };
	if (judge_index < 0 || SSL_CTX_set_ex_data(ctx, judge_index, j) != 1) {
		free(j);
		return ossl_err(e, ERR_FAIL, "TLS context");
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_server, j);
	return 0;
}

int tls_client_name_ca(SSL_CTX *ctx, const X509 *ca, struct err *e) {
	STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(ca));

	if (list == NULL || name == NULL || sk_X509_NAME_push(list, name) <= 0) {
		sk_X509_NAME_free(list);
		X509_NAME_free(name);
		return ossl_err(e, ERR_FAIL, "TLS context");
	}
	SSL_CTX_set0_CA_list(ctx, list);
	return 0;
}
