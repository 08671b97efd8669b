/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: one handle of libcurl with its kept connections, and the request that it is busy with. */
#ifndef SCG_NET_REST_CALL_H
#define SCG_NET_REST_CALL_H

#include <stdbool.h>

#include "net/easy.h"
#include "net/head.h"
#include "net/rest.h"
#include "net/retry.h"

struct rest_call {
	CURL *curl;
	struct rest_call *next;       /* of those that are idle */
	/* of the request under way */
	const struct rest_request *q;
	struct rest_reply *p;
	char *site;                   /* "https://HOST", escaped: what errors name, for a whole URL may be a secret */
	bool loopback, may_repeat;
	bool ask_first;               /* Expect: 100-continue (RFC 9110 10.1.1) */
	bool went_on;                 /* and the last attempt was told to */
	bool taken;                   /* take has had bytes of it */
	uint64_t counted;             /* bytes that progress was told of, in whichever attempt */
	struct retry retry;
	/* of the attempt under way */
	struct head head;
	struct err why;               /* why the reply was not taken: code 0, nothing wrong so far */
	struct err own;               /* what read or take said */
	uint64_t off;                 /* what read is asked for next */
	uint64_t handed;              /* how far libcurl has had the body */
	uint64_t went, came;          /* bytes of the two bodies */
	unsigned sent;                /* how often the request went onto a connection */
	int64_t end_ms;               /* this attempt's limit, from its own last progress; that of all attempts is in retry */
	bool late;                    /* the limit was reached without progress */
	bool enough;                  /* of an error's body */
	char curl_text[CURL_ERROR_SIZE];
};

/* anchors: PEM, instead of the system's, or empty. NULL: libcurl lacks what is needed. */
struct rest_call *rest_call_new(const struct buf *anchors);
void rest_call_free(struct rest_call *c);
/* One attempt at c->q: 0 with any status. */
int rest_call_try(struct rest_call *c, struct err *e) MUST_CHECK;

/* rest_flow.c: what libcurl calls while bytes go out and come in. */
bool rest_flow_set(struct rest_call *c);
/* The bytes that went, once more when the transfer is over. */
void rest_flow_end(struct rest_call *c);

#endif
