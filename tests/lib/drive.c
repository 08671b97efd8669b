/* SPDX-License-Identifier: Apache-2.0 */
#include "drive.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define MAX_OPTIONS 32
#define READY_TRIES 1200 /* of 50 ms: a minute, on a machine that is busy */

static _Noreturn void die(const char *what) {
	fprintf(stderr, "drive emulator: %s\n", what);
	abort();
}

static _Noreturn void become(
    const struct drive *d, const char *ready, const char *listen, const char *const options[]) {
	const char *top = getenv("top_srcdir");
	char *script = xasprintf("%s/tests/lib/drive_emulator.py", top != NULL ? top : ".");
	const char *argv[16 + MAX_OPTIONS] = { "python3", script, "-state", d->state, "-ready", ready, "-listen", listen,
		"-account", DRIVE_ACCOUNT, "-client", DRIVE_CLIENT, DRIVE_SECRET };
	size_t n = 13;

	for (size_t i = 0; options != NULL && options[i] != NULL && i < MAX_OPTIONS; i++)
		argv[n++] = options[i];
	argv[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	fprintf(stderr, "drive emulator: python3: %s\n", strerror(errno));
	_exit(127);
}

static bool read_ready(const char *ready, char address[static 32]) {
	FILE *f = fopen(ready, "r");
	bool whole;

	if (f == NULL)
		return false;
	whole = fgets(address, 32, f) != NULL;
	fclose(f);
	address[strcspn(address, "\n")] = '\0';
	return whole;
}

static void launch(struct drive *d, const char *listen, const char *const options[]) {
	const struct timespec nap = { .tv_nsec = 50000000 };
	char *ready = xasprintf("%s.ready", d->state), address[32] = "";
	bool tls = false;

	for (size_t i = 0; options != NULL && options[i] != NULL; i++)
		tls = tls || strcmp(options[i], "-tls") == 0;
	(void)unlink(ready);
	d->pid = fork();
	if (d->pid < 0)
		die("fork");
	if (d->pid == 0)
		become(d, ready, listen, options);
	for (int i = 0; !read_ready(ready, address); i++) {
		if (i == READY_TRIES || waitpid(d->pid, NULL, WNOHANG) != 0)
			die("it does not serve");
		nanosleep(&nap, NULL);
	}
	snprintf(d->url, sizeof(d->url), "%s://%s", tls ? "https" : "http", address);
	free(ready);
}

/* A port that nobody else is given while the emulator is away between two starts: bound here, listened on by it. */
static int keep_port(char address[static 32]) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) != 0 ||
	    bind(fd, (struct sockaddr *)&a, len) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		die("no port");
	snprintf(address, 32, "127.0.0.1:%d", ntohs(a.sin_port));
	return fd;
}

void drive_start(struct drive *d, const char *dir, const char *const options[]) {
	char address[32];

	memset(d, 0, sizeof(*d));
	d->state = xasprintf("%s/drive", dir);
	d->port = keep_port(address);
	launch(d, address, options);
}

static void end(struct drive *d) {
	if (d->pid <= 0)
		return;
	kill(d->pid, SIGKILL);
	while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
		;
	d->pid = 0;
}

void drive_restart(struct drive *d, const char *const options[]) {
	char *address = xstrdup(strstr(d->url, "//") + 2);

	end(d);
	launch(d, address, options);
	free(address);
}

void drive_stop(struct drive *d) {
	end(d);
	if (d->state != NULL)
		close(d->port);
	free(d->state);
	memset(d, 0, sizeof(*d));
}

static size_t take(char *data, size_t size, size_t n, void *arg) {
	buf_add(arg, data, size * n);
	return size * n;
}

json_t *drive_control(const struct drive *d, const char *command, const char *arguments) {
	char *url = xasprintf("%s/_control/%s", d->url, command);
	struct buf reply = {0};
	CURL *c = curl_easy_init();
	json_t *answer;
	long status = 0;

	if (c == NULL)
		die("no curl handle");
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, arguments);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L); /* the test's own process, under the test's certificate */
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &reply);
	if (curl_easy_perform(c) != CURLE_OK)
		die("the control request failed");
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		die(buf_str(&reply));
	answer = json_loads(buf_str(&reply), 0, NULL);
	if (answer == NULL)
		die("the control answer is no JSON");
	curl_easy_cleanup(c);
	buf_wipe(&reply);
	free(url);
	return answer;
}

static char *ask(const struct drive *d, const char *command, const char *name, const char *arguments) {
	json_t *answer = drive_control(d, command, arguments);
	const char *value = json_string_value(json_object_get(answer, name));
	char *copy;

	if (value == NULL)
		die(command);
	copy = xstrdup(value);
	json_decref(answer);
	return copy;
}

char *drive_token(const struct drive *d, const char *account) {
	char *arguments = xasprintf("{\"account\": \"%s\"}", account), *token;

	token = ask(d, "token", "access_token", arguments);
	free(arguments);
	return token;
}

char *drive_folder(const struct drive *d, const char *account, const char *name) {
	char *arguments = xasprintf("{\"account\": \"%s\", \"name\": \"%s\"}", account, name), *id;

	id = ask(d, "folder", "id", arguments);
	free(arguments);
	return id;
}

json_int_t drive_requests(const struct drive *d, const char *kind) {
	json_t *stats = drive_control(d, "stats", "{}");
	json_t *n = kind == NULL ? json_object_get(stats, "total") : json_object_get(json_object_get(stats, "requests"), kind);
	json_int_t found = json_integer_value(n);

	json_decref(stats);
	return found;
}
