/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/tree.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "base/buf.h"
#include "base/der.h"
#include "base/own.h"
#include "envelope/tree_show.h"

#define WINDOW_LEN TREE_SHOW_MAX    /* holds the longest thing that is shown as a whole */
#define READ_LEN 1024               /* one read serves the headers of small elements side by side */
#define HEADER_LEN 10
#define CONSTRUCTED 0x20

/* How a value is printed. */
enum show { SHOW_NOTHING, SHOW_LEN, SHOW_PIECES, SHOW_CONTENT, SHOW_VALUE };

struct rule {
	const char *name;           /* NULL ends a list */
	uint8_t tag;
	bool many;
	enum show show;
	tree_show *value;           /* SHOW_VALUE: of the whole element */
	const struct rule *inside;
};
#define ONE(n, t, f) { .name = (n), .tag = (t), .show = SHOW_VALUE, .value = (f) }
#define MANY(n, t, f) { .name = (n), .tag = (t), .many = true, .show = SHOW_VALUE, .value = (f) }
#define NODE(n, t, i) { .name = (n), .tag = (t), .inside = (i) }
#define NODES(n, t, i) { .name = (n), .tag = (t), .many = true, .inside = (i) }
#define LEN(n, t) { .name = (n), .tag = (t), .show = SHOW_LEN }
#define END { .name = NULL }

static const struct rule algorithms[] = { MANY("algorithm", DER_SEQUENCE, tree_show_algorithm), END };
static const struct rule attributes[] = { MANY("attribute", DER_SEQUENCE, tree_show_attribute), END };
static const struct rule certificates[] = { MANY("certificate", DER_SEQUENCE, tree_show_certificate), END };
static const struct rule lists[] = { { .name = "revocation list", .tag = DER_SEQUENCE, .many = true, .show = SHOW_LEN }, END };
static const struct rule content[] = { { .name = "octets", .tag = DER_OCTET_STRING, .show = SHOW_CONTENT }, END };

