/* SPDX-License-Identifier: Apache-2.0 */
/* Private and public keys: making, strength, PKCS #8 files (AES-256-CBC, scrypt). */
#ifndef SCG_PKI_KEY_H
#define SCG_PKI_KEY_H

#include <stdbool.h>
#include <openssl/evp.h>

#include "base/secret.h"

#define KEY_FILE_MAX 16384

/* spec: "ec:P-256", "ec:P-384", "rsa:3072" (rsa:2048..8192 by 1024); NULL: ec:P-256. ERR_USAGE for another. */
int key_make(const char *spec, EVP_PKEY **key, struct err *e) MUST_CHECK;
/* Refuses other types than EC and RSA, curves but P-256 and P-384, explicit parameters, RSA < 2048 or > 8192 bits, even moduli, exponents but
 * 65537. Cheap: for keys that the CA has certified. Code ERR_REFUSED. */
int key_check(EVP_PKEY *key, const char *what, struct err *e) MUST_CHECK;
/* key_check, and the numbers themselves: the point lies on the curve; the RSA modulus has no small factor and is no prime (10 ms at 3072 bits).
 * For keys that somebody asks a certificate for. ERR_REFUSED. */
int key_check_public(EVP_PKEY *key, const char *what, struct err *e) MUST_CHECK;
/* PEM PKCS #8 at path, 0600, never over an existing file; pass empty ({0}): not encrypted. */
int key_save_new(const char *path, EVP_PKEY *key, const struct secret *pass, struct err *e) MUST_CHECK;
/* Loads and checks, also that private and public part belong together; where the file is encrypted the passphrase is read by pass_read(passin, ...). Modes looser than 0600 are refused. */
int key_load(const char *path, const char *passin, EVP_PKEY **key, struct err *e) MUST_CHECK;
/* SHA-256 of the SubjectPublicKeyInfo. */
void key_spki_sha256(EVP_PKEY *key, uint8_t out[static 32]);
bool key_equal(const EVP_PKEY *a, const EVP_PKEY *b);
/* The hash that fits the key in signatures on certificates, lists and requests: SHA-384 for P-384, else SHA-256 (RFC 5480 4). Static. */
const EVP_MD *key_digest(const EVP_PKEY *key);
/* The signature algorithm (NID) is ECDSA or RSA PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512. */
bool key_signature_is_strong(int nid);

#endif
