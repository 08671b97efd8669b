/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: TLS sessions that may be resumed (RFC 8446 2.2), kept here and not in tickets, so that they can be forgotten: no later than an hour
 * after the member was authenticated, or when his certificate ends, or at once when another revocation list is in force. */
#ifndef SCG_NET_RESUME_H
#define SCG_NET_RESUME_H

#include <stdbool.h>
#include <openssl/ssl.h>

#define RESUME_MS 3600000

struct chain;
struct resume;

/* At most so many; the oldest ones go first, nearly. Used by all threads. */
struct resume *resume_new(unsigned max);
void resume_free(struct resume *r); /* r may be NULL */
/* Nothing of before is resumed from here on, not even what is being stored now. */
void resume_flush(struct resume *r); /* r may be NULL */

/* Servers' contexts ask the store of each SSL; without one nothing is resumed. */
void resume_install(SSL_CTX *ctx);
/* The store for this SSL (borrowed); NULL: none. */
bool resume_attach(SSL *ssl, struct resume *r);
/* In the handshake, when the client's certificate was found good by this chain (borrowed): its session may be kept. */
void resume_allow(SSL *ssl, const X509 *cert, const struct chain *by);
/* The chain that found the client's certificate good when the session began that was resumed; NULL: this handshake resumed none. */
const struct chain *resume_chain(const SSL *ssl);

#endif
