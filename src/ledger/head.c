/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/head.h"

#include <inttypes.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "pki/ossl.h"
#include "pki/signed.h"

#define ORIGIN "scg/"
#define AUDIT "/audit"
#define TEXT_MAX 160 /* origin 4 + 64 + 6, size 19, root 44, three line feeds */

void head_print(const struct head *h, struct buf *text) {
	buf_addf(text, ORIGIN "%s%s\n%" PRIu64 "\n", h->group, h->audit ? AUDIT : "", h->size);
	text_base64(h->root, sizeof h->root, text);
	buf_addc(text, '\n');
}

static char *take_line(char **at) {
	char *line = *at, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line;
}

static int parse_root(const char *s, struct head *h, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	int r = text_unbase64(s, strlen(s), sizeof h->root, &b, e);

	if (r == 0 && b.len != sizeof h->root)
		r = err_set(e, ERR_DAMAGED, "not 32 bytes");
	if (r == 0)
		memcpy(h->root, b.data, sizeof h->root);
	return r;
}

/* A group's name has no slash. */
static int parse_origin(char *origin, struct head *h) {
	size_t len = strlen(origin);

	if (strncmp(origin, ORIGIN, strlen(ORIGIN)) != 0)
		return -1;
	origin += strlen(ORIGIN);
	len -= strlen(ORIGIN);
	if (len > strlen(AUDIT) && strcmp(origin + len - strlen(AUDIT), AUDIT) == 0) {
		h->audit = true;
		len -= strlen(AUDIT);
		origin[len] = '\0';
	}
	if (name_check(origin, "group", NULL) != 0)
		return -1;
	memcpy(h->group, origin, len + 1);
	return 0;
}

int head_parse(const uint8_t *text, size_t len, struct head *h, struct err *e) {
	char copy[TEXT_MAX + 1], *at = copy;
	OWN(buf_wipe) struct buf again = {0};
	char *origin;
	const char *size, *root;

	*h = (struct head){0};
	if (len > TEXT_MAX)
		return err_set(e, ERR_DAMAGED, "head: too long");
	memcpy(copy, text, len);
	copy[len] = '\0';
	if ((origin = take_line(&at)) == NULL || (size = take_line(&at)) == NULL || (root = take_line(&at)) == NULL)
		return err_set(e, ERR_DAMAGED, "head: not three lines");
	if (parse_origin(origin, h) != 0)
		return err_set(e, ERR_DAMAGED, "head: origin is neither \"scg/GROUP\" nor \"scg/GROUP" AUDIT "\"");
	if (text_u64(size, INT64_MAX, &h->size, NULL) != 0 || parse_root(root, h, NULL) != 0)
		return err_set(e, ERR_DAMAGED, "head: size or root are none");
	head_print(h, &again);
	if (again.len != len || memcmp(again.data, text, len) != 0)
		return err_set(e, ERR_DAMAGED, "head: not in its one form");
	return 0;
}

int head_sign(const struct head *h, const struct head_sign *by, struct buf *der, struct err *e) {
	const struct signed_make m = {
	    .key = by->key, .cert = by->cert, .nonce = by->nonce, .nonce_len = by->nonce_len, .time_s = by->now_s};
	OWN(buf_wipe) struct buf text = {0};

	head_print(h, &text);
	return signed_make(&m, text.data, text.len, der, e);
}

static int check_nonce(const struct signed_info *info, const struct head_check *c, struct err *e) {
	if (c->nonce != NULL && (info->nonce_len != c->nonce_len || memcmp(info->nonce, c->nonce, c->nonce_len) != 0))
		return err_set(
		    e, ERR_DAMAGED, "head: RFC 8894 3.2.1.6: the nonce is not ours: an old head, played back");
	return 0;
}

static int check_signer(const struct signed_info *info, const struct head_check *c, struct err *e) {
	if (chain_check(c->chain, info->cert, PURPOSE_SERVER, e) != VERDICT_GOOD ||
	    chain_check_time(info->cert, c->when_signed ? info->time_s : c->at_s, e) != VERDICT_GOOD) {
		(void)err_add(e, "head: signer");
		return err_recode(e, ERR_DAMAGED);
	}
	return 0;
}

static int check_origin(const struct head *h, const char *group, bool audit, struct err *e) {
	if (strcmp(h->group, group) != 0)
		return err_set(e, ERR_DAMAGED, "head: of another group");
	if (h->audit != audit)
		return err_set(e, ERR_DAMAGED, "head: of another log than the %s", audit ? "audit log" : "ledger");
	return 0;
}

int head_open_text(const char *text, const char *group, bool audit, struct head *h, struct err *e) {
	int r = head_parse((const uint8_t *)text, strlen(text), h, e);

	return r != 0 ? r : check_origin(h, group, audit, e);
}

static int check_signed(const struct signed_info *info, const struct head_check *c, struct head *h, struct err *e) {
	int r;

	if (info->cert == NULL)
		return err_set(e, ERR_DAMAGED, "head: RFC 5652 5.1: the signer's certificate is missing");
	if (info->log_head != NULL)
		return err_set(e, ERR_DAMAGED, "head: RFC 5652 5.3: a signed attribute that does not belong here");
	if ((r = check_nonce(info, c, e)) != 0 || (r = check_signer(info, c, e)) != 0)
		return r;
	if (signed_verify(info, info->cert, e) != 0 || head_parse(info->content, info->content_len, h, e) != 0)
		return err_add(e, "head");
	return check_origin(h, chain_group(c->chain), c->audit, e);
}

int head_open(
    const uint8_t *der, size_t len, const struct head_check *c, struct head *h, X509 **signer, struct err *e) {
	OWN(signed_wipe) struct signed_info info = {0};
	int r;

	*signer = NULL;
	if (len > HEAD_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "head: %zu bytes, %u are allowed", len, HEAD_MAX_BYTES);
	if (signed_parse_known(der, len, c->chain, &info, e) != 0)
		return err_add(e, "head");
	if ((r = check_signed(&info, c, h, e)) != 0)
		return r;
	*signer = info.cert;
	info.cert = NULL;
	return 0;
}
