/* SPDX-License-Identifier: Apache-2.0 */
/* TLS policy of both ends: 1.3 only (RFC 8446), the group's CA as the only anchor. */
#ifndef SCG_NET_TLS_H
#define SCG_NET_TLS_H

#include <stdbool.h>
#include <openssl/ssl.h>

#include "base/err.h"
#include "pki/chain.h"

/* The gateway's end: a client certificate is asked for, not demanded; the handshake ends whatever it is, and what chain_check said of it
 * stands in tls_peer_verdict. No tickets with anything in them, no early data; nothing is resumed but what the server keeps (resume.h). key, cert are taken by reference; chain is borrowed and must
 * outlive the context and each SSL made from it. ERR_DAMAGED: the key is not the certificate's. */
int tls_server_new(EVP_PKEY *key, X509 *cert, const struct chain *chain, SSL_CTX **ctx, struct err *e) MUST_CHECK;

/* Several groups behind one address: each of v (1 to n, taken by reference) is a context of tls_server_new. A handshake that begins with *front presents the
 * certificate of the one that the client asks for: (1) the first whose CA its certificate_authorities names (RFC 8446 4.2.4), (2) that whose
 * certificate alone is good for its server_name, (3) the first. The client's own certificate is judged by the chain of its issuer, whichever was
 * presented. No CA is named to clients. */
int tls_server_join(SSL_CTX *const *v, size_t n, SSL_CTX **front, struct err *e) MUST_CHECK;

/* The chain that judged the peer's certificate; without one, or where none of the chains issued it, that of the certificate that was presented. One of those
 * that tls_server_new was given. */
const struct chain *tls_peer_chain(const SSL *ssl);
/* The peer's certificate (borrowed from ssl; NULL: none) and the verdict of the handshake: NO_CERTIFICATE, FOREIGN, WRONG_PURPOSE or GOOD. It
 * says nothing of dates or revocation: those change while a connection lasts, so they are asked at each request. */
X509 *tls_peer_cert(const SSL *ssl);
enum verdict tls_peer_verdict(const SSL *ssl);

/* What a client thinks of the server's certificate: false ends the handshake with an alert. */
typedef bool tls_judge(void *arg, X509 *server);

/* The member's end, onto a context that somebody else (libcurl) made: 1.3 only, no session kept, judge asked instead of OpenSSL's own path
 * building. key and cert (both or neither may be NULL) are taken by reference; judge and arg must outlive the context's handshakes. */
int tls_client_set(SSL_CTX *ctx, EVP_PKEY *key, X509 *cert, tls_judge *judge, void *arg, struct err *e) MUST_CHECK;

/* The ClientHello names this CA, in the clear (RFC 8446 4.2.4): a server of several groups then presents the certificate of the right one. */
int tls_client_name_ca(SSL_CTX *ctx, const X509 *ca, struct err *e) MUST_CHECK;

#endif
