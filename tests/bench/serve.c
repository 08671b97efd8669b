/* SPDX-License-Identifier: Apache-2.0 */
/* The server part with the least handler there is, and the certificates of a group for it and for what it is compared with.
 *
 *	serve init DIR      writes ca.crt, gateway.crt, gateway.key, member.crt, member.key
 *	serve run DIR       serves; prints the port */
#include "net/server.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "lib/fixture.h"
#include "net/tls.h"
#include "pki/cert.h"
#include "pki/key.h"

static int write_id(const char *dir, const char *name, const struct fixture_id *id, bool with_key, struct err *e) {
	OWN(own_free) char *cert_name = xasprintf("%s/%s.crt", dir, name);
	OWN(own_free) char *key_name = xasprintf("%s/%s.key", dir, name);
	OWN(buf_wipe) struct buf pem = {0};
	const struct secret none = {0};
	int rc;

	if ((rc = cert_pem(id->cert, &pem, e)) != 0 || (rc = file_save(cert_name, pem.data, pem.len, 0644, e)) != 0)
		return rc;
	return with_key ? key_save_new(key_name, id->key, &none, e) : 0;
}

static int init(const char *dir, struct err *e) {
	struct fixture f;
	int rc;

	fixture_init(&f);
	if ((rc = write_id(dir, "ca", &f.ca, false, e)) == 0 && (rc = write_id(dir, "gateway", &f.gateway, true, e)) == 0)
		rc = write_id(dir, "member", &f.alice, true, e);
	fixture_wipe(&f);
	return rc;
}

static void handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	(void)arg, (void)r;
	if (p->verdict != VERDICT_GOOD || chain_check_time(p->cert, clock_now_s(), NULL) != VERDICT_GOOD) {
		http_problem(reply, 403, verdict_name(p->verdict), "not a member");
		return;
	}
	reply->status = 200;
	reply->type = "text/plain";
	buf_adds(&reply->body, "hello\n");
}

static int run(const char *dir, struct err *e) {
	static const struct server_ops ops = { .handle = handle };
	OWN(own_free) char *ca_name = xasprintf("%s/ca.crt", dir);
	OWN(own_free) char *cert_name = xasprintf("%s/gateway.crt", dir);
	OWN(own_free) char *key_name = xasprintf("%s/gateway.key", dir);
	struct chain *chain;
	struct server *s;
	X509 *ca, *cert;
	EVP_PKEY *key;
	SSL_CTX *ctx;
	char address[80];
	int rc;

	if ((rc = cert_load(ca_name, &ca, e)) != 0 || (rc = cert_load(cert_name, &cert, e)) != 0 ||
	    (rc = key_load(key_name, NULL, &key, e)) != 0 || (rc = chain_new(ca, &chain, e)) != 0 ||
	    (rc = tls_server_new(key, cert, chain, &ctx, e)) != 0 || (rc = server_new(&s, "127.0.0.1:0", ctx, &ops, NULL, e)) != 0)
		return rc;
	server_address(s, address);
	(void)printf("%s\n", strrchr(address, ':') + 1);
	(void)fflush(stdout);
	return server_run(s, e); /* until it is killed */
}

int main(int argc, char **argv) {
	struct err e = ERR_INIT;
	int rc;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: serve init|run DIR\n");
		return 2;
	}
	rc = strcmp(argv[1], "init") == 0 ? init(argv[2], &e) : run(argv[2], &e);
	if (rc != 0)
		(void)fprintf(stderr, "serve: %s\n", e.text);
	return err_status(rc);
}
