/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of the gateway's two logs, the ledger and the audit log: size and root, as the gateway signs them (C2SP tlog-checkpoint text in a
 * SignedData). */
#ifndef SCG_LEDGER_HEAD_H
#define SCG_LEDGER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/chain.h"
#include "pki/name.h"

#define HEAD_MAX_BYTES (32u << 10) /* SignedData with one certificate */

struct head {
	bool audit; /* of the audit log; else of the ledger */
	char group[NAME_MAX_BYTES + 1];
	uint64_t size;
	uint8_t root[32];
};

/* Appends "scg/GROUP\nSIZE\nBASE64\n", for the audit log "scg/GROUP/audit\n"... */
void head_print(const struct head *h, struct buf *text);
/* Exactly that form. ERR_DAMAGED. */
int head_parse(const uint8_t *text, size_t len, struct head *h, struct err *e) MUST_CHECK;

struct head_sign {
	EVP_PKEY *key;
	X509 *cert;
	const uint8_t *nonce;
	size_t nonce_len;
	int64_t now_s;
};
/* SignedData with the gateway's certificate inside and recipientNonce (nonce NULL: none). */
int head_sign(const struct head *h, const struct head_sign *by, struct buf *der, struct err *e) MUST_CHECK;

struct head_check {
	const struct chain *chain;
	bool audit; /* which log's head it must be */
	const uint8_t *nonce;
	size_t nonce_len; /* the one that must come back; NULL: any */
	int64_t at_s; /* when the signer's certificate must be valid */
	bool when_signed; /* instead of at_s: at the time that the head names, for one that was kept */
};
/* Structure, signature, nonce, chain with PURPOSE_SERVER, dates, group. *signer (owned by the caller after success) is
 * the gateway's certificate: its name and revocation are the caller's to check. ERR_DAMAGED. */
int head_open(const uint8_t *der, size_t len, const struct head_check *c, struct head *h, X509 **signer,
    struct err *e) MUST_CHECK;
/* Nothing but its text, which came signed in another way (the key reply): form, log and group. ERR_DAMAGED. */
int head_open_text(const char *text, const char *group, bool audit, struct head *h, struct err *e) MUST_CHECK;

#endif
