/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of scg, one function each; main.c has their options. */
#ifndef SCG_CLIENT_COMMANDS_H
#define SCG_CLIENT_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"

/* All options of all commands; a command's table says which it takes. */
struct plan {
	const char *dir, *passin, *passout;
	const char *name, *newkey, *in, *out, *cert, *cacert, *gateway; /* req, install, encrypt ... */
	const char *to, *history, *mode, *older, *range, *spool_dir, *unshare;
	const char *client_id, *client_secret, *service_account, *drive_id, *ca_file; /* login */
	const char *api_url, *auth_url, *token_url, *device_url, *revoke_url;
	uint64_t timeout_s;
	bool device, alone, no_browser;
	const char *recip;
	bool text; /* inspect */
	uint64_t workers, threads;
	bool json, noenc, recursive, replace, stale_ok, spool, no_spool, allow_unsigned, old, forget_audit;
};

/* What main's table runs (opt_command.run): plan is a struct plan with the options given, operands what stands beside
 * them; 0, or an ERR_* that becomes the exit status. */
int cmd_req(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_install(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_status(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_keys(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_encrypt(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_decrypt(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_inspect(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_upload(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_download(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_list(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_rename(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_remove(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_rekey(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_verify(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_gc(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_ledger(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_login(void *plan, const struct opt_operands *operands, struct err *e);
int cmd_logout(void *plan, const struct opt_operands *operands, struct err *e);

/* Shared by the commands: opens and connects a session as the plan says. */
struct session;
int commands_session(struct session *s, const struct plan *p, struct err *e) MUST_CHECK;
/* And opens the drive; what this member alone may destroy there, and nobody needs any more, goes first. */
int commands_drive(struct session *s, const struct plan *p, struct err *e) MUST_CHECK;

#endif
