/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway behind net/fetch.h without sockets, for tests of the client: it stands in for fetch_new, fetch and kin,
 * answers with the ledger of memgate, and misbehaves as told. */
#ifndef SCG_TESTS_CLIENT_GATE_H
#define SCG_TESTS_CLIENT_GATE_H

#include <stdbool.h>

#include "client/session.h"
#include "lib/fixture.h"
#include "lib/memgate.h"

#define GATE_URL "https://localhost:4433"

struct client_gate {
	struct fixture f;
	struct memgate g;
	struct keyring keys; /* all epochs */
	X509 *server;        /* the certificate that handshakes show; the fixture's gateway at first */
	bool unreachable;
	const char *refuse;       /* every request: 403 with this problem type */
	const char *refuse_then;  /* the next post is taken, but this is the answer, and everything after it is refused:
				     revoked in between */
	unsigned lose_replies;    /* so many posts are taken, but the answer is lost */
	unsigned lose_requests;   /* so many posts are lost on the way */
	unsigned swallow;         /* so many posts are answered with 201 and forgotten */
	unsigned rotate;          /* before each of so many posts there is a new epoch */
	unsigned rotate_at_group; /* before the answer to this GET /v1/group (1: the next one) there is a new epoch; 0:
				     never */
	unsigned refuse_at_group; /* likewise: 403 revoked from there on */
	bool old_keys;            /* keys without the newest epoch */
	bool foreign_keys;        /* keys signed by another authority's gateway */
	X509 *keys_by;            /* keys, and they alone, signed under this certificate of the gateway's key; NULL: its own */
	bool wrong_nonce;         /* keys for another request */
	uint64_t audit_size;      /* of the audit log whose head comes with the keys; 0: none comes */
	bool audit_other;         /* another log from its second entry on */
	bool audit_ledger;        /* the head says that it is the ledger's */
	bool audit_no_proof;      /* 404 for a proof */
	const char *group;        /* the name in GET /v1/group, NULL: the right one */
	struct buf *crl;          /* served instead of the newest list */
	void (*before_post)(void *arg); /* once: another member is faster */
	void *arg;
	unsigned posts, requests; /* seen so far */
};
extern struct client_gate gate;

/* Everything in a fresh folder (lib/tmp.h): a gateway with one epoch and a list that names nobody, a drive. */
void gate_setup(void);
void gate_teardown(void);
void gate_rotate(void);
void gate_revoke(X509 *cert);

/* A member's folder FOLDER/name. */
void gate_member(const char *name, const struct fixture_id *id);
/* A connected session of it; wipe it with session_wipe. */
void gate_session(const char *name, struct session *s);
int gate_try_session(const char *name, bool stale_ok, struct session *s, struct err *e);
/* Objects on the drive. */
unsigned gate_objects(void);
/* A file here: FOLDER/name with this text. Returns its path. */
const char *gate_file(const char *name, const char *text);
/* This is what the member downloads under this name. */
void gate_reads(const char *who, const char *name, const char *text);
/* What bob's ledger says of this name. */
void gate_find(const char *name, struct ledger_file *f);

#endif
