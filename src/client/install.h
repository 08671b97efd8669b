/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a member offline: a key and a request, later the certificate. */
#ifndef SCG_CLIENT_INSTALL_H
#define SCG_CLIENT_INSTALL_H

#include <stdbool.h>

#include "base/err.h"

struct install_req {
	const char *dir, *name, *out; /* dir is created if need be */
	const char *newkey;           /* as in key_make, or NULL */
	const char *passout;          /* as in pass_read */
	bool noenc;
};
/* A fresh key in DIR (key.pem; key.new.pem where a member is installed: a renewal), never over another one, and the
 * request in out. ERR_EXISTS. */
int install_req(const struct install_req *q, struct err *e) MUST_CHECK;

struct install_cert {
	const char *dir, *cert, *cacert, *gateway, *passin;
};
/* Certificate, key and CA belong together, or nothing is written. Over another identity: ERR_EXISTS; a renewed
 * certificate of the same name and CA takes the place of the old one. */
int install_cert(const struct install_cert *i, struct err *e) MUST_CHECK;

#endif
