/* SPDX-License-Identifier: Apache-2.0 */
/* encrypt, decrypt: loose files. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "client/commands.h"
#include "client/groupfile.h"
#include "client/note.h"
#include "client/output.h"
#include "client/print.h"
#include "client/range.h"
#include "client/session.h"
#include "envelope/envelope.h"
#include "pki/cert.h"
#include "pki/ossl.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

#define STREAM_NAME "stdin" /* in the manifest of what came from a pipe */

static bool is_stream(const char *arg) {
	return strcmp(arg, "-") == 0;
}

/* One stream cannot serve two purposes. */
static int check_streams(const struct plan *p, struct err *e) {
	if (p->passin != NULL && strcmp(p->passin, "stdin") == 0 && is_stream(p->in))
		return err_set(e, ERR_USAGE, "-passin stdin and -in - both read standard input");
	if (p->json && p->out != NULL && is_stream(p->out))
		return err_set(e, ERR_USAGE, "-json and -out - both write standard output");
	return 0;
}

/* The file's last path component goes into the manifest. */
static int manifest_name(const char *in, char **name, struct err *e) {
	const char *slash = strrchr(in, '/');

	return groupfile_path(is_stream(in) ? STREAM_NAME : slash != NULL ? slash + 1 : in, name, e);
}

static int with_file(const char *name, int code, struct err *e) {
	return text_about(is_stream(name) ? "standard input" : name, code, e);
}

/* Who shall read it alone: a member of the group, now, as far as this member knows. */
static int load_recip(struct session *s, const char *path, X509 **cert, struct err *e) {
	OWN(own_crl_set) struct crl_set *crl = revocation_set(&s->revocation);
	OWN(own_x509) X509 *x = NULL;
	struct err why = ERR_INIT;
	enum verdict v;
	int r;

	if ((r = cert_load(path, &x, e)) != 0 || (r = identity_check_cert(s->me.chain, x, path, e)) != 0)
		return r;
	if ((v = chain_check_now(x, &why)) != VERDICT_GOOD)
		return err_set(e, ERR_REFUSED, "%s: %s: %s", path, verdict_name(v), why.text);
	if (crl == NULL || crl_set_has_cert(crl, x))
		return err_set(e, ERR_REFUSED, "%s: %s", path, crl == NULL ? "no revocation list to ask" : "RFC 5280 5.3: revoked");
	*cert = x;
	x = NULL;
	return 0;
}

int cmd_encrypt(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(own_free) char *name = NULL;
	OWN(input_wipe) struct input in = INPUT_INIT;
	OWN(output_wipe) struct output out = OUTPUT_INIT;
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	OWN(own_x509) X509 *recip = NULL;
	int r;

	(void)operands;
	if ((r = check_streams(p, e)) != 0 || (r = manifest_name(p->in, &name, e)) != 0)
		return r;
	if ((r = input_open(&in, p->in, e)) != 0 || (r = commands_session(&s, p, e)) != 0 ||
	    (p->recip != NULL && (r = load_recip(&s, p->recip, &recip, e)) != 0) ||
	    (r = identity_check_out(s.me.dir, p->out, e)) != 0 || (r = output_open(&out, p->out, 0666, e)) != 0)
		return r;
	struct envelope_seal how = {
		.epoch = keyring_current(&s.keys),
		.recip = recip,
		.group = s.me.group,
		.name = name,
		.version = 1,
		.key = s.me.key,
		.cert = s.me.cert,
		.threads = (unsigned)p->threads,
	};
	if ((r = envelope_seal(&how, &in.source, &out.sink, &result, e)) != 0)
		return r;
	return output_keep(&out, e);
}

/* What was asked for, as far as there is such. */
static void range_json(const struct plan *p, uint64_t size, json_t *o) {
	struct envelope_range range;

	if (p->range == NULL || range_parse(p->range, &range, NULL) != 0)
		return;
	(void)json_object_set_new(o, "first", print_u64(range.first));
	(void)json_object_set_new(o, "last", print_u64(range.first + range_len(&range, size) - 1));
}

