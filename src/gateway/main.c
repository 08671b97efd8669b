/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "base/opt.h"
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

#define INIT(member) offsetof(struct init_plan, member)
#define RUN(member) offsetof(struct run_plan, member)
#define RENEW(member) offsetof(struct renew_plan, member)
#define TOOLS(member) offsetof(struct tools_plan, member)

static const struct opt init_opts[] = {
	{ .name = "dir", .kind = OPT_TEXT, .off = INIT(dir), .arg = "DIR", .help = "the gateway's folder" },
	{ .name = "cacert", .kind = OPT_TEXT, .off = INIT(cacert), .arg = "FILE", .help = "certificate of the group CA", .required = true },
	{ .name = "host", .kind = OPT_TEXT, .off = INIT(host), .arg = "NAME[,NAME|IP..]", .help = "what members call the gateway",
	  .required = true },
	{ .name = "listen", .kind = OPT_TEXT, .off = INIT(listen), .arg = "HOST:PORT", .help = "where it listens (0.0.0.0:4433)" },
	{ .name = "store", .kind = OPT_TEXT, .off = INIT(store), .arg = "SPEC",
	  .help = "directory:PATH, gdrive:FOLDER-ID or rclone:REMOTE:PATH" },
	{ .name = "recovery", .kind = OPT_TEXT, .off = INIT(recovery), .arg = "CERT", .help = "the keys at rest are also sealed to this certificate" },
	{ .name = "newkey", .kind = OPT_TEXT, .off = INIT(newkey), .arg = "ALG", .help = "ec:P-256 (default), ec:P-384 or rsa:3072" },
	{ .name = "passout", .kind = OPT_TEXT, .off = INIT(passout), .arg = "ARG", .help = "encrypt gateway.key with this passphrase", .group = 1 },
	{ .name = "noenc", .kind = OPT_FLAG, .off = INIT(noenc), .help = "do not encrypt gateway.key (default: it starts unattended)", .group = 1 },
	{ .name = NULL },
};
static const struct opt run_opts[] = {
	{ .name = "config", .kind = OPT_TEXT, .off = RUN(config), .arg = "FILE", .help = "gateway.conf", .required = true },
	{ .name = "ready", .kind = OPT_TEXT, .off = RUN(ready), .arg = "FILE", .help = "write the bound HOST:PORT there once it serves" },
	{ .name = "passin", .kind = OPT_TEXT, .off = RUN(passin), .arg = "ARG", .help = "passphrase of gateway.key" },
	{ .name = NULL },
};
static const struct opt renew_opts[] = {
	{ .name = "config", .kind = OPT_TEXT, .off = RENEW(config), .arg = "FILE", .help = "gateway.conf", .required = true },
	{ .name = "newkey", .kind = OPT_TEXT, .off = RENEW(newkey), .arg = "ALG", .help = "ec:P-256 (default), ec:P-384 or rsa:3072" },
	{ .name = "passout", .kind = OPT_TEXT, .off = RENEW(passout), .arg = "ARG", .help = "encrypt the key with this passphrase", .group = 1 },
	{ .name = "noenc", .kind = OPT_FLAG, .off = RENEW(noenc), .help = "do not encrypt it (default)", .group = 1 },
	{ .name = NULL },
};
static const struct opt rotate_opts[] = {
	{ .name = "config", .kind = OPT_TEXT, .off = TOOLS(config), .arg = "FILE", .help = "gateway.conf", .required = true },
	{ .name = "passin", .kind = OPT_TEXT, .off = TOOLS(passin), .arg = "ARG", .help = "passphrase of gateway.key" },
	{ .name = NULL },
};
static const struct opt keys_opts[] = {
	{ .name = "config", .kind = OPT_TEXT, .off = TOOLS(config), .arg = "FILE", .help = "gateway.conf", .required = true },
	{ .name = "json", .kind = OPT_FLAG, .off = TOOLS(json), .help = "one JSON document" },
	{ .name = "passin", .kind = OPT_TEXT, .off = TOOLS(passin), .arg = "ARG", .help = "passphrase of gateway.key" },
	{ .name = NULL },
};
static const struct opt export_opts[] = {
	{ .name = "config", .kind = OPT_TEXT, .off = TOOLS(config), .arg = "FILE", .help = "gateway.conf", .required = true },
	{ .name = "recip", .kind = OPT_TEXT, .off = TOOLS(recip), .arg = "CERT", .help = "whose private key shall open it", .required = true },
	{ .name = "out", .kind = OPT_TEXT, .off = TOOLS(out), .arg = "FILE", .help = "the envelope (DER)", .required = true },
	{ .name = "passin", .kind = OPT_TEXT, .off = TOOLS(passin), .arg = "ARG", .help = "passphrase of gateway.key" },
	{ .name = NULL },
};

static const struct opt_command commands[] = {
	{ .name = "init", .summary = "make a new gateway's folder", .opts = init_opts, .plan_size = sizeof(struct init_plan), .run = cmd_init },
	{ .name = "run", .summary = "serve the group", .opts = run_opts, .plan_size = sizeof(struct run_plan), .run = cmd_run },
	{ .name = "renew", .summary = "make a new key and request", .opts = renew_opts, .plan_size = sizeof(struct renew_plan), .run = cmd_renew },
	{ .name = "rotate", .summary = "start a new key epoch", .opts = rotate_opts, .plan_size = sizeof(struct tools_plan), .run = cmd_rotate },
	{ .name = "keys", .summary = "list the epochs, never the keys", .opts = keys_opts, .plan_size = sizeof(struct tools_plan),
	  .run = cmd_keys },
	{ .name = "export", .summary = "envelope the keys to a certificate", .opts = export_opts, .plan_size = sizeof(struct tools_plan),
	  .run = cmd_export },
	{ .name = NULL },
};

int main(int argc, char **argv) {
	return opt_main("scg-gateway", "mTLS gateway of a scg group", commands, argc, argv);
}
