/* SPDX-License-Identifier: Apache-2.0 */
/* -range: a part of a file. */
#ifndef SCG_CLIENT_RANGE_H
#define SCG_CLIENT_RANGE_H

#include "base/err.h"
#include "envelope/envelope.h"

/* "FROM-TO", both included, or "FROM-", up to the end: the spelling of RFC 9110 14.1.1, without a unit, lists and
 * suffixes. Numbers are whole, decimal, without sign and leading zeros. ERR_USAGE. */
int range_parse(const char *arg, struct envelope_range *range, struct err *e) MUST_CHECK;
/* Bytes of it in a file of this size. */
uint64_t range_len(const struct envelope_range *range, uint64_t size);

#endif
