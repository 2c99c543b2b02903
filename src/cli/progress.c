// SPDX-License-Identifier: Apache-2.0
// A progress line on stderr.

#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

/* Elsewhere than on a terminal a line every so often is enough. */
#define QUIET_NS (5 * NS_PER_S)

void progress_init(struct progress *p)
{
	*p = (struct progress){ .is_terminal = isatty(STDERR_FILENO) != 0 };
}

void progress_show(void *owner, unsigned pct, int seconds_left,
		   const char *text)
{
	struct progress *p = owner;
	uint64_t now = clock_boot_ns();
	char left[32] = "";

	if (!p->is_terminal && p->has_printed && now - p->last_ns < QUIET_NS)
		return;
	if (seconds_left >= 0)
		(void)snprintf(left, sizeof(left), " %ds left", seconds_left);
	(void)fprintf(stderr, "%s[%3u%%%s] %.100s%s",
		      p->is_terminal ? "\r\033[K" : "", pct, left, text,
		      p->is_terminal ? "" : "\n");
	p->last_ns = now;
	p->last_pct = pct;
	p->has_printed = true;
}

void progress_done(struct progress *p)
{
	if (p->is_terminal && p->has_printed)
		(void)fputs("\r\033[K", stderr);
}