/* RFC 5652 5.2 */
static const struct rule encapsulated[] = {
	ONE("content type", DER_OID, tree_show_oid), NODE("content", DER_CTX_CONS(0), content), END,
};
/* RFC 5652 5.3 */
static const struct rule signer[] = {
	ONE("version", DER_INTEGER, tree_show_integer), ONE("issuer and serial", DER_SEQUENCE, tree_show_issuer),
	ONE("key identifier", DER_CTX(0), tree_show_hex), ONE("digest", DER_SEQUENCE, tree_show_algorithm),
	NODE("signed attributes", DER_CTX_CONS(0), attributes), ONE("signature algorithm", DER_SEQUENCE, tree_show_algorithm),
	LEN("signature", DER_OCTET_STRING), NODE("unsigned attributes", DER_CTX_CONS(1), attributes), END,
};
static const struct rule signers[] = { NODES("signer", DER_SEQUENCE, signer), END };
/* RFC 5652 5.1 */
static const struct rule signed_data[] = {
	ONE("version", DER_INTEGER, tree_show_integer), NODE("digest algorithms", DER_SET, algorithms),
	NODE("content", DER_SEQUENCE, encapsulated), NODE("certificates", DER_CTX_CONS(0), certificates),
	NODE("revocation lists", DER_CTX_CONS(1), lists), NODE("signers", DER_SET, signers), END,
};
/* RFC 5652 6.1 */
static const struct rule encrypted[] = {
	ONE("content type", DER_OID, tree_show_oid), ONE("cipher", DER_SEQUENCE, tree_show_algorithm),
	{ .name = "encrypted content", .tag = DER_CTX(0), .show = SHOW_PIECES }, END,
};
static const struct rule originator[] = {
	NODE("certificates", DER_CTX_CONS(0), certificates), NODE("revocation lists", DER_CTX_CONS(1), lists), END,
};
/* RFC 5652 6.2.1 */
static const struct rule key_trans[] = {
	ONE("version", DER_INTEGER, tree_show_integer), ONE("issuer and serial", DER_SEQUENCE, tree_show_issuer),
	ONE("key identifier", DER_CTX(0), tree_show_hex), ONE("key encryption", DER_SEQUENCE, tree_show_algorithm),
	LEN("encrypted key", DER_OCTET_STRING), END,
};
/* RFC 5652 6.2.2 */
static const struct rule key_id[] = { ONE("key identifier", DER_OCTET_STRING, tree_show_hex), END };
static const struct rule agreed_key[] = {
	ONE("issuer and serial", DER_SEQUENCE, tree_show_issuer), NODE("recipient", DER_CTX_CONS(0), key_id),
	LEN("encrypted key", DER_OCTET_STRING), END,
};
static const struct rule agreed_keys[] = { NODES("key", DER_SEQUENCE, agreed_key), END };
static const struct rule origin[] = {
	ONE("issuer and serial", DER_SEQUENCE, tree_show_issuer), ONE("key identifier", DER_CTX(0), tree_show_hex),
	LEN("public key", DER_CTX_CONS(1)), END,
};
static const struct rule key_agree[] = {
	ONE("version", DER_INTEGER, tree_show_integer), NODE("originator", DER_CTX_CONS(0), origin), LEN("ukm", DER_CTX_CONS(1)),
	ONE("key encryption", DER_SEQUENCE, tree_show_algorithm), NODE("keys", DER_SEQUENCE, agreed_keys), END,
};
/* RFC 5652 6.2.3 */
static const struct rule kek[] = {
	ONE("version", DER_INTEGER, tree_show_integer), NODE("key", DER_SEQUENCE, key_id),
	ONE("key encryption", DER_SEQUENCE, tree_show_algorithm), LEN("encrypted key", DER_OCTET_STRING), END,
};
/* RFC 5652 6.2.4 */
static const struct rule password[] = {
	ONE("version", DER_INTEGER, tree_show_integer), ONE("key derivation", DER_CTX_CONS(0), tree_show_algorithm),
	ONE("key encryption", DER_SEQUENCE, tree_show_algorithm), LEN("encrypted key", DER_OCTET_STRING), END,
};
static const struct rule recipients[] = {
	NODES("recipient, key transport", DER_SEQUENCE, key_trans), NODES("recipient, key agreement", DER_CTX_CONS(1), key_agree),
	NODES("recipient, key encryption key", DER_CTX_CONS(2), kek), NODES("recipient, password", DER_CTX_CONS(3), password),
	{ .name = "recipient, other", .tag = DER_CTX_CONS(4), .many = true, .show = SHOW_LEN }, END,
};
/* RFC 5652 6.1 */
static const struct rule enveloped_data[] = {
	ONE("version", DER_INTEGER, tree_show_integer), NODE("originator", DER_CTX_CONS(0), originator),
	NODE("recipients", DER_SET, recipients), NODE("content", DER_SEQUENCE, encrypted),
	NODE("unprotected attributes", DER_CTX_CONS(1), attributes), END,
};
/* RFC 5083 2.1 */
static const struct rule auth_enveloped_data[] = {
	ONE("version", DER_INTEGER, tree_show_integer), NODE("originator", DER_CTX_CONS(0), originator),
	NODE("recipients", DER_SET, recipients), NODE("content", DER_SEQUENCE, encrypted),
	NODE("authenticated attributes", DER_CTX_CONS(1), attributes), LEN("mac", DER_OCTET_STRING),
	NODE("unauthenticated attributes", DER_CTX_CONS(2), attributes), END,
};
/* RFC 5652 9.1 */
static const struct rule auth_data[] = {
	ONE("version", DER_INTEGER, tree_show_integer), NODE("originator", DER_CTX_CONS(0), originator),
	NODE("recipients", DER_SET, recipients), ONE("mac algorithm", DER_SEQUENCE, tree_show_algorithm),
	ONE("digest", DER_CTX_CONS(1), tree_show_algorithm), NODE("content", DER_SEQUENCE, encapsulated),
	NODE("authenticated attributes", DER_CTX_CONS(2), attributes), LEN("mac", DER_OCTET_STRING),
	NODE("unauthenticated attributes", DER_CTX_CONS(3), attributes), END,
};
/* RFC 5652 8 */
static const struct rule encrypted_data[] = {
	ONE("version", DER_INTEGER, tree_show_integer), NODE("content", DER_SEQUENCE, encrypted),
	NODE("unprotected attributes", DER_CTX_CONS(1), attributes), END,
};
/* RFC 5652 7, RFC 3274 1.1: alike but for the digest at the end */
static const struct rule digested_data[] = {
	ONE("version", DER_INTEGER, tree_show_integer), ONE("algorithm", DER_SEQUENCE, tree_show_algorithm),
	NODE("content", DER_SEQUENCE, encapsulated), ONE("digest", DER_OCTET_STRING, tree_show_hex), END,
};

