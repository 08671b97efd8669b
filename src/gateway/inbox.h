/* SPDX-License-Identifier: Apache-2.0 */
/* Where revocation lists arrive: the file crl.pem, watched, and large lists that were sent and lie in a file without a
 * name. They are read and verified by a thread of their own. */
#ifndef SCG_GATEWAY_INBOX_H
#define SCG_GATEWAY_INBOX_H

#include <stdbool.h>

#include "base/buf.h"
#include "gateway/list.h"
#include "pki/chain.h"

struct inbox;

/* dir/name is the file; it need not be there. chain is borrowed. No thread runs yet. Its thread's log lines will name the group that the caller's do
 * now (log_set_group). */
int inbox_new(struct inbox **b, const char *dir, const char *name, const struct chain *chain, struct err *e) MUST_CHECK;
void inbox_free(struct inbox *b); /* ends the thread; b may be NULL */
/* Looks at the file once, in the calling thread (before inbox_start). */
void inbox_look(struct inbox *b);
int inbox_start(struct inbox *b, struct err *e) MUST_CHECK;
/* Readable whenever inbox_take has something. */
int inbox_fd(const struct inbox *b);
/* The verified list of the highest number that came since it was asked last, owned by the caller, and where it came from; NULL: none. */
struct list *inbox_take(struct inbox *b, const char **from);
/* Hands over a file that holds a list, DER or PEM, to be verified (taken over, *fd -1; from, static, names where it
 * came from). Any thread. False: one waits already. */
bool inbox_give(struct inbox *b, int *fd, const char *from);
/* The file is read anew even if it did not change. */
void inbox_poke(struct inbox *b);

#endif
