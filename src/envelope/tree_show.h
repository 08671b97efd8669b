/* SPDX-License-Identifier: Apache-2.0 */
/* One element of a CMS file in words; whatever it holds, something is said. */
#ifndef SCG_ENVELOPE_TREE_SHOW_H
#define SCG_ENVELOPE_TREE_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TREE_SHOW_MAX 16384 /* the longest element that is looked at as a whole: a certificate */

/* der: tag, length and content, len octets; from anybody. Appends text without control characters. */
typedef void tree_show(const uint8_t *der, size_t len, struct buf *out);
tree_show tree_show_integer, tree_show_hex, tree_show_oid, tree_show_algorithm, tree_show_issuer, tree_show_attribute, tree_show_certificate;

#endif
