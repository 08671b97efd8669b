/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/publish.h"

#include <string.h>

#include "base/text.h"
#include "ca/records.h"

/* A gateway whose certificate was taken away is no place for the list, nor a witness that it arrived. */
static bool is_not_revoked(void *arg, X509 *server, struct err *e) {
	struct ca *ca = arg;
	struct record r = {0};
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(server, serial);
	int rc = records_by_serial(ca->db, serial, len, &r, NULL, e);

	if (rc == ERR_NOTFOUND)
		rc = records_taken_at(ca->db, serial, len, &r.revoked_s, e);
	if (rc < 0)
		return false;
	if (r.revoked_s == 0)
		return true;
	err_set(e, ERR_DAMAGED, "the gateway's certificate was revoked");
	return false;
}

int publish_new(struct ca *ca, const char *url, struct fetch **f, struct err *e) {
	struct fetch_config c = {.url = url, .ca = ca->cert, .accept = is_not_revoked, .accept_arg = ca};

	*f = NULL;
	return url == NULL ? 0 : fetch_new(f, &c, e);
}

/* The gateway knows a list that this CA does not: one with a higher number, another one with this, or one with more revocations. */
static bool is_behind(const struct fetch_reply *reply) {
	const char *type = reply->problem_type;

	return type != NULL && (strcmp(type, "crl-older") == 0 || strcmp(type, "crl-number") == 0 || strcmp(type, "crl-incomplete") == 0);
}

static int check_reply(const struct fetch_reply *reply, struct err *e) {
	struct err why = ERR_INIT;
	int rc = fetch_check(reply, "PUT /crl", &why);

	if (rc < 0 && is_behind(reply))
		return err_set(e, rc, "%s (if ca.db is a backup: scg-ca crl -above LIST, of GET /crl, takes over what was revoked since)", why.text);
	return rc < 0 ? err_set(e, rc, "%s", why.text) : 0;
}

int publish(struct ca *ca, struct fetch *f, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(fetch_reply_wipe) struct fetch_reply reply = {0};
	struct record_crl c;
	int rc;

	if (f == NULL)
		return 0;
	if ((rc = records_get_crl(ca->db, &c, &der, e)) < 0)
		return rc;
	struct fetch_request q = {
	    .method = "PUT",
	    .path = "/crl",
	    .type = "application/pkix-crl",
	    .body = der.data,
	    .body_len = der.len,
	    .max = FETCH_PROBLEM_MAX,
	    .idempotent = true,
	};
	if ((rc = fetch(f, &q, &reply, e)) == 0)
		rc = check_reply(&reply, e);
	return rc < 0 ? err_add(e, "list %llu was made and written, but not published", (unsigned long long)c.number) : 0;
}
