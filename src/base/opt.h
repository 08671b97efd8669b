/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines in the style of openssl: a subcommand, then single-dash long options, all from tables. */
#ifndef SCG_BASE_OPT_H
#define SCG_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum opt_kind {
	OPT_FLAG, /* bool */
	OPT_TEXT, /* const char * (borrowed from argv) */
	OPT_U64,  /* uint64_t within min..max */
};

struct opt {
	const char *name;  /* without the dash; the table ends with NULL */
	enum opt_kind kind;
	size_t off;        /* offset in the plan */
	const char *arg;   /* what stands for the value in help ("FILE"); NULL for flags */
	const char *help;  /* one line */
	bool required;
	unsigned group;    /* not 0: at most one option of the same group may be given; exactly one if they are required */
	uint64_t min, max; /* OPT_U64 (max 0: no bound) */
};

struct opt_operands {
	char **v; /* what stood among and behind the options; "--" ends options */
	int n;
};

struct opt_command {
	const char *name;      /* the table ends with NULL */
	const char *summary;   /* one line */
	const char *operands;  /* "NAME..." for help, NULL: none allowed */
	int min_operands, max_operands; /* max -1: any number */
	const struct opt *opts;
	size_t plan_size;      /* zeroed plan handed to run; options that were not given keep 0 */
	int (*run)(void *plan, const struct opt_operands *operands, struct err *e);
};

/* Parses argv[0..argc) (behind the subcommand) into plan. ERR_USAGE: unknown, repeated, contradictory, missing option, missing or
 * surplus operand, number out of bounds. operands->v is malloc'd (free it), its strings are borrowed. */
int opt_parse(const struct opt_command *c, int argc, char **argv, void *plan, struct opt_operands *operands, struct err *e) MUST_CHECK;

/* A whole main: hardens the process, ignores SIGPIPE and SIGXFSZ, finds the subcommand, answers -help and -version, parses, runs, prints
 * "PROGRAM: text" on standard error if it fails, flushes standard output (a failed flush is a failure). Returns the exit status. */
int opt_main(const char *program, const char *summary, const struct opt_command *commands, int argc, char **argv);

/* -dir's default: $SCG_DIR, then $XDG_CONFIG_HOME/scg, then $HOME/.config/scg; malloc'd. given may be NULL. */
int opt_dir(const char *given, char **dir, struct err *e) MUST_CHECK;

#endif
