/* SPDX-License-Identifier: Apache-2.0 */
/* What a ClientHello says about whom the client wants to talk to: the bodies of two extensions, as a stranger sent them. What is malformed says nothing:
 * that it ends the handshake is OpenSSL's affair. */
#ifndef SCG_NET_HELLO_H
#define SCG_NET_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

/* certificate_authorities (RFC 8446 4.2.4): is this subject, byte for byte, one of the names? */
bool hello_names_authority(const uint8_t *ext, size_t len, const X509_NAME *subject);
/* server_name (RFC 6066 3): the host_name, at most 255 bytes, in out; false: none. It is lent no meaning beyond a comparison. */
#define HELLO_NAME_MAX 255
bool hello_server_name(const uint8_t *ext, size_t len, char out[static HELLO_NAME_MAX + 1]);

#endif
