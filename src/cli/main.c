// SPDX-License-Identifier: Apache-2.0
// The command line: a table of verbs.

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

static const struct verb verbs[] = {
	{ "run", "[OPTIONS] -- CMD [ARG...]",
	  "run a command in a sandbox of its own", run_options, verb_run },
	{ "shell", "[OPTIONS]", "open a terminal in a sandbox of its own",
	  shell_options, verb_shell },
	{ "template", "build|ls|rm [OPTIONS] [NAME]",
	  "what sandboxes are made from", template_options, verb_template },
	{ "doctor", "[OPTIONS]", "what this host can isolate, and why",
	  doctor_options, verb_doctor },
	{ "version", "", "print the version", version_options, verb_version },
};

static void print_verbs(FILE *out)
{
	(void)fputs("usage: caponier VERB [OPTIONS] ...\n\n", out);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		(void)fprintf(out, "  %-10s %s\n", verbs[i].name,
			      verbs[i].help);
	(void)fputs("\ncaponier VERB --help tells a verb's options.\n"
		    "State lies in $CAPONIER_HOME. Exit status 125: Caponier "
		    "itself failed;\n124: the time limit; 128+n: signal n; "
		    "else the command's own.\n",
		    out);
}

static void print_usage(const struct verb *verb)
{
	(void)printf("usage: caponier %s %s\n%s\n\n", verb->name, verb->usage,
		     verb->help);
	for (const struct option_row *row = verb->options; row->name != NULL;
	     row++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s%s%s", row->name,
			       row->value != NULL ? " " : "",
			       row->value != NULL ? row->value : "");
		(void)printf("  %-28s %s\n", left, row->help);
	}
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	if (argc < 2) {
		print_verbs(stderr);
		return EXIT_CAPONIER;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_verbs(stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (wants_help(argc - 1, argv + 1)) {
			print_usage(&verbs[i]);
			return 0;
		}
		return verbs[i].run(argc - 1, argv + 1);
	}
	(void)fprintf(stderr,
		      "caponier: cannot do \"%s\": there is no such verb; see "
		      "caponier help\n",
		      argv[1]);
	return EXIT_CAPONIER;
}
