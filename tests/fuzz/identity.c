/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/identity.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/pem.h>

#include "pki/ossl.h"

/* Made for these targets and used nowhere else. */
static const char ca_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBhzCCASygAwIBAgIQBGrvzX7MpdxIagqYduwpBTAKBggqhkjOPQQDAjARMQ8w\n"
	"DQYDVQQDDAZsYWIgQ0EwHhcNMjYwOTIxMTQxMzIwWhcNMzYwOTE4MTQxMzIwWjAR\n"
	"MQ8wDQYDVQQDDAZsYWIgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARdhhrM\n"
	"B/g+CYdZEbAAssH1ky3xGX0xCcZXPsQ5tig0FJ8N1TYE0lwoQ06w9cVY5XMLhpgl\n"
	"7M8ai4mPA7aZ/DYio2YwZDASBgNVHRMBAf8ECDAGAQH/AgEAMA4GA1UdDwEB/wQE\n"
	"AwIBBjAdBgNVHQ4EFgQUjnLF8UicGbynco1ng+yJgO+CzbMwHwYDVR0jBBgwFoAU\n"
	"jnLF8UicGbynco1ng+yJgO+CzbMwCgYIKoZIzj0EAwIDSQAwRgIhANBHaRITwiEe\n"
	"zhKqbQFQN4BnxO7h0pg/V6f7Fz7wNTLMAiEAsPRI5rvZaL+hxVG490GGtirzXKVM\n"
	"dwTY3IHxBRuhkyM=\n"
	"-----END CERTIFICATE-----\n"
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTJTa0Orr1JDH333h\n"
	"Rl4OwqVtybCKTgcIMccF+EqSHjihRANCAARdhhrMB/g+CYdZEbAAssH1ky3xGX0x\n"
	"CcZXPsQ5tig0FJ8N1TYE0lwoQ06w9cVY5XMLhpgl7M8ai4mPA7aZ/DYi\n"
	"-----END PRIVATE KEY-----\n";

static const char member_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBvTCCAWOgAwIBAgIQAQIDAAAAAAAAAAAAAAAAADAKBggqhkjOPQQDAjARMQ8w\n"
	"DQYDVQQDDAZsYWIgQ0EwHhcNMjYwOTIxMTQxMzIwWhcNMjYxMjIwMTQxMzIwWjAv\n"
	"MQwwCgYDVQQKDANsYWIxDzANBgNVBAsMBm1lbWJlcjEOMAwGA1UEAwwFYWxpY2Uw\n"
	"WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARJypEgLtE7XlCxOTCRyMX+KdUFHlZp\n"
	"wb11JrZlrcgHEUh1oeZ3xcP+GP4NBU+yl3QNEhM8h3mJYhDuU+9fBMS9o38wfTAM\n"
	"BgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIDiDAdBgNVHSUEFjAUBggrBgEFBQcD\n"
	"AgYIKwYBBQUHAwQwHQYDVR0OBBYEFFBRnn5j+zkNl3I2Npb4P1pXpWH+MB8GA1Ud\n"
	"IwQYMBaAFI5yxfFInBm8p3KNZ4PsiYDvgs2zMAoGCCqGSM49BAMCA0gAMEUCIG0q\n"
	"ZtRgJUezZj2FlbeF196t+O3OF1at4Q1EW7WDbkzxAiEAqX95V5MP7XtyFfeD7yJz\n"
	"NICW6c2Z29f4hGHuQU2OtWg=\n"
	"-----END CERTIFICATE-----\n"
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTYdWLNkcKMogrJ3J\n"
	"x1JUtVt2D3c2x8pCerR5c8dgUKmhRANCAARJypEgLtE7XlCxOTCRyMX+KdUFHlZp\n"
	"wb11JrZlrcgHEUh1oeZ3xcP+GP4NBU+yl3QNEhM8h3mJYhDuU+9fBMS9\n"
	"-----END PRIVATE KEY-----\n";

static void load(const char *pem, X509 **cert, EVP_PKEY **key) {
	OWN(own_bio) BIO *bio = BIO_new_mem_buf(pem, -1);

	*cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	*key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (*cert == NULL || *key == NULL)
		abort();
}

void identity_ca(X509 **cert, EVP_PKEY **key) {
	load(ca_pem, cert, key);
}

void identity_member(X509 **cert, EVP_PKEY **key) {
	load(member_pem, cert, key);
}

const struct chain *identity_chain(void) {
	static struct chain *chain;
	OWN(own_x509) X509 *ca = NULL;
	OWN(own_pkey) EVP_PKEY *key = NULL;

	if (chain != NULL)
		return chain;
	identity_ca(&ca, &key);
	if (chain_new(ca, &chain, NULL) != 0)
		abort();
	return chain;
}
