/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/name.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/ossl.h"

static bool is_nfc(const char *name) {
	OWN(own_free) char *nfc = NULL;

	return text_nfc(name, &nfc, NULL) == 0 && strcmp(nfc, name) == 0;
}

int name_check(const char *name, const char *what, struct err *e) {
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_BYTES)
		return err_set(e, ERR_USAGE, "%s name: RFC 5280 A.1: 1 to %d bytes, not %zu", what, NAME_MAX_BYTES, len);
	if (!text_is_utf8(name, len))
		return err_set(e, ERR_USAGE, "%s name: RFC 5280 4.1.2.4: not UTF-8", what);
	if (text_has_control(name, len))
		return err_set(e, ERR_USAGE, "%s name: a control character", what);
	if (strpbrk(name, "/%") != NULL)
		return err_set(e, ERR_USAGE, "%s name: '/' and '%%' are not allowed", what);
	if (name[0] == ' ' || name[len - 1] == ' ')
		return err_set(e, ERR_USAGE, "%s name: a blank at its begin or end", what);
	if (!is_nfc(name))
		return err_set(e, ERR_USAGE, "%s name: RFC 5280 7.1: not in Unicode's normal form C", what);
	return 0;
}

static bool add(X509_NAME *n, int nid, const char *value) {
	return value == NULL || X509_NAME_add_entry_by_NID(n, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1;
}

int name_build(const char *group, const char *role, const char *name, X509_NAME **out, struct err *e) {
	OWN(own_x509_name) X509_NAME *n = X509_NAME_new();

	*out = NULL;
	if (n == NULL || !add(n, NID_organizationName, group) || !add(n, NID_organizationalUnitName, role) || !add(n, NID_commonName, name))
		return ossl_err(e, ERR_FAIL, "cannot make a subject name");
	*out = n;
	n = NULL;
	return 0;
}

int name_build_ca(const char *group, X509_NAME **out, struct err *e) {
	OWN(own_free) char *cn = xasprintf("%s CA", group);

	if (strlen(cn) > NAME_MAX_BYTES)
		return name_build(group, NULL, "CA", out, e);
	return name_build(NULL, NULL, cn, out, e);
}

/* The one entry of this type, as a UTF8String or as the ASCII that PrintableString is. */
static const ASN1_STRING *only_entry(const X509_NAME *n, int nid) {
	int at = X509_NAME_get_index_by_NID(n, nid, -1);

	if (at < 0 || X509_NAME_get_index_by_NID(n, nid, at) >= 0)
		return NULL;
	const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, at));
	int type = ASN1_STRING_type(s);
	return type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING ? s : NULL;
}

int name_get(const X509_NAME *n, int nid, char **out, struct err *e) {
	const ASN1_STRING *s = only_entry(n, nid);
	const char *attribute = OBJ_nid2sn(nid);
	char value[NAME_MAX_BYTES + 1];

	*out = NULL;
	if (s == NULL)
		return err_set(e, ERR_DAMAGED, "RFC 5280 4.1.2.6: not exactly one %s in the subject", attribute);
	size_t len = (size_t)ASN1_STRING_length(s);
	if (len > NAME_MAX_BYTES || memchr(ASN1_STRING_get0_data(s), '\0', len) != NULL)
		return err_set(e, ERR_DAMAGED, "RFC 5280 A.1: %s too long, or with a NUL", attribute);
	memcpy(value, ASN1_STRING_get0_data(s), len);
	value[len] = '\0';
	if (name_check(value, attribute, e) < 0)
		return err_set(e, ERR_DAMAGED, "RFC 5280 4.1.2.6: %s in the subject is not a name", attribute);
	*out = xstrdup(value);
	return 0;
}
