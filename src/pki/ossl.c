/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/ossl.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

int ossl_err(struct err *e, int code, const char *fmt, ...) {
	char text[ERR_TEXT_MAX];
	unsigned long first = ERR_get_error();
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	const char *reason = first == 0 ? NULL : ERR_SYSTEM_ERROR(first) ? strerror((int)ERR_GET_REASON(first)) : ERR_reason_error_string(first);
	ERR_clear_error();
	if (reason == NULL)
		return err_set(e, code, "%s", text);
	return err_set(e, code, "%s: %s", text, reason);
}

static EVP_MD *sha256;

static void fetch_sha256(void) {
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* Without memory or without SHA-256 nothing here can go on, and no caller could do better. */
static void must(bool ok) {
	if (!ok)
		abort();
}

static const EVP_MD *get_sha256(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	must(pthread_once(&once, fetch_sha256) == 0 && sha256 != NULL);
	return sha256;
}

void ossl_sha256(const void *data, size_t len, uint8_t out[static SHA256_LEN]) {
	must(EVP_Digest(data, len, out, NULL, get_sha256(), NULL) == 1);
}

void ossl_sha256_two(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t out[static SHA256_LEN]) {
	OWN(own_evp_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL && EVP_DigestInit_ex(ctx, get_sha256(), NULL) == 1 && EVP_DigestUpdate(ctx, a, a_len) == 1 &&
	     EVP_DigestUpdate(ctx, b, b_len) == 1 && EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

static int nid_recipient_nonce;

static void make_nids(void) {
	const char *oid = "2.16.840.1.113733.1.9.6";

	nid_recipient_nonce = OBJ_txt2nid(oid);
	if (nid_recipient_nonce == NID_undef)
		nid_recipient_nonce = OBJ_create(oid, "recipientNonce", "SCEP recipientNonce");
	ERR_clear_error();
}

int ossl_nid_recipient_nonce(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, make_nids) != 0 || nid_recipient_nonce == NID_undef)
		abort();
	return nid_recipient_nonce;
}
