/* SPDX-License-Identifier: Apache-2.0 */
/* The host's posture: what weakens isolation here, and how old things are. */
#ifndef CPN_CLI_POSTURE_H
#define CPN_CLI_POSTURE_H

#include <stddef.h>

#include "domain/home.h"

enum { POSTURE_MAX = 20, POSTURE_TEXT_BYTES = 320 };

enum posture_state { POSTURE_OK, POSTURE_WARN, POSTURE_BAD, POSTURE_COUNT };

struct posture {
	const char *what;
	enum posture_state state;
	char found[POSTURE_TEXT_BYTES];
	char mend[POSTURE_TEXT_BYTES]; /* "" where nothing is to do */
};

/**
 * posture_all() - look at everything the table lists
 * @ret: receives up to POSTURE_MAX rows
 *
 * Return: how many.
 * Context: blocks briefly.
 */
size_t posture_all(const struct home *home, struct posture ret[POSTURE_MAX]);

#endif
