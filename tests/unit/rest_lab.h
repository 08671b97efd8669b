/* SPDX-License-Identifier: Apache-2.0 */
/* A service that follows a script, and requests to it: for the tests of net/rest. */
#ifndef SCG_TESTS_REST_LAB_H
#define SCG_TESTS_REST_LAB_H

#include "lib/hostile.h"
#include "lib/suite.h"
#include "net/rest.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define STEP(text, how) { text, sizeof(text) - 1, how }
#define N(table) ((int)(sizeof(table) / sizeof *(table)))

/* Made anew for each test. */
extern struct rest_lab {
	struct fixture group;
	struct hostile h;
	struct rest *r;
	struct rest_reply p;
	struct err e;
	char url[200];
	struct buf got;       /* what was taken */
	size_t take_limit;    /* not 0: take says no above it */
	int64_t jump_ms;      /* how much later each take makes it */
	uint64_t told;        /* the sum of what progress was told */
} lab;

/* The service with this certificate, NULL: without TLS. */
void lab_play_as(const struct hostile_step *steps, size_t n, const struct fixture_id *id);
/* A client that has the group's CA (in ca.pem) as its anchor. */
void lab_dial(unsigned total_s);
#define LAB_LONG_S 600 /* a limit that no machine is slow enough to meet */
/* Both: the gateway's certificate, LAB_LONG_S. */
void lab_play(const struct hostile_step *steps, size_t n);
/* Ends both; what the service heard. */
const char *lab_stop(void);

/* A request to the service; one at a time. */
struct rest_request lab_ask_for(const char *method, const char *path);
int lab_get(const char *path);
int lab_post(const char *body, bool idempotent);
/* The body of the reply is taken into lab.got. */
int lab_get_taken(void);
int lab_take(void *arg, const void *data, size_t len, struct err *why);
void lab_tell(void *arg, uint64_t bytes);

void lab_check_heard(const char *heard, const char *what, bool is_there);
/* This stands in the error. */
void lab_check_why(const char *what);

/* Runs the case. */
int lab_run(const char *name, TCase *t);

#endif
