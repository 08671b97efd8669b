/* SPDX-License-Identifier: Apache-2.0 */
#include "base/opt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "config.h"

#define HELP_COLUMN 20 /* where the explanation of an option begins */

static size_t count_opts(const struct opt *opts) {
	size_t n = 0;

	while (opts != NULL && opts[n].name != NULL)
		n++;
	return n;
}

static const struct opt *find_opt(const struct opt *opts, const char *arg) {
	if (arg[0] != '-')
		return NULL;
	for (; opts != NULL && opts->name != NULL; opts++)
		if (strcmp(opts->name, arg + 1) == 0)
			return opts;
	return NULL;
}

/* An error about an argument, whose bytes may be anything. */
static int bad_arg(struct err *e, const char *what, const char *arg) {
	OWN(buf_wipe) struct buf b = { 0 };

	text_escape(arg, strlen(arg), &b);
	return err_set(e, ERR_USAGE, "%s %s", what, buf_str(&b));
}

static int store_number(const struct opt *o, const char *value, uint64_t *out, struct err *e) {
	uint64_t max = o->max != 0 ? o->max : UINT64_MAX;

	if (text_u64(value, max, out, NULL) == 0 && *out >= o->min)
		return 0;
	if (o->max == 0)
		return err_set(e, ERR_USAGE, "option -%s needs a number from %llu on", o->name, (unsigned long long)o->min);
	return err_set(e, ERR_USAGE, "option -%s needs a number from %llu to %llu", o->name, (unsigned long long)o->min,
		       (unsigned long long)o->max);
}

static int store_value(const struct opt *o, const char *value, void *plan, struct err *e) {
	void *field = (char *)plan + o->off;

	if (o->kind == OPT_U64)
		return store_number(o, value, field, e);
	memcpy(field, &value, sizeof value);
	return 0;
}

static int check_groups(const struct opt *opts, const bool *given, size_t at, struct err *e) {
	for (size_t i = 0; i < at; i++)
		if (given[i] && opts[i].group != 0 && opts[i].group == opts[at].group)
			return err_set(e, ERR_USAGE, "options -%s and -%s contradict each other", opts[i].name, opts[at].name);
	return 0;
}

/* One of a group is enough where its members are required. */
static bool is_satisfied(const struct opt *opts, const bool *given, size_t n, size_t at) {
	if (!opts[at].required || given[at])
		return true;
	for (size_t i = 0; i < n; i++)
		if (given[i] && opts[at].group != 0 && opts[i].group == opts[at].group)
			return true;
	return false;
}

static int check_given(const struct opt *opts, const bool *given, size_t n, struct err *e) {
	int r;

	for (size_t i = 0; i < n; i++) {
		if (given[i] && (r = check_groups(opts, given, i, e)) != 0)
			return r;
		if (!is_satisfied(opts, given, n, i))
			return err_set(e, ERR_USAGE, "option -%s is missing", opts[i].name);
	}
	return 0;
}

static int check_operands(const struct opt_command *c, const struct opt_operands *operands, struct err *e) {
	if (c->max_operands >= 0 && operands->n > c->max_operands)
		return bad_arg(e, "surplus argument", operands->v[c->max_operands]);
	if (operands->n < c->min_operands)
		return err_set(e, ERR_USAGE, "%s is missing", c->operands != NULL ? c->operands : "an argument");
	return 0;
}

/* Takes the option at argv[*i] and its value, moving *i to the last one taken. */
static int take_opt(const struct opt_command *c, int argc, char **argv, int *i, bool *given, void *plan, struct err *e) {
	const struct opt *o = find_opt(c->opts, argv[*i]);

	if (o == NULL)
		return bad_arg(e, "unknown option", argv[*i]);
	if (given[o - c->opts])
		return err_set(e, ERR_USAGE, "option -%s is repeated", o->name);
	given[o - c->opts] = true;
	if (o->kind == OPT_FLAG) {
		*((bool *)((char *)plan + o->off)) = true;
		return 0;
	}
	/* "-in -out x" is a forgotten value; a file of that name can be written "./-out" */
	if (*i + 1 >= argc || find_opt(c->opts, argv[*i + 1]) != NULL)
		return err_set(e, ERR_USAGE, "option -%s needs %s", o->name, o->arg != NULL ? o->arg : "a value");
	return store_value(o, argv[++*i], plan, e);
}

