// SPDX-License-Identifier: Apache-2.0
// Paths as clients write them.

#include "agent/path.h"

#include <limits.h>

#include "tap.h"

static const struct {
	const char *given;
	const char *meant;
} cases[] = {
	{ "", "/work" },
	{ "a.txt", "/home/user/a.txt" },
	{ "./a//b/", "/home/user/a/b" },
	{ "../../../x", "/x" },
	{ "~", "/home/user" },
	{ "~/x", "/home/user/x" },
	{ "/", "/" },
	{ "/..", "/" },
	{ "//etc/./passwd", "/etc/passwd" },
	{ "/a/b/../../c", "/c" },
	{ "...", "/home/user/..." },
	{ "/tmp/~", "/tmp/~" },
};

TEST(paths_are_resolved)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK_EQ(path_resolve(cases[i].given, "/home/user", "/work",
				      path, sizeof(path)),
			 0);
		CHECK_STR(path, cases[i].meant);
	}
}

TEST(what_is_no_path_is_refused)
{
	char path[PATH_MAX] = "kept";
	char name[NAME_MAX + 3] = "/";
	char long_path[2 * PATH_MAX];

	CHECK_EQ(path_resolve("~other/x", "/h", "/w", path, sizeof(path)),
		 -EINVAL);
	memset(name + 1, 'a', NAME_MAX + 1);
	CHECK_EQ(path_resolve(name, "/h", "/w", path, sizeof(path)),
		 -ENAMETOOLONG);
	for (size_t i = 0; i + 1 < sizeof(long_path); i++)
		long_path[i] = i % 2 == 0 ? '/' : 'a';
	long_path[sizeof(long_path) - 1] = '\0';
	CHECK_EQ(path_resolve(long_path, "/h", "/w", path, sizeof(path)),
		 -ENAMETOOLONG);
	CHECK_EQ(path_resolve("/abc", "/h", "/w", path, 4), -ENAMETOOLONG);
	CHECK_STR(path, "kept");
}

TEST(the_last_part)
{
	CHECK_STR(path_name("/a/b"), "b");
	CHECK_STR(path_name("/"), "");
}

TESTS(RUN(paths_are_resolved), RUN(what_is_no_path_is_refused),
      RUN(the_last_part))
