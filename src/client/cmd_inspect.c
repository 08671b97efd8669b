/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: what a sealed file, or any other CMS file, says of itself; with the member's folder, also what is signed inside. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "client/commands.h"
#include "client/output.h"
#include "client/print.h"
#include "client/session.h"
#include "envelope/envelope.h"
#include "envelope/tree.h"
#include "pki/cert.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

#define LISTED_MAX 1000 /* objects in JSON; for people much fewer */
#define LINES_MAX 12
#define INDENT 2

struct view {
	const struct plan *plan;
	struct input in;
	struct session s;                 /* with keys, where a folder was asked for */
	struct envelope_info info;
	struct envelope_result signed_by; /* with -text, of a sealed file */
	bool has_keys, has_text;
	char *fault;                      /* why it is no envelope of scg, if it is none */
	json_t *tree;
};

static void view_wipe(struct view *v) {
	input_wipe(&v->in);
	session_wipe(&v->s);
	envelope_info_wipe(&v->info);
	envelope_result_wipe(&v->signed_by);
	free(v->fault);
	json_decref(v->tree);
}

static const struct epoch *epoch_of(const struct view *v, size_t i) {
	return v->has_keys ? keyring_find(&v->s.keys, v->info.key_ids[i]) : NULL;
}

/* Of n objects max are listed: the first ones, and the last. */
static uint64_t place(uint64_t listed, uint64_t n, uint64_t max) {
	return listed + 1 < max ? listed : n - 1;
}

/* ---- for programs ---- */

static json_t *recipients_json(const struct view *v) {
	json_t *all = json_array();

	for (size_t i = 0; i < v->info.n_key_ids; i++) {
		const struct epoch *epoch = epoch_of(v, i);
		json_t *o = json_object();

		(void)json_object_set_new(o, "type", json_string("group"));
		(void)json_object_set_new(o, "key_id", print_hex(v->info.key_ids[i], KEY_ID_LEN));
		(void)json_object_set_new(o, "epoch", epoch != NULL ? print_u64(epoch->number) : json_null());
		(void)json_array_append_new(all, o);
	}
	if (v->info.recipient != NULL) {
		json_t *o = json_object();

		(void)json_object_set_new(o, "type", json_string("certificate"));
		(void)json_object_set_new(o, "algorithm", json_string(v->info.recipient));
		(void)json_object_set_new(
		    o, "key_identifier", print_hex(v->info.recipient_ski, sizeof(v->info.recipient_ski)));
		(void)json_array_append_new(all, o);
	}
	return all;
}

static json_t *objects_json(const struct envelope_info *info) {
	json_t *all = json_array();
	uint64_t n = info->has_manifest ? envelope_parts(info) : 0;

	for (uint64_t listed = 0; listed < n && listed < LISTED_MAX; listed++) {
		struct envelope_part part = envelope_part(info, place(listed, n, LISTED_MAX));
		json_t *o = json_object();

		(void)json_object_set_new(o, "kind", json_string(part.kind));
		if (strcmp(part.kind, "segment") == 0) {
			(void)json_object_set_new(o, "index", print_u64(part.index));
			(void)json_object_set_new(o, "plain", print_u64(part.plain));
		}
		(void)json_object_set_new(o, "offset", print_u64(part.off));
		(void)json_object_set_new(o, "size", print_u64(part.size));
		(void)json_array_append_new(all, o);
	}
	return all;
}

static int text_json(const struct view *v, json_t *o, struct err *e) {
	const struct manifest *m = &v->signed_by.manifest;
	OWN(own_free) char *author = NULL;
	json_t *digests = json_array();
	char id[37];
	int r = cert_name(v->signed_by.author, &author, e);

	for (uint64_t i = 0; i < m->count; i++)
		(void)json_array_append_new(digests, print_hex(m->digests[i], sizeof(m->digests[i])));
	text_uuid(m->file_id, id);
	(void)json_object_set_new(o, "group", print_text(m->group));
	(void)json_object_set_new(o, "name", print_text(m->name));
	(void)json_object_set_new(o, "id", print_text(id));
	(void)json_object_set_new(o, "version", print_u64(m->version));
	(void)json_object_set_new(o, "author", print_text(author));
	(void)json_object_set_new(o, "time", print_time(v->signed_by.signed_s));
	(void)json_object_set_new(o, "author_revoked", json_boolean(v->signed_by.author_revoked));
	(void)json_object_set_new(o, "dated_ahead", json_boolean(clock_is_ahead(v->signed_by.signed_s)));
	(void)json_object_set_new(o, "digests", digests);
	return r;
}

