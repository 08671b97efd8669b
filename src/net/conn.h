/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: one connection's way through its phases, the loop that it belongs to, and what all loops share. */
#ifndef SCG_NET_CONN_H
#define SCG_NET_CONN_H

#include <netinet/in.h>
#include <pthread.h>
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
	PHASE_READY,      /* its head or its body is whole: a handler's turn (no limit: the round is short) */
	PHASE_HELD,       /* handled; waits for the end of the turn (no limit either) */
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
	bool body_due;              /* PHASE_READY: announced a body that nobody has allowed yet */
	const char *refused;        /* why, where ops.refused is to be told */
	struct buf out;             /* head of the reply and the beginning of its body */
	uint64_t body_got;          /* bytes of the body that came */
	size_t out_at, body_at;     /* what was written of out; where the rest of the body goes on */
};

struct conn {
	struct source source;
	struct loop *loop;
	struct server *s;           /* the loop's */
	int fd;
	SSL *ssl;                   /* from the first byte on until PHASE_LINGER */
	struct server_peer peer;
	struct conn *prev, *next;   /* of the same phase and standing; of those on their way to another loop */
	struct conn *address_next, **address_prev; /* under the door's lock */
	struct conn *again;         /* next on the list of those whose bytes wait inside the SSL */
	int64_t end_ms;             /* of the phase */
	uint32_t events;            /* what epoll waits for */
	enum phase phase;
	bool good;                  /* the standing: a chain of the group, evicted last */
	bool known;                 /* to the handler: forget is due */
	bool waits_again;
	bool slim;                  /* its TLS buffers were given back */
	uint16_t idle_reads;        /* reads in a row that brought no byte of a request */
	uint16_t weight;            /* its part of the loop's load */
	size_t drained;             /* in PHASE_LINGER */
	uint8_t key[8];             /* of the address: IPv4, or the /64 of IPv6 */
	struct work *work;
};

struct conn_list { struct conn *first, *last; };

struct watch {
	struct source source;
	struct watch *next;
	void (*f)(void *arg);
	void *arg;
};

#define ADDRESS_BUCKETS 1024 /* 2^10, see the shift in door.c */
#define SCRATCH 16384 /* one TLS record */
#define LONG_BYTES (1u << 20) /* above it a body or reply gets the long limit, and a body goes to disk while it comes */
#define SPOOLS_MAX 8          /* long bodies under way at once: each may reserve 64 MiB of disk */
#define WEIGHT_SHAKING 16     /* what a handshake costs, in requests; a loop that has one is that much busier */

/* Connections to close, asked for by another loop. */
struct notice {
	struct notice *next;
	bool (*f)(void *arg, struct server_peer *p, struct http_reply *reply);
	void *arg;
};

/* One thread's. What has no other word beside it is touched by that thread alone. */
struct loop {
	struct server *s;
	struct source on_listener, on_wake;
	int epoll, wake;
	pthread_t thread;
	bool started;
	int rc;                             /* why it ended */
	struct err e;
	bool listens;                       /* its epoll has the listener */
	bool paused, closing;
	bool owes_commit;                   /* a request was handled in this turn */
	int64_t now_ms, paused_until_ms, tick_at_ms, stop_at_ms;
	int64_t slim_at_ms;                 /* when idle connections are looked at, 0: there is none */
	struct conn_list phases[PHASES][2]; /* [1]: those of good standing */
	struct conn *again;
	struct work *spare;
	size_t n_spare;
	struct server_stats stats;          /* written with stat_add, read by others too */

	atomic_uint load;                   /* connections, with their weights */
	_Atomic uint64_t evictable;         /* phase_evictable at the end of the last round */
	atomic_bool nudged;                 /* shall accept */
	pthread_mutex_t mail;
	struct conn *newcomers;             /* under mail: accepted by other loops */

	/* Under the server's lock. */
	struct notice *notices;
	bool go_on;                         /* parked requests are to be handled anew */
	/* Held from the end of the turn, where replies were judged, until they were written: who has changed the verdict and takes it once
	 * knows that no reply of before is still to leave. Taken inside the server's lock, never the other way round. */
	pthread_mutex_t writing;

	uint8_t scratch[SCRATCH];
};

struct server {
	int listener;
	atomic_bool stopping;
	atomic_uint listening;              /* loops that may accept; the last one closes the listener */
	atomic_uint running;
	struct server_ops ops;
	struct server_limits lim;
	char *spool_dir;                    /* what lim points to */
	struct sockaddr_storage bound;

