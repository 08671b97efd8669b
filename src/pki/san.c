/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/san.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "pki/ossl.h"

#define HOST_MAX 253
#define LABEL_MAX 63

OWN_DEFINE(general_name, GENERAL_NAME, GENERAL_NAME_free)

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_label(const char *p, size_t len) {
	return len >= 1 && len <= LABEL_MAX && p[0] != '-' && p[len - 1] != '-' && strspn(p, LETTERS DIGITS "-") >= len;
}

bool san_is_host(const char *name) {
	const char *p = name, *end;

	if (strlen(name) > HOST_MAX)
		return false;
	for (; (end = strchr(p, '.')) != NULL; p = end + 1)
		if (!is_label(p, (size_t)(end - p)))
			return false;
	return is_label(p, strlen(p)) && strspn(p, DIGITS) < strlen(p);
}

static int host(const char *name, GENERAL_NAME **out, struct err *e) {
	if (!san_is_host(name))
		return err_set(e, ERR_USAGE, "RFC 5280 4.2.1.6: a DNS name that is no host name");
	OWN(own_general_name) GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	if (g == NULL || s == NULL || ASN1_STRING_set(s, name, -1) != 1) {
		ASN1_IA5STRING_free(s);
		return ossl_err(e, ERR_FAIL, "cannot make a subject alternative name");
	}
	GENERAL_NAME_set0_value(g, GEN_DNS, s);
	*out = g;
	g = NULL;
	return 0;
}

static int address(const char *text, GENERAL_NAME **out, struct err *e) {
	unsigned char raw[16];
	bool v4 = inet_pton(AF_INET, text, raw) == 1;

	if (!v4 && inet_pton(AF_INET6, text, raw) != 1)
		return err_set(e, ERR_USAGE, "RFC 5280 4.2.1.6: an IP that is no address");
	OWN(own_general_name) GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	if (g == NULL || s == NULL || ASN1_OCTET_STRING_set(s, raw, v4 ? 4 : 16) != 1) {
		ASN1_OCTET_STRING_free(s);
		return ossl_err(e, ERR_FAIL, "cannot make a subject alternative name");
	}
	GENERAL_NAME_set0_value(g, GEN_IPADD, s);
	*out = g;
	g = NULL;
	return 0;
}

static int entry(const char *text, GENERAL_NAMES *names, struct err *e) {
	GENERAL_NAME *g = NULL;
	int rc;

	if (strncmp(text, "DNS:", 4) == 0)
		rc = host(text + 4, &g, e);
	else if (strncmp(text, "IP:", 3) == 0)
		rc = address(text + 3, &g, e);
	else
		rc = err_set(e, ERR_USAGE, "subject alternative names are DNS:NAME or IP:ADDRESS");
	if (rc < 0)
		return rc;
	if (sk_GENERAL_NAME_push(names, g) > 0)
		return 0;
	GENERAL_NAME_free(g);
	return ossl_err(e, ERR_FAIL, "cannot make subject alternative names");
}

int san_parse(const char *text, GENERAL_NAMES **out, struct err *e) {
	OWN(own_free) char *copy = xstrdup(text);
	char *rest = copy, *one;
	int rc = 0;

	*out = NULL;
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	if (names == NULL)
		return ossl_err(e, ERR_FAIL, "cannot make subject alternative names");
	while (rc == 0 && (one = strsep(&rest, ",")) != NULL) {
		rc = entry(one, names, e);
		if (rc == 0 && sk_GENERAL_NAME_num(names) > SAN_MAX)
			rc = err_set(e, ERR_USAGE, "more than %d subject alternative names", SAN_MAX);
	}
	if (rc < 0)
		GENERAL_NAMES_free(names);
	else
		*out = names;
	return rc;
}
