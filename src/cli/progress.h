/* SPDX-License-Identifier: Apache-2.0 */
/* A progress line: in place on a terminal, now and then elsewhere. */
#ifndef CPN_CLI_PROGRESS_H
#define CPN_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	uint64_t last_ns;
	unsigned last_pct;
	bool is_terminal;
	bool has_printed;
};

/**
 * progress_init() - a progress line on stderr
 * Context: main thread.
 */
void progress_init(struct progress *p);

/**
 * progress_show() - show how far something is
 * @owner: struct progress; the shape fits recipe_progress_fn
 * @seconds_left: negative if unknown
 * Context: main thread.
 */
void progress_show(void *owner, unsigned pct, int seconds_left,
		   const char *text);

/**
 * progress_done() - end the line
 * Context: main thread.
 */
void progress_done(struct progress *p);

#endif