/* What a content type holds, by the last arcs: of 1.2.840.113549.1.7 or of 1.2.840.113549.1.9.16.1. */
static const struct { bool smime; uint8_t last, tag; const char *name; const struct rule *rules; } types[] = {
	{ false, 1, DER_OCTET_STRING, "data", NULL },
	{ false, 2, DER_SEQUENCE, "signed data", signed_data },
	{ false, 3, DER_SEQUENCE, "enveloped data", enveloped_data },
	{ false, 5, DER_SEQUENCE, "digested data", digested_data },
	{ false, 6, DER_SEQUENCE, "encrypted data", encrypted_data },
	{ true, 2, DER_SEQUENCE, "authenticated data", auth_data },
	{ true, 9, DER_SEQUENCE, "compressed data", digested_data },
	{ true, 23, DER_SEQUENCE, "authenticated and enveloped data", auth_enveloped_data },
};
#define N_TYPES (sizeof types / sizeof types[0])

struct walk {
	const struct source *in;
	void (*line)(void *arg, const struct tree_line *l);
	void *arg;
	uint64_t window_off;
	size_t window_len;
	unsigned elements;
	uint8_t window[WINDOW_LEN];
};

/* An element: its content is [body, end); if that is not known, end is the end of what holds it. */
struct element { uint64_t off, body, end; uint8_t tag; bool indefinite; };

static void put(const struct walk *w, unsigned depth, uint64_t off, const char *name, const char *value) {
	w->line(w->arg, &(struct tree_line){ depth, off, name, value });
}

/* Up to want bytes at off, at most WINDOW_LEN. */
static int look(struct walk *w, uint64_t off, size_t want, const uint8_t **p, size_t *got, struct err *e) {
	int r;

	if (off < w->window_off || off - w->window_off > w->window_len || w->window_len - (size_t)(off - w->window_off) < want) {
		w->window_off = off;
		w->window_len = 0;
		if ((r = w->in->read_at(w->in->arg, w->window, want < READ_LEN ? READ_LEN : want, off, &w->window_len, e)) != 0)
			return r;
	}
	*p = w->window + (off - w->window_off);
	*got = w->window_len - (size_t)(off - w->window_off);
	if (*got > want)
		*got = want;
	return 0;
}

static int take_length(const uint8_t *p, size_t got, struct element *el, struct err *e) {
	size_t n = p[1] & 0x7fu;
	uint64_t len = p[1];

	el->indefinite = p[1] == 0x80 && (el->tag & CONSTRUCTED);
	el->body = el->off + 2;
	if (p[1] < 0x80 || el->indefinite) {
		len = el->indefinite ? 0 : len;
	} else {
		if (n == 0 || n > 8 || got < 2 + n)
			return err_set(e, ERR_DAMAGED, "X.690 8.1.3: malformed length at byte %" PRIu64, el->off);
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | p[2 + i];
		el->body += n;
	}
	if (el->body > el->end || len > el->end - el->body)
		return err_set(e, ERR_DAMAGED, "X.690 8.1.3: the element at byte %" PRIu64 " is longer than what holds it, or cut off", el->off);
	if (!el->indefinite)
		el->end = el->body + len;
	return 0;
}

static int take_element(struct walk *w, uint64_t off, uint64_t limit, struct element *el, struct err *e) {
	const uint8_t *p;
	size_t got;
	int r;

	if (++w->elements > TREE_ELEMENTS_MAX)
		return err_set(e, ERR_DAMAGED, "more than %d elements", TREE_ELEMENTS_MAX);
	if ((r = look(w, off, HEADER_LEN, &p, &got, e)) != 0)
		return r;
	if (got < 2 || off >= limit)
		return err_set(e, ERR_DAMAGED, "cut off at byte %" PRIu64, off);
	*el = (struct element){ .off = off, .end = limit, .tag = p[0] };
	if ((p[0] & 0x1f) == 0x1f)
		return err_set(e, ERR_DAMAGED, "X.690 8.1.2.4: a tag number above 30, which CMS has not, at byte %" PRIu64, off);
	return take_length(p, got, el, e);
}

/* Goes to the child at *off, if there is one more. */
static int next_child(struct walk *w, const struct element *el, uint64_t *off, struct element *child, bool *is, struct err *e) {
	const uint8_t *p;
	size_t got;
	int r;

	*is = el->indefinite || *off < el->end;
	if (!*is)
		return 0;
	if (el->indefinite) {
		if ((r = look(w, *off, 2, &p, &got, e)) != 0)
			return r;
		if (got == 2 && p[0] == 0 && p[1] == 0 && el->end - *off >= 2) {
			*off += 2;
			*is = false;
			return 0;
		}
	}
	return take_element(w, *off, el->end, child, e);
}

static int check_depth(unsigned depth, const struct element *el, struct err *e) {
	if (depth < TREE_DEPTH_MAX)
		return 0;
	return err_set(e, ERR_DAMAGED, "nested deeper than %d levels at byte %" PRIu64, TREE_DEPTH_MAX, el->off);
}

