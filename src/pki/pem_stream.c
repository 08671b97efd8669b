/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7468, line by line. */
#include <stdlib.h>
#include <string.h>

#include "pki/ossl.h"
#include "pki/pem.h"

#define OUT_BYTES 16384     /* handed on at once */
#define LINE_MAX_BYTES 1024 /* RFC 7468 2 wants 64; nobody writes more than 76 */

struct pem_stream {
	enum { BEGINNING, BEFORE, INSIDE, BEHIND, DER } where;
	char begin[PEM_LABEL_MAX + 32], end[PEM_LABEL_MAX + 32];
	char line[LINE_MAX_BYTES + 1];
	size_t len;
	bool padded; /* a line ended in '=': nothing may follow */
	uint8_t out[OUT_BYTES];
	size_t n_out;
	EVP_ENCODE_CTX *decoder;
	int (*put)(void *arg, const uint8_t *data, size_t len, struct err *e);
	void *arg;
};

struct pem_stream *pem_stream_new(
    const char *label, int (*put)(void *arg, const uint8_t *data, size_t len, struct err *e), void *arg) {
	struct pem_stream *s = xcalloc(1, sizeof *s);

	(void)snprintf(s->begin, sizeof s->begin, "-----BEGIN %s-----", label);
	(void)snprintf(s->end, sizeof s->end, "-----END %s-----", label);
	s->put = put;
	s->arg = arg;
	return s;
}

void pem_stream_free(struct pem_stream *s) {
	if (s == NULL)
		return;
	EVP_ENCODE_CTX_free(s->decoder);
	free(s);
}

static void trim(struct pem_stream *s) {
	while (s->len > 0 && (s->line[s->len - 1] == ' ' || s->line[s->len - 1] == '\t' || s->line[s->len - 1] == '\r'))
		s->len--;
	s->line[s->len] = '\0';
}

static int begin(struct pem_stream *s, struct err *e) {
	if (strcmp(s->line, s->begin) != 0) {
		if (strncmp(s->line, "-----BEGIN ", 11) == 0)
			return err_set(e, ERR_DAMAGED, "RFC 7468 2: a block of another label");
		return 0;
	}
	if ((s->decoder = EVP_ENCODE_CTX_new()) == NULL)
		return ossl_err(e, ERR_FAIL, "base64");
	EVP_DecodeInit(s->decoder);
	s->where = INSIDE;
	return 0;
}

static int put_out(struct pem_stream *s, struct err *e) {
	size_t n = s->n_out;

	s->n_out = 0;
	return n > 0 ? s->put(s->arg, s->out, n, e) : 0;
}

/* OpenSSL's decoder knows the alphabet, but takes '-' for the end of the data, passes over blanks, and forgets that it saw a '='. */
static int decode(struct pem_stream *s, struct err *e) {
	int n = 0;

	if (s->len == 0 || s->padded || memchr(s->line, '-', s->len) != NULL || memchr(s->line, ' ', s->len) != NULL ||
	    memchr(s->line, '\t', s->len) != NULL)
		return err_set(e, ERR_DAMAGED, "RFC 7468 3: a line that is not base64");
	s->padded = s->line[s->len - 1] == '=';
	if (EVP_DecodeUpdate(s->decoder, s->out + s->n_out, &n, (const unsigned char *)s->line, (int)s->len) < 0)
		return ossl_err(e, ERR_DAMAGED, "RFC 7468 3: base64");
	s->n_out += (size_t)n;
	return s->n_out + LINE_MAX_BYTES > OUT_BYTES ? put_out(s, e) : 0;
}

static int finish(struct pem_stream *s, struct err *e) {
	int n = 0;

	if (EVP_DecodeFinal(s->decoder, s->out + s->n_out, &n) != 1)
		return ossl_err(e, ERR_DAMAGED, "RFC 7468 3: base64 ends in the middle");
	s->n_out += (size_t)n;
	s->where = BEHIND;
	return put_out(s, e);
}

static int take_line(struct pem_stream *s, struct err *e) {
	int r = 0;

	trim(s);
	if (s->where == BEFORE)
		r = begin(s, e);
	else if (s->where == INSIDE)
		r = strcmp(s->line, s->end) == 0 ? finish(s, e) : decode(s, e);
	else if (s->len > 0)
		r = err_set(e, ERR_DAMAGED, "RFC 7468 2: more behind the first block");
	s->len = 0;
	return r;
}

int pem_stream_feed(struct pem_stream *s, const uint8_t *data, size_t len, struct err *e) {
	int r;

	if (s->where == BEGINNING && len > 0)
		s->where = pem_is_der(data, len) ? DER : BEFORE;
	if (s->where == DER)
		return s->put(s->arg, data, len, e);
	while (len > 0) {
		const uint8_t *lf = memchr(data, '\n', len);
		size_t n = lf != NULL ? (size_t)(lf - data) : len;

		if (n > LINE_MAX_BYTES - s->len || memchr(data, '\0', n) != NULL)
			return err_set(e, ERR_DAMAGED, "RFC 7468 2: neither DER nor PEM");
		memcpy(s->line + s->len, data, n);
		s->len += n;
		if (lf != NULL && (r = take_line(s, e)) != 0)
			return r;
		n += lf != NULL;
		data += n;
		len -= n;
	}
	return 0;
}

int pem_stream_end(struct pem_stream *s, struct err *e) {
	int r = s->where != DER && s->len > 0 ? take_line(s, e) : 0;

	if (r != 0 || s->where == DER || s->where == BEHIND)
		return r;
	return err_set(e, ERR_DAMAGED, s->where == INSIDE ? "RFC 7468 2: the block has no end" : "RFC 7468 2: neither DER nor PEM");
}
