/* SPDX-License-Identifier: Apache-2.0 */
/* Epoll loops: they accept, shake hands, read requests under absolute deadlines, hand them to one handler, write replies. */
#ifndef SCG_NET_SERVER_H
#define SCG_NET_SERVER_H

#include <stdbool.h>
#include <openssl/ssl.h>

#include "net/http.h"
#include "pki/chain.h"

struct server;

/* Who asks. */
struct server_peer {
	X509 *cert;                 /* borrowed, NULL: none */
	const struct chain *chain;  /* that judged it, or whose gateway was presented: the group that the connection belongs to (tls.h) */
	enum verdict verdict;       /* of the handshake: chain and purpose; dates and revocation are the handler's to ask, each time */
	char address[64];           /* "127.0.0.1", "fe80::1"; an IPv4 address in IPv6 as IPv4 */
	bool loopback;
	void *data;                 /* the handler's own for this connection; released by ops.forget */
};

/* All but handle may be NULL. None may wait for a network. With several threads each has its turn: body_max, handle, commit, still_good, tick,
 * refused, watches and what server_close_if asks are called by one thread at a time, from one request's handle to the commit and the
 * still_good that follow it without another thread's turn between. */
struct server_ops {
	void *arg;
	/* The body's cap for a request that announces a body, asked when its head is there (r has no body yet). Negative: refused at once with the reply
	 * that was filled in. NULL: no bodies. */
	int64_t (*body_max)(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply);
	/* Fills the reply (it begins as {0}), or sets later in it: what it waits for is not done yet. */
	void (*handle)(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply);
	/* After all requests of one round were handled and before any of their replies leaves. Where it fails (non-zero) each of them is replaced by
	 * a 503 not-stored. */
	int (*commit)(void *arg);
	/* Asked just before a reply to a handled request is written: false replaces it by what is in reply then (403) and closes. */
	bool (*still_good)(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply);
	/* The connection ends: release p->data, and touch nothing else: this one is called outside of turns too. Called for each peer that
	 * body_max or handle was called for, or to whom server_close_if's f gave data. */
	void (*forget)(void *arg, struct server_peer *p);
	/* Every tick_ms, by the thread in server_run. */
	void (*tick)(void *arg);
	/* A request was refused by the server itself (status 400, 408 ...), for the log; why is static. */
	void (*refused)(void *arg, const struct server_peer *p, int status, const char *why);
};

#define SERVER_THREADS_MAX 64

struct server_limits { /* 0: the default */
	unsigned handshake_ms;  /* 5 s from accept to the end of the handshake */
	unsigned head_ms;       /* 5 s: from the end of the handshake, later from a request's first byte, to the end of its head */
	unsigned body_ms;       /* 10 s for a body; 12 times that above 1 MiB */
	unsigned write_ms;      /* 10 s for taking a reply; 12 times that above 1 MiB */
	unsigned park_ms;       /* 60 s for a request that was put off until later; then it is answered 503 */
	unsigned idle_ms;       /* 30 s between two requests */
	unsigned linger_ms;     /* 2 s between the last byte of a closing reply and the end of the connection */
	unsigned stop_ms;       /* 5 s from server_stop for the replies in hand */
	unsigned connections;   /* 2048 in all */
	unsigned per_address;   /* 128 of one address (IPv6: of one /64) */
	unsigned tick_ms;       /* 250 ms */
	unsigned sessions;      /* 0: no TLS session is resumed; else so many are kept, each for an hour at most */
	unsigned threads;       /* 1: the one in server_run; at most SERVER_THREADS_MAX. All other limits hold for all of them together */
	bool count_loopback;    /* per_address holds for loopback too */
	const char *spool_dir;  /* copied: folder where bodies above 1 MiB lie while they come, nameless; NULL: they stay in memory */
};

#define SERVER_STATUS_MAX 600
#define SERVER_BUCKETS 9
/* Upper bounds of the buckets of latency but the last, which has none, in microseconds. */
extern const unsigned server_bucket_us[SERVER_BUCKETS - 1];

/* Counted since server_new, but for connections, parked and threads: how many there are. uint64_t alone: they are summed over the threads. */
struct server_stats {
	uint64_t replies[SERVER_STATUS_MAX]; /* begun, by status */
	uint64_t latency[SERVER_BUCKETS];    /* of handled requests: from the last byte that came to the first that goes */
	uint64_t latency_us;                 /* their sum */
	uint64_t parked;
	uint64_t accepted, handshakes, resumed, handshakes_failed, requests, bad_requests, late, refused_address, evicted, paused;
	uint64_t connections, threads;
};

/* Listens on HOST:PORT, or on the socket that "@N" numbers, which listens already and is taken over ("127.0.0.1:0", "[::1]:4433", "gw.example:443", ":443" for all addresses; port 0: the system chooses). ctx is taken by
 * reference; ops and lim are copied. Raises the soft limit of descriptors if it is below what lim asks for. ERR_USAGE: no such address;
 * ERR_FAIL: it cannot be bound. */
int server_new(struct server **s, const char *listen, SSL_CTX *ctx, const struct server_ops *ops, const struct server_limits *lim,
    struct err *e) MUST_CHECK;
void server_free(struct server *s); /* s may be NULL */
/* "127.0.0.1:4433", "[::1]:4433" */
void server_address(const struct server *s, char out[static 80]);

/* f(arg) whenever fd is readable, until server_free, by the thread in server_run in its turn; the descriptor stays the caller's. */
int server_watch(struct server *s, int fd, void (*f)(void *arg), void *arg, struct err *e) MUST_CHECK;
/* Runs until server_stop, with threads - 1 more threads, which hear of no signal that the caller blocked. */
int server_run(struct server *s, struct err *e) MUST_CHECK;
/* Ends server_run when the replies in hand are written, within stop_ms. From any thread, or from a signal handler. */
void server_stop(struct server *s);
/* New connections use this context (taken by reference), and no session of before is resumed. From any thread. */
void server_set_ctx(struct server *s, SSL_CTX *ctx);
/* Closes each connection for which f says true (newly revoked); where a request has begun, what f filled into reply is its answer. In a turn:
 * a handler, a watch, a tick. Peers that are still shaking hands are not asked: their first request will be. Connections of other threads
 * are asked at the beginning of those threads' next turn, so f(arg) has to answer until server_free; but when this returns no byte of a reply
 * that was let go before is still to leave. No session of before is resumed. */
void server_close_if(struct server *s, bool (*f)(void *arg, struct server_peer *p, struct http_reply *reply), void *arg);
/* Handles those anew that were put off until later. In a turn. */
void server_go_on(struct server *s);
/* From any thread. */
void server_get_stats(const struct server *s, struct server_stats *out);

#endif
