/* SPDX-License-Identifier: Apache-2.0 */
/* Makes revocation lists of any size, as the group's CA would sign them.
 *
 *	crl_make CA.crt CA.key NUMBER N SEED OUT [CERT...]
 *
 * N made-up serial numbers of 16 bytes that depend on SEED alone (the first n of a seed are in every longer list of it), and those of the
 * certificates; reason keyCompromise, good for a week. OUT.pem is PEM, any other name DER. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/key.h"
#include "pki/ossl.h"

#define N_MAX 2000000
#define WEEK_S ((int64_t)7 * 86400)

struct source {
	struct crl_entry *entries;
	size_t n, at;
};

static uint64_t mix(uint64_t h) { /* the finaliser of SplitMix64 */
	h += 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
	return h ^ (h >> 31);
}

static int compare(const void *a, const void *b) {
	const struct crl_entry *x = a, *y = b;

	if (x->serial_len != y->serial_len)
		return x->serial_len < y->serial_len ? -1 : 1;
	return memcmp(x->serial, y->serial, x->serial_len);
}

static void make_up(struct crl_entry *en, uint64_t seed, uint64_t i, int64_t now_s) {
	*en = (struct crl_entry){ .serial_len = 16, .revoked_s = now_s, .reason = CRL_KEY_COMPROMISE };
	for (unsigned k = 0; k < 16; k++)
		en->serial[k] = (uint8_t)(mix(mix(seed) ^ (2 * i + k / 8)) >> 8 * (k % 8));
	en->serial[0] = (uint8_t)((en->serial[0] & 0x7f) | 0x40); /* positive, and always of 16 bytes */
}

static int next(void *arg, struct crl_entry *out, struct err *e) {
	struct source *s = arg;

	(void)e;
	if (s->at == s->n)
		return 0;
	*out = s->entries[s->at++];
	return 1;
}

static int collect(struct source *s, char **argv, int n_certs, uint64_t seed, struct err *e) {
	int64_t now_s = clock_now_s();
	size_t made = s->n;

	s->entries = xcalloc(made + (size_t)n_certs, sizeof *s->entries);
	for (size_t i = 0; i < made; i++)
		make_up(&s->entries[i], seed, i, now_s);
	for (int i = 0; i < n_certs; i++, s->n++) {
		OWN(own_x509) X509 *cert = NULL;

		if (cert_load(argv[i], &cert, e) != 0)
			return e->code;
		s->entries[s->n] = (struct crl_entry){ .revoked_s = now_s, .reason = CRL_KEY_COMPROMISE };
		s->entries[s->n].serial_len = cert_serial(cert, s->entries[s->n].serial);
	}
	qsort(s->entries, s->n, sizeof *s->entries, compare);
	return 0;
}

static int make(char **argv, int argc, struct err *e) {
	OWN(own_x509) X509 *ca = NULL;
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf pem = {0};
	const char *out = argv[6], *dot = strrchr(out, '.');
	uint64_t number, n, seed;
	struct source s = {0};
	int r;

	if (text_u64(argv[3], INT64_MAX, &number, e) != 0 || text_u64(argv[4], N_MAX, &n, e) != 0 || text_u64(argv[5], INT64_MAX, &seed, e) != 0)
		return e->code;
	if (cert_load(argv[1], &ca, e) != 0 || key_load(argv[2], NULL, &key, e) != 0)
		return e->code;
	s.n = n;
	if ((r = collect(&s, argv + 7, argc - 7, seed, e)) == 0) {
		const struct crl_make m = { key, ca, number, clock_now_s() - 300, clock_now_s() + WEEK_S, next, &s };

		r = crl_make(&m, &der, e);
	}
	free(s.entries);
	if (r != 0)
		return r;
	if (dot == NULL || strcmp(dot, ".pem") != 0)
		return file_save(out, der.data, der.len, 0644, e);
	if (crl_pem(der.data, der.len, &pem, e) != 0)
		return e->code;
	return file_save(out, pem.data, pem.len, 0644, e);
}

int main(int argc, char **argv) {
	struct err e = ERR_INIT;

	if (argc < 7) {
		(void)fprintf(stderr, "usage: crl_make CA.crt CA.key NUMBER N SEED OUT [CERT...]\n");
		return 2;
	}
	if (make(argv, argc, &e) == 0)
		return 0;
	(void)fprintf(stderr, "crl_make: %s\n", e.text);
	return 1;
}
