/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes that nobody should open: an object as the format has it but for what is asked to be different. Any failure here aborts. */
#ifndef SCG_TESTS_FORGE_H
#define SCG_TESTS_FORGE_H

#include "lib/envelope_lab.h"

enum forge_form {
	FORGE_DER = 0,
	FORGE_INDEFINITE,       /* the outer elements, content in one piece */
	FORGE_PIECES,           /* indefinite, content in octet strings of 1000 bytes */
	FORGE_DEFINITE_PIECES,  /* the same with lengths */
	FORGE_NESTED_PIECES,    /* a piece made of pieces */
	FORGE_LONG_LENGTH,      /* the first length in eight bytes */
};

/* Zero means: right. */
struct forge {
	const char *type;       /* content type instead of authEnvelopedData, dotted */
	int version;
	bool originator;
	unsigned recipients;    /* so many equal ones instead of one */
	bool no_recipient;
	unsigned nested;        /* the recipient so many times inside another one */
	uint8_t recipient_tag;  /* instead of [2] */
	int kek_version;        /* instead of 4 */
	size_t key_id_len;      /* instead of 16 */
	bool kek_date;
	const char *wrap;       /* instead of id-aes256-wrap */
	bool wrap_null;         /* with parameters NULL */
	size_t wrapped_len;     /* instead of 40 */
	const char *inner;      /* instead of id-data */
	const char *cipher;     /* instead of aes256-GCM; what is encrypted stays */
	bool cipher_iv;         /* parameters as for CBC: the bare vector */
	size_t nonce_len;       /* instead of 12; the content is encrypted so */
	bool nonce_empty, tag_empty;
	bool no_icv_len;        /* ICVlen left out: the default of 12 */
	size_t icv_len;         /* the number that is told, instead of that of the tag */
	size_t tag_len;         /* the tag that stands there, instead of 16 */
	bool no_tag;
	bool auth_attrs;        /* and the tag covers them, as RFC 5083 2.2 has it */
	bool unauth_attrs;
	enum forge_form form;
};

/* Appends one object of c's file; o->len is len. */
void forge_object(const struct forge *f, const struct content *c, const struct object *o, const void *plain, size_t len, struct buf *out);

/* Opens the headers of an honest file: its content key, for more objects under it. */
void forge_content(const struct lab *l, const struct buf *sealed, struct content *c);
/* A manifest that fits the plaintext, as alice would write it. */
void forge_manifest(const struct lab *l, const void *plain, size_t len, struct manifest *m);
/* A whole file of at most 4 MiB under c: the segment forged by f, the manifest's object by g, around this SignedData. */
void forge_small(const struct content *c, const struct forge *f, const struct forge *g, const void *plain, size_t len,
    const void *signed_der, size_t signed_len, struct buf *out);

/* An honest file in which the element at this place (0: the first; down to the first object's content) has another length, in eight bytes; all
 * else stays. False if it has no such element. */
bool forge_length(const struct buf *honest, unsigned place, uint64_t len, struct buf *out);

#endif