/* Where the element ends, its end-of-contents included; octets: of all primitive elements in it. */
static int pass(struct walk *w, const struct element *el, unsigned depth, uint64_t *octets, uint64_t *next, struct err *e) {
	uint64_t off = el->body;
	struct element child;
	bool is;
	int r;

	if (!(el->tag & CONSTRUCTED)) {
		*octets += el->end - el->body;
		*next = el->end;
		return 0;
	}
	if ((r = check_depth(depth, el, e)) != 0)
		return r;
	while ((r = next_child(w, el, &off, &child, &is, e)) == 0 && is)
		if ((r = pass(w, &child, depth + 1, octets, &off, e)) != 0)
			return r;
	*next = off;
	return r;
}

static int skip(struct walk *w, const struct element *el, unsigned depth, uint64_t *next, struct err *e) {
	uint64_t octets = 0;

	*next = el->end;
	return el->indefinite ? pass(w, el, depth, &octets, next, e) : 0;
}

/* The whole element in memory, if it is short enough and its length is known. */
static const uint8_t *whole(struct walk *w, const struct element *el, size_t *len, struct err *e) {
	uint64_t size = el->end - el->off;
	const uint8_t *p;

	if (el->indefinite || size > TREE_SHOW_MAX || look(w, el->off, (size_t)size, &p, len, e) != 0 || *len != size)
		return NULL;
	return p;
}

static int walk_content_info(struct walk *w, const struct element *el, unsigned depth, uint64_t *next, struct err *e);

/* Is this a ContentInfo of a type that is known? */
static int find_type(struct walk *w, const struct element *el, size_t *type, struct err *e) {
	static const uint8_t pkcs7[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07 };
	static const uint8_t smime[] = { 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01 };
	const uint8_t *p;
	size_t got;
	int r;

	*type = N_TYPES;
	if (el->tag != DER_SEQUENCE)
		return 0;
	if ((r = look(w, el->body, sizeof smime + 1, &p, &got, e)) != 0)
		return r;
	for (size_t i = 0; i < N_TYPES; i++) {
		const uint8_t *arc = types[i].smime ? smime : pkcs7;
		size_t len = types[i].smime ? sizeof smime : sizeof pkcs7;

		if (got > len && memcmp(p, arc, len) == 0 && p[len] == types[i].last)
			*type = i;
	}
	return 0;
}

/* OCTET STRING, primitive or in pieces. */
static int show_octets(struct walk *w, const struct element *el, const char *name, unsigned depth, uint64_t *next, struct err *e) {
	uint64_t octets = 0, before = w->elements;
	char value[80];
	int r = pass(w, el, depth, &octets, next, e);

	if (r != 0)
		return r;
	if (el->tag & CONSTRUCTED)
		(void)snprintf(value, sizeof value, "%" PRIu64 " octets in %" PRIu64 " pieces", octets, w->elements - before);
	else
		(void)snprintf(value, sizeof value, "%" PRIu64 " octets", octets);
	put(w, depth, el->off, name, value);
	return 0;
}

/* What was signed may be CMS again. */
static int show_content(struct walk *w, const struct element *el, const char *name, unsigned depth, uint64_t *next, struct err *e) {
	struct element inner;
	size_t type = N_TYPES;
	uint64_t end;
	int r;

	if ((r = show_octets(w, el, name, depth, next, e)) != 0 || (el->tag & CONSTRUCTED) || el->end - el->body < 2)
		return r;
	if (take_element(w, el->body, el->end, &inner, NULL) != 0 || inner.indefinite || inner.end != el->end)
		return 0;
	if ((r = find_type(w, &inner, &type, e)) != 0 || type == N_TYPES)
		return r;
	return walk_content_info(w, &inner, depth + 1, &end, e);
}

static int show_value(struct walk *w, const struct element *el, const struct rule *rule, unsigned depth, uint64_t *next, struct err *e) {
	OWN(buf_wipe) struct buf value = {0};
	const uint8_t *p;
	size_t len;

	if (rule->show == SHOW_CONTENT)
		return show_content(w, el, rule->name, depth, next, e);
	if (rule->show == SHOW_PIECES)
		return show_octets(w, el, rule->name, depth, next, e);
	if (rule->show != SHOW_LEN && (p = whole(w, el, &len, NULL)) != NULL)
		rule->value(p, len, &value);
	else
		buf_addf(&value, el->indefinite ? "of indefinite length" : "%" PRIu64 " octets", el->end - el->body);
	put(w, depth, el->off, rule->name, buf_str(&value));
	return skip(w, el, depth, next, e);
}

