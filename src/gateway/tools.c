/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tools.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/evict.h"
#include "gateway/folders.h"
#include "gateway/witness.h"
#include "pki/cert.h"
#include "pki/ossl.h"

struct opened {
	struct gwconf conf;
	struct chain *chain;
	struct group *group;
};

static void opened_wipe(struct opened *o) {
	group_close(&o->group);
	chain_free(o->chain);
	gwconf_wipe(&o->conf);
}

static int open_group(struct opened *o, const struct tools_plan *p, struct err *e) {
	struct identity_source from = { .conf = &o->conf, .passin = p->passin };
	struct identity id = { 0 };
	int r;

	if ((r = folders_load(p->config, p->group, &o->conf, e)) != 0 || (r = identity_chain(&o->conf, &o->chain, e)) != 0)
		return r;
	from.chain = o->chain;
	if ((r = identity_load(&id, &from, e)) != 0)
		return r;
	if ((r = group_open(&o->group, &o->conf, o->chain, &id, GROUP_TOOL, e)) != 0)
		identity_wipe(&id);
	return r;
}

int tools_rotate(const struct tools_plan *p, struct err *e) {
	OWN(opened_wipe) struct opened o = { 0 };

	if (open_group(&o, p, e) != 0)
		return e->code;
	return evict_rotate(o.group, clock_now_s(), e);
}

static json_t *epoch_json(const struct epoch *ep) {
	char id[KEY_ID_HEX], created[CLOCK_TEXT], retired[CLOCK_TEXT];

	text_hex(ep->key_id, KEY_ID_LEN, id);
	clock_print(ep->created_s, created);
	clock_print(ep->retired_s, retired);
	return json_pack("{s:I, s:s, s:s, s:s?}", "epoch", (json_int_t)ep->number, "key_id", id, "created", created,
	    "retired", ep->retired_s != 0 ? retired : NULL);
}

static int print_json(const struct keyring *k, struct err *e) {
	json_t *list = json_array();
	int rc = 0;

	for (size_t i = 0; i < k->n && rc == 0; i++)
		rc = json_array_append_new(list, epoch_json(&k->v[i]));
	if (rc == 0)
		rc = json_dumpf(list, stdout, JSON_INDENT(1));
	json_decref(list);
	return rc != 0 || putchar('\n') == EOF ? err_sys(e, ERR_FAIL, "standard output") : 0;
}

int tools_keys(const struct tools_plan *p, struct err *e) {
	OWN(opened_wipe) struct opened o = { 0 };

	if (open_group(&o, p, e) != 0)
		return e->code;
	if (p->json)
		return print_json(&o.group->keyring, e);
	for (size_t i = 0; i < o.group->keyring.n; i++) {
		const struct epoch *ep = &o.group->keyring.v[i];
		char id[KEY_ID_HEX], created[CLOCK_TEXT], retired[CLOCK_TEXT];

		text_hex(ep->key_id, KEY_ID_LEN, id);
		clock_print(ep->created_s, created);
		clock_print(ep->retired_s, retired);
		printf("%" PRIu64 "  %s  created %s  %s%s\n", ep->number, id, created,
		    ep->retired_s != 0 ? "retired " : "current", ep->retired_s != 0 ? retired : "");
	}
	return 0;
}

/* Before the keys are there to be taken. */
static int tell_of_export(struct group *g, const X509 *recip, struct err *e) {
	OWN(own_free) char *name = NULL;
	struct witness_peer to = { 0 };
	char serial[SERIAL_HEX];

	if (cert_name(recip, &name, NULL) == 0) /* it need not be of the group */
		to.name = name;
	cert_serial_hex(recip, serial);
	to.serial = serial;
	witness_keys(g, &to, RECORD_EXPORT, clock_now_s());
	return group_write_audit(g, true, e);
}

int tools_export(const struct tools_plan *p, struct err *e) {
	OWN(opened_wipe) struct opened o = { 0 };
	OWN(own_x509) X509 *recip = NULL;
	OWN(buf_wipe) struct buf der = { 0 };

	if (identity_load_recipient(p->recip, &recip, e) != 0 || open_group(&o, p, e) != 0 || identity_check_out(&o.conf, p->out, e) != 0)
		return e->code;
	if (o.group->keyring.n == 0)
		return err_set(e, ERR_FAIL, "no epoch yet: the first run of the gateway makes it");
	if (keyring_seal(&o.group->keyring, &recip, 1, 0, &der, e) != 0 || tell_of_export(o.group, recip, e) != 0)
		return e->code;
	return file_save(p->out, der.data, der.len, 0600, e);
}
