/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pass.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ui.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"

#define PASS_MAX 1024 /* what a person or a password manager gives */

static int take(const char *data, size_t len, struct secret *out, struct err *e) {
	if (len == 0 || len > PASS_MAX)
		return err_set(e, ERR_USAGE, "a passphrase has 1 to %d bytes", PASS_MAX);
	return secret_copy(out, (const uint8_t *)data, len, e);
}

/* The first line of fd, read byte by byte so that the next reader finds what follows. */
static int take_line(int fd, const char *what, struct secret *out, struct err *e) {
	char line[PASS_MAX + 2];
	size_t len = 0, got = 0;
	int r = 0;

	while (len < sizeof(line)) {
		r = file_read_full(fd, line + len, 1, &got, what, e);
		if (r != 0 || got == 0 || line[len] == '\n')
			break;
		len++;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (r == 0)
		r = take(line, len, out, e);
	secret_clean(line, sizeof(line));
	return r;
}

static int from_file(const char *path, struct secret *out, struct err *e) {
	OWN(own_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	OWN(buf_wipe) struct buf shown = {0};

	if (fd < 0) {
		int r = err_sys(e, ERR_FAIL, "cannot open the passphrase file");

		text_escape(path, strlen(path), &shown);
		(void)err_add(e, "%s", buf_str(&shown));
		return r;
	}
	return take_line(fd, "passphrase file", out, e);
}

static int from_env(const char *name, struct secret *out, struct err *e) {
	const char *v = getenv(name);

	if (v == NULL)
		return err_set(e, ERR_USAGE, "the environment variable that should hold the passphrase is not set");
	return take(v, strlen(v), out, e);
}

static int from_fd(const char *number, struct secret *out, struct err *e) {
	uint64_t fd;

	if (text_u64(number, 1 << 20, &fd, e) != 0)
		return err_set(e, ERR_USAGE, "fd: wants the number of an open descriptor");
	return take_line((int)fd, "passphrase descriptor", out, e);
}

/* OpenSSL's own prompt: without echo, and the terminal is put right again whatever signal comes. */
static int ask(UI *ui, const char *what, bool confirm, char *line, char *again, struct err *e) {
	OWN(own_free) char *first = xasprintf("%s %s: ", confirm ? "New passphrase for" : "Passphrase for", what);
	OWN(own_free) char *second = xasprintf("Again, passphrase for %s: ", what);
	int r;

	if (UI_add_input_string(ui, first, 0, line, 0, PASS_MAX) <= 0 ||
	    (confirm && UI_add_input_string(ui, second, 0, again, 0, PASS_MAX) <= 0))
		return err_set(e, ERR_FAIL, "cannot ask for a passphrase");
	r = UI_process(ui);
	ERR_clear_error();
	if (r != 0)
		return err_set(e, ERR_FAIL, "no passphrase was given");
	if (confirm && strcmp(line, again) != 0)
		return err_set(e, ERR_FAIL, "the two passphrases differ");
	return 0;
}

static int prompt(const char *what, bool confirm, struct secret *out, struct err *e) {
	OWN(own_fd) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char line[PASS_MAX + 1] = "", again[PASS_MAX + 1] = "";
	UI *ui;
	int r;

	if (tty < 0)
		return err_set(e, ERR_USAGE, "a passphrase is needed and there is no terminal to ask on: give a passphrase source"
		    " (pass:, env:, file:, fd:, stdin)");
	if ((ui = UI_new_method(UI_OpenSSL())) == NULL)
		return err_set(e, ERR_FAIL, "cannot ask for a passphrase");
	r = ask(ui, what, confirm, line, again, e);
	UI_free(ui);
	if (r == 0)
		r = take(line, strlen(line), out, e);
	secret_clean(line, sizeof(line));
	secret_clean(again, sizeof(again));
	return r;
}

int pass_read(const char *arg, const char *what, bool confirm, struct secret *out, struct err *e) {
	if (arg == NULL)
		return prompt(what, confirm, out, e);
	if (strncmp(arg, "pass:", 5) == 0)
		return take(arg + 5, strlen(arg + 5), out, e);
	if (strncmp(arg, "env:", 4) == 0)
		return from_env(arg + 4, out, e);
	if (strncmp(arg, "file:", 5) == 0)
		return from_file(arg + 5, out, e);
	if (strncmp(arg, "fd:", 3) == 0)
		return from_fd(arg + 3, out, e);
	if (strcmp(arg, "stdin") == 0)
		return take_line(STDIN_FILENO, "standard input", out, e);
	return err_set(e, ERR_USAGE, "a passphrase source is pass:TEXT, env:VARIABLE, file:PATH, fd:NUMBER or stdin");
}
