/* SPDX-License-Identifier: Apache-2.0 */
/* TLS policy of both ends: 1.3 only (RFC 8446), the group's CA as the only anchor. */
#ifndef SCG_NET_TLS_H
#define SCG_NET_TLS_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "pki/chain.h"

/* Server: the client certificate is asked for, not demanded; the handshake ends whatever it is, no tickets, no resumption, no
 * renegotiation, no early data. Verification happens once, by tls_peer_*. */
int tls_server_new(EVP_PKEY *key, X509 *cert, const struct chain *chain, SSL_CTX **ctx, struct err *e) MUST_CHECK;
/* The peer's certificate (borrowed; NULL: none) and what chain_check said of it in the handshake (never about dates or revocation: ask those each time). */
X509 *tls_peer_cert(const SSL *ssl);
enum verdict tls_peer_verdict(const SSL *ssl);

#endif