static int decrypt_json(
    const struct plan *p, const struct envelope_result *result, const char *author, bool stale, struct err *e) {
	OWN(own_json) json_t *o = json_object();
	char id[37];

	text_uuid(result->manifest.file_id, id);
	(void)json_object_set_new(o, "unsigned", json_boolean(result->is_unsigned));
	(void)json_object_set_new(
	    o, "key_id", result->to_certificate ? json_null() : print_hex(result->key_id, KEY_ID_LEN));
	(void)json_object_set_new(o, "to_certificate", json_boolean(result->to_certificate));
	(void)json_object_set_new(o, "fresh", json_boolean(!stale));
	if (!result->is_unsigned) {
		(void)json_object_set_new(o, "name", print_text(result->manifest.name));
		(void)json_object_set_new(o, "size", print_u64(result->manifest.size));
		(void)json_object_set_new(o, "id", print_text(id));
		(void)json_object_set_new(o, "version", print_u64(result->manifest.version));
		(void)json_object_set_new(o, "author", print_text(author));
		(void)json_object_set_new(o, "time", print_time(result->signed_s));
		(void)json_object_set_new(o, "author_revoked", json_boolean(result->author_revoked));
		(void)json_object_set_new(o, "dated_ahead", json_boolean(clock_is_ahead(result->signed_s)));
		range_json(p, result->manifest.size, o);
	}
	return print_json(o, e);
}

static void warn_of_date(int64_t signed_s) {
	char when[CLOCK_TEXT], now[CLOCK_TEXT];

	clock_print(signed_s, when);
	clock_print(clock_now_s(), now);
	note("warning: signed at %s, and by the clock here it is %s: one of the two clocks is wrong, or its author chose the date", when, now);
}

static int report_opened(
    const struct plan *p, const struct session *s, const struct envelope_result *result, struct err *e) {
	OWN(own_free) char *author = NULL, *safe = NULL;
	int r;

	if (!result->is_unsigned) {
		if ((r = cert_name(result->author, &author, e)) != 0)
			return r;
		safe = print_safe(author);
	}
	if (result->is_unsigned)
		note("warning: nobody signed this: whoever has the group's key can have made it");
	if (result->author_revoked)
		note(
		    "warning: the certificate of its author, %s, is revoked; that he signed before is his claim",
		    safe);
	if (!result->is_unsigned && clock_is_ahead(result->signed_s))
		warn_of_date(result->signed_s);
	return p->json ? decrypt_json(p, result, author, s->stale, e) : 0;
}

/* Nothing leaves before all is verified: where it cannot be taken back, everything is opened once without writing. */
static int open_envelope(const struct plan *p, const struct envelope_open *how, struct input *in, struct output *out,
    struct envelope_result *result, struct err *e) {
	int r;

	if (p->spool || (p->allow_unsigned && out->stream)) {
		OWN(envelope_result_wipe) struct envelope_result first = {0};

		if ((r = input_spool(in, e)) != 0 || (r = envelope_open(how, &in->source, NULL, &first, e)) != 0)
			return r;
	}
	/* What stands in a file that the shell opened is seen at once: only what is verified goes there, in order. */
	if (out->stream)
		out->sink.write_at = NULL;
	return envelope_open(how, &in->source, &out->sink, result, e);
}

int cmd_decrypt(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(session_wipe) struct session s = {0};
	OWN(input_wipe) struct input in = INPUT_INIT;
	OWN(output_wipe) struct output out = OUTPUT_INIT;
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	struct envelope_range range;
	int r;

	(void)operands;
	if ((r = check_streams(p, e)) != 0 || (p->range != NULL && (r = range_parse(p->range, &range, e)) != 0) ||
	    (r = input_open(&in, p->in, e)) != 0)
		return r;
	if ((r = commands_session(&s, p, e)) != 0 || (r = identity_check_out(s.me.dir, p->out, e)) != 0 ||
	    (r = output_open(&out, p->out, 0666, e)) != 0)
		return r;
	OWN(own_crl_set) struct crl_set *crl = revocation_set(&s.revocation);
	struct envelope_open how = {
		.keys = &s.keys,
		.own_cert = s.me.cert,
		.own_key = s.me.key,
		.chain = s.me.chain,
		.crl = crl,
		.group = s.me.group,
		.allow_unsigned = p->allow_unsigned,
		.range = p->range != NULL ? &range : NULL,
		.threads = (unsigned)p->threads,
	};
	r = open_envelope(p, &how, &in, &out, &result, e);
	if (r != 0)
		return with_file(p->in, r, e);
	if ((r = output_keep(&out, e)) != 0)
		return r;
	return report_opened(p, &s, &result, e);
}