int opt_parse(const struct opt_command *c, int argc, char **argv, void *plan, struct opt_operands *operands, struct err *e) {
	size_t n = count_opts(c->opts);
	OWN(own_free) bool *given = xcalloc(n + 1, sizeof *given);
	bool ended = false;
	int r;

	operands->n = 0;
	operands->v = xcalloc((size_t)argc + 1, sizeof *operands->v);
	for (int i = 0; i < argc; i++) {
		if (ended || argv[i][0] != '-' || argv[i][1] == '\0')
			operands->v[operands->n++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			ended = true;
		else if ((r = take_opt(c, argc, argv, &i, given, plan, e)) != 0)
			return r;
	}
	if ((r = check_given(c->opts, given, n, e)) != 0)
		return r;
	return check_operands(c, operands, e);
}

static void add_spelling(struct buf *b, const struct opt *o) {
	buf_addf(b, "-%s", o->name);
	if (o->kind != OPT_FLAG)
		buf_addf(b, " %s", o->arg != NULL ? o->arg : "VALUE");
}

/* The options of a group stand together where its first one is: "(-name NAME | -serial HEX)". */
static void add_synopsis(struct buf *b, const struct opt *opts, size_t at) {
	const struct opt *o = &opts[at];

	for (size_t i = 0; i < at; i++)
		if (o->group != 0 && opts[i].group == o->group)
			return;
	buf_adds(b, !o->required ? " [" : o->group != 0 ? " (" : " ");
	add_spelling(b, o);
	for (size_t i = at + 1; opts[i].name != NULL; i++) {
		if (o->group == 0 || opts[i].group != o->group)
			continue;
		buf_adds(b, " | ");
		add_spelling(b, &opts[i]);
	}
	buf_adds(b, !o->required ? "]" : o->group != 0 ? ")" : "");
}

static void add_explained(struct buf *b, size_t begin, const char *text) {
	if (b->len - begin + 1 > HELP_COLUMN) {
		buf_addc(b, '\n');
		begin = b->len;
	}
	while (b->len - begin < HELP_COLUMN)
		buf_addc(b, ' ');
	buf_addf(b, "%s\n", text);
}

static void add_command_help(struct buf *b, const char *program, const struct opt_command *c) {
	size_t n = count_opts(c->opts);

	buf_addf(b, "usage: %s %s", program, c->name);
	for (size_t i = 0; i < n; i++)
		add_synopsis(b, c->opts, i);
	if (c->operands != NULL)
		buf_addf(b, " %s", c->operands);
	buf_addf(b, "\n%s\n\n", c->summary);
	for (size_t i = 0; i < n; i++) {
		size_t begin = b->len;

		buf_adds(b, "  ");
		add_spelling(b, &c->opts[i]);
		add_explained(b, begin, c->opts[i].help);
	}
}

static void add_program_help(struct buf *b, const char *program, const char *summary, const struct opt_command *commands) {
	buf_addf(b, "usage: %s COMMAND [options]\n%s\n\n", program, summary);
	for (; commands->name != NULL; commands++) {
		size_t begin = b->len;

		buf_addf(b, "  %s", commands->name);
		add_explained(b, begin, commands->summary);
	}
	buf_addf(b, "\n%s COMMAND -help explains the options of a command.\n", program);
}

static bool is_any(const char *arg, const char *name) {
	return arg[0] == '-' && (strcmp(arg + 1, name) == 0 || (arg[1] == '-' && strcmp(arg + 2, name) == 0));
}

static bool asks_help(int argc, char **argv) {
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is_any(argv[i], "help"))
			return true;
	return false;
}

