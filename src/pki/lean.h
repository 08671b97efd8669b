/* SPDX-License-Identifier: Apache-2.0 */
/* An OpenSSL library context for servers' handshakes. OpenSSL 3.0 finds out anew for each certificate that it reads which of its
 * some sixty decoders could read the key in it, and looks through all algorithms of the context for that: a quarter of a mutual
 * handshake. Here is little to look through. */
#ifndef SCG_PKI_LEAN_H
#define SCG_PKI_LEAN_H

#include <openssl/crypto.h>

/* Of the default provider only what TLS 1.3 and the certificate profiles need: the keys that key_check lets pass (EC and RSA),
 * X25519, SHA-2, AES-GCM, ChaCha20-Poly1305. A certificate with another key is read, but its key is NULL. Objects made in it may
 * be used beside others. One for the process, freed at its exit(3); thread-safe. NULL, OpenSSL's own default, where it would not
 * help or is not to be had. */
OSSL_LIB_CTX *lean_libctx(void);

#endif
