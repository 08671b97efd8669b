/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/fence.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/identity.h"
#include "gateway/landlock.h"

/* The folder, not the file: what is renamed over it is another file. Where path is a link, that of what it leads to. */
static void allow_folder_of(struct landlock *l, const char *path, enum landlock_right right) {
	OWN(own_free) char *real = realpath(path, NULL);
	OWN(own_free) char *folder = file_folder(real != NULL ? real : path);
	bool is_root = strcmp(folder, "/") == 0; /* of the whole file system only this file */

	landlock_allow(l, is_root ? path : folder, right);
}

static void allow_passphrase(struct landlock *l, const char *passin) {
	static const char from_file[] = "file:";

	if (passin != NULL && strncmp(passin, from_file, strlen(from_file)) == 0)
		allow_folder_of(l, passin + strlen(from_file), LANDLOCK_READ);
}

static void allow_files(struct landlock *l, const struct fence_folder *p) {
	static const char *const names[] = { FILE_KEY, FILE_CERT, FILE_KEY_NEW, FILE_CERT_NEW, FILE_CA, FILE_CRL, FILE_RECOVERY };
	const struct gwconf *c = p->conf;
	OWN(own_free) char *db = gwconf_path(c, FILE_DB);

	landlock_allow(l, c->dir, LANDLOCK_OWN);
	allow_folder_of(l, db, LANDLOCK_OWN);
	allow_folder_of(l, p->config, LANDLOCK_READ);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		OWN(own_free) char *path = gwconf_path(c, names[i]);

		if (file_exists(path))
			allow_folder_of(l, path, LANDLOCK_READ);
	}
	if (c->recovery != NULL) {
		OWN(own_free) char *path = gwconf_path(c, c->recovery);

		allow_folder_of(l, path, LANDLOCK_READ);
	}
	allow_passphrase(l, c->passin);
	allow_passphrase(l, p->passin);
}

static void allow_ready(struct landlock *l, const char *ready) {
	OWN(own_free) char *folder = file_folder(ready);

	if (file_is_special(ready))
		landlock_allow(l, ready, LANDLOCK_WRITE);
	else
		landlock_allow(l, folder, LANDLOCK_OWN);
}

/* resolv.conf and its like are replaced while the gateway runs, so a rule for the files that are there now would not do. */
static void allow_names(struct landlock *l) {
	static const char *const folders[] = {
		"/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/connman",
	};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		landlock_allow(l, folders[i], LANDLOCK_READ);
	allow_folder_of(l, "/etc/resolv.conf", LANDLOCK_READ);
}

static bool is_number(const char *listen) {
	OWN(own_free) char *host = xstrdup(listen[0] == '[' ? listen + 1 : listen);
	uint8_t address[16];
	char *end = strrchr(host, ':');

	if (end != NULL)
		end[end > host && end[-1] == ']' ? -1 : 0] = '\0';
	return host[0] == '\0' || inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static uint16_t port_of(const char *listen) {
	const char *colon = strrchr(listen, ':');
	uint64_t port = 0;

	return colon != NULL && text_u64(colon + 1, UINT16_MAX, &port, NULL) == 0 ? (uint16_t)port : 0;
}

static bool fetches(const struct fence_plan *p) {
	for (size_t i = 0; i < p->n; i++)
		if (p->folders[i].conf->crl_url != NULL)
			return true;
	return false;
}

static unsigned restricts(const struct fence_plan *p) {
	const char *notify = getenv("NOTIFY_SOCKET");
	unsigned bits = LANDLOCK_SIGNALS | LANDLOCK_BIND;

	if (!fetches(p))
		bits |= LANDLOCK_CONNECT;
	if (notify == NULL || notify[0] != '@')
		bits |= LANDLOCK_ABSTRACT;
	/* A port that the system chose may be bound once more. */
	if (!p->bound && port_of(p->folders[0].conf->listen) == 0)
		bits &= ~(unsigned)LANDLOCK_BIND;
	return bits;
}

static void allow_all(struct landlock *l, const struct fence_plan *p) {
	const struct gwconf *c = p->folders[0].conf;

	for (size_t i = 0; i < p->n; i++)
		allow_files(l, &p->folders[i]);
	if (p->ready != NULL)
		allow_ready(l, p->ready);
	if (fetches(p) || !is_number(c->listen) || (c->monitor != NULL && !is_number(c->monitor)))
		allow_names(l);
	landlock_allow(l, "/sys/devices/system/cpu", LANDLOCK_READ); /* how many there are */
	landlock_allow(l, "/dev/tty", LANDLOCK_TALK);                /* a passphrase */
	landlock_allow(l, "/dev/null", LANDLOCK_TALK);
	if (!p->bound)
		landlock_allow_port(l, port_of(c->listen));
	if (c->monitor != NULL)
		landlock_allow_port(l, port_of(c->monitor));
}

#ifdef SCG_INSTRUMENTED
/* Leak checkers and counters read and write at the end what they like. */
bool fence_close(const struct fence_plan *p, const char **why) {
	(void)p, (void)allow_all, (void)restricts;
	*why = "instrumented";
	return false;
}
#else
bool fence_close(const struct fence_plan *p, const char **why) {
	struct landlock *l = landlock_new(restricts(p), why);

	if (l == NULL)
		return false;
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL); /* openssl.cnf lies outside */
	(void)setenv("SQLITE_TMPDIR", p->folders[0].conf->dir, 1); /* where it would take /var/tmp */
	allow_all(l, p);
	*why = landlock_close(&l) ? NULL : "the kernel did not take the rules";
	return *why == NULL;
}
#endif