static int show_json(const struct view *v, struct err *e) {
	const struct envelope_info *info = &v->info;
	OWN(own_json) json_t *o = json_object();
	json_t *ids = json_array();
	int r;

	for (size_t i = 0; i < info->n_key_ids; i++)
		(void)json_array_append_new(ids, print_hex(info->key_ids[i], KEY_ID_LEN));
	(void)json_object_set_new(o, "segments", print_u64(info->segments));
	(void)json_object_set_new(o, "segment_size", print_u64(info->segment_size));
	(void)json_object_set_new(o, "key_ids", ids);
	(void)json_object_set_new(o, "cipher", print_text(info->cipher));
	(void)json_object_set_new(o, "size", print_u64(info->plain_size));
	(void)json_object_set_new(o, "signed", json_boolean(info->has_manifest));
	(void)json_object_set_new(o, "objects", objects_json(info));
	(void)json_object_set_new(o, "recipients", recipients_json(v));
	if (v->tree != NULL)
		(void)json_object_set(o, "tree", v->tree);
	if (v->fault != NULL)
		(void)json_object_set_new(o, "fault", print_text(v->fault));
	if (v->has_text && (r = text_json(v, o, e)) != 0)
		return r;
	return print_json(o, e);
}

/* ---- for people ---- */

static void show_recipients(const struct view *v) {
	char key_id[KEY_ID_HEX], ski[2 * sizeof(v->info.recipient_ski) + 1];

	for (size_t i = 0; i < v->info.n_key_ids; i++) {
		const struct epoch *epoch = epoch_of(v, i);

		text_hex(v->info.key_ids[i], KEY_ID_LEN, key_id);
		if (epoch != NULL)
			print_line("key       %s, epoch %llu", key_id, (unsigned long long)epoch->number);
		else
			print_line("key       %s", key_id);
	}
	if (v->info.recipient != NULL) {
		text_hex(v->info.recipient_ski, sizeof(v->info.recipient_ski), ski);
		print_line("receiver  the certificate with key identifier %s, by %s", ski, v->info.recipient);
	}
}

static void show_object(const struct envelope_part *part) {
	char index[24] = "";

	if (strcmp(part->kind, "segment") == 0)
		(void)snprintf(index, sizeof(index), " %llu", (unsigned long long)part->index);
	print_line("object    %s%s at %llu, %llu bytes", part->kind, index, (unsigned long long)part->off,
	    (unsigned long long)part->size);
}

static void show_objects(const struct envelope_info *info) {
	uint64_t n = info->has_manifest ? envelope_parts(info) : 0;

	for (uint64_t listed = 0; listed < n && listed < LINES_MAX; listed++) {
		struct envelope_part part = envelope_part(info, place(listed, n, LINES_MAX));

		if (listed + 1 == LINES_MAX && n > LINES_MAX)
			print_line("          and %llu more", (unsigned long long)(n - LINES_MAX));
		show_object(&part);
	}
}

static int show_text(const struct view *v, struct err *e) {
	const struct manifest *m = &v->signed_by.manifest;
	OWN(own_free) char *author = NULL, *who = NULL, *name = print_safe(m->name), *group = print_safe(m->group);
	char id[37], hex[65], when[CLOCK_TEXT];
	int r = cert_name(v->signed_by.author, &author, e);

	if (r != 0)
		return r;
	who = print_safe(author);
	text_uuid(m->file_id, id);
	clock_print(v->signed_by.signed_s, when);
	print_line("group     %s", group);
	print_line("name      %s", name);
	print_line("file      %s, version %llu", id, (unsigned long long)m->version);
	print_line("author    %s, signed at %s%s%s", who, when, v->signed_by.author_revoked ? ", revoked since" : "",
	    clock_is_ahead(v->signed_by.signed_s) ? ", ahead of the clock here" : "");
	for (uint64_t i = 0; i < m->count; i++) {
		text_hex(m->digests[i], sizeof(m->digests[i]), hex);
		print_line("sha256    segment %llu: %s", (unsigned long long)i, hex);
	}
	return 0;
}

static int show_lines(const struct view *v, struct err *e) {
	const struct envelope_info *info = &v->info;

	print_line("size      %llu bytes of plaintext in %llu", (unsigned long long)info->plain_size,
	    (unsigned long long)info->size);
	print_line(
	    "segments  %llu of %llu bytes", (unsigned long long)info->segments, (unsigned long long)info->segment_size);
	print_line("cipher    %s", info->cipher);
	print_line("manifest  %s", info->has_manifest ? "yes" : "none");
	show_recipients(v);
	show_objects(info);
	return v->has_text ? show_text(v, e) : 0;
}

/* ---- any CMS file ---- */

static void tree_line(void *arg, const struct tree_line *l) {
	struct view *v = arg;

	if (v->plan->json) {
		json_t *o = json_object();

		(void)json_object_set_new(o, "depth", json_integer((json_int_t)l->depth));
		(void)json_object_set_new(o, "offset", print_u64(l->off));
		(void)json_object_set_new(o, "name", json_string(l->name));
		(void)json_object_set_new(o, "value", print_text(l->value));
		(void)json_array_append_new(v->tree, o);
		return;
	}
	print_line("%*s%s%s%s", (int)l->depth * INDENT, "", l->name, l->value[0] != '\0' ? ": " : "", l->value);
}

