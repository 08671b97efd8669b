/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS server that follows a script: for clients that have to stand what no honest server does. */
#ifndef SCG_TESTS_HOSTILE_H
#define SCG_TESTS_HOSTILE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "lib/fixture.h"

#define HOSTILE_TIMES 16

enum hostile_end {
	HOSTILE_CLOSE,   /* ends the connection in order */
	HOSTILE_RESET,   /* resets it */
	HOSTILE_HANG,    /* says no more, until the client goes */
	HOSTILE_KEEP,    /* takes the next request on the same connection, with the next step */
	HOSTILE_ENDLESS, /* says the reply's last 1 KiB for ever */
	HOSTILE_TRICKLE, /* says the reply's last byte for ever, ten times a second */
	HOSTILE_NO_TLS,  /* resets it before the handshake: a step for a connection, not for a request */
	HOSTILE_REFUSE,  /* reads nothing of the body, says the reply, and ends the connection in order */
	HOSTILE_HALF,    /* reads only half of the body, says the reply, if there is one, and resets it */
};

/* What happens to one request: its head and, by its Content-Length, its body are read, then the reply is sent. */
struct hostile_step {
	const void *reply;
	size_t len;
	enum hostile_end end;
};

struct hostile {
	const struct hostile_step *steps; /* the last one is played again and again */
	size_t n_steps;
	bool plain;                       /* no TLS at all */
	int tls_max;                      /* TLS1_2_VERSION...; 0: any */
	int listener;
	void *ctx;
	pthread_t thread;
	atomic_bool stopping;
	atomic_uint connections, requests;
	unsigned unheard; /* its own: connections that were reset before the handshake */
	/* Of each request its head, its body and an empty line; for after hostile_stop; buf_wipe it. */
	struct buf heard;
	int64_t at_ms[HOSTILE_TIMES];     /* when the first ones were read, on the monotonic clock */
	char url[64];
};
/* Begins as {.steps, .n_steps}; id may be NULL for a plain one. */
void hostile_start(struct hostile *h, const struct fixture_id *id);
void hostile_stop(struct hostile *h);

#endif
