/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/pem.h"

#include <limits.h>
#include <string.h>

#include <openssl/pem.h>

#include "pki/ossl.h"

bool pem_is_der(const uint8_t *data, size_t len) {
	return len > 0 && data[0] == 0x30;
}

/* What OpenSSL's reader hands out, released together. */
struct block {
	char *label, *header;
	unsigned char *data;
	long len;
};

static void block_wipe(struct block *b) {
	OPENSSL_free(b->label);
	OPENSSL_free(b->header);
	OPENSSL_clear_free(b->data, b->data == NULL ? 0 : (size_t)b->len);
}

static bool is_blank(const char *p, long len) {
	for (long i = 0; i < len; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n')
			return false;
	return true;
}

int pem_read(const uint8_t *data, size_t len, char label[static PEM_LABEL_MAX], struct buf *der, struct err *e) {
	OWN(block_wipe) struct block b = {0};
	char *rest = NULL;

	if (len == 0 || len > INT_MAX)
		return err_set(e, ERR_DAMAGED, "RFC 7468 2: %s", len == 0 ? "empty" : "too long");
	OWN(own_bio) BIO *in = BIO_new_mem_buf(data, (int)len);
	if (in == NULL || PEM_read_bio(in, &b.label, &b.header, &b.data, &b.len) != 1)
		return ossl_err(e, ERR_DAMAGED, "RFC 7468 2: neither DER nor PEM");
	if (b.header[0] != '\0')
		return err_set(e, ERR_DAMAGED, "RFC 7468 2: headers inside the block");
	if (strlen(b.label) >= PEM_LABEL_MAX)
		return err_set(e, ERR_DAMAGED, "RFC 7468 2: unknown label");
	long left = BIO_get_mem_data(in, &rest);
	if (!is_blank(rest, left))
		return err_set(e, ERR_DAMAGED, "RFC 7468 2: more behind the first block");
	memcpy(label, b.label, strlen(b.label) + 1);
	buf_add(der, b.data, (size_t)b.len);
	return 0;
}

int pem_or_der(const uint8_t *data, size_t len, const char *label, struct buf *der, struct err *e) {
	char found[PEM_LABEL_MAX];
	int rc;

	if (pem_is_der(data, len)) {
		buf_add(der, data, len);
		return 0;
	}
	if ((rc = pem_read(data, len, found, der, e)) < 0)
		return rc;
	if (strcmp(found, label) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 7468 2: a block other than %s", label);
	return 0;
}

int pem_write(const char *label, const uint8_t *der, size_t len, struct buf *out, struct err *e) {
	char *text = NULL;

	if (len > INT_MAX / 2)
		return err_set(e, ERR_FAIL, "%s: too long for PEM", label);
	OWN(own_bio) BIO *b = BIO_new(BIO_s_secmem());
	if (b == NULL || PEM_write_bio(b, label, "", der, (long)len) <= 0)
		return ossl_err(e, ERR_FAIL, "%s: cannot encode", label);
	long n = BIO_get_mem_data(b, &text);
	buf_add(out, text, (size_t)n);
	return 0;
}
