/* SPDX-License-Identifier: Apache-2.0 */
/* scg-ca: the group's certificate authority. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/opt.h"
#include "base/own.h"
#include "base/text.h"
#include "ca/ca.h"
#include "ca/issue.h"
#include "ca/list.h"
#include "ca/publish.h"
#include "ca/revocation.h"

#define DIR_OPT(plan) {.name = "dir", .kind = OPT_TEXT, .off = offsetof(struct plan, dir), .arg = "DIR", \
	.help = "the CA's folder (default: $SCG_DIR, else ~/.config/scg)"}
#define PASSIN_OPT(plan) {.name = "passin", .kind = OPT_TEXT, .off = offsetof(struct plan, passin), .arg = "ARG", \
	.help = "where ca.key's passphrase comes from: pass:, env:, file:, fd:, stdin"}
#define PUBLISH_OPT(plan) {.name = "publish", .kind = OPT_TEXT, .off = offsetof(struct plan, publish), .arg = "URL", \
	.help = "send the list to the gateway at https://HOST:PORT too"}

struct init_plan {
	const char *dir, *group, *newkey, *passout, *crlurl;
	bool noenc;
	uint64_t days;
};

static const struct opt init_opts[] = {
	DIR_OPT(init_plan),
	{.name = "group", .kind = OPT_TEXT, .off = offsetof(struct init_plan, group), .arg = "NAME", .required = true, .help = "the group's name"},
	{.name = "newkey", .kind = OPT_TEXT, .off = offsetof(struct init_plan, newkey), .arg = "ALG",
	    .help = "kind of key: ec:P-256 (default), ec:P-384, rsa:3072"},
	{.name = "days", .kind = OPT_U64, .off = offsetof(struct init_plan, days), .arg = "N", .min = 1, .max = CA_DAYS_MAX,
	    .help = "life of the CA's certificate (default 3650)"},
	{.name = "crlurl", .kind = OPT_TEXT, .off = offsetof(struct init_plan, crlurl), .arg = "URL",
	    .help = "where verifiers find the list; put into each certificate"},
	{.name = "passout", .kind = OPT_TEXT, .off = offsetof(struct init_plan, passout), .arg = "ARG", .group = 1,
	    .help = "where ca.key's passphrase comes from: pass:, env:, file:, fd:, stdin"},
	{.name = "noenc", .kind = OPT_FLAG, .off = offsetof(struct init_plan, noenc), .group = 1, .help = "do not encrypt ca.key"},
	{0},
};

static int run_init(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct init_plan *p = plan;
	OWN(own_free) char *dir = NULL;
	int rc = opt_dir(p->dir, &dir, e);

	(void)operands;
	if (rc < 0)
		return rc;
	struct ca_plan make = {
	    .dir = dir,
	    .group = p->group,
	    .newkey = p->newkey,
	    .passout = p->passout,
	    .noenc = p->noenc,
	    .days = p->days == 0 ? CA_DAYS : p->days,
	    .crl_url = p->crlurl,
	};
	if ((rc = ca_create(&make, e)) < 0)
		return rc;
	printf("CA of the group %s in %s: members and gateways need ca.crt; ca.key must never leave\n", p->group, dir);
	return 0;
}

static int open_ca(const char *given, struct ca *ca, struct err *e) {
	OWN(own_free) char *dir = NULL;
	int rc = opt_dir(given, &dir, e);

	return rc < 0 ? rc : ca_open(ca, dir, e);
}

struct sign_plan {
	const char *dir, *in, *out, *name, *role, *san, *passin;
	uint64_t days;
};

static const struct opt sign_opts[] = {
	DIR_OPT(sign_plan),
	{.name = "in", .kind = OPT_TEXT, .off = offsetof(struct sign_plan, in), .arg = "CSR", .required = true,
	    .help = "the certification request (PEM or DER); only its key is taken"},
	{.name = "out", .kind = OPT_TEXT, .off = offsetof(struct sign_plan, out), .arg = "CERT", .required = true, .help = "the certificate (PEM)"},
	{.name = "name", .kind = OPT_TEXT, .off = offsetof(struct sign_plan, name), .arg = "NAME", .required = true, .help = "whom it names"},
	{.name = "role", .kind = OPT_TEXT, .off = offsetof(struct sign_plan, role), .arg = "ROLE", .help = "member (default), gateway, admin"},
	{.name = "days", .kind = OPT_U64, .off = offsetof(struct sign_plan, days), .arg = "N", .min = 1, .max = ISSUE_DAYS_MAX,
	    .help = "its life (default 90), at most until the CA's own end"},
	{.name = "san", .kind = OPT_TEXT, .off = offsetof(struct sign_plan, san), .arg = "LIST",
	    .help = "a gateway's names: DNS:gw.example.org,IP:192.0.2.1"},
	PASSIN_OPT(sign_plan),
	{0},
};

static void report_issue(const struct issue_result *r) {
	char serial[SERIAL_HEX], until[CLOCK_TEXT];

	text_hex(r->record.serial, r->record.serial_len, serial);
	clock_print(r->record.not_after_s, until);
	printf("%s, %s: serial %s, valid until %s\n", r->record.name, role_name(r->record.role), serial, until);
	if (r->n_others > 0)
		printf("%s had a valid certificate before: once the new one is in use, revoke it (-serial ... -reason superseded)\n",
		    r->record.name);
}

static int run_sign(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct sign_plan *p = plan;
	struct issue_plan make = {.csr = p->in, .out = p->out, .name = p->name, .san = p->san, .days = p->days == 0 ? ISSUE_DAYS : p->days};
	OWN(ca_wipe) struct ca ca = {0};
	struct issue_result result;
	int rc;

	(void)operands;
	if ((rc = role_parse(p->role == NULL ? "member" : p->role, &make.role, e)) < 0 || (rc = issue_check(&make, e)) < 0 ||
	    (rc = open_ca(p->dir, &ca, e)) < 0 || (rc = ca_unlock(&ca, p->passin, e)) < 0 || (rc = issue(&ca, &make, &result, e)) < 0)
		return rc;
	report_issue(&result);
	return 0;
}

struct revoke_plan {
	const char *dir, *name, *serial, *cert, *reason, *publish, *passin;
};

static const struct opt revoke_opts[] = {
	DIR_OPT(revoke_plan),
	{.name = "name", .kind = OPT_TEXT, .off = offsetof(struct revoke_plan, name), .arg = "NAME", .required = true, .group = 1,
	    .help = "whose certificates: all that are valid"},
	{.name = "serial", .kind = OPT_TEXT, .off = offsetof(struct revoke_plan, serial), .arg = "HEX", .required = true, .group = 1,
	    .help = "its serial number"},
	{.name = "cert", .kind = OPT_TEXT, .off = offsetof(struct revoke_plan, cert), .arg = "FILE", .required = true, .group = 1,
	    .help = "the certificate itself"},
	{.name = "reason", .kind = OPT_TEXT, .off = offsetof(struct revoke_plan, reason), .arg = "REASON",
	    .help = "keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn or unspecified (default)"},
	PUBLISH_OPT(revoke_plan),
	PASSIN_OPT(revoke_plan),
	{0},
};

/* Whoever was told that the list did not arrive (status 5) asks again in the same words: then it arrives. */
static int revoke_and_publish(struct ca *ca, const struct revocation_plan *p, struct fetch *gateway, struct err *e) {
	OWN(revocation_wipe) struct revocation done = {0};
	struct err again = ERR_INIT;
	int rc = revocation_add(ca, p, &done, e);

	if (rc == ERR_EXISTS && gateway != NULL)
		return publish(ca, gateway, &again) < 0 ? err_set(e, again.code, "%s", again.text) : err_add(e, "published again");
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < revocation_n(&done); i++) {
		const struct record *r = revocation_at(&done, i);
		char serial[SERIAL_HEX];

		text_hex(r->serial, r->serial_len, serial);
		printf("%s, serial %s: revoked (%s)\n", r->name, serial, crl_reason_name(p->reason));
	}
	return publish(ca, gateway, e);
}

