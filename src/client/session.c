/* SPDX-License-Identifier: Apache-2.0 */
#include "client/session.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/own.h"
#include "base/text.h"
#include "client/auditlog.h"
#include "client/note.h"
#include "pki/cert.h"
#include "pki/ossl.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

#define STORE_WISH "gdrive:new:" /* a drive that the first member has yet to make */

void session_lock(struct session *s) {
	(void)pthread_mutex_lock(&s->lock);
}

void session_unlock(struct session *s) {
	(void)pthread_mutex_unlock(&s->lock);
}

int session_fetch(struct session *s, struct fetch **f, struct err *e) {
	struct fetch_config c = {
		.url = s->conf.gateway,
		.ca = chain_ca(s->me.chain),
		.cert = s->me.cert,
		.key = s->me.key,
		.accept = revocation_accept,
		.accept_arg = &s->revocation,
	};

	return fetch_new(f, &c, e);
}

static int load_settings(struct session *s, struct err *e) {
	OWN(own_free) char *path = file_join(s->me.dir, CONF_FILE);
	int r = settings_load(path, &s->conf, e);

	if (r == ERR_NOTFOUND)
		return err_set(
		    e, ERR_FAIL, "no member is installed in this folder: %s is missing (scg install)", CONF_FILE);
	return r != 0 ? r : settings_host(s->conf.gateway, &s->host, e);
}

int session_open(struct session *s, const struct session_need *need, struct err *e) {
	OWN(own_free) char *dir = NULL;
	OWN(own_free) char *ledger = NULL;
	int r;

	(void)pthread_mutex_init(&s->lock, NULL);
	s->has_lock = true;
	if ((r = opt_dir(need->dir, &dir, e)) != 0 || (r = identity_load(&s->me, dir, need->passin, e)) != 0)
		return r;
	if ((r = load_settings(s, e)) != 0 || (r = revocation_init(&s->revocation, dir, s->me.chain, e)) != 0)
		return r;
	file_sweep(dir);
	ledger = file_join(dir, LEDGER_FILE);
	if ((r = mirror_open(&s->mirror, ledger, s->me.chain, s->me.cert, e)) != 0)
		return r;
	return session_fetch(s, &s->fetch, e);
}

void session_wipe(struct session *s) {
	store_close(s->store);
	keyring_wipe(&s->keys);
	group_info_wipe(&s->group);
	fetch_free(s->fetch);
	if (s->mirror != NULL)
		mirror_close(s->mirror);
	revocation_wipe(&s->revocation);
	settings_wipe(&s->conf);
	identity_wipe(&s->me);
	free(s->host);
	if (s->has_lock)
		(void)pthread_mutex_destroy(&s->lock);
	*s = (struct session){0};
}