/* A closed standard stream would give its number to the next file opened, which then receives our messages. It is filled so that
 * using it still fails: reading from what is open for writing only, and the other way round. */
static int fill_std_fds(struct err *e) {
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_NOCTTY) != fd)
			return err_sys(e, ERR_FAIL, "/dev/null");
	}
	return 0;
}

static int print_help(const struct buf *b, struct err *e) {
	return fputs(buf_str(b), stdout) != EOF ? 0 : err_sys(e, ERR_FAIL, "standard output");
}

static int point_to_help(const char *program, const struct opt_command *c, struct err *e) {
	struct err cause = *e;

	return err_set(e, cause.code, "%s (see %s %s -help)", cause.text, program, c->name);
}

static int run_command(const char *program, const struct opt_command *c, int argc, char **argv, struct err *e) {
	OWN(own_free) void *plan = xcalloc(1, c->plan_size + 1);
	struct opt_operands operands = { 0 };
	int r;

	if (asks_help(argc, argv)) {
		OWN(buf_wipe) struct buf b = { 0 };

		add_command_help(&b, program, c);
		return print_help(&b, e);
	}
	if (opt_parse(c, argc, argv, plan, &operands, e) != 0)
		r = point_to_help(program, c, e);
	else
		r = c->run(plan, &operands, e);
	free(operands.v);
	return r;
}

static int dispatch(const char *program, const char *summary, const struct opt_command *commands, int argc, char **argv,
		    struct err *e) {
	OWN(buf_wipe) struct buf b = { 0 };

	if (argc < 2)
		return err_set(e, ERR_USAGE, "no command given (see %s -help)", program);
	if (is_any(argv[1], "help") || strcmp(argv[1], "help") == 0) {
		add_program_help(&b, program, summary, commands);
		return print_help(&b, e);
	}
	if (is_any(argv[1], "version")) {
		buf_addf(&b, "%s %s\n", program, PACKAGE_VERSION);
		return print_help(&b, e);
	}
	for (const struct opt_command *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, argv[1]) == 0)
			return run_command(program, c, argc - 2, argv + 2, e);
	text_escape(argv[1], strlen(argv[1]), &b);
	return err_set(e, ERR_USAGE, "unknown command %s (see %s -help)", buf_str(&b), program);
}

/* A text names files, whose names may hold anything: none of it may drive the terminal or make a second line. */
static void print_error(const char *program, const char *text) {
	OWN(buf_wipe) struct buf b = { 0 };
	size_t len = strlen(text);

	if (text_is_utf8(text, len) && !text_has_control(text, len))
		buf_adds(&b, text);
	else
		text_escape(text, len, &b);
	(void)fprintf(stderr, "%s: %s\n", program, buf_str(&b));
}

int opt_main(const char *program, const char *summary, const struct opt_command *commands, int argc, char **argv) {
	struct err e = ERR_INIT;
	int r;

	secret_harden_process();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of write(), as a full disk is */
	if ((r = fill_std_fds(&e)) == 0)
		r = dispatch(program, summary, commands, argc, argv, &e);
	if ((fflush(stdout) != 0 || ferror(stdout) != 0) && r == 0)
		r = err_sys(&e, ERR_FAIL, "standard output");
	if (r != 0)
		print_error(program, e.text);
	return err_status(r);
}

int opt_dir(const char *given, char **dir, struct err *e) {
	const char *scg = getenv("SCG_DIR"), *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (given == NULL && scg != NULL && scg[0] != '\0')
		given = scg;
	if (given != NULL)
		*dir = xstrdup(given);
	else if (xdg != NULL && xdg[0] == '/')
		*dir = xasprintf("%s/scg", xdg); /* the XDG base directory specification ignores relative ones */
	else if (home != NULL && home[0] == '/')
		*dir = xasprintf("%s/.config/scg", home);
	else
		return err_set(e, ERR_USAGE, "option -dir is missing, and neither SCG_DIR nor HOME is set");
	return 0;
}
