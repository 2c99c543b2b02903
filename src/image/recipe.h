/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the build scripts under images/ side by side.
 *
 * A script says on stdout how far it is: "@ PCT SECONDS_LEFT TEXT", and when
 * it fails "! ASKED | IN THE WAY | TO DO". Nothing else is understood.
 */
#ifndef CPN_IMAGE_RECIPE_H
#define CPN_IMAGE_RECIPE_H

#include "base/err.h"
#include "base/macros.h"

enum { RECIPE_ARGS_MAX = 3, RECIPE_JOBS_MAX = 4 };

struct recipe_job {
	const char *title;		       /* for the progress line */
	const char *script;		       /* absolute path */
	const char *args[RECIPE_ARGS_MAX + 1]; /* NULL-terminated */
	unsigned weight;		       /* share of the whole work */
};

/* Called now and then; @seconds_left is negative if unknown. */
typedef void recipe_progress_fn(void *owner, unsigned pct, int seconds_left,
				const char *text);

/**
 * recipe_run() - run jobs side by side until all have ended
 * @jobs:     borrowed
 * @count:    1..RECIPE_JOBS_MAX
 * @progress: NULL for none
 *
 * When one fails the others are stopped (SIGTERM, which they answer by
 * removing what is half-made).
 *
 * Return: 0 if all succeeded; -ECANCELED with the failed script's sentence;
 * -errno.
 * Context: blocks; children are reaped.
 */
int recipe_run(const struct recipe_job *jobs, size_t count,
	       recipe_progress_fn *progress, void *owner,
	       struct err *e) MUST_CHECK;

#endif
