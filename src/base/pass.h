/* SPDX-License-Identifier: Apache-2.0 */
/* Passphrases from the places that openssl-style options name. */
#ifndef SCG_BASE_PASS_H
#define SCG_BASE_PASS_H

#include <stdbool.h>

#include "base/secret.h"

/* arg: "pass:..", "env:VAR", "file:PATH" (first line), "fd:N", "stdin" (first line), or NULL: prompts on /dev/tty (twice if confirm), or
 * ERR_USAGE where there is no terminal. 1..1024 bytes. what names the key in the prompt. */
int pass_read(const char *arg, const char *what, bool confirm, struct secret *out, struct err *e) MUST_CHECK;

#endif
