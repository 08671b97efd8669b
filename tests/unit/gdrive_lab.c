/* SPDX-License-Identifier: Apache-2.0 */
#include "gdrive_lab.h"

#include <check.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/secret.h"
#include "lib/tmp.h"
#include "net/rest.h"

#define ACCOUNTS 4

struct account {
	char *name, *token;
	struct store_env env;
};

struct drive lab_drive;
static char empty[] = "";
struct gdrive_conf lab_conf = {
	.client_id = empty,
	.client_secret = empty,
	.api_url = lab_drive.url,
	.auth_url = empty,
	.token_url = empty,
	.device_url = empty,
	.revoke_url = empty,
	.drive_id = empty,
	.chunk_bytes = LAB_CHUNK,
	.ca_file = empty,
	.settle_ms = 60,
};
struct store_env lab_env;
static struct account accounts[ACCOUNTS];
static char *folder, *spec;

/* As oauth_token(): one that was refused is not given again. Several threads may ask. */
static pthread_mutex_t token_lock = PTHREAD_MUTEX_INITIALIZER;

static int give_token(void *arg, const char *rejected, struct secret *token, struct err *e) {
	struct account *a = arg;
	int r;

	(void)pthread_mutex_lock(&token_lock);
	if (a->token == NULL || (rejected != NULL && strcmp(rejected, a->token) == 0)) {
		free(a->token);
		a->token = drive_token(&lab_drive, a->name);
	}
	r = secret_copy(token, (const uint8_t *)a->token, strlen(a->token) + 1, e);
	(void)pthread_mutex_unlock(&token_lock);
	return r;
}

struct store_env *lab_env_of(const char *name) {
	size_t i = 0;

	while (i < ACCOUNTS && accounts[i].name != NULL && strcmp(accounts[i].name, name) != 0)
		i++;
	if (i == ACCOUNTS)
		abort();
	if (accounts[i].name == NULL)
		accounts[i].name = xstrdup(name);
	accounts[i].env = (struct store_env){ .dir = "/nowhere", .gdrive = &lab_conf, .token = give_token, .token_arg = &accounts[i] };
	return &accounts[i].env;
}

void lab_begin(void) {
	tmp_make();
	drive_start(&lab_drive, tmp_dir(), NULL);
	lab_env = *lab_env_of(DRIVE_ACCOUNT);
}

void lab_end(void) {
	drive_stop(&lab_drive);
	tmp_drop();
}

const char *lab_setup(void) {
	lab_calm();
	lab_settings("{\"list_lag\": null, \"page_cap\": null, \"incomplete_search\": null, \"session_life\": null}");
	folder = drive_folder(&lab_drive, DRIVE_ACCOUNT, "group");
	spec = xasprintf("gdrive:%s", folder);
	return spec;
}

void lab_teardown(void) {
	free(folder);
	free(spec);
	folder = spec = NULL;
	for (size_t i = 0; i < ACCOUNTS; i++) {
		free(accounts[i].token);
		accounts[i].token = NULL;
	}
}

const char *lab_folder(void) {
	return folder;
}

void lab_do(const char *command, const char *arguments, ...) {
	char text[4096];
	va_list ap;

	va_start(ap, arguments);
	ck_assert_int_lt(vsnprintf(text, sizeof(text), arguments, ap), (int)sizeof(text));
	va_end(ap);
	json_decref(drive_control(&lab_drive, command, text));
}

void lab_fault(const char *json) {
	lab_do("fault", "%s", json);
}

void lab_settings(const char *json) {
	lab_do("settings", "%s", json);
}

void lab_calm(void) {
	lab_do("clear", "{}");
	lab_do("reset", "{}");
}

json_int_t lab_stat(const char *name) {
	json_t *all = drive_control(&lab_drive, "stats", "{}");
	json_int_t n = json_integer_value(json_object_get(all, name));

	json_decref(all);
	return n;
}

