/* SPDX-License-Identifier: Apache-2.0 */
#include "store/oauth_jwt.h"

#include <string.h>

#include <openssl/pem.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "store/gdrive.h"

OWN_DEFINE(json, json_t, json_decref)

#define SIGNATURE_MAX 1024 /* RSA of 8192 bits */

/* A key in an encrypted block is none that Google gives: nobody is asked for a passphrase. */
static int no_passphrase(char *out, int size, int rwflag, void *arg) {
	(void)out;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static int read_key(const struct secret *pem, EVP_PKEY **key, struct err *e) {
	OWN(own_bio) BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);

	*key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	if (*key == NULL)
		return ossl_err(e, ERR_USAGE, "private_key is no PEM private key");
	if (EVP_PKEY_get_base_id(*key) != EVP_PKEY_RSA)
		return err_set(e, ERR_REFUSED, "private_key is not an RSA key (RFC 7518 3.3)");
	return key_check(*key, "private_key", e);
}

static int parse(const json_t *o, struct grant *g, char **token_uri, struct err *e) {
	OWN(own_pkey) EVP_PKEY *key = NULL;
	const json_t *key_id = json_object_get(o, "private_key_id");
	const char *type = json_string_value(json_object_get(o, "type"));

	if (type == NULL || strcmp(type, "service_account") != 0)
		return err_set(e, ERR_USAGE, "not the JSON key of a service account (type)");
	if (!grant_take_text(json_object_get(o, "client_email"), &g->email))
		return err_set(e, ERR_USAGE, "not the JSON key of a service account (client_email)");
	if (!grant_take_text(json_object_get(o, "token_uri"), token_uri))
		return err_set(e, ERR_USAGE, "not the JSON key of a service account (token_uri)");
	if (key_id != NULL && !grant_take_text(key_id, &g->key_id))
		return err_set(e, ERR_USAGE, "not the JSON key of a service account (private_key_id)");
	if (!grant_take_pem(json_object_get(o, "private_key"), &g->key))
		return err_set(e, ERR_USAGE, "not the JSON key of a service account (private_key)");
	return read_key(&g->key, &key, e);
}

int jwt_load(const char *path, struct grant *g, char **token_uri, struct err *e) {
	OWN(own_json) json_t *o = NULL;
	OWN(buf_wipe) struct buf json = {0};
	int r = file_load(path, JWT_FILE_MAX, &json, e);

	if (r != 0)
		return r;
	o = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
	g->kind = GRANT_SERVICE;
	g->scope = xstrdup(GDRIVE_SCOPE);
	r = parse(o, g, token_uri, e);
	return r != 0 ? text_about(path, r, e) : 0;
}

static int add_part(const json_t *o, struct buf *out, struct err *e) {
	OWN(own_free) char *text = json_dumps(o, JSON_COMPACT);

	if (text == NULL)
		return err_set(e, ERR_FAIL, "no memory for an assertion");
	text_base64url((const uint8_t *)text, strlen(text), out);
	return 0;
}

static int add_header(const struct grant *g, struct buf *out, struct err *e) {
	OWN(own_json) json_t *o = json_pack("{s:s, s:s}", "alg", "RS256", "typ", "JWT");

	if (g->key_id != NULL)
		(void)json_object_set_new(o, "kid", json_string(g->key_id));
	return add_part(o, out, e);
}

static int add_claims(const struct grant *g, const char *audience, struct buf *out, struct err *e) {
	json_int_t now_s = (json_int_t)clock_now_s();
	OWN(own_json)
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", g->email, "scope", g->scope, "aud", audience, "iat",
	    now_s, "exp", now_s + JWT_LIFE_S);

	buf_addc(out, '.');
	return add_part(o, out, e);
}

static int add_signature(const struct grant *g, struct buf *out, struct err *e) {
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(own_evp_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[SIGNATURE_MAX];
	size_t len = sizeof(sig);
	int r = read_key(&g->key, &key, e);

	if (r != 0)
		return r;
	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, sig, &len, out->data, out->len) != 1)
		return ossl_err(e, ERR_FAIL, "cannot sign for the service account");
	buf_addc(out, '.');
	text_base64url(sig, len, out);
	return 0;
}

int jwt_make(const struct grant *g, const char *audience, struct buf *out, struct err *e) {
	OWN(buf_wipe) struct buf jwt = {0};
	int r;

	if ((r = add_header(g, &jwt, e)) != 0 || (r = add_claims(g, audience, &jwt, e)) != 0 ||
	    (r = add_signature(g, &jwt, e)) != 0)
		return r;
	buf_add(out, jwt.data, jwt.len);
	return 0;
}
