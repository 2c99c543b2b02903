/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of the command line share. */
#ifndef CPN_CLI_CLI_H
#define CPN_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/macros.h"

/* Exit statuses of our own; a command's own are passed through. */
enum {
	EXIT_TIMED_OUT = 124,	/* the sandbox's time limit, as timeout(1) */
	EXIT_CAPONIER = 125,	/* Caponier itself failed */
	EXIT_SIGNAL_BASE = 128, /* + signal number */
};

enum option_type {
	OPTION_FLAG,	/* bool */
	OPTION_TEXT,	/* const char * */
	OPTION_LIST,	/* struct option_list: may be given again */
	OPTION_MIB,	/* unsigned MiB from 512M or 2G */
	OPTION_SECONDS, /* unsigned */
	OPTION_CPUS,	/* unsigned, hundredths of a CPU, from 1.5 */
};

enum { OPTION_LIST_MAX = 128 };

struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t count;
};

/* One row per option: parsing, the usage text and completion come from it. */
struct option_row {
	const char *name;  /* without dashes */
	const char *value; /* what its value is called in the usage, or NULL */
	enum option_type type;
	size_t offset; /* into the struct the options are parsed into */
	const char *help;
};

struct verb {
	const char *name;
	const char *usage; /* what follows the name */
	const char *help;
	const struct option_row *options; /* terminated by a NULL name */
	int (*run)(int argc, char **argv);
};

/**
 * options_parse() - parse options up to the first operand or "--"
 * @rows:    the table
 * @into:    receives the values at the rows' offsets; options not given
 *           leave their place untouched
 * @argc:    in: words; out: words left
 * @argv:    in: words, the verb's name first; out: the first word left
 * @verb:    the verb's name, for sentences
 *
 * Return: 0; -EINVAL with a sentence.
 * Context: main thread; values point into @argv.
 */
int options_parse(const struct option_row *rows, void *into, int *argc,
		  char ***argv, const char *verb, struct err *e) MUST_CHECK;

/**
 * parse_mib() - a size in MiB from 512M or 2G
 * @what: the option's name, for the sentence
 *
 * Return: 0; -EINVAL with a sentence.
 * Context: any thread.
 */
int parse_mib(const char *text, const char *what, unsigned *ret,
	      struct err *e) MUST_CHECK;

/**
 * parse_cpus() - hundredths of a CPU from a decimal such as 0.5 or 2
 *
 * Return: 0; -EINVAL with a sentence.
 * Context: any thread.
 */
int parse_cpus(const char *text, const char *what, unsigned *ret,
	       struct err *e) MUST_CHECK;

/**
 * complain() - print an error sentence to stderr
 *
 * Return: EXIT_CAPONIER, so that verbs can `return complain(...)`.
 * Context: main thread.
 */
int complain(const struct err *e, int code);

/**
 * say() - print a line about what is going on to stderr, unless --quiet
 * Context: main thread.
 */
void say(const char *fmt, ...) PRINTF(1, 2);

extern const struct option_row run_options[];
extern const struct option_row shell_options[];
extern const struct option_row template_options[];
extern const struct option_row doctor_options[];
extern const struct option_row version_options[];

/**
 * verb_run() - caponier run
 *
 * Return: exit status.
 * Context: main thread.
 */
int verb_run(int argc, char **argv);

/**
 * verb_shell() - caponier shell
 *
 * Return: exit status.
 * Context: main thread.
 */
int verb_shell(int argc, char **argv);

/**
 * verb_template() - caponier template
 *
 * Return: exit status.
 * Context: main thread.
 */
int verb_template(int argc, char **argv);

/**
 * verb_doctor() - caponier doctor
 *
 * Return: exit status.
 * Context: main thread.
 */
int verb_doctor(int argc, char **argv);

/**
 * verb_version() - caponier version
 *
 * Return: exit status.
 * Context: main thread.
 */
int verb_version(int argc, char **argv);

#endif
