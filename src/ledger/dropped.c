/* SPDX-License-Identifier: Apache-2.0 */
/* Revocations that a newer list no longer tells of, of certificates whose end is known. */
#include "ledger/state.h"

#include <string.h>

#include "base/own.h"
#include "pki/cert.h"
#include "pki/ossl.h"

static int load_end(struct ledger *l, int64_t index, int64_t *until_s, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	OWN(own_x509) X509 *cert = NULL;
	const uint8_t *der;
	size_t len;
	int r;

	if ((r = db_query(l->db, &rows, e, "SELECT cert FROM ledger_entries WHERE n = ?", "i", index)) != 0 ||
	    (r = db_row(&rows, e)) < 0)
		return r;
	der = r == 0 ? NULL : db_blob(&rows, 0, &len);
	if (der == NULL || cert_parse(der, len, &cert, e) != 0)
		return err_set(e, ERR_DAMAGED, "ledger: stored certificate");
	*until_s = cert_not_after(cert);
	return 0;
}

/* Columns: serial, name, n. 1: it is one. A list dated after a certificate's end need not name it. */
static int look_at(struct ledger *l, const struct db_rows *rows, const struct crl_set *old, const struct crl_set *now,
    struct ledger_dropped *d, struct err *e) {
	const char *name = db_text(rows, 1);
	const uint8_t *serial;
	size_t len;
	int r;

	serial = db_blob(rows, 0, &len);
	if (len > sizeof d->serial || strlen(name) > NAME_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "ledger: damaged table of signers");
	if (!crl_set_has(old, serial, len, NULL, NULL) || crl_set_has(now, serial, len, NULL, NULL))
		return 0;
	if ((r = load_end(l, db_int(rows, 2), &d->until_s, e)) != 0 || d->until_s < crl_set_this_update(now))
		return r;
	memcpy(d->name, name, strlen(name) + 1);
	memcpy(d->serial, serial, len);
	d->serial_len = len;
	return 1;
}

int ledger_find_dropped(
    struct ledger *l, const struct crl_set *old, const struct crl_set *now, struct ledger_dropped *d, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int r = db_query(l->db, &rows, e, "SELECT serial, name, n FROM ledger_signers ORDER BY n", "");

	while (r == 0 && (r = db_row(&rows, e)) == 1)
		if ((r = look_at(l, &rows, old, now, d, e)) != 0)
			return r < 0 ? r : 0;
	return r != 0 ? r : err_set(e, ERR_NOTFOUND, "ledger: no revocation was dropped");
}
