/* SPDX-License-Identifier: Apache-2.0 */
/* scg: every member's client. This file is its command line; each command is a function of commands.h. */
#include <stddef.h>

#include "client/commands.h"
#include "client/note.h"
#include "client/worker.h"
#include "envelope/envelope.h"

#define AT(field) .off = offsetof(struct plan, field)
#define TEXT(n, field, a, h) .name = (n), .kind = OPT_TEXT, AT(field), .arg = (a), .help = (h)
#define FLAG(n, field, h) .name = (n), .kind = OPT_FLAG, AT(field), .help = (h)
#define DIR_OPT \
	{ TEXT("dir", dir, "DIR", "the member's folder ($SCG_DIR, then $XDG_CONFIG_HOME/scg)") }
#define PASSIN_OPT \
	{ TEXT("passin", passin, "ARG", "pass:.., env:VAR, file:PATH, fd:N or stdin: opens the private key") }
#define JSON_OPT { FLAG("json", json, "one JSON document on standard output") }
#define STALE_OPT \
	{ FLAG("stale-ok", stale_ok, "without the gateway: take what the last command left") }
#define WORKERS_OPT \
	{ .name = "j", .kind = OPT_U64, AT(workers), .arg = "N", .help = "files at once, 1 to 32 (4)", .min = 1, \
	  .max = WORKERS_MAX }
#define THREADS_OPT \
	{ .name = "threads", .kind = OPT_U64, AT(threads), .arg = "N", .help = "threads for one file, 1 to 64 (all cores)", \
	  .min = 1, .max = ENVELOPE_THREADS_MAX }
#define IN_OPT { TEXT("in", in, "FILE", "input; - is standard input"), .required = true }
#define OUT_OPT { TEXT("out", out, "FILE", "output; - is standard output"), .required = true }
#define END_OPT { .name = NULL }

/* What is not signed has no ranges, nor has a folder. */
#define RANGE_OPT \
	{ TEXT("range", range, "FROM-TO", "only these bytes, both included; FROM-: to the end"), .group = GROUP_RANGE }

enum { GROUP_PASS = 1, GROUP_LOGIN, GROUP_RANGE, GROUP_SPOOL };

static const struct opt req_opts[] = {
	DIR_OPT,
	{ TEXT("name", name, "NAME", "your name in the group"), .required = true },
	{ TEXT("out", out, "CSR", "the request, for the officer of the CA"), .required = true },
	{ TEXT("newkey", newkey, "ALG", "ec:P-256 (default), ec:P-384 or rsa:3072") },
	{ TEXT("passout", passout, "ARG", "where the new key's passphrase comes from (prompt)"), .group = GROUP_PASS },
	{ FLAG("noenc", noenc, "the key is not encrypted"), .group = GROUP_PASS },
	END_OPT,
};

static const struct opt install_opts[] = {
	DIR_OPT,
	{ TEXT("cert", cert, "FILE", "your certificate"), .required = true },
	{ TEXT("cacert", cacert, "FILE", "the group's CA certificate"), .required = true },
	{ TEXT("gateway", gateway, "URL", "https://HOST:PORT"), .required = true },
	PASSIN_OPT,
	END_OPT,
};

static const struct opt status_opts[] = { DIR_OPT, PASSIN_OPT, STALE_OPT, JSON_OPT, END_OPT };
static const struct opt keys_opts[] = {
	DIR_OPT,
	PASSIN_OPT,
	STALE_OPT,
	JSON_OPT,
	{ FLAG("forget-audit", forget_audit, "take the gateway's audit log as it is now, whatever was seen of it before") },
	END_OPT,
};
static const struct opt encrypt_opts[] = {
	DIR_OPT,
	IN_OPT,
	OUT_OPT,
	{ TEXT("recip", recip, "CERT", "for the owner of this certificate alone, not for the group") },
	THREADS_OPT,
	PASSIN_OPT,
	END_OPT,
};


static const struct opt decrypt_opts[] = {
	DIR_OPT,
	IN_OPT,
	OUT_OPT,
	PASSIN_OPT,
	{ FLAG("spool", spool, "release nothing before all is verified, to a pipe too") },
	{ FLAG("unsigned", allow_unsigned, "open what a stock tool sealed and nobody signed"), .group = GROUP_RANGE },
	RANGE_OPT,
	THREADS_OPT,
	STALE_OPT,
	JSON_OPT,
	END_OPT,
};

static const struct opt inspect_opts[] = {
	{ TEXT("dir", dir, "DIR", "a member's folder, whose keys tell the epochs") },
	IN_OPT,
	{ FLAG("text", text, "who signed what, by the keys of the folder") },
	PASSIN_OPT,
	JSON_OPT,
	END_OPT,
};

static const struct opt upload_opts[] = {
	DIR_OPT,
	{ TEXT("to", to, "FOLDER", "the folder in the group") },
	{ FLAG("r", recursive, "folders with what is in them") },
	{ FLAG("replace", replace, "replace the newest content even if you have not seen it") },
	{ TEXT("spool-dir", spool_dir, "DIR", "where long files wait sealed for a drive behind a network"), .group = GROUP_SPOOL },
	{ FLAG("no-spool", no_spool, "long files go straight there; a broken upload begins anew"), .group = GROUP_SPOOL },
	WORKERS_OPT,
	THREADS_OPT,
	PASSIN_OPT,
	END_OPT,
};

static const struct opt download_opts[] = {
	DIR_OPT,
	{ TEXT("out", out, "PATH", "a folder, or the file to write (replaced)") },
	{ FLAG("r", recursive, "folders with what is in them"), .group = GROUP_RANGE },
	RANGE_OPT,
	WORKERS_OPT,
	THREADS_OPT,
	PASSIN_OPT,
	STALE_OPT,
	END_OPT,
};

