/* SPDX-License-Identifier: Apache-2.0 */
/* The group as this gateway serves it: keys, ledger, revocation set, and the one transaction that a round of requests
 * shares. */
#ifndef SCG_GATEWAY_GROUP_H
#define SCG_GATEWAY_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "gateway/audit.h"
#include "gateway/gwconf.h"
#include "gateway/identity.h"
#include "gateway/list.h"
#include "gateway/refusals.h"
#include "gateway/state.h"
#include "keyring/keyring.h"
#include "ledger/ledger.h"
#include "net/server.h"
#include "pki/profile.h"

/* The dates of a certificate, read once: they are asked at each request. */
struct validity {
	int64_t from_s, until_s;
};
/* The dates of a certificate, read once for a connection. */
struct validity validity_of(const X509 *cert);
/* GOOD, EXPIRED or NOT_YET_VALID (RFC 5280 4.1.2.5). */
enum verdict validity_check(const struct validity *v, int64_t now_s);

/* GET /v1/group as it was said last, and what it said. */
struct group_text {
	uint64_t epoch, ledger_size, crl_number;
	int64_t time_s;
	char *store; /* or NULL */
	uint8_t key_id[KEY_ID_LEN];
	struct buf json;
};

struct group {
	const struct gwconf *conf; /* borrowed */
	const struct chain *chain; /* borrowed */
	struct identity id;
	struct validity id_valid; /* of id.cert */
	struct state *state;
	struct ledger *ledger;
	struct audit *audit;
	struct refusals *refusals; /* NULL beside the loop */
	int64_t audit_at_ms; /* after a failure to write the audit log: when (clock_mono_ms) to try again; 0: all is well */
	struct secret path_key;
	struct keyring keyring;
	char *store;         /* that members use: the configuration's, else the one that a member set; or NULL */
	struct list *list;   /* the list in force, asked at each request; NULL: none yet */
	struct list *stored; /* the list that the database has; other than list: still to be written */
	struct list *held;   /* a newer one that lacks a revocation (OFFER_DROPS): whom it names is refused too; NULL: none */
	char lacks[SERIAL_HEX]; /* the serial number that held has not */
	bool in_txn;
	bool away;           /* another handle of this process writes (settler.h): no transaction begins here meanwhile */
	int64_t fresh_ms;    /* the millisecond in which other processes' commits were looked for */
	bool stale;          /* what is in memory may not be what is on disk: read it anew first */
	bool failed;         /* a commit of this round failed: none of its replies may leave */
	bool revoked_self;   /* the gateway's own certificate is on the list in force */
	uint64_t generation; /* rises whenever what others remember of keyring or ledger may be wrong */
	struct group_text text;
	int64_t retry_at_ms; /* after a failure: when (clock_mono_ms) to try again what is due */
	/* Called when another list is in force: closes the connections of whom it names. May be NULL. */
	void (*swapped)(void *arg);
	void *swapped_arg;
};

enum group_open {
	GROUP_SERVE, /* the running gateway: creates what is missing */
	GROUP_TOOL,  /* a command beside it: changes only what it is asked to; ERR_NOTFOUND where no gateway ever ran */
};
/* Takes over the identity (zeroed after success). */
int group_open(struct group **g, const struct gwconf *conf, const struct chain *chain, struct identity *id,
    enum group_open how, struct err *e) MUST_CHECK;
/* Commits nothing: what is open is rolled back. *g may be NULL. */
void group_close(struct group **g);

/* What another handle on the same database needs to store g's list, taken in g's thread; its parts are counted references. */
struct group_job {
	const struct gwconf *conf;
	const struct chain *chain;
	struct identity id;
	struct list *list, *stored;
};
void group_job_take(const struct group *g, struct group_job *job);
void group_job_wipe(struct group_job *job);
/* That handle, for another thread; the list in force is the job's. conf and chain stay borrowed. */
int group_open_beside(struct group **g, const struct group_job *job, struct err *e) MUST_CHECK;

/* Another configuration and identity from here on (conf borrowed, id taken over after success): what rests is sealed
 * anew to it. */
int group_change(struct group *g, const struct gwconf *conf, struct identity *id, struct err *e) MUST_CHECK;

/* Makes sure that what is in memory is what is on disk, also after another process wrote; asks SQLite, at 2
 * microseconds, at most once a millisecond: a process that wrote has not ended by then. */
int group_fresh(struct group *g, struct err *e) MUST_CHECK;
/* The round's transaction: begun where it is not yet. ERR_UNREACHABLE while another handle writes. */
int group_begin(struct group *g, struct err *e) MUST_CHECK;
/* On disk after 0. A failure marks the round: group_round_end says so. */
int group_commit(struct group *g, struct err *e) MUST_CHECK;
/* Commits and starts the next round. Non-zero: something of this round did not reach the disk, so no reply of it may
 * leave. */
int group_round_end(struct group *g);
/* One request's part of the transaction (begins it). group_undo after a failure takes back this part alone, in memory
 * too. */
int group_part(struct group *g, struct err *e) MUST_CHECK;
int group_keep(struct group *g, struct err *e) MUST_CHECK;
void group_undo(struct group *g);
/* Runs f in a transaction of its own, on disk after 0: what the round holds so far is committed before, and a failure
 * of f or of its commit takes back f's part alone. */
int group_alone(
    struct group *g, int (*f)(struct group *g, void *arg, struct err *e), void *arg, struct err *e) MUST_CHECK;

/* Writes what waits for the audit log, in a transaction of its own; sign: with a signed head. ERR_UNREACHABLE while another handle writes. */
int group_write_audit(struct group *g, bool sign, struct err *e) MUST_CHECK;

/* Appends the gateway's own entry (one Entry in DER). Inside a part. */
int group_append_own(struct group *g, const struct buf *entry, int64_t now_s, struct err *e) MUST_CHECK;
/* Who signs the gateway's own entries. */
struct ledger_signer group_signer(const struct group *g, int64_t now_s);
/* Appends the member event of a certificate, unless the ledger has it. Its own part. */
int group_see(struct group *g, X509 *cert, int64_t now_s, struct err *e) MUST_CHECK;

/* Why the gateway serves nobody now ("no-crl", "crl-not-current", "gateway-certificate", "not-stored"), or NULL; text
 * gets one line about it. */
const char *group_closed(const struct group *g, int64_t now_s, const char **text);
/* The list that members are told of, or NULL: who serves tells nobody of one before the ledger has its event, because a list
 * that the ledger knows nothing of is proof of a gateway that holds events back. */
struct list *group_told(const struct group *g, int64_t now_s);
/* What stands in the way of signing entries now, or NULL: the gateway's certificate out of its dates or revoked. */
const char *group_self_fault(const struct group *g, int64_t now_s);
/* A peer whose chain and purpose had this verdict in the handshake, now: dates, revocation. valid: the dates of cert
 * (NULL: no certificate). */
enum verdict group_verdict(
    const struct group *g, X509 *cert, const struct validity *valid, enum verdict handshake, int64_t now_s);
/* Is this certificate on the list in force, or on the one that is held? */
bool group_is_listed(const struct group *g, const X509 *cert);
/* Did any list that was ever in force name it? The ledger remembers, whatever later lists say. */
int group_was_revoked(const struct group *g, const X509 *cert, bool *yes, struct err *e) MUST_CHECK;

#endif
