/* SPDX-License-Identifier: Apache-2.0 */
/* Sending the newest list to a gateway. */
#ifndef SCG_CA_PUBLISH_H
#define SCG_CA_PUBLISH_H

#include "base/own.h"
#include "ca/ca.h"
#include "net/fetch.h"

/* A connection to https://HOST:PORT; nothing is sent yet. NULL for a NULL url. ca must outlive it. ERR_USAGE. */
int publish_new(struct ca *ca, const char *url, struct fetch **f, struct err *e) MUST_CHECK;
/* PUT /crl with the newest list in ca.db; nothing for a NULL f. The error says that the list itself was made. ERR_UNREACHABLE, ERR_REFUSED,
 * ERR_CONFLICT (the gateway has a newer one), ERR_DAMAGED (not the group's gateway). */
int publish(struct ca *ca, struct fetch *f, struct err *e) MUST_CHECK;

OWN_DEFINE(publish, struct fetch, fetch_free)

#endif
