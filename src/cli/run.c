// SPDX-License-Identifier: Apache-2.0
// caponier run and caponier shell.

#include <stddef.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "cli/start.h"

#define AT(field) offsetof(struct start_options, field)

/* The rows both verbs have. */
#define COMMON_ROWS                                                            \
	{ "template", "NAME", OPTION_TEXT, AT(template_name),                  \
	  "what to start from (base)" },                                       \
		{ "isolation", "KIND", OPTION_TEXT, AT(isolation),             \
		  "auto, a tier or an engine (auto)" },                        \
		{ "min-isolation", "TIER", OPTION_TEXT, AT(min_isolation),     \
		  "refuse anything weaker" },                                  \
		{ "cpu", "N", OPTION_CPUS, AT(cpu_pct),                        \
		  "CPUs, such as 0.5 (1)" },                                   \
		{ "mem", "SIZE", OPTION_MIB, AT(mem_mib), "memory (512M)" },   \
		{ "disk", "SIZE", OPTION_MIB, AT(disk_mib), "disk (8G)" },     \
		{ "timeout", "SECONDS", OPTION_SECONDS, AT(timeout_s),         \
		  "end the sandbox after this long" },                         \
		{ "env", "NAME=VALUE", OPTION_LIST, AT(env),                   \
		  "set a variable; may be given again" },                      \
		{ "file", "SRC[:DST]", OPTION_LIST, AT(files),                 \
		  "copy a file in first; may be given again" },                \
		{ "workdir", "DIR", OPTION_TEXT, AT(workdir),                  \
		  "where the command starts (the user's home)" },              \
		{ "user", "NAME", OPTION_TEXT, AT(user),                       \
		  "who runs it (user)" },                                      \
		{ "no-snapshot", NULL, OPTION_FLAG, AT(no_snapshot),           \
		  "boot the guest instead of cloning a saved one" },           \
		{ "no-rebuild", NULL, OPTION_FLAG, AT(no_rebuild),             \
		  "refuse a damaged template instead of rebuilding it" },      \
		{ "quiet", NULL, OPTION_FLAG, AT(is_quiet),                    \
		  "no line about the tier" }

const struct option_row run_options[] = {
	COMMON_ROWS,
	{ "no-stdin", NULL, OPTION_FLAG, AT(no_stdin),
	  "give the command an empty standard input" },
	{ "json", NULL, OPTION_FLAG, AT(is_json),
	  "print one JSON object about the outcome to stderr" },
	{ NULL, NULL, OPTION_FLAG, 0, NULL },
};

const struct option_row shell_options[] = {
	COMMON_ROWS,
	{ NULL, NULL, OPTION_FLAG, 0, NULL },
};

static int finish(const struct start_options *options, int r,
		  const struct start_outcome *outcome, const struct err *e)
{
	if (r < 0)
		return complain(e, r);
	start_report(options, outcome);
	return start_exit_status(outcome);
}

int verb_run(int argc, char **argv)
{
	struct start_options options = START_DEFAULTS;
	struct start_outcome outcome;
	struct err e = { 0 };
	int r = options_parse(run_options, &options, &argc, &argv, "run", &e);

	if (r < 0)
		return complain(&e, r);
	if (argc == 0) {
		(void)err_set(&e, -EINVAL,
			      "cannot run nothing: no command was given; write "
			      "caponier run -- CMD [ARG...]");
		return complain(&e, -EINVAL);
	}
	r = start_and_run(&options, argv, false, &outcome, &e);
	return finish(&options, r, &outcome, &e);
}

/* The terminal carries raw keys while the shell runs. */

struct terminal {
	struct termios saved;
	bool is_raw;
};

static void terminal_restore(struct terminal *t)
{
	if (t->is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	t->is_raw = false;
}

static int terminal_make_raw(struct terminal *t, struct err *e)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return err_set(e, -ENOTTY,
			       "cannot open a shell: standard input is not a "
			       "terminal; use caponier run -- CMD instead");
	raw = t->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return neg_errno();
	t->is_raw = true;
	return 0;
}

int verb_shell(int argc, char **argv)
{
	static char *const command[] = { (char *)(uintptr_t)"/bin/bash",
					 (char *)(uintptr_t)"-il", NULL };
	CLEANUP(terminal_restore)
	struct terminal terminal = { .is_raw = false };
	struct start_options options = START_DEFAULTS;
	struct start_outcome outcome;
	struct err e = { 0 };
	int r = options_parse(shell_options, &options, &argc, &argv, "shell",
			      &e);

	if (r == 0 && argc != 0)
		r = err_set(&e, -EINVAL,
			    "cannot take \"%s\": caponier shell runs a shell "
			    "and nothing else; use caponier run -- CMD",
			    argv[0]);
	if (r == 0)
		r = terminal_make_raw(&terminal, &e);
	if (r == 0)
		r = start_and_run(&options, command, true, &outcome, &e);
	terminal_restore(&terminal);
	return finish(&options, r, &outcome, &e);
}
