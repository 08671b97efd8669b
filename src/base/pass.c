/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pass.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

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

static int ask(int tty, const char *prompt, const char *what, struct secret *out, struct err *e) {
	OWN(own_free) char *text = xasprintf("%s %s: ", prompt, what);
	struct termios old, quiet;
	int r;

	if (tcgetattr(tty, &old) != 0)
		return err_sys(e, ERR_FAIL, "terminal");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	r = file_write_all(tty, text, strlen(text), "terminal", e);
	if (r == 0 && tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
		r = err_sys(e, ERR_FAIL, "terminal");
	if (r != 0)
		return r;
	r = take_line(tty, "terminal", out, e);
	/* The newline that was typed did not show. */
	if (tcsetattr(tty, TCSAFLUSH, &old) != 0 || write(tty, "\n", 1) != 1)
		return r != 0 ? r : err_sys(e, ERR_FAIL, "terminal");
	return r;
}

static int prompt(const char *what, bool confirm, struct secret *out, struct err *e) {
	OWN(own_fd) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	OWN(secret_wipe) struct secret again = {0};
	int r;

	if (tty < 0)
		return err_set(e, ERR_USAGE, "%s needs a passphrase and there is no terminal to ask on: give a passphrase source"
		    " (pass:, env:, file:, fd:, stdin)", what);
	r = ask(tty, confirm ? "New passphrase for" : "Passphrase for", what, out, e);
	if (r != 0 || !confirm)
		return r;
	r = ask(tty, "Again, passphrase for", what, &again, e);
	if (r == 0 && !secret_equal(out, &again))
		r = err_set(e, ERR_FAIL, "the two passphrases differ");
	if (r != 0)
		secret_wipe(out);
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