static int walk(struct view *v, struct err *e) {
	v->tree = json_array();
	return tree_walk(&v->in.source, tree_line, v, e);
}

/* Not what scg writes: shown all the same, if it is CMS. What begins as a file of scg and is not one to its end is damaged. */
static int show_other(struct view *v, int why_code, const struct err *why, struct err *e) {
	int r;

	v->fault = xstrdup(why->text);
	r = walk(v, e);
	if (v->info.begins_sealed) {
		if (e != NULL)
			*e = *why;
		r = why_code;
	}
	if (r == 0 && v->plan->json)
		return show_json(v, e);
	if (r == 0)
		print_line("not an envelope of scg: %s", v->fault);
	return r;
}

static int show(struct view *v, struct err *e) {
	int r = 0;

	if (!v->plan->json)
		r = show_lines(v, e);
	if (r == 0 && !v->info.has_manifest)
		r = walk(v, e);
	return r == 0 && v->plan->json ? show_json(v, e) : r;
}

/* What the last command left in the member's folder: nobody is asked. */
static int load_keys(struct view *v, struct err *e) {
	struct session_need need = { .dir = v->plan->dir, .passin = v->plan->passin };
	int r;

	if (v->plan->dir == NULL && !(v->plan->text && v->info.has_manifest))
		return 0;
	if ((r = session_open(&v->s, &need, e)) != 0)
		return r;
	if ((r = session_recall(&v->s, e)) != 0)
		return r == ERR_NOTFOUND ? err_set(e, ERR_UNREACHABLE, "no keys were ever fetched into the member's folder (scg keys)") : r;
	v->has_keys = true;
	return 0;
}

/* What is wrong with the input bears its name. */
static int about_input(const struct view *v, int r, struct err *e) {
	const char *name = strcmp(v->plan->in, "-") == 0 ? "standard input" : v->plan->in;

	return r == ERR_DAMAGED || r == ERR_REFUSED ? text_about(name, r, e) : r;
}

static int open_manifest(struct view *v, struct err *e) {
	OWN(own_crl_set) struct crl_set *crl = NULL;
	int r;

	if (!v->plan->text || !v->info.has_manifest)
		return 0;
	crl = revocation_set(&v->s.revocation);
	struct envelope_open how = {
		.keys = &v->s.keys,
		.own_cert = v->s.me.cert,
		.own_key = v->s.me.key,
		.chain = v->s.me.chain,
		.crl = crl,
		.group = v->s.me.group,
	};
	if ((r = envelope_manifest(&how, &v->in.source, &v->signed_by, e)) == 0)
		v->has_text = true;
	return r;
}

/* What a mail program stored: named, and whom to ask. */
static int refuse_mime(const struct view *v, struct err *e) {
	static const char *const fields[] = { "MIME-Version:", "Content-Type:" };
	char head[16] = "";
	size_t got;
	int r = v->in.source.read_at(v->in.source.arg, head, sizeof(head) - 1, 0, &got, e);

	for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strncasecmp(head, fields[i], strlen(fields[i])) == 0)
			return err_set(e, ERR_DAMAGED,
			    "an S/MIME message (RFC 8551); its CMS comes out by: openssl cms -cmsout -inform SMIME -outform DER");
	return r;
}

static int open_input(struct view *v, struct err *e) {
	int r = input_open(&v->in, v->plan->in, e);

	if (r == 0 && v->in.source.read_at == NULL)
		r = input_spool(&v->in, e);
	if (r == 0 && v->in.source.read_at != NULL)
		r = input_unarmor(&v->in, e);
	if (r == 0 && v->in.source.read_at == NULL)
		r = err_set(e, ERR_DAMAGED, "empty");
	return r != 0 ? r : refuse_mime(v, e);
}

static int inspect(struct view *v, struct err *e) {
	struct err why = ERR_INIT;
	int r = envelope_inspect(&v->in.source, &v->info, &why);

	if (r == ERR_DAMAGED)
		return about_input(v, show_other(v, r, &why, e), e);
	if (r != 0) {
		if (e != NULL)
			*e = why;
		return r;
	}
	if ((r = load_keys(v, e)) != 0)
		return r;
	if ((r = open_manifest(v, e)) == 0)
		r = show(v, e);
	return about_input(v, r, e);
}

int cmd_inspect(void *plan, const struct opt_operands *operands, struct err *e) {
	OWN(view_wipe) struct view v = { .plan = plan, .in = INPUT_INIT };
	int r;

	(void)operands;
	r = open_input(&v, e);
	return r == 0 ? inspect(&v, e) : about_input(&v, r, e);
}
