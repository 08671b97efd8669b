/* SPDX-License-Identifier: Apache-2.0 */
/* A member's mirror of the ledger (DIR/ledger.db): synchronised by replay, believing nothing. */
#ifndef SCG_LEDGER_MIRROR_H
#define SCG_LEDGER_MIRROR_H

#include "ledger/ledger.h"

struct mirror;
/* own: the member's certificate: what it put or replaced becomes the base of its next upload (also if its run was
 * killed after the gateway took the event). NULL: none. */
int mirror_open(
    struct mirror **m, const char *path, const struct chain *chain, const X509 *own, struct err *e) MUST_CHECK;
void mirror_close(struct mirror *m);
struct ledger *mirror_ledger(struct mirror *m);

/* How the mirror asks the gateway; the client gives these over HTTPS, tests from memory. No two calls at once, but
 * entries may be called on another thread. */
struct mirror_transport {
	void *arg;
	/* GET /v1/ledger/head */
	int (*head)(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e);
	/* GET /v1/ledger/entries, inflated, at most ENTRIES_MAX_BYTES */
	int (*entries)(void *arg, uint64_t from, struct buf *der, struct err *e);
	/* May this certificate (of the group, serverAuth, valid now, not revoked) sign heads: is it the gateway's by
	 * its name? NULL: not asked. */
	int (*gateway)(void *arg, X509 *cert, struct err *e);
};
/* Brings the mirror to the gateway's head, checking every rule; all cores; memory does not grow with the number of
 * entries. crl: the highest list that was seen before this call (a serial on it that no crl event brought is
 * ERR_DAMAGED), or NULL. A forged, forked or shortened log: ERR_DAMAGED, the evidence is kept in the database and the
 * mirror stays as it was. ERR_UNREACHABLE: of the transport, or other processes hold the database too long. Safe with
 * several processes at once. */
int mirror_sync(struct mirror *m, const struct mirror_transport *t, const struct crl_set *crl, int64_t now_s,
    struct err *e) MUST_CHECK;
/* Replays all that is stored from the first entry and compares the tables with what comes out. ERR_DAMAGED. */
int mirror_audit(struct mirror *m, const struct crl_set *crl, struct err *e) MUST_CHECK;
/* The last verified head, its DER (der may be NULL) and when it was fetched; ERR_NOTFOUND before the first. */
int mirror_head(struct mirror *m, struct head *h, struct buf *der, int64_t *fetched_s, struct err *e) MUST_CHECK;

/* What a sync refused as forged: the gateway's signed head, our own head then, and the entry at fault (empty: none). */
struct mirror_evidence {
	int64_t at_s;
	const char *reason;
	const uint8_t *head;
	size_t head_len;
	const uint8_t *own;
	size_t own_len;
	const uint8_t *entry;
	size_t entry_len;
};
/* Oldest first; f returns non-zero to stop (handed on). */
int mirror_evidence(struct mirror *m, int (*f)(void *arg, const struct mirror_evidence *ev, struct err *e), void *arg,
    struct err *e) MUST_CHECK;

/* The content that this member last uploaded or downloaded: the base of his next upload. index: of the event that
 * brought it. ERR_NOTFOUND. */
int mirror_base_get(struct mirror *m, const uint8_t file[static 16], uint64_t *content_index, struct err *e) MUST_CHECK;
/* Raises it. */
int mirror_base_set(struct mirror *m, const uint8_t file[static 16], uint64_t content_index, struct err *e) MUST_CHECK;

/* The objects that this member brought (under any certificate of his name) and that are no file's any more, as far as the mirror goes: on a
 * drive where only who put an object there may destroy it, nobody else does. At most max, those first that were tried least often. */
struct mirror_object {
	char id[OBJECT_ID_LEN + 1];
	int64_t time_s; /* of the event that brought it */
};
int mirror_mine(struct mirror *m, size_t max, struct mirror_object *v, size_t *n, struct err *e) MUST_CHECK;
/* Such an object is proved to be gone, or (gone false) could not be destroyed now. Of others it is no error. */
int mirror_mine_tried(struct mirror *m, const char *object, bool gone, struct err *e) MUST_CHECK;

#endif
