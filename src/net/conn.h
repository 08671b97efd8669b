/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: one connection's way through its phases, and the loop's state that it hangs on. */
#ifndef SCG_NET_CONN_H
#define SCG_NET_CONN_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/server.h"

/* Each phase has one time limit, counted from its beginning: so the connections of a phase stand in the order of their ends. */
enum phase {
	PHASE_HANDSHAKE,
	PHASE_HEAD,       /* the first request, or a later one whose first byte has come */
	PHASE_IDLE,       /* between two requests */
	PHASE_BODY,
	PHASE_BODY_LONG,
	PHASE_PARKED,     /* whole, but its handler has to wait for something */
	PHASE_HELD,       /* handled; waits for the end of the round (no limit: the round is short) */
	PHASE_WRITE,
	PHASE_WRITE_LONG,
	PHASE_LINGER,     /* said its last word, reads the client's until the client hangs up */
	PHASE_DEAD,       /* freed at the end of the round: events of the same round may still name it */
	PHASES
};

/* What epoll's pointer leads to; stands first in each. */
struct source {
	enum { SOURCE_LISTENER, SOURCE_WAKE, SOURCE_WATCH, SOURCE_CONN } kind;
};

/* What one request needs; a connection without one has none. */
struct work {
	struct work *next;          /* on the free list */
	struct buf in;              /* bytes that came: of a head, or behind a request */
	struct http_scan scan;
	struct http_request request;
	struct http_reply reply;
	int64_t whole_us;           /* when it was whole (monotonic) */
	bool handled;               /* by ops.handle: commit's outcome and still_good count */
	struct buf out;             /* head of the reply and the beginning of its body */
	uint64_t body_got;          /* bytes of the body that came */
	size_t out_at, body_at;     /* what was written of out; where the rest of the body goes on */
};

struct conn {
	struct source source;
	struct server *s;
	int fd;
	SSL *ssl;                   /* from the first byte on until PHASE_LINGER */
	struct server_peer peer;
	struct conn *prev, *next;   /* of the same phase and standing */
	struct conn *address_next, **address_prev;
	struct conn *again;         /* next on the list of those whose bytes wait inside the SSL */
	int64_t end_ms;             /* of the phase */
	uint32_t events;            /* what epoll waits for */
	enum phase phase;
	bool good;                  /* the standing: a chain of the group, evicted last */
	bool known;                 /* to the handler: forget is due */
	bool waits_again;
	bool slim;                  /* its TLS buffers were given back */
	uint16_t idle_reads;        /* reads in a row that brought no byte of a request */
	size_t drained;             /* in PHASE_LINGER */
	uint8_t key[8];             /* of the address: IPv4, or the /64 of IPv6 */
	struct work *work;
};

struct conn_list { struct conn *first, *last; };

struct watch {
	struct source source;
	struct watch *next;
	int fd;
	void (*f)(void *arg);
	void *arg;
};

#define ADDRESS_BUCKETS 1024 /* 2^10, see the shift in phase.c */
#define SCRATCH 16384 /* one TLS record */
#define LONG_BYTES (1u << 20) /* above it a body or reply gets the long limit, and a body goes to disk while it comes */
#define SPOOLS_MAX 8          /* long bodies under way at once: each may reserve 64 MiB of disk */

struct server {
	struct source on_listener, on_wake;
	int epoll, listener, wake;
	atomic_bool stopping;
	bool paused, closing;
	bool owes_commit;                   /* a request was handled in this round */
	int64_t now_ms, paused_until_ms, tick_at_ms, stop_at_ms;
	int64_t slim_at_ms;                 /* when idle connections are looked at, 0: there is none */
	SSL_CTX *ctx;
	struct server_ops ops;
	struct server_limits lim;
	char *spool_dir;                    /* what lim points to */
	struct server_stats stats;
	struct sockaddr_storage bound;
	struct conn_list phases[PHASES][2]; /* [1]: those of good standing */
	struct conn *again;
	struct conn *addresses[ADDRESS_BUCKETS];
	uint64_t hash_key;
	struct watch *watches;
	struct work *spare;
	size_t n_spare;
	uint8_t scratch[SCRATCH];
};

/* conn.c */

/* Takes the socket over: with it the connection is closed in any case. */
void conn_new(struct server *s, int fd, const struct server_peer *peer, const uint8_t key[static 8]);
/* Goes on as far as it can without waiting. */
void conn_event(struct conn *c);
/* The phase's time is over. */
void conn_late(struct conn *c);
/* Gives back the 34 KiB that an SSL keeps for its next records. */
void conn_slim(struct conn *c);
/* Handles a parked request anew. */
void conn_go_on(struct conn *c);
/* The end, without a word. */
void conn_close(struct conn *c);
/* The request that has begun, if one has, gets this reply (emptied); else the connection is closed. */
void conn_dismiss(struct conn *c, struct http_reply *reply);
/* At the end of the server: finishes what has been asked, closes the others. */
void conn_stop(struct server *s);
/* Frees those that died in this round. */
void conn_bury(struct server *s);

/* What epoll waits for from here on. */
void conn_arm(struct conn *c, uint32_t events);
/* After an SSL call that gave rc: true where it goes on when the socket is ready. */
bool conn_waits(struct conn *c, int rc);
/* Comes back in the next round: bytes may wait inside the SSL, where epoll does not see them. */
void conn_again(struct conn *c);
/* Says goodbye, then reads the client's bytes away for a while: closing a socket with unread bytes resets the connection, and the reset
 * overtakes the reply. */
void conn_linger(struct conn *c);
/* Ready for the next request; what came behind this one stays. */
void conn_work_reset(struct work *w);
void conn_work_drop(struct conn *c);

/* reply.c */

/* Monotonic, finer than base/clock: for latencies alone. */
int64_t conn_clock_us(void);
/* Commits what the round's handlers did, then lets the replies go. */
void conn_flush(struct server *s);
/* Writes on. */
void conn_write(struct conn *c);

/* phase.c */

/* Moves the connection behind all others of that phase, and its time limit begins. */
void phase_enter(struct conn *c, enum phase phase);
/* Milliseconds until the first limit, -1: none. */
int phase_wait_ms(const struct server *s);
/* conn_late for all whose time is over. */
void phase_expire(struct server *s);
/* conn_slim for all that have been idle for a second. */
void phase_slim(struct server *s);
/* Closes the one that is missed least; false where all do useful work. */
bool phase_evict(struct server *s);
/* Connections of this address key. */
unsigned phase_count_address(struct server *s, const uint8_t key[static 8]);
void phase_join_address(struct conn *c);

/* listen.c */

/* "HOST:PORT", also "[::1]:0": bound and listening, non-blocking. ERR_USAGE: no such address; ERR_FAIL. */
int listen_open(const char *where, int *fd, struct sockaddr_storage *bound, struct err *e) MUST_CHECK;
/* The address as text, IPv6 in brackets where the port follows. */
void listen_print(const struct sockaddr_storage *a, bool with_port, char *out, size_t cap);
/* Fills address and loopback, and the key under which connections of one client are counted. */
void listen_peer(const struct sockaddr_storage *a, struct server_peer *peer, uint8_t key[static 8]);

#endif
