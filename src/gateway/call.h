/* SPDX-License-Identifier: Apache-2.0 */
/* One request as the handlers see it: who asks what, and the reply to fill. No socket in sight. */
#ifndef SCG_GATEWAY_CALL_H
#define SCG_GATEWAY_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "gateway/group.h"
#include "gateway/inbox.h"
#include "gateway/packages.h"
#include "gateway/rate.h"
#include "gateway/settler.h"
#include "gateway/tally.h"
#include "net/http.h"
#include "net/server.h"
#include "pki/cert.h"
#include "pki/profile.h"
#include "pki/signed.h"

/* What all requests of one group share. */
struct service {
	struct service *next; /* of another group behind the same address; NULL: the last */
	const char *name;     /* for its log lines where there are several; NULL: alone */
	bool count_loopback;  /* rates hold for loopback too */
	bool lost;            /* something of this round did not reach the disk */
	struct group *group;
	struct packages *packages;
	struct rate *crl_rate; /* PUT /crl */
	struct rate *get_rate; /* GET /crl without a member's certificate */
	struct tally refused;
	struct inbox *inbox;   /* verifies large lists; NULL: none are taken */
	struct settler *settler; /* stores long lists; NULL: the loop does */
};

/* What is known of a peer, worked out once a connection. */
struct who {
	char *name; /* CN, of a certificate of the group; else NULL */
	enum role role;
	bool has_role;           /* member, gateway or admin */
	char serial[SERIAL_HEX]; /* "" without a certificate */
	uint8_t sha256[32];
	struct validity valid;
	bool is_clear;     /* when the list in force had this number, the ledger had nothing against the certificate */
	uint64_t clear_of;
	uint64_t seen; /* the group's generation when the ledger was found to have the certificate */
};

struct call {
	struct service *first; /* of all groups */
	struct service *s;     /* that of the connection */
	struct group *g; /* s->group */
	struct server_peer *peer;
	struct who *who;
	struct http_request *q;
	struct http_reply *r;
	int64_t now_s;
};

/* The group that a chain belongs to, among those from first on. NULL: none. */
struct service *service_of(struct service *first, const struct chain *chain);

/* One handler a resource and method. Whatever it fills in leaves only after the round's commit. */
void handle_keys(struct call *c);
void handle_group(struct call *c);
void handle_store_put(struct call *c);
void handle_crl_get(struct call *c);
void handle_crl_put(struct call *c);
void handle_head(struct call *c);
void handle_entries(struct call *c);
void handle_events(struct call *c);
void handle_audit_head(struct call *c);
void handle_audit_consistency(struct call *c);

/* "nonce" of the query, 8 to 32 bytes in hex; false: a 400 stands in the reply. Where optional says so it may be
 * missing (*len 0). */
bool call_nonce(struct call *c, bool optional, uint8_t nonce[static SIGNED_NONCE_MAX], size_t *len);
/* 503 not-stored with the cause in the log: disk full, database busy. */
void call_not_stored(struct call *c, const struct err *e);
/* A JSON document as the reply's body; json is released. */
void call_json(struct call *c, int status, json_t *json);
/* Adds members to a problem that stands in the reply already; extra is released. */
void call_problem_add(struct call *c, json_t *extra);
/* The peer's certificate is in the ledger when this returns true (each member's request asks); else the reply is
 * filled. */
bool call_see(struct call *c);
/* One log line about this request: what, and one more pair if key is not NULL. */
void call_log(const struct call *c, const char *event, const char *key, const char *value);

#endif
