/* SPDX-License-Identifier: Apache-2.0 */
/* The server part with the least handler there is.
 *
 *	serve DIR      serves DIR/www/crl at every path, with DIR/{ca.crt,gateway.crt,gateway.key}; prints the port */
#include "net/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "net/tls.h"
#include "pki/cert.h"
#include "pki/key.h"

static void handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	const struct buf *file = arg;

	(void)r;
	if (p->verdict != VERDICT_GOOD || chain_check_time(p->cert, clock_now_s(), NULL) != VERDICT_GOOD) {
		http_problem(reply, 403, verdict_name(p->verdict), "not a member");
		return;
	}
	reply->status = 200;
	reply->type = "application/pkix-crl";
	buf_add(&reply->body, file->data, file->len);
}

static int run(const char *dir, struct err *e) {
	static struct buf file;
	static const struct server_ops ops = { .arg = &file, .handle = handle };
	OWN(own_free) char *file_name = xasprintf("%s/www/crl", dir);
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

	if ((rc = file_load(file_name, SIZE_MAX, &file, e)) != 0 || (rc = cert_load(ca_name, &ca, e)) != 0 ||
	    (rc = cert_load(cert_name, &cert, e)) != 0 ||
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

	if (argc != 2) {
		(void)fprintf(stderr, "usage: serve DIR\n");
		return 2;
	}
	rc = run(argv[1], &e);
	if (rc != 0)
		(void)fprintf(stderr, "serve: %s\n", e.text);
	return err_status(rc);
}