unsigned lab_asked(const char *part) {
	json_t *log = drive_control(&lab_drive, "log", "{}");
	unsigned n = 0;

	for (size_t i = 0; i < json_array_size(log); i++)
		n += strstr(json_string_value(json_object_get(json_array_get(log, i), "target")), part) != NULL;
	json_decref(log);
	return n;
}

unsigned lab_early(void) {
	json_t *all = drive_control(&lab_drive, "stats", "{}");
	unsigned n = (unsigned)json_array_size(json_object_get(all, "early_retries"));

	json_decref(all);
	return n;
}

/* Calls f for each file of the folder. */
static void each(void (*f)(void *arg, const json_t *file), void *arg) {
	json_t *all = drive_control(&lab_drive, "dump", "{}");
	const json_t *file;
	size_t i;

	json_array_foreach(json_object_get(all, "files"), i, file)
		if (strcmp(json_string_value(json_object_get(file, "parent")), folder) == 0)
			f(arg, file);
	json_decref(all);
}

struct search {
	const char *name;
	unsigned n;
	char *id;
};

static void match(void *arg, const json_t *file) {
	struct search *s = arg;

	if (strcmp(json_string_value(json_object_get(file, "name")), s->name) != 0)
		return;
	free(s->id);
	s->id = xstrdup(json_string_value(json_object_get(file, "id")));
	s->n++;
}

char *lab_find(const char *name, unsigned *n) {
	struct search s = { .name = name };

	each(match, &s);
	if (n != NULL)
		*n = s.n;
	return s.id;
}

static void count_double(void *arg, const json_t *file) {
	unsigned n;

	free(lab_find(json_string_value(json_object_get(file, "name")), &n));
	*(unsigned *)arg += n > 1;
}

unsigned lab_doubles(void) {
	unsigned n = 0;

	each(count_double, &n);
	return n;
}

/* What a foreign client would send. */
static void request(const char *account, const char *method, const char *path, const char *type, const char *body, struct rest_reply *p) {
	struct rest_config c = {0};
	struct err e = ERR_INIT;
	struct rest *net = NULL;
	OWN(own_free) char *url = xasprintf("%s%s", lab_drive.url, path);
	OWN(own_free) char *token = drive_token(&lab_drive, account);
	struct rest_request q = {
		.method = method, .url = url, .bearer = token, .type = type, .body = body, .body_len = strlen(body), .max = 65536 };

	ck_assert_int_eq(rest_new(&net, &c, &e), 0);
	ck_assert_msg(rest(net, &q, p, &e) == 0, "%s", e.text);
	ck_assert_msg(p->status == 200, "%s", buf_str(&p->body));
	rest_free(net);
}

char *lab_plant(const char *account, const char *name, const char *content, const char *meta) {
	OWN(own_free) char *body = xasprintf("--XX\r\nContent-Type: application/json\r\n\r\n{\"name\": \"%s\", \"parents\": [\"%s\"]%s}\r\n"
					     "--XX\r\nContent-Type: application/cms\r\n\r\n%s\r\n--XX--\r\n", name, folder, meta, content);
	struct rest_reply p = {0};
	json_t *o;
	char *id;

	request(account, "POST", "/upload/drive/v3/files?uploadType=multipart&supportsAllDrives=true&fields=id", "multipart/related; boundary=XX", body, &p);
	o = json_loads(buf_str(&p.body), 0, NULL);
	id = xstrdup(json_string_value(json_object_get(o, "id")));
	json_decref(o);
	rest_reply_wipe(&p);
	return id;
}

void lab_overwrite(const char *account, const char *file, const char *content) {
	OWN(own_free) char *path = xasprintf("/upload/drive/v3/files/%s?uploadType=media&supportsAllDrives=true", file);
	struct rest_reply p = {0};

	request(account, "PATCH", path, "application/cms", content, &p);
	rest_reply_wipe(&p);
}

void lab_post(const char *account, const char *path, const char *json) {
	struct rest_reply p = {0};

	request(account, "POST", path, "application/json", json, &p);
	rest_reply_wipe(&p);
}
