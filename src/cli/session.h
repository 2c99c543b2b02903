/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command in one sandbox, as the person at the terminal sees it.
 *
 * Theory. The session owns the event loop of `caponier run` and `shell`. It
 * waits for the sandbox to be ready, copies files in, starts the command and
 * then only carries: stdin in, stdout and stderr out, signals and window
 * sizes in, until the command's end event or the sandbox's own end. Four
 * connections to api.sock: files, the Start stream, the stdin stream, and
 * small calls (signals, sizes, end of input), one at a time each.
 *
 * Invariants.
 *  1. Exactly one outcome: the command's end, the sandbox's end, or a
 *     sentence.
 *  2. Nothing is read from stdin before there is room to send it on; nothing
 *     is read from the sandbox before stdout or stderr can take it.
 */
#ifndef CPN_CLI_SESSION_H
#define CPN_CLI_SESSION_H

#include <termios.h>

#include "base/err.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "client/api.h"
#include "ev/ev.h"
#include "launch/launch.h"

/* What to do in the sandbox; all borrowed. */
struct session_request {
	char *const *argv; /* NULL-terminated; the command */
	const char *user;
	const char *workdir;		 /* NULL: the user's home */
	const struct option_list *env;	 /* NAME=VALUE */
	const struct option_list *files; /* SRC[:DST] */
	bool wants_pty;
	bool no_stdin;
	bool drops_output;
};

struct session_result {
	int exit_code;	  /* the command's, or -1 */
	int signal;	  /* that ended the command, or 0 */
	enum cause cause; /* always set */
	char detail[CONTROL_DETAIL_BYTES];
	unsigned create_ms;
	unsigned first_output_ms; /* 0: none came */
	unsigned boot_ms;
};

/**
 * session_run() - carry one command from start to end
 * @sandbox:  launched; stopped and reaped by the caller
 * @start_ns: CLOCK_BOOTTIME of the create, for the result's times
 * @ret:      always set
 *
 * Return: 0 with the command's or the sandbox's outcome; -errno with a
 * sentence if Caponier failed.
 * Context: main thread; blocks until the end.
 */
int session_run(struct launched *sandbox, const char *token,
		const struct session_request *request, uint64_t start_ns,
		struct session_result *ret, struct err *e) MUST_CHECK;

#endif
