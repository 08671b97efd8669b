/* SPDX-License-Identifier: Apache-2.0 */
#include "client/auditlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "client/gateway.h"
#include "client/identity.h"

OWN_DEFINE(json, json_t, json_decref)

#define HEAD_TEXT_MAX 4096

int auditlog_load(struct auditlog *a, const char *dir, const char *group, struct err *e) {
	OWN(own_free) char *path = file_join(dir, AUDIT_FILE);
	OWN(buf_wipe) struct buf text = { 0 };
	int r;

	*a = (struct auditlog){ .dir = dir, .group = group };
	if ((r = file_load(path, HEAD_TEXT_MAX, &text, e)) == ERR_NOTFOUND)
		return 0;
	if (r != 0)
		return r;
	if (strlen(buf_str(&text)) != text.len || head_open_text(buf_str(&text), group, true, &a->kept, e) != 0)
		return err_set(e, ERR_DAMAGED, "%s is not the head of the audit log of group %s", path, group);
	a->has_kept = true;
	return 0;
}

static int not_contained(struct err *e, const char *why) {
	return err_set(e, ERR_DAMAGED,
	    "the gateway's audit log no longer contains what it had: %s. An old state was put back, or it was changed. If that is known to be right: scg"
	    " keys -forget-audit",
	    why);
}

static bool is_hash(const json_t *o, uint8_t out[static 32]) {
	const char *text = json_string_value(o);
	OWN(buf_wipe) struct buf b = { 0 };

	if (text == NULL || text_unbase64(text, strlen(text), 32, &b, NULL) != 0 || b.len != 32)
		return false;
	memcpy(out, b.data, 32);
	return true;
}

int auditlog_parse_proof(const struct buf *json, uint8_t path[static PROOF_MAX][32], size_t *n, struct err *e) {
	OWN(own_json) json_t *o = json->len > 0 ? json_loadb((const char *)json->data, json->len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *list = json_object_get(o, "consistency");

	*n = json_array_size(list);
	if (!json_is_array(list) || json_object_size(o) != 1 || *n > PROOF_MAX)
		return err_set(e, ERR_DAMAGED, "RFC 6962 4.4: not a consistency proof");
	for (size_t i = 0; i < *n; i++)
		if (!is_hash(json_array_get(list, i), path[i]))
			return err_set(e, ERR_DAMAGED, "RFC 6962 4.4: a hash in the consistency proof is none");
	return 0;
}

static int fetch_proof(const struct auditlog *a, struct fetch *f, uint8_t path[static PROOF_MAX][32], size_t *n, struct err *e) {
	OWN(buf_wipe) struct buf json = { 0 };
	struct err why = ERR_INIT;
	int r = gateway_audit_proof(f, a->kept.size, a->now.size, &json, &why);

	/* It signed both heads: there is no good reason not to have the proof. */
	if (r == ERR_NOTFOUND || r == ERR_FAIL)
		return not_contained(e, "it has no proof");
	if (r != 0)
		return err_set(e, r, "%s", why.text);
	return auditlog_parse_proof(&json, path, n, e);
}

static int check_proof(const struct auditlog *a, struct fetch *f, struct err *e) {
	const struct proof_end old = { a->kept.size, a->kept.root }, now = { a->now.size, a->now.root };
	uint8_t path[PROOF_MAX][32];
	size_t n = 0;
	int r;

	if (old.size > 0 && old.size < now.size && (r = fetch_proof(a, f, path, &n, e)) != 0)
		return r;
	return proof_check(&old, &now, (const uint8_t(*)[32])path, n, NULL) == 0 ? 0 : not_contained(e, "the hashes do not fit");
}

int auditlog_check(struct auditlog *a, const char *text, struct fetch *f, struct err *e) {
	char why[80];

	if (*text == '\0')
		return a->has_kept ? not_contained(e, "it has no head") : 0;
	if (head_open_text(text, a->group, true, &a->now, e) != 0)
		return err_add(e, "audit log");
	a->has_now = true;
	if (!a->has_kept)
		return 0;
	if (a->now.size < a->kept.size) {
		(void)snprintf(why, sizeof why, "%" PRIu64 " entries instead of %" PRIu64, a->now.size, a->kept.size);
		return not_contained(e, why);
	}
	return check_proof(a, f, e);
}

/* Another process may have kept a newer one meanwhile; between look and rename the older of the two may win, which was true all the same. */
static bool is_newer(const struct auditlog *a) {
	struct auditlog there;

	return auditlog_load(&there, a->dir, a->group, NULL) != 0 || !there.has_kept || a->now.size > there.kept.size;
}

int auditlog_save(const struct auditlog *a, struct err *e) {
	OWN(own_free) char *path = file_join(a->dir, AUDIT_FILE);
	OWN(buf_wipe) struct buf text = { 0 };

	if (!a->has_now || !is_newer(a))
		return 0;
	head_print(&a->now, &text);
	return file_save(path, text.data, text.len, 0600, e);
}

int auditlog_forget(const char *dir, struct err *e) {
	OWN(own_free) char *path = file_join(dir, AUDIT_FILE);

	return unlink(path) == 0 || errno == ENOENT ? 0 : err_sys(e, ERR_FAIL, "%s", path);
}
