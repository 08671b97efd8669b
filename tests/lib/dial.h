/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS client for load and siege: blocking sockets to 127.0.0.1. The server's certificate is not verified: it is the server that is measured. */
#ifndef SCG_TESTS_DIAL_H
#define SCG_TESTS_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <openssl/ssl.h>

#define DIAL_PATIENCE_S 30

/* With this certificate and key (PEM files; "-": none). Any failure ends the program. */
SSL_CTX *dial_ctx(const char *cert, const char *key);
/* A TCP connection, or -1. */
int dial_tcp(uint16_t port);
/* With a handshake, or NULL. */
SSL *dial(SSL_CTX *ctx, uint16_t port);
/* The same, offering this session (NULL: none). */
SSL *dial_resume(SSL_CTX *ctx, uint16_t port, SSL_SESSION *session);
/* A full one; a failure ends the program. */
SSL *dial_must(SSL_CTX *ctx, uint16_t port);
/* One whole reply; its status, 0: the connection ended first. */
int dial_reply(SSL *ssl);
void dial_end(SSL *ssl);
long dial_now_us(void);

#endif