/* The first rule from *at on that has this tag; pieces of an OCTET STRING are constructed. */
static const struct rule *find_rule(const struct rule **at, uint8_t tag) {
	for (const struct rule *r = *at; r->name != NULL; r++) {
		bool pieces = r->show == SHOW_CONTENT || r->show == SHOW_PIECES;

		if (r->tag == tag || (pieces && r->tag == (tag & ~CONSTRUCTED))) {
			*at = r->many ? r : r + 1;
			return r;
		}
	}
	return NULL;
}

static int walk_children(struct walk *w, const struct element *el, const struct rule *rules, unsigned depth, uint64_t *next, struct err *e);

static int walk_child(struct walk *w, const struct element *child, const struct rule *rule, unsigned depth, uint64_t *next, struct err *e) {
	char value[80];

	if (rule == NULL) {
		(void)snprintf(value, sizeof value, "tag 0x%02x, not expected here", child->tag);
		put(w, depth, child->off, "element", value);
		return skip(w, child, depth, next, e);
	}
	if (rule->inside == NULL)
		return show_value(w, child, rule, depth, next, e);
	put(w, depth, child->off, rule->name, "");
	return walk_children(w, child, rule->inside, depth + 1, next, e);
}

static int walk_children(struct walk *w, const struct element *el, const struct rule *rules, unsigned depth, uint64_t *next, struct err *e) {
	const struct rule *at = rules;
	uint64_t off = el->body, shown = 0, more = 0;
	struct element child;
	char value[80];
	bool is;
	int r;

	if ((r = check_depth(depth, el, e)) != 0)
		return r;
	while ((r = next_child(w, el, &off, &child, &is, e)) == 0 && is) {
		if (shown++ < TREE_SHOWN_MAX) {
			r = walk_child(w, &child, find_rule(&at, child.tag), depth, &off, e);
		} else {
			more++;
			r = skip(w, &child, depth, &off, e);
		}
		if (r != 0)
			return r;
	}
	if (r == 0 && more > 0) {
		(void)snprintf(value, sizeof value, "%" PRIu64 " more", more);
		put(w, depth, off, "and", value);
	}
	*next = off;
	return r;
}

/* RFC 5652 3; the content type is the first of two elements. */
static int walk_content_info(struct walk *w, const struct element *el, unsigned depth, uint64_t *next, struct err *e) {
	struct rule inner[2] = { END, END };
	const struct rule rules[] = {
		ONE("content type", DER_OID, tree_show_oid), NODE("content", DER_CTX_CONS(0), inner), END,
	};
	char value[80];
	size_t type;
	int r;

	if ((r = check_depth(depth, el, e)) != 0 || (r = find_type(w, el, &type, e)) != 0)
		return r;
	if (type == N_TYPES)
		return err_set(e, ERR_DAMAGED, "RFC 5652 3: no ContentInfo of a known type at byte %" PRIu64, el->off);
	inner[0] = (struct rule){ .name = types[type].name, .tag = types[type].tag, .inside = types[type].rules,
				  .show = types[type].rules == NULL ? SHOW_CONTENT : SHOW_NOTHING };
	if (el->indefinite)
		(void)snprintf(value, sizeof value, "at %" PRIu64 ", of indefinite length", el->off);
	else
		(void)snprintf(value, sizeof value, "at %" PRIu64 ", %" PRIu64 " bytes", el->off, el->end - el->off);
	put(w, depth, el->off, "object", value);
	return walk_children(w, el, rules, depth + 1, next, e);
}

int tree_walk(const struct source *in, void (*line)(void *arg, const struct tree_line *l), void *arg, struct err *e) {
	OWN(own_free) struct walk *w = xcalloc(1, sizeof *w);
	struct element all = { .end = in->size };
	uint64_t off = 0, objects = 0;
	struct element el;
	char value[80];
	bool is;
	int r;

	w->in = in;
	w->line = line;
	w->arg = arg;
	if (in->size == 0)
		return err_set(e, ERR_DAMAGED, "empty");
	while ((r = next_child(w, &all, &off, &el, &is, e)) == 0 && is) {
		r = objects++ < TREE_SHOWN_MAX ? walk_content_info(w, &el, 0, &off, e) : skip(w, &el, 0, &off, e);
		if (r != 0)
			break;
	}
	ERR_clear_error();
	if (objects > TREE_SHOWN_MAX) {
		(void)snprintf(value, sizeof value, "%" PRIu64 " more objects", objects - TREE_SHOWN_MAX);
		put(w, 0, off, "and", value);
	}
	return r;
}