	pthread_mutex_t lock;               /* the turn: one loop at a time calls ops */
	struct loop *turn;                  /* whose it is */
	struct watch *watches;

	pthread_mutex_t ctx_lock;
	SSL_CTX *ctx;
	struct resume *sessions;            /* NULL: none is kept */

	atomic_uint places;                 /* taken, of lim.connections */
	atomic_uint long_bodies;
	pthread_mutex_t door;
	struct conn *addresses[ADDRESS_BUCKETS];
	uint64_t hash_key;

	unsigned n_loops;
	struct loop *loops;                 /* the first has the watches and ticks */
};

/* One thread writes, others may read meanwhile. */
static inline void stat_add(uint64_t *v, uint64_t n) {
	__atomic_store_n(v, __atomic_load_n(v, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* loop.c */

int loop_open(struct loop *l, struct server *s, struct err *e) MUST_CHECK;
void loop_close(struct loop *l);
/* Until the server stops. */
int loop_run(struct loop *l, struct err *e) MUST_CHECK;
/* Comes back from its epoll_wait at once. From any thread, or a signal handler. */
void loop_wake(struct loop *l);
/* server_close_if and server_go_on for the connections of this loop. */
void loop_close_if(struct loop *l, bool (*f)(void *arg, struct server_peer *p, struct http_reply *reply), void *arg);
void loop_go_on(struct loop *l);

/* door.c */

/* Whether those who knock are heard. */
void door_listen(struct loop *l, bool on);
/* This loop accepts no more; the last one closes the listener. */
void door_leave(struct loop *l);
/* Accepts some, for this loop and for those that have less to do. */
void door_accept(struct loop *l);
/* Those that other loops accepted for this one. */
void door_take_newcomers(struct loop *l);
/* The connection has ended: its place and its address's count. */
void door_let_out(struct conn *c);

/* conn.c */

/* Takes over one that was let in. */
void conn_start(struct loop *l, struct conn *c);
/* Goes on as far as it can without waiting. */
void conn_event(struct conn *c);
/* The phase's time is over. */
void conn_late(struct conn *c);
/* Gives back the 34 KiB that an SSL keeps for its next records. */
void conn_slim(struct conn *c);
/* In the loop's turn: asks whether the body that was announced may come, or handles what is whole. */
void conn_answer(struct conn *c);
/* In the loop's turn: handles a request, or a parked one anew. */
void conn_go_on(struct conn *c);
/* The end, without a word. */
void conn_close(struct conn *c);
/* The request that has begun, if one has, gets this reply (emptied); else the connection is closed. */
void conn_dismiss(struct conn *c, struct http_reply *reply);
/* At the end of the server: finishes what has been asked, closes the others. */
void conn_stop(struct loop *l);
/* Frees those that died in this round. */
void conn_bury(struct loop *l);

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
/* In the loop's turn: commits what its handlers did, and decides of each reply whether it may leave. */
void reply_judge(struct loop *l);
/* The loop's turn is over, but none was revoked since: they leave. */
void reply_send(struct loop *l);
/* Writes on. */
void conn_write(struct conn *c);

/* phase.c */

/* Moves the connection behind all others of that phase, and its time limit begins. */
void phase_enter(struct conn *c, enum phase phase);
/* Milliseconds until the first limit, -1: none. */
int phase_wait_ms(const struct loop *l);
/* conn_late for all whose time is over. */
void phase_expire(struct loop *l);
/* conn_slim for all that have been idle for a second. */
void phase_slim(struct loop *l);
/* Closes the one that is missed least; false where all do useful work. */
bool phase_evict(struct loop *l);
/* How much that one would be missed, to be compared with other loops'; among those of one phase the older one less, by a millisecond each.
 * PHASE_NOBODY: there is none. */
#define PHASE_NOBODY UINT64_MAX
uint64_t phase_evictable(const struct loop *l);

/* listen.c */

/* "HOST:PORT", also "[::1]:0": bound and listening, non-blocking. ERR_USAGE: no such address; ERR_FAIL. */
int listen_open(const char *where, int *fd, struct sockaddr_storage *bound, struct err *e) MUST_CHECK;
/* The address as text, IPv6 in brackets where the port follows. */
void listen_print(const struct sockaddr_storage *a, bool with_port, char *out, size_t cap);
/* Fills address and loopback, and the key under which connections of one client are counted. */
void listen_peer(const struct sockaddr_storage *a, struct server_peer *peer, uint8_t key[static 8]);

#endif