static const struct opt list_opts[] = {
	DIR_OPT,
	{ TEXT("history", history, "NAME", "every event of this file instead") },
	PASSIN_OPT,
	STALE_OPT,
	JSON_OPT,
	END_OPT,
};

static const struct opt rename_opts[] = { DIR_OPT, PASSIN_OPT, END_OPT };

static const struct opt remove_opts[] = {
	DIR_OPT,
	{ FLAG("r", recursive, "folders with what is in them") },
	PASSIN_OPT,
	END_OPT,
};

static const struct opt rekey_opts[] = {
	DIR_OPT,
	{ TEXT("mode", mode, "reencrypt|rewrap", "new content keys (default), or only new recipients") },
	{ TEXT("unshare", unshare, "EMAIL", "first takes this account's access to the drive away") },
	PASSIN_OPT,
	JSON_OPT,
	END_OPT,
};

static const struct opt verify_opts[] = {
	DIR_OPT,
	{ FLAG("old", old, "name what keys of older epochs open") },
	PASSIN_OPT,
	STALE_OPT,
	JSON_OPT,
	END_OPT,
};

static const struct opt gc_opts[] = {
	DIR_OPT,
	{ TEXT("older", older, "DAYS", "age from which what no event names goes (7)") },
	PASSIN_OPT,
	END_OPT,
};

static const struct opt ledger_opts[] = { DIR_OPT, PASSIN_OPT, STALE_OPT, JSON_OPT, END_OPT };

static const struct opt login_opts[] = {
	DIR_OPT,
	{ TEXT("client-id", client_id, "ID", "the OAuth client ID (scg-gdrive(7)); kept in scg.conf, like all that follows") },
	{ TEXT("client-secret", client_secret, "SECRET", "its secret, or where it comes from: env:VAR, file:PATH, fd:N, stdin") },
	{ FLAG("device", device, "by a code on another machine; only where the group has one account"), .group = GROUP_LOGIN },
	{ TEXT("service-account", service_account, "FILE", "with the JSON key of a service account"), .group = GROUP_LOGIN },
	{ FLAG("alone", alone, "with -device: every member uses this one account") },
	{ FLAG("no-browser", no_browser, "only print the URL of the consent page") },
	{ .name = "timeout", .kind = OPT_U64, AT(timeout_s), .arg = "N", .help = "seconds to wait for the consent (300)", .min = 1, .max = 3600 },
	{ TEXT("drive-id", drive_id, "ID", "the shared drive that the group's folder is on") },
	{ TEXT("ca-file", ca_file, "FILE", "anchors for the service's certificates, PEM, instead of the system's") },
	{ TEXT("api-url", api_url, "URL", "another Drive API") },
	{ TEXT("auth-url", auth_url, "URL", "another consent page") },
	{ TEXT("token-url", token_url, "URL", "another token service") },
	{ TEXT("device-url", device_url, "URL", "another device service") },
	{ TEXT("revoke-url", revoke_url, "URL", "another revocation service") },
	PASSIN_OPT,
	END_OPT,
};

static const struct opt logout_opts[] = { DIR_OPT, PASSIN_OPT, END_OPT };

#define COMMAND(n, text, f, o) \
	.name = (n), .summary = (text), .run = (f), .opts = (o), .plan_size = sizeof(struct plan)
#define TAKES(what, min, max) .operands = (what), .min_operands = (min), .max_operands = (max)

static const struct opt_command commands[] = {
	{ COMMAND("req", "make a key and a certificate request", cmd_req, req_opts) },
	{ COMMAND("install", "take the certificate that the CA issued", cmd_install, install_opts) },
	{ COMMAND("status", "certificate, gateway, revocation list, epoch, drive", cmd_status, status_opts) },
	{ COMMAND("keys", "fetch the group's keys and list their epochs", cmd_keys, keys_opts) },
	{ COMMAND("encrypt", "seal a file or stream for the group", cmd_encrypt, encrypt_opts) },
	{ COMMAND("decrypt", "open and verify a sealed file or stream", cmd_decrypt, decrypt_opts) },
	{ COMMAND("inspect", "show what a sealed file says of itself", cmd_inspect, inspect_opts) },
	{ COMMAND("upload", "put files on the group's drive", cmd_upload, upload_opts), TAKES("FILE...", 1, -1) },
	{ COMMAND("download", "get files of the group", cmd_download, download_opts), TAKES("NAME...", 1, -1) },
	{ COMMAND("list", "list the group's files", cmd_list, list_opts) },
	{ COMMAND("rename", "give a file or folder another name", cmd_rename, rename_opts), TAKES("OLD NEW", 2, 2) },
	{ COMMAND("remove", "remove files of the group", cmd_remove, remove_opts), TAKES("NAME...", 1, -1) },
	{ COMMAND("rekey", "bring every file under the newest epoch", cmd_rekey, rekey_opts) },
	{ COMMAND("verify", "check the drive against the ledger", cmd_verify, verify_opts), TAKES("NAME...", 0, -1) },
	{ COMMAND("gc", "destroy objects that no file needs", cmd_gc, gc_opts) },
	{ COMMAND("ledger", "show or replay the ledger", cmd_ledger, ledger_opts), TAKES("head|audit", 1, 1) },
	{ COMMAND("login", "sign in to Google Drive", cmd_login, login_opts) },
	{ COMMAND("logout", "give the access to Google Drive back", cmd_logout, logout_opts) },
	{ .name = NULL },
};

int main(int argc, char **argv) {
	return opt_main(PROGRAM, "shares the files of a group on a drive that nobody has to trust", commands, argc,
	    argv);
}