static int run_revoke(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct revoke_plan *p = plan;
	struct revocation_plan make = {.name = p->name, .serial = p->serial, .cert = p->cert};
	OWN(ca_wipe) struct ca ca = {0};
	OWN(own_publish) struct fetch *gateway = NULL;
	int rc;

	(void)operands;
	if ((rc = revocation_reason(p->reason, &make.reason, e)) < 0 || (rc = open_ca(p->dir, &ca, e)) < 0 ||
	    (rc = publish_new(&ca, p->publish, &gateway, e)) < 0 || (rc = ca_unlock(&ca, p->passin, e)) < 0)
		return rc;
	return revoke_and_publish(&ca, &make, gateway, e);
}

struct crl_plan {
	const char *dir, *out, *above, *publish, *passin;
	uint64_t days;
};

static const struct opt crl_opts[] = {
	DIR_OPT(crl_plan),
	{.name = "out", .kind = OPT_TEXT, .off = offsetof(struct crl_plan, out), .arg = "FILE", .help = "a copy of the list (PEM)"},
	{.name = "days", .kind = OPT_U64, .off = offsetof(struct crl_plan, days), .arg = "N", .min = 1, .max = REVOCATION_DAYS_MAX,
	    .help = "its life (default 7); lists made by revoke live as long"},
	{.name = "above", .kind = OPT_TEXT, .off = offsetof(struct crl_plan, above), .arg = "CRL",
	    .help = "ca.db came from a backup: take over what this newer list revokes, and number above it"},
	PUBLISH_OPT(crl_plan),
	PASSIN_OPT(crl_plan),
	{0},
};

