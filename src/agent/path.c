// SPDX-License-Identifier: Apache-2.0
// Paths as clients write them.

#include "agent/path.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Appends one part to the absolute path in @at (no trailing slash). */
static int add_part(char *at, size_t cap, const char *part, size_t len)
{
	size_t used = strlen(at);
	char *slash = NULL;

	if (len == 0 || (len == 1 && part[0] == '.'))
		return 0;
	if (len == 2 && part[0] == '.' && part[1] == '.') {
		slash = strrchr(at, '/');
		if (slash != NULL)
			*slash = '\0';
		return 0;
	}
	if (len > NAME_MAX || used + len + 2 > cap)
		return -ENAMETOOLONG;
	at[used] = '/';
	memcpy(at + used + 1, part, len);
	at[used + 1 + len] = '\0';
	return 0;
}

static int add_parts(char *at, size_t cap, const char *path)
{
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		TRY(add_part(at, cap, path, len));
		path += len;
		path += *path == '/';
	}
	return 0;
}

int path_resolve(const char *path, const char *home, const char *workdir,
		 char *ret, size_t cap)
{
	char at[PATH_MAX] = "";

	if (path[0] == '\0')
		path = workdir;
	if (path[0] == '~' && path[1] != '/' && path[1] != '\0')
		return -EINVAL;
	if (path[0] != '/')
		TRY(add_parts(at, sizeof(at), home));
	TRY(add_parts(at, sizeof(at), path[0] == '~' ? path + 1 : path));
	if (at[0] == '\0')
		at[0] = '/';
	if (strlen(at) >= cap)
		return -ENAMETOOLONG;
	memcpy(ret, at, strlen(at) + 1);
	return 0;
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}
