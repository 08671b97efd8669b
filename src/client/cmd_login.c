/* SPDX-License-Identifier: Apache-2.0 */
/* login, logout: the member at Google Drive. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/pass.h"
#include "base/text.h"
#include "client/commands.h"
#include "client/note.h"
#include "client/print.h"
#include "client/session.h"
#include "store/oauth.h"

#define TIMEOUT_S 300
#define ASK_S 20 /* somebody waits at the terminal for each request's end */

extern char **environ;

/* Who signs in or out, with what. */
struct account {
	char *conf_path;
	struct identity me;
	struct settings conf;
	struct store_env env;
	struct rest *net;
};

static void account_wipe(struct account *a) {
	rest_free(a->net);
	/* The client's secret lies there. */
	if (a->conf.gdrive.client_secret != NULL)
		secret_clean(a->conf.gdrive.client_secret, strlen(a->conf.gdrive.client_secret));
	settings_wipe(&a->conf);
	identity_wipe(&a->me);
	free(a->conf_path);
}

static int load_conf(struct account *a, struct err *e) {
	int r = settings_load(a->conf_path, &a->conf, e);

	return r != ERR_NOTFOUND
	    ? r
	    : err_set(e, ERR_FAIL, "no member is installed in this folder: %s is missing (scg install)", CONF_FILE);
}

static int open_net(struct account *a, struct err *e) {
	struct rest_config c = { .total_s = ASK_S,
		.ca_file = a->conf.gdrive.ca_file[0] != '\0' ? a->conf.gdrive.ca_file : NULL };

	a->env = (struct store_env){
		.dir = a->me.dir, .gdrive = &a->conf.gdrive, .key = a->me.key, .cert = a->me.cert
	};
	return rest_new(&a->net, &c, e);
}

static void replace(char **field, const char *given) {
	if (given == NULL)
		return;
	free(*field);
	*field = xstrdup(given);
}

/* In the clear, as the option has always been; or, so that other users of the machine do not see it among the
 * processes, from where -passin takes a passphrase too. */
static int take_client_secret(const char *given, char **field, struct err *e) {
	static const char *const sources[] = { "env:", "file:", "fd:", "pass:" };
	OWN(secret_wipe) struct secret s = {0};
	bool is_source = strcmp(given, "stdin") == 0;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		is_source = is_source || strncmp(given, sources[i], strlen(sources[i])) == 0;
	if (!is_source) {
		replace(field, given);
		return 0;
	}
	if (pass_read(given, "client secret", false, &s, e) != 0)
		return err_add(e, "-client-secret");
	free(*field);
	*field = xasprintf("%.*s", (int)s.len, (const char *)s.data);
	return 0;
}

static int take_ca_file(const char *given, char **field, struct err *e) {
	char *whole = realpath(given, NULL);

	if (whole == NULL)
		return text_about(given, err_sys(e, ERR_FAIL, "cannot open"), e);
	free(*field);
	*field = whole;
	return 0;
}

/* What was given counts from now on; a new client ID comes with its own secret, or has none. */
static int overlay(const struct plan *p, struct gdrive_conf *g, struct err *e) {
	int r = 0;

	if (p->client_id != NULL && strcmp(p->client_id, g->client_id) != 0)
		replace(&g->client_secret, "");
	replace(&g->client_id, p->client_id);
	replace(&g->drive_id, p->drive_id);
	replace(&g->api_url, p->api_url);
	replace(&g->auth_url, p->auth_url);
	replace(&g->token_url, p->token_url);
	replace(&g->device_url, p->device_url);
	replace(&g->revoke_url, p->revoke_url);
	if (p->ca_file != NULL)
		r = take_ca_file(p->ca_file, &g->ca_file, e);
	if (r == 0 && p->client_secret != NULL)
		r = take_client_secret(p->client_secret, &g->client_secret, e);
	return r;
}

/* The file with the group gdrive as it is to be, the rest as it is now. */
static int edit_conf(struct account *a, struct buf *out, bool *changed, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	struct settings now = {0};
	struct gdrive_conf before;
	int r = file_load(a->conf_path, CONF_MAX_BYTES, &text, e);

	if (r == 0)
		r = settings_parse(buf_str(&text), CONF_FILE, &now, e);
	if (r != 0)
		return r;
	before = now.gdrive;
	now.gdrive = a->conf.gdrive;
	r = settings_set_gdrive(buf_str(&text), CONF_FILE, &now, out, e);
	now.gdrive = before;
	settings_wipe(&now);
	*changed = out->len != text.len || memcmp(buf_str(out), buf_str(&text), text.len) != 0;
	return r;
}

/* The client's secret may lie there: nobody else's to read from now on. */
static int save_conf(struct account *a, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	bool changed = false;
	int r = edit_conf(a, &text, &changed, e);

	if (r != 0 || (!changed && a->conf.gdrive.client_secret[0] == '\0'))
		return r;
	return file_save(a->conf_path, text.data, text.len, 0600, e);
}

static int open_account(struct account *a, const struct plan *p, struct err *e) {
	OWN(own_free) char *dir = NULL;
	OWN(buf_wipe) struct buf text = {0};
	bool changed;
	int r;

	if ((r = opt_dir(p->dir, &dir, e)) != 0 || (r = identity_load_public(&a->me, dir, e)) != 0)
		return r;
	a->conf_path = file_join(dir, CONF_FILE);
	if ((r = load_conf(a, e)) != 0 || (r = overlay(p, &a->conf.gdrive, e)) != 0)
		return r;
	/* Everything wrong with what was given is found before anybody consents to anything. */
	if ((r = edit_conf(a, &text, &changed, e)) != 0)
		return r;
	return open_net(a, e);
}

