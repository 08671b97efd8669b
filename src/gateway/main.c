/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "base/opt.h"
#include "gateway/auditor.h"
#include "gateway/check.h"
#include "gateway/init.h"
#include "gateway/renew.h"
#include "gateway/run.h"
#include "gateway/tools.h"

static int cmd_init(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return init_gateway(plan, e);
}

static int cmd_run(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return run_gateway(plan, e);
}

static int cmd_check(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return check_gateway(plan, e);
}

static int cmd_renew(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return renew_start(plan, e);
}

static int cmd_rotate(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return tools_rotate(plan, e);
}

static int cmd_keys(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return tools_keys(plan, e);
}

static int cmd_export(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return tools_export(plan, e);
}

static int cmd_audit(void *plan, const struct opt_operands *operands, struct err *e) {
	(void)operands;
	return auditor_run(plan, e);
}

/* An option bears the name of its member in the plan. */
#define OPTION(plan, member, k, a, h) .name = #member, .kind = (k), .off = \
	offsetof(struct plan, member), .arg = (a), .help = (h)
#define TEXT(plan, member, a, h) { OPTION(plan, member, OPT_TEXT, a, h) }
#define REQUIRED(plan, member, a, h) { OPTION(plan, member, OPT_TEXT, a, h), .required = true }
#define FLAG(plan, member, h) { OPTION(plan, member, OPT_FLAG, NULL, h) }
/* How a new key is saved: one of the two. */
#define PASSOUT(plan) { OPTION(plan, passout, OPT_TEXT, "ARG", "encrypt the key with this passphrase"), .group = 1 }
#define NOENC(plan) \
	{ OPTION(plan, noenc, OPT_FLAG, NULL, "do not encrypt it (default: starts unattended)"), .group = 1 }
#define CONFIG(plan) REQUIRED(plan, config, "FILE", "gateway.conf")
#define GROUP(plan) TEXT(plan, group, "NAME", "which one, where the configuration names several")
#define PASSIN(plan) TEXT(plan, passin, "ARG", "passphrase of gateway.key")
#define NEWKEY(plan) TEXT(plan, newkey, "ALG", "ec:P-256 (default), ec:P-384 or rsa:3072")
#define END { .name = NULL }

static const struct opt init_opts[] = {
	TEXT(init_plan, dir, "DIR", "the gateway's folder"),
	REQUIRED(init_plan, cacert, "FILE", "certificate of the group CA"),
	REQUIRED(init_plan, host, "NAME[,NAME|IP..]", "what members call the gateway"),
	TEXT(init_plan, listen, "HOST:PORT", "where it listens (0.0.0.0:4433)"),
	TEXT(init_plan, store, "SPEC", "directory:PATH, gdrive:FOLDER-ID or rclone:REMOTE:PATH"),
	TEXT(init_plan, recovery, "CERT", "the keys at rest are also sealed to this certificate"),
	NEWKEY(init_plan),
	PASSOUT(init_plan),
	NOENC(init_plan),
	END,
};

static const struct opt run_opts[] = {
	CONFIG(run_plan),
	TEXT(run_plan, ready, "FILE", "write the bound HOST:PORT there once it serves"),
	PASSIN(run_plan),
	END,
};

static const struct opt check_opts[] = { CONFIG(check_plan), GROUP(check_plan), PASSIN(check_plan), END };

static const struct opt renew_opts[] = {
	CONFIG(renew_plan),
	GROUP(renew_plan),
	NEWKEY(renew_plan),
	PASSOUT(renew_plan),
	NOENC(renew_plan),
	END,
};

static const struct opt rotate_opts[] = { CONFIG(tools_plan), GROUP(tools_plan), PASSIN(tools_plan), END };

static const struct opt keys_opts[] = {
	CONFIG(tools_plan),
	GROUP(tools_plan),
	FLAG(tools_plan, json, "one JSON document"),
	PASSIN(tools_plan),
	END,
};

static const struct opt export_opts[] = {
	CONFIG(tools_plan),
	GROUP(tools_plan),
	REQUIRED(tools_plan, recip, "CERT", "whose private key shall open it"),
	REQUIRED(tools_plan, out, "FILE", "the envelope (DER)"),
	PASSIN(tools_plan),
	END,
};

static const struct opt audit_opts[] = {
	CONFIG(auditor_plan),
	GROUP(auditor_plan),
	FLAG(auditor_plan, verify, "is the log the one that was signed?"),
	FLAG(auditor_plan, json, "one JSON document"),
	TEXT(auditor_plan, since, "TIME", "entries from then on: 2026-01-31, RFC 3339, or how long ago (90, 15m, 12h, 2d)"),
	TEXT(auditor_plan, name, "NAME", "entries about this member"),
	END,
};

#define COMMAND(verb, plan, text) \
	{ .name = #verb, .summary = (text), .opts = verb##_opts, .plan_size = sizeof(struct plan), .run = cmd_##verb }

static const struct opt_command commands[] = {
	COMMAND(init, init_plan, "make a new gateway's folder"),
	COMMAND(run, run_plan, "serve the group"),
	COMMAND(check, check_plan, "say all that is wrong with a gateway's folder"),
	COMMAND(renew, renew_plan, "make a new key and request"),
	COMMAND(rotate, tools_plan, "start a new key epoch"),
	COMMAND(keys, tools_plan, "list the epochs, never the keys"),
	COMMAND(export, tools_plan, "envelope the keys to a certificate"),
	COMMAND(audit, auditor_plan, "list or verify what the gateway did"),
	{ .name = NULL },
};

int main(int argc, char **argv) {
	return opt_main("scg-gateway", "mTLS gateway of a scg group", commands, argc, argv);
}
