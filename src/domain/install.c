// SPDX-License-Identifier: Apache-2.0
// Where the project's own files lie.

#include "domain/install.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHIM "caponier-shim"

static int join(char ret[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(ret, PATH_MAX, "%s/%s", dir, name);

	return n >= 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int has(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return join(path, dir, name) == 0 && access(path, F_OK) == 0;
}

int install_find(struct install *ret, struct err *e)
{
	static const struct {
		const char *programs;
		const char *images;
	} layouts[] = {
		{ "", "../images" },
		{ "../libexec/caponier", "../share/caponier/images" },
	};
	char here[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);
	char *slash = NULL;

	if (n < 0)
		return neg_errno();
	here[n] = '\0';
	slash = strrchr(here, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		struct install found = { { 0 }, { 0 } };

		TRY(join(found.programs, here, layouts[i].programs));
		TRY(join(found.images, here, layouts[i].images));
		if (has(found.programs, SHIM) && has(found.images, "root.sh")) {
			*ret = found;
			return 0;
		}
	}
	return err_set(e, -ENOENT,
		       "cannot find Caponier's own programs beside %s: " SHIM
		       " or images/root.sh is missing; run ./dev build, or "
		       "install again with ./dev install",
		       here);
}
