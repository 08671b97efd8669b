/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issue.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/san.h"

static int load_request(const char *path, EVP_PKEY **pub, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	int rc = file_load(path, CSR_MAX_BYTES, &text, e);

	if (rc < 0)
		return rc;
	rc = csr_open(text.data, text.len, pub, e);
	return rc < 0 ? err_add(e, "%s", path) : 0;
}

static int refuse_second(const struct record *r, const char *path, struct err *e) {
	char hex[SERIAL_HEX], when[CLOCK_TEXT];

	text_hex(r->serial, r->serial_len, hex);
	clock_print(r->issued_s, when);
	return err_set(e, ERR_REFUSED, "%s: this key was certified at %s for %s (serial %s); a renewal needs a new key", path, when, r->name, hex);
}

/* The earlier certificate over this key: the very one that is asked for, whose file was never written, or none: ERR_NOTFOUND. Else refused. */
static int find_earlier(struct ca *ca, const struct issue_plan *p, EVP_PKEY *pub, X509 **cert, struct record *r, struct err *e) {
	OWN(buf_wipe) struct buf san = {0}, der = {0};
	uint8_t spki[SHA256_LEN];
	int rc;

	key_spki_sha256(pub, spki);
	if ((rc = records_by_key(ca->db, spki, r, &san, &der, e)) < 0)
		return rc;
	if (r->delivered || record_status(r, clock_now_s()) != RECORD_VALID || r->role != p->role || strcmp(r->name, p->name) != 0 ||
	    strcmp(buf_str(&san), p->san == NULL ? "" : p->san) != 0)
		return refuse_second(r, p->csr, e);
	return cert_parse(der.data, der.len, cert, e);
}

static int make(struct ca *ca, const struct issue_plan *p, EVP_PKEY *pub, X509 **cert, struct err *e) {
	int64_t now = clock_now_s();
	struct profile_request r = {
	    .role = p->role,
	    .name = p->name,
	    .san = p->san,
	    .crl_url = ca->crl_url,
	    .not_before_s = now - PROFILE_SKEW_S,
	    .not_after_s = now + (int64_t)p->days * CA_DAY_S,
	};
	int rc;

	if ((rc = random_bytes(r.serial, sizeof r.serial, e)) < 0 || (rc = profile_issue(ca->key, ca->cert, pub, &r, cert, e)) < 0)
		return rc;
	return records_add(ca->db, *cert, p->role, p->name, p->san, now, e);
}

struct counting {
	int64_t now_s;
	unsigned n_valid;
};

static int count_valid(void *arg, const struct record *r, struct err *e) {
	struct counting *c = arg;

	(void)e;
	c->n_valid += record_status(r, c->now_s) == RECORD_VALID;
	return 0;
}

/* Within a transaction: the certificate is in ca.db, or there is none. */
static int decide(struct ca *ca, const struct issue_plan *p, EVP_PKEY *pub, X509 **cert, struct issue_result *result, struct err *e) {
	struct counting others = {clock_now_s(), 0};
	uint8_t serial[SERIAL_MAX];
	int rc;

	if (key_equal(pub, ca->key))
		return err_set(e, ERR_REFUSED, "%s: this is the CA's own key", p->csr);
	rc = find_earlier(ca, p, pub, cert, &result->record, e);
	if (rc == 0)
		result->again = true;
	if (rc != ERR_NOTFOUND)
		return rc;
	if ((rc = records_each(ca->db, p->name, count_valid, &others, e)) < 0 || (rc = make(ca, p, pub, cert, e)) < 0)
		return rc;
	result->n_others = others.n_valid;
	return records_by_serial(ca->db, serial, cert_serial(*cert, serial), &result->record, NULL, e);
}

static int write_cert(struct file_out *out, const X509 *cert, struct err *e) {
	OWN(buf_wipe) struct buf pem = {0};
	int rc = cert_pem(cert, &pem, e);

	if (rc < 0)
		return rc;
	if (fchmod(out->fd, 0644) != 0) /* the umask is 077: what is secret is the rule, certificates are not */
		return err_sys(e, ERR_FAIL, "%s: cannot set its mode", out->path);
	return file_write_all(out->fd, pem.data, pem.len, out->path, e);
}

static int issue_to(struct ca *ca, const struct issue_plan *p, EVP_PKEY *pub, struct file_out *out, struct issue_result *result, struct err *e) {
	OWN(own_x509) X509 *cert = NULL;
	int rc = db_begin(ca->db, e);

	if (rc < 0)
		return rc;
	/* Its bytes are on disk before the database says that it exists, and it gets its name after. */
	if ((rc = decide(ca, p, pub, &cert, result, e)) == 0 && (rc = write_cert(out, cert, e)) == 0)
		rc = db_commit(ca->db, e);
	else
		db_rollback(ca->db);
	if (rc < 0)
		return rc;
	if (file_out_keep(out, true, e) < 0)
		return err_add(e, "issued, but not written (the same command writes it)");
	/* If this is not noted, the same command would write the same file again: no harm. */
	(void)!records_set_delivered(ca->db, result->record.serial, result->record.serial_len, NULL);
	return 0;
}

int issue_check(const struct issue_plan *p, struct err *e) {
	GENERAL_NAMES *names = NULL;
	int rc = name_check(p->name, role_name(p->role), e);

	if (rc < 0)
		return rc;
	if (p->role == ROLE_GATEWAY && p->san == NULL)
		return err_set(e, ERR_USAGE, "RFC 9525 2: a gateway's certificate needs -san, the names that members call it by");
	if (p->role != ROLE_GATEWAY && p->san != NULL)
		return err_set(e, ERR_USAGE, "-san is for gateways only");
	rc = p->san == NULL ? 0 : san_parse(p->san, &names, e);
	GENERAL_NAMES_free(names);
	return rc < 0 ? err_add(e, "-san") : 0;
}

int issue(struct ca *ca, const struct issue_plan *p, struct issue_result *result, struct err *e) {
	OWN(file_out_wipe) struct file_out out = {.fd = -1};
	OWN(own_pkey) EVP_PKEY *pub = NULL;
	int rc;

	*result = (struct issue_result){0};
	if ((rc = ca_check_out(ca, p->out, e)) < 0 || (rc = load_request(p->csr, &pub, e)) < 0 ||
	    (rc = file_out_open(&out, p->out, 0644, e)) < 0)
		return rc;
	return issue_to(ca, p, pub, &out, result, e);
}
