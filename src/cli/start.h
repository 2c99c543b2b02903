/* SPDX-License-Identifier: Apache-2.0 */
/* From options to a sandbox: what `run` and `shell` have in common. */
#ifndef CPN_CLI_START_H
#define CPN_CLI_START_H

#include "base/err.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "domain/home.h"
#include "domain/install.h"
#include "engine/choose.h"
#include "image/template.h"

struct start_options {
	const char *template_name;
	const char *isolation;
	const char *min_isolation;
	unsigned cpu_pct; /* 0: the default */
	unsigned mem_mib;
	unsigned disk_mib;
	unsigned timeout_s;
	struct option_list env;
	struct option_list files;
	const char *workdir;
	const char *user;
	bool no_snapshot;
	bool no_rebuild;
	bool is_quiet;
	bool is_json;
	bool no_stdin;
};

#define START_DEFAULTS                                                         \
	((struct start_options){                                               \
		.template_name = "base",                                       \
		.isolation = "auto",                                           \
		.user = "user",                                                \
	})

/* What became of it, for the closing lines and --json. */
struct start_outcome {
	char id[SANDBOX_ID_BYTES];
	struct probe engine;
	struct session_result result;
	bool is_restored;
	unsigned retries;
};

/**
 * start_and_run() - make a sandbox, run one command in it, end it
 * @argv:      NULL-terminated command
 * @wants_pty: whether it gets a terminal
 * @ret:       always set
 *
 * Return: 0 with an outcome; -errno with a sentence if Caponier failed.
 * Nothing of the sandbox is left in either case.
 * Context: main thread; blocks.
 */
int start_and_run(const struct start_options *options, char *const *argv,
		  bool wants_pty, struct start_outcome *ret,
		  struct err *e) MUST_CHECK;

/**
 * start_exit_status() - the exit status that tells an outcome
 *
 * Return: 0..255.
 * Context: any thread.
 */
int start_exit_status(const struct start_outcome *outcome);

/**
 * start_report() - say how it ended, on stderr
 *
 * With --json one object; else a line for the tier and, unless the command
 * simply exited, one for the cause.
 * Context: main thread.
 */
void start_report(const struct start_options *options,
		  const struct start_outcome *outcome);

#endif