/* Is this certificate, whose chain and purpose are good, the one of the gateway that scg.conf names? */
static int check_name(const struct session *s, X509 *cert, struct err *e) {
	if (X509_check_ip_asc(cert, s->host, 0) != 1 &&
	    X509_check_host(
		cert, s->host, 0, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1)
		return err_set(e, ERR_DAMAGED, "signed by a gateway of another name than %s (RFC 6125 6.4)", s->host);
	return 0;
}

static int check_gateway(void *arg, X509 *cert, struct err *e) {
	struct session *s = arg;
	int r = check_name(s, cert, e);

	return r != 0 || revocation_accept(&s->revocation, cert, e) ? r : ERR_DAMAGED;
}

static int fetch_crl(struct session *s, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	bool fresh;
	int r = gateway_crl(s->fetch, &der, e);

	if (r == 0)
		r = revocation_take(&s->revocation, &der, clock_now_s(), &fresh, e);
	/* The server at the other end was accepted under the older list. */
	if (r == 0 && fresh)
		fetch_reconnect(s->fetch);
	return r;
}

static int transport_head(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) {
	const struct session *s = arg;

	return gateway_head(s->fetch, nonce, nonce_len, der, e);
}

static int transport_entries(void *arg, uint64_t from, struct buf *der, struct err *e) {
	const struct session *s = arg;

	return gateway_entries(s->fetch, from, der, e);
}

static int sync_locked(struct session *s, struct err *e) {
	struct mirror_transport t = { s, transport_head, transport_entries, check_gateway };
	OWN(own_crl_set) struct crl_set *crl = revocation_set(&s->revocation);
	uint8_t sha256[SHA256_LEN];
	uint64_t number;
	int r = mirror_sync(s->mirror, &t, crl, clock_now_s(), e);

	if (r == 0)
		r = ledger_crl(session_ledger(s), &number, sha256, e);
	if (r == 0 && (crl == NULL || number > crl_set_number(crl)))
		r = fetch_crl(s, e);
	return r;
}

int session_sync(struct session *s, struct err *e) {
	int r;

	session_lock(s);
	r = sync_locked(s, e);
	session_unlock(s);
	return r;
}

/* A stored reply was checked when it came. Who signed it may have been revoked since: with a renewed certificate it is as good as it was;
 * after any other reason it is not damaged either, but the gateway has to be asked. */
static int check_stored_signer(struct session *s, X509 *cert, struct err *e) {
	OWN(own_crl_set) struct crl_set *set = revocation_set(&s->revocation);
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(cert, serial);
	int reason, r = check_name(s, cert, e);

	if (r != 0 || set == NULL || !crl_set_has(set, serial, len, NULL, &reason) || reason == CRL_SUPERSEDED)
		return r;
	return err_set(e, ERR_UNREACHABLE, "those that are kept here were signed with a certificate of the gateway that list %llu has revoked (%s): "
	    "fetch them anew (scg keys)", (unsigned long long)crl_set_number(set), crl_reason_name(reason));
}

/* A reply is signed by our gateway; valid when: now, or for a stored one, when it was signed. */
static int check_keys_signer(struct session *s, X509 *cert, bool stored, int64_t at_s, struct err *e) {
	int r;

	enum verdict v = chain_check(s->me.chain, cert, PURPOSE_SERVER, e);

	if (v == VERDICT_GOOD)
		v = chain_check_time(cert, at_s, e);
	if (v != VERDICT_GOOD) {
		(void)err_add(e, "keys: the signer is not the group's gateway (%s)", verdict_name(v));
		return err_recode(e, ERR_DAMAGED);
	}
	r = stored ? check_stored_signer(s, cert, e) : check_gateway(s, cert, e);
	return r == 0 ? 0 : err_add(e, "keys");
}

/* nonce NULL: a stored reply. k is filled. */
static int open_keys(struct session *s, const struct buf *der, const uint8_t *nonce, struct keyring *k, struct keyring_said *said, struct err *e) {
	int r = keyring_reply_open(der->data, der->len, nonce, nonce != NULL ? SESSION_NONCE_LEN : 0, s->me.cert,
	    s->me.key, k, said, e);

	if (r == 0)
		r = check_keys_signer(s, said->gw_cert, nonce == NULL, nonce != NULL ? clock_now_s() : said->signed_s, e);
	if (r == 0 && (strcmp(k->group, s->me.group) != 0 || keyring_current(k) == NULL))
		r = err_set(e, ERR_DAMAGED, "keys: of another group, or none is current");
	return r;
}

/* The ledger was read before the keys were asked for: the epoch that it knows as the newest must be among them. */
static int check_epoch(struct session *s, const struct keyring *k, struct err *e) {
	uint8_t key_id[KEY_ID_LEN];
	uint64_t number;
	const struct epoch *ep;
	int r = ledger_epoch(session_ledger(s), key_id, &number, e);

	if (r != 0)
		return r == ERR_NOTFOUND ? err_set(e, ERR_DAMAGED, "the ledger has no epoch, but the gateway has keys")
					 : r;
	ep = keyring_find(k, key_id);
	if (ep == NULL || ep->number != number)
		return err_set(e, ERR_DAMAGED,
		    "the gateway's keys lack epoch %llu of the ledger: an old state was put back",
		    (unsigned long long)number);
	return 0;
}

static void set_keys(struct session *s, struct keyring *k) {
	keyring_wipe(&s->keys);
	s->keys = *k;
	*k = (struct keyring){0};
}

static int refresh_keys_locked(struct session *s, struct err *e) {
	OWN(own_free) char *path = file_join(s->me.dir, KEYS_FILE);
	OWN(keyring_wipe) struct keyring k = {0};
	OWN(keyring_said_wipe) struct keyring_said said = {0};
	OWN(buf_wipe) struct buf der = {0};
	uint8_t nonce[SESSION_NONCE_LEN];
	struct auditlog audit;
	int r;

	if ((r = auditlog_load(&audit, s->me.dir, s->me.group, e)) != 0 || (r = random_bytes(nonce, sizeof(nonce), e)) != 0 ||
	    (r = gateway_keys(s->fetch, nonce, sizeof(nonce), &der, e)) != 0)
		return r;
	if ((r = open_keys(s, &der, nonce, &k, &said, e)) != 0 || (r = check_epoch(s, &k, e)) != 0 ||
	    (r = auditlog_check(&audit, said.log_head, s->fetch, e)) != 0)
		return r;
	if ((r = auditlog_save(&audit, e)) != 0 || (r = file_save(path, der.data, der.len, 0600, e)) != 0)
		return r;
	set_keys(s, &k);
	return 0;
}

int session_refresh_keys(struct session *s, struct err *e) {
	int r;

	session_lock(s);
	r = refresh_keys_locked(s, e);
	session_unlock(s);
	return r;
}

static int load_keys(struct session *s, struct err *e) {
	OWN(own_free) char *path = file_join(s->me.dir, KEYS_FILE);
	OWN(keyring_said_wipe) struct keyring_said said = {0};
	OWN(keyring_wipe) struct keyring k = {0};
	OWN(buf_wipe) struct buf der = {0};
	int r = file_load_private(path, KEY_REPLY_MAX, &der, e);

	if (r == 0)
		r = open_keys(s, &der, NULL, &k, &said, e);
	if (r == 0)
		set_keys(s, &k);
	return r;
}

/* path is in the member's folder: the last word of the gateway, for a time without it. */
static int ask_group(struct session *s, struct err *e) {
	OWN(own_free) char *path = file_join(s->me.dir, GROUP_FILE);
	OWN(buf_wipe) struct buf json = {0};
	int r;

	if ((r = gateway_group(s->fetch, &json, e)) != 0 ||
	    (r = group_info_parse(&json, s->me.group, &s->group, e)) != 0)
		return r;
	return file_save(path, json.data, json.len, 0600, e);
}

static int load_group(struct session *s, struct err *e) {
	OWN(own_free) char *path = file_join(s->me.dir, GROUP_FILE);
	OWN(buf_wipe) struct buf json = {0};
	int r = file_load(path, GROUP_JSON_MAX, &json, e);

	return r != 0 ? r : group_info_parse(&json, s->me.group, &s->group, e);
}

static int go_online(struct session *s, struct err *e) {
	int64_t now_s = clock_now_s();
	int r;

	if ((r = ask_group(s, e)) != 0)
		return r;
	if (revocation_is_due(&s->revocation, s->group.crl_number, now_s) && (r = fetch_crl(s, e)) != 0)
		return r;
	if ((r = revocation_check_current(&s->revocation, now_s, e)) != 0 || (r = session_sync(s, e)) != 0)
		return r;
	return session_refresh_keys(s, e);
}

int session_recall(struct session *s, struct err *e) {
	int r;

	group_info_wipe(&s->group);
	r = load_keys(s, e);
	return r != 0 ? r : load_group(s, e);
}

static int go_stale(struct session *s, struct err *e) {
	struct head head;
	char since[CLOCK_TEXT];
	int64_t fetched_s;
	int r = mirror_head(s->mirror, &head, NULL, &fetched_s, e);

	if (r == ERR_NOTFOUND)
		return err_set(e, ERR_UNREACHABLE, "the gateway cannot be reached, and the ledger was never fetched");
	if (r != 0 || (r = session_recall(s, e)) != 0)
		return r == ERR_NOTFOUND ? err_set(e, ERR_UNREACHABLE, "the gateway cannot be reached, and no keys were ever fetched") : r;
	s->stale = true;
	clock_print(fetched_s, since);
	note("freshness unknown: the gateway cannot be reached, this is the state of %s", since);
	return 0;
}

/* A gateway refuses such events by its own clock; replay asks no clock, since it may be the one that is wrong. */
static void warn_of_clock(const struct session *s) {
	int64_t latest_s = ledger_latest_s(session_ledger(s));
	char latest[CLOCK_TEXT], now[CLOCK_TEXT];

	if (!clock_is_ahead(latest_s))
		return;
	clock_print(latest_s, latest);
	clock_print(clock_now_s(), now);
	note("warning: the ledger has an event of %s, and by the clock here it is %s: this clock is wrong, or those of gateway and signer were",
	    latest, now);
}

int session_connect(struct session *s, const struct session_need *need, struct err *e) {
	struct err why = ERR_INIT;
	int r = go_online(s, &why);

	if (r == ERR_UNREACHABLE && need->stale_ok)
		return go_stale(s, e);
	if (r == 0)
		warn_of_clock(s);
	if (r != 0 && e != NULL)
		*e = why;
	return r;
}

int session_epoch(struct session *s, const uint8_t *key_id, struct keyring *one, struct err *e) {
	const struct epoch *ep;
	char hex[KEY_ID_HEX];
	int r = 0;

	session_lock(s);
	ep = key_id != NULL ? keyring_find(&s->keys, key_id) : keyring_current(&s->keys);
	if (ep != NULL) {
		*one = (struct keyring){ .group = xstrdup(s->me.group), .v = xcalloc(1, sizeof(*one->v)), .n = 1 };
		*one->v = *ep;
		one->v->key = (struct secret){0};
		r = secret_copy(&one->v->key, ep->key.data, ep->key.len, e);
	}
	session_unlock(s);
	if (ep != NULL)
		return r;
	text_hex(key_id != NULL ? key_id : (const uint8_t *)"", key_id != NULL ? KEY_ID_LEN : 0, hex);
	return err_set(e, ERR_REFUSED, "the gateway gave us no key %s", hex);
}

/* The first member makes the drive that the group has yet to get; of two at once the gateway takes one. */
static int make_store(struct session *s, const char *wish, struct err *e) {
	OWN(own_free) char *made = NULL;
	OWN(buf_wipe) struct buf shown = {0};
	struct err left = ERR_INIT;
	int r;

	if (s->stale)
		return err_set(e, ERR_UNREACHABLE, "the group's drive has yet to be made, and the gateway cannot be reached");
	if ((r = store_create(wish, &s->env, &made, e)) != 0)
		return r;
	r = gateway_set_store(s->fetch, made, e);
	text_escape(made, strlen(made), &shown);
	/* Where no answer came it may have been taken. */
	if (r != 0 && r != ERR_UNREACHABLE && store_discard(made, &s->env, &left) != 0)
		note("%s was made and is not needed: %s", buf_str(&shown), left.text);
	if (r == 0)
		note("made the group's drive, %s", buf_str(&shown));
	if (r != 0 && r != ERR_CONFLICT)
		return r;
	group_info_wipe(&s->group);
	return ask_group(s, e);
}

/* What others wrote is named by no path that this machine would take for another. */
static int check_spec(const char *spec, struct err *e) {
	static const char folder[] = "directory:";

	if (spec == NULL)
		return err_set(
		    e, ERR_FAIL, "the group has no drive yet: neither the gateway nor %s names one", CONF_FILE);
	if (strncmp(spec, folder, strlen(folder)) == 0 && spec[strlen(folder)] != '/')
		return err_set(
		    e, ERR_FAIL, "the gateway names a folder for the drive that does not begin with a slash");
	return 0;
}

bool session_store_is_wish(const struct session *s) {
	return s->conf.store_type == NULL && s->group.store != NULL &&
	    strncmp(s->group.store, STORE_WISH, strlen(STORE_WISH)) == 0;
}

bool session_may_settle(const struct session *s, int64_t since_s) {
	int64_t settle_s = s->store != NULL && store_is_remote(s->store) ? SESSION_REMOTE_SETTLE_S : 0;

	if (s->conf.has_settle)
		settle_s = (int64_t)s->conf.settle_s;
	return settle_s > 0 && clock_now_s() - since_s < settle_s;
}

int session_store(struct session *s, struct err *e) {
	OWN(own_free) char *own = settings_store(&s->conf);
	const char *spec = own != NULL ? own : s->group.store;
	int r;

	if (s->store != NULL)
		return 0;
	if ((r = check_spec(spec, e)) != 0)
		return r;
	s->env = (struct store_env){
		.dir = s->me.dir,
		.gdrive = &s->conf.gdrive,
		.key = s->me.key,
		.cert = s->me.cert,
		.total_s = s->drive_wait_s,
	};
	if (own == NULL && session_store_is_wish(s)) {
		if ((r = make_store(s, spec, e)) != 0 || (r = check_spec(s->group.store, e)) != 0)
			return r;
		spec = s->group.store;
	}
	return store_open_env(&s->store, spec, &s->env, e);
}