static int run_crl(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct crl_plan *p = plan;
	const struct revocation_renewal make = {.days = p->days == 0 ? REVOCATION_DAYS : p->days, .out = p->out, .above = p->above};
	OWN(ca_wipe) struct ca ca = {0};
	struct restored restored;
	OWN(own_publish) struct fetch *gateway = NULL;
	int rc;

	(void)operands;
	if ((rc = open_ca(p->dir, &ca, e)) < 0 || (rc = publish_new(&ca, p->publish, &gateway, e)) < 0 ||
	    (rc = ca_unlock(&ca, p->passin, e)) < 0 || (rc = revocation_renew(&ca, &make, &restored, e)) < 0)
		return rc;
	if (p->above != NULL)
		printf("taken over from list %llu: %zu revocations, and %zu of certificates that ca.db does not know\n",
		    (unsigned long long)restored.number, restored.known, restored.unknown);
	return publish(&ca, gateway, e);
}

struct listing_plan {
	const char *dir;
	struct list_plan list;
};

static const struct opt list_opts[] = {
	DIR_OPT(listing_plan),
	{.name = "status", .kind = OPT_TEXT, .off = offsetof(struct listing_plan, list.status), .arg = "STATUS",
	    .help = "only these: valid, revoked, expired"},
	{.name = "json", .kind = OPT_FLAG, .off = offsetof(struct listing_plan, list.json), .help = "one JSON array"},
	{0},
};

static int run_list(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct listing_plan *p = plan;
	OWN(ca_wipe) struct ca ca = {0};
	enum record_status status;
	int rc;

	(void)operands;
	if ((p->list.status != NULL && (rc = record_status_parse(p->list.status, &status, e)) < 0) || (rc = open_ca(p->dir, &ca, e)) < 0)
		return rc;
	return list_print(&ca, &p->list, e);
}

static const struct opt_command commands[] = {
	{.name = "init", .summary = "makes the CA of a new group", .opts = init_opts, .plan_size = sizeof(struct init_plan), .run = run_init},
	{.name = "sign", .summary = "issues a certificate", .opts = sign_opts, .plan_size = sizeof(struct sign_plan), .run = run_sign},
	{.name = "revoke", .summary = "revokes a certificate and makes the next list", .opts = revoke_opts,
	    .plan_size = sizeof(struct revoke_plan), .run = run_revoke},
	{.name = "crl", .summary = "makes the next revocation list", .opts = crl_opts, .plan_size = sizeof(struct crl_plan), .run = run_crl},
	{.name = "list", .summary = "shows what was issued", .opts = list_opts, .plan_size = sizeof(struct listing_plan), .run = run_list},
	{0},
};

int main(int argc, char **argv) {
	return opt_main("scg-ca", "The certificate authority of a scg group.", commands, argc, argv);
}