/* A device's access sees only what it stored itself. */
static int check_alone(const struct plan *p, struct err *e) {
	OWN(session_wipe) struct session s = {0};
	uint64_t members = 0;
	int r;

	if (p->alone)
		return 0;
	if ((r = commands_session(&s, p, e)) != 0 || (r = ledger_count_members(session_ledger(&s), &members, e)) != 0)
		return r;
	if (members > 1)
		return err_set(e, ERR_REFUSED,
		    "-device gives the scope drive.file, which does not see what others stored, and the group has %llu members (-alone: they all use "
		    "this one account)",
		    (unsigned long long)members);
	return 0;
}

static int check_plan(const struct plan *p, const struct account *a, struct err *e) {
	if (p->alone && !p->device)
		return err_set(e, ERR_USAGE, "-alone goes with -device");
	if (p->service_account != NULL)
		return p->no_browser || p->timeout_s != 0
		    ? err_set(e, ERR_USAGE,
		          "a service account consents to nothing: -no-browser and -timeout do not go with -service-account")
		    : 0;
	if (a->conf.gdrive.client_id[0] == '\0')
		return err_set(e, ERR_USAGE,
		    "scg.conf has no client ID yet: give -client-id and -client-secret (scg-gdrive(7) says how to make them)");
	return p->device ? check_alone(p, e) : 0;
}

/* Somebody sits there who would see a browser. */
static bool has_screen(void) {
	const char *x11 = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
	bool display = (x11 != NULL && x11[0] != '\0') || (wayland != NULL && wayland[0] != '\0');

	return display && isatty(STDERR_FILENO) == 1;
}

/* Nothing of the browser's reaches our output, and what ends us does not end it. */
static void spawn_browser(char *const argv[], posix_spawn_file_actions_t *quiet, posix_spawnattr_t *apart) {
	sigset_t ignored;
	pid_t pid;

	/* Programs do not expect to find these ignored (opt_main does that). */
	(void)sigemptyset(&ignored);
	(void)sigaddset(&ignored, SIGPIPE);
	(void)sigaddset(&ignored, SIGXFSZ);
	if (posix_spawn_file_actions_addopen(quiet, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
	    posix_spawn_file_actions_addopen(quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawn_file_actions_addopen(quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawnattr_setsigdefault(apart, &ignored) == 0 &&
	    posix_spawnattr_setflags(apart, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID) == 0)
		(void)posix_spawnp(&pid, argv[0], quiet, apart, argv, environ);
}

/* The URL stands on standard output: that no browser comes is no error. */
static void open_browser(const char *url) {
	OWN(own_free) char *copy = xstrdup(url);
	char *argv[] = { (char[]){ "xdg-open" }, copy, NULL };
	posix_spawn_file_actions_t quiet;
	posix_spawnattr_t apart;

	if (posix_spawn_file_actions_init(&quiet) != 0)
		return;
	if (posix_spawnattr_init(&apart) == 0) {
		spawn_browser(argv, &quiet, &apart);
		(void)posix_spawnattr_destroy(&apart);
	}
	(void)posix_spawn_file_actions_destroy(&quiet);
}

static int show(void *arg, const char *url, const char *user_code, struct err *e) {
	const struct plan *p = arg;
	OWN(own_free) char *shown = print_safe(url);
	OWN(own_free) char *code = user_code != NULL ? print_safe(user_code) : NULL;

	print_line("%s", shown);
	if (code != NULL)
		print_line("%s", code);
	if (fflush(stdout) != 0)
		return err_sys(e, ERR_FAIL, "standard output");
	if (isatty(STDERR_FILENO) == 1)
		note("%s",
		    code != NULL ? "open that page on any machine, and enter the code there"
		                 : "open that page in a browser of this machine, and allow scg to use Google Drive");
	if (!p->no_browser && code == NULL && has_screen())
		open_browser(url);
	return 0;
}

/* It came from a browser, with the mode of any file: that cannot be undone, but it should not stay so. */
static void warn_of_others(const char *key_file) {
	OWN(own_free) char *shown = print_safe(key_file);
	struct stat st;

	if (stat(key_file, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		note("%s: others on this machine can read this key (mode %04o): remove the file, it is not needed any more", shown,
		    (unsigned)st.st_mode & 07777u);
}

int cmd_login(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(account_wipe) struct account a = {0};
	int r = open_account(&a, p, e);

	(void)operands;
	if (r != 0 || (r = check_plan(p, &a, e)) != 0)
		return r;
	struct oauth_login l = {
		.env = &a.env,
		.conf = &a.conf.gdrive,
		.net = a.net,
		.timeout_s = p->timeout_s != 0 ? (unsigned)p->timeout_s : TIMEOUT_S,
		.show = show,
		.arg = plan,
	};
	if (p->service_account != NULL)
		r = oauth_login_service_account(&l, p->service_account, e);
	else
		r = p->device ? oauth_login_device(&l, e) : oauth_login_loopback(&l, e);
	if (r == 0)
		r = save_conf(&a, e);
	if (r == 0)
		note("signed in to Google Drive");
	if (r == 0 && p->service_account != NULL)
		warn_of_others(p->service_account);
	return r;
}

int cmd_logout(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;
	OWN(own_free) char *dir = NULL;
	OWN(account_wipe) struct account a = {0};
	int r = opt_dir(p->dir, &dir, e);

	(void)operands;
	if (r != 0 || (r = identity_load(&a.me, dir, p->passin, e)) != 0)
		return r;
	a.conf_path = file_join(dir, CONF_FILE);
	if ((r = load_conf(&a, e)) != 0 || (r = open_net(&a, e)) != 0)
		return r;
	return oauth_logout(&a.env, &a.conf.gdrive, a.net, e);
}
