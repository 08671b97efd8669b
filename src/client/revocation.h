/* SPDX-License-Identifier: Apache-2.0 */
/* The highest revocation list that this member saw (DIR/crl.pem), and the gateway's certificate held against it. */
#ifndef SCG_CLIENT_REVOCATION_H
#define SCG_CLIENT_REVOCATION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/chain.h"
#include "pki/crl.h"

struct revocation {
	pthread_mutex_t lock; /* of set: handshakes of other threads ask while a new list comes in */
	char *dir;
	X509 *ca;            /* borrowed from the chain */
	struct crl_set *set; /* NULL: none seen yet */
};

/* Reads DIR/crl.pem; none is no error. ERR_DAMAGED. Wipe in every case. */
int revocation_init(struct revocation *v, const char *dir, const struct chain *chain, struct err *e) MUST_CHECK;
void revocation_wipe(struct revocation *v);

/* True where a list has to be fetched: none yet, another number announced than ours (a lower one is caught by
 * revocation_take), or half of ours' life is over. */
bool revocation_is_due(struct revocation *v, uint64_t announced, int64_t now_s);
/* A list as the gateway sent it: signed by the CA, not expired, its number not below the highest seen before, no other
 * list with that number. Kept in DIR/crl.pem if it is higher; *fresh says so. ERR_DAMAGED: forged or older;
 * ERR_UNREACHABLE: expired, wait for the CA's next. */
int revocation_take(struct revocation *v, const struct buf *der, int64_t now_s, bool *fresh, struct err *e) MUST_CHECK;
/* ERR_UNREACHABLE where the list in hand has expired or there is none. */
int revocation_check_current(struct revocation *v, int64_t now_s, struct err *e) MUST_CHECK;

/* fetch_config.accept: ERR_DAMAGED and false for a gateway's certificate that was revoked. */
bool revocation_accept(void *arg, X509 *server, struct err *e);
/* A reference of its own, or NULL; free it with crl_set_free. */
struct crl_set *revocation_set(struct revocation *v);

#endif
