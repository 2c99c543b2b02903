// SPDX-License-Identifier: Apache-2.0
// caponier version.

#include <stdio.h>

#include "cli/cli.h"

const struct option_row version_options[] = {
	{ NULL, NULL, OPTION_FLAG, 0, NULL },
};

int verb_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)puts("caponier " CPN_VERSION);
	return 0;
}
