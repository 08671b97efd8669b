/* SPDX-License-Identifier: Apache-2.0 */
/* Destroying what lies on the drive and is no file of the group (any more). */
#ifndef SCG_CLIENT_GC_H
#define SCG_CLIENT_GC_H

#include <stdint.h>

#include "base/err.h"
#include "client/destroy.h"
#include "client/session.h"

struct gc_report {
	uint64_t destroyed, bytes; /* objects and their size */
	uint64_t left;             /* superseded or orphaned, but not ours to destroy */
	struct left owners;        /* of these, as far as the drive says */
	uint64_t waiting;          /* named by no event, but too young: perhaps somebody is uploading them */
	uint64_t swept;            /* leftovers of broken writes */
};
void gc_report_wipe(struct gc_report *report);
/* What an event named and is no file's current object goes at once; so does what no event can name any more, being
 * under an older epoch or a re-encryption that came too late; whatever else no event names goes when it is older than
 * orphan_s. The drive is listed before the head is fetched: what is listed and unnamed was put before. */
/* report begins as anything; wipe it in every case. */
int gc(struct session *s, int64_t orphan_s, struct gc_report *report, struct err *e) MUST_CHECK;

#endif
