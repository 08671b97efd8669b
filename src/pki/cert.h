/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as values: load, print, and what is asked of them. */
#ifndef SCG_PKI_CERT_H
#define SCG_PKI_CERT_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"

#define CERT_MAX_BYTES 16384
#define SERIAL_MAX 20     /* octets, RFC 5280 4.1.2.2 */
#define SERIAL_HEX 41

/* Exactly one certificate, PEM or DER, nothing behind it (white space for PEM). ERR_DAMAGED. */
int cert_parse(const uint8_t *data, size_t len, X509 **cert, struct err *e) MUST_CHECK;
int cert_load(const char *path, X509 **cert, struct err *e) MUST_CHECK;
int cert_pem(const X509 *cert, struct buf *out, struct err *e) MUST_CHECK;
int cert_der(const X509 *cert, struct buf *out, struct err *e) MUST_CHECK;

/* Serial as content octets without leading zero (1..20); returns the length. */
size_t cert_serial(const X509 *cert, uint8_t out[static SERIAL_MAX]);
/* Lower-case hex of that. */
void cert_serial_hex(const X509 *cert, char out[static SERIAL_HEX]);
/* Subject key identifier: borrowed 20 bytes or NULL. */
const uint8_t *cert_ski(const X509 *cert, size_t *len);
void cert_sha256(const X509 *cert, uint8_t out[static 32]);
int64_t cert_not_before(const X509 *cert);
int64_t cert_not_after(const X509 *cert);
/* CN, OU (role), O (group) of the subject; malloc'd. ERR_DAMAGED. */
int cert_name(const X509 *cert, char **name, struct err *e) MUST_CHECK;
int cert_role(const X509 *cert, char **role, struct err *e) MUST_CHECK;
int cert_group(const X509 *cert, char **group, struct err *e) MUST_CHECK;
/* Group of a CA certificate: its CN without " CA". */
int cert_ca_group(const X509 *ca, char **group, struct err *e) MUST_CHECK;
/* The certificate is for this key. */
int cert_check_key(const X509 *cert, EVP_PKEY *key, const char *what, struct err *e) MUST_CHECK;

#endif
