/* SPDX-License-Identifier: Apache-2.0 */
/* net/tls: one protocol, nothing resumed, and a verdict for every client. */
#include "net/tls.h"

#include <sys/socket.h>

#include "server_app.h"

START_TEST(older_protocols_are_refused) {
	SSL_CTX *ctx = caller_ctx(&group.alice);
	struct caller c;

	app_start(NULL);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	ck_assert(!caller_open_with(&c, web.port, ctx, NULL));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(no_ticket_is_ever_given) {
	struct caller c;

	app_start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	ck_assert(!SSL_SESSION_is_resumable(SSL_get0_session(c.ssl)));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

static SSL_SESSION *ticket;

static int keep_ticket(SSL *ssl, SSL_SESSION *s) {
	(void)ssl;
	if (ticket != NULL)
		return 0; /* one will do */
	ticket = s;
	return 1;
}

/* A server with the same certificate that gives tickets: what ours might have been before an update. */
static SSL_SESSION *old_ticket(void) {
	SSL_CTX *server = SSL_CTX_new(TLS_server_method()), *client = caller_ctx(&group.alice);
	SSL *a = NULL, *b = NULL;
	char byte;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate(server, group.gateway.cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(server, group.gateway.key), 1);
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client, keep_ticket);
	a = SSL_new(server);
	b = SSL_new(client);
	ck_assert_int_eq(SSL_set_fd(a, pair[0]) & SSL_set_fd(b, pair[1]), 1);
	SSL_set_accept_state(a);
	SSL_set_connect_state(b);
	while ((SSL_do_handshake(b) == 1) + (SSL_do_handshake(a) == 1) < 2)
		;
	(void)SSL_do_handshake(a);
	(void)SSL_read(b, &byte, 1);
	ck_assert_ptr_nonnull(ticket);
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	close(pair[0]);
	close(pair[1]);
	return ticket;
}

START_TEST(old_ticket_is_not_resumed) {
	SSL_SESSION *s = old_ticket();
	struct caller c;

	app_start(NULL);
	/* without the certificate, so that only the ticket could let it in */
	ck_assert(caller_open_with(&c, web.port, caller_ctx(NULL), s));
	ck_assert_int_eq(SSL_session_reused(c.ssl), 0);
	ck_assert_int_eq(caller_ask(&c, GET), 403);
	caller_close(&c);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
} END_TEST

START_TEST(other_application_protocol_is_refused) {
	static const unsigned char smtp[] = "\4smtp", both[] = "\2h2\x08http/1.1";
	SSL_CTX *ctx = caller_ctx(&group.alice);
	struct caller c;

	app_start(NULL);
	ck_assert_int_eq(SSL_CTX_set_alpn_protos(ctx, smtp, sizeof smtp - 1), 0);
	ck_assert(!caller_open_with(&c, web.port, ctx, NULL));
	caller_close(&c);
	ctx = caller_ctx(&group.alice);
	ck_assert_int_eq(SSL_CTX_set_alpn_protos(ctx, both, sizeof both - 1), 0);
	ck_assert(caller_open_with(&c, web.port, ctx, NULL));
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(key_of_another_certificate_is_refused) {
	struct err e = ERR_INIT;
	SSL_CTX *ctx;

	ck_assert_int_eq(tls_server_new(group.alice.key, group.gateway.cert, group.chain, &ctx, &e), ERR_DAMAGED);
} END_TEST

START_TEST(plain_text_on_the_port_harms_nobody) {
	struct caller c;
	int fd;

	app_start(NULL);
	fd = caller_tcp(web.port);
	ck_assert_int_gt((int)send(fd, GET, strlen(GET), 0), 0);
	ck_assert(tcp_is_dropped(fd));
	close(fd);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

static bool update_keys(struct caller *c, int n) {
	for (int i = 0; i < n; i++) {
		if (SSL_key_update(c->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(c->ssl) != 1)
			return false;
		usleep(1000); /* a read of the server for each */
	}
	return true;
}

/* RFC 8446 4.6.3 sets no bound; each costs its reader two key derivations. */
START_TEST(endless_key_updates_end_the_connection) {
	struct caller c;

	app_start(&(struct server_limits){ .head_ms = 3600000 }); /* it is not the limit of time that ends it */
	caller_open(&c, web.port, &group.alice);
	/* A server that is slow reads many at once and needs more of them. */
	while (update_keys(&c, 1) && !caller_has_news(&c, 0))
		continue;
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(few_key_updates_are_taken) {
	struct caller c;

	app_start(NULL);
	caller_open(&c, web.port, &group.alice);
	for (int i = 0; i < 10; i++) {
		ck_assert(update_keys(&c, 20));
		ck_assert_int_eq(caller_ask(&c, GET), 200);
	}
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

int main(void) {
	TCase *t = tcase_create("tls");

	tcase_add_test(t, older_protocols_are_refused);
	tcase_add_test(t, no_ticket_is_ever_given);
	tcase_add_test(t, old_ticket_is_not_resumed);
	tcase_add_test(t, other_application_protocol_is_refused);
	tcase_add_test(t, key_of_another_certificate_is_refused);
	tcase_add_test(t, plain_text_on_the_port_harms_nobody);
	tcase_add_test(t, endless_key_updates_end_the_connection);
	tcase_add_test(t, few_key_updates_are_taken);
	return app_run("tls", t);
}
