/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hello.h"

#include <string.h>

#define HOST_NAME 0 /* RFC 6066 3: NameType */

/* A part of a vector, from the front. */
struct part {
	const uint8_t *p;
	size_t len;
};

/* The vector at the front, its length in two bytes; false: there is none, or not all of it. */
static bool take(struct part *from, struct part *out) {
	size_t len;

	if (from->len < 2)
		return false;
	len = (size_t)from->p[0] << 8 | from->p[1];
	if (len > from->len - 2)
		return false;
	*out = (struct part){ from->p + 2, len };
	from->p += 2 + len;
	from->len -= 2 + len;
	return true;
}

/* The one vector that is all of the extension. */
static bool take_all(const uint8_t *ext, size_t len, struct part *out) {
	struct part all = { ext, len };

	return take(&all, out) && all.len == 0;
}

bool hello_names_authority(const uint8_t *ext, size_t len, const X509_NAME *subject) {
	struct part list, name;
	const unsigned char *der;
	size_t der_len;
	bool found = false;

	if (X509_NAME_get0_der(subject, &der, &der_len) != 1 || !take_all(ext, len, &list))
		return false;
	while (list.len > 0) {
		if (!take(&list, &name))
			return false;
		found = found || (name.len == der_len && memcmp(name.p, der, der_len) == 0);
	}
	return found;
}

bool hello_server_name(const uint8_t *ext, size_t len, char out[static HELLO_NAME_MAX + 1]) {
	struct part list, name;

	if (!take_all(ext, len, &list) || list.len < 1 || list.p[0] != HOST_NAME)
		return false;
	list.p++;
	list.len--;
	if (!take(&list, &name) || list.len > 0 || name.len == 0 || name.len > HELLO_NAME_MAX || memchr(name.p, '\0', name.len) != NULL)
		return false;
	memcpy(out, name.p, name.len);
	out[name.len] = '\0';
	return true;
}
