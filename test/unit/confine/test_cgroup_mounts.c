// SPDX-License-Identifier: Apache-2.0
// Which hierarchies a mountinfo tells of: version 1, 2, both, and the odd
// mounts of containers.

#include "confine/cgroup_mounts.h"

#include <stdio.h>

#include "tap.h"

/* As of a Debian with systemd.unified_cgroup_hierarchy=0. */
#define V1                                                                     \
	"22 28 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"              \
	"30 22 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro\n"    \
	"32 30 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup "    \
	"rw,xattr,name=systemd\n"                                              \
	"36 30 0:32 / /sys/fs/cgroup/cpu,cpuacct rw shared:15 - cgroup "       \
	"cgroup rw,cpu,cpuacct\n"                                              \
	"37 30 0:33 / /sys/fs/cgroup/memory rw shared:16 - cgroup cgroup "     \
	"rw,memory\n"                                                          \
	"38 30 0:34 / /sys/fs/cgroup/pids rw shared:17 - cgroup cgroup "       \
	"rw,pids\n"                                                            \
	"39 30 0:35 / /sys/fs/cgroup/cpuset rw shared:18 - cgroup cgroup "     \
	"rw,cpuset\n"

#define V2                                                                     \
	"30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 "    \
	"rw,nsdelegate,memory_recursiveprot\n"

/* Big, and gone with the program. */
static struct cgroup_mounts mounts;

static int parse(const char *text)
{
	mounts = (struct cgroup_mounts){ .count = 77 };
	return cgroup_mounts_parse(span_str(text), &mounts);
}

static bool is_mount(size_t i, const char *path, unsigned controllers,
		     bool is_v2)
{
	return CHECK_STR(mounts.all[i].path, path) &&
	       CHECK_EQ(mounts.all[i].controllers, controllers) &&
	       CHECK_EQ(mounts.all[i].is_v2, is_v2);
}

TEST(version_1_is_its_controllers_of_ours)
{
	CHECK_EQ(parse(V1), 0);
	CHECK_EQ(mounts.count, 3);
	is_mount(0, "/sys/fs/cgroup/cpu,cpuacct", CGROUP_CPU, false);
	is_mount(1, "/sys/fs/cgroup/memory", CGROUP_MEMORY, false);
	is_mount(2, "/sys/fs/cgroup/pids", CGROUP_PIDS, false);
}

TEST(version_2_has_its_controllers_elsewhere)
{
	CHECK_EQ(parse(V2), 0);
	CHECK_EQ(mounts.count, 1);
	is_mount(0, "/sys/fs/cgroup", 0, true);
}

TEST(a_hybrid_has_both)
{
	CHECK_EQ(parse(V1 "40 30 0:36 / /sys/fs/cgroup/unified rw - cgroup2 "
			  "cgroup2 rw\n"),
		 0);
	CHECK_EQ(mounts.count, 4);
	is_mount(3, "/sys/fs/cgroup/unified", 0, true);
}

TEST(several_controllers_in_one_mount_are_all_seen)
{
	CHECK_EQ(parse("1 2 0:3 / /cg rw - cgroup none rw,pids,cpu,memory"), 0);
	CHECK_EQ(mounts.count, 1);
	is_mount(0, "/cg", CGROUP_CPU | CGROUP_MEMORY | CGROUP_PIDS, false);
}

/* In a container: another root, no optional tag or many, odd names. */
TEST(a_container_has_odd_mounts)
{
	CHECK_EQ(parse("9 8 0:26 /docker/0123 /run/my\\040cg\\134x rw - "
		       "cgroup2 cgroup rw\n"
		       "10 8 0:33 /../.. /a\\011b\\012c ro shared:1 master:2 "
		       "propagate_from:3 unbindable - cgroup cgroup "
		       "rw,memory\n"),
		 0);
	CHECK_EQ(mounts.count, 2);
	is_mount(0, "/run/my cg\\x", 0, true);
	is_mount(1, "/a\tb\nc", CGROUP_MEMORY, false);
}

TEST(a_hierarchy_mounted_again_counts_once)
{
	CHECK_EQ(parse(V1 "50 28 0:33 / /srv/chroot/sys/fs/cgroup/memory rw "
			  "shared:16 - cgroup cgroup rw,memory\n" V1),
		 0);
	CHECK_EQ(mounts.count, 3);
	CHECK_STR(mounts.all[1].path, "/sys/fs/cgroup/memory");
}

TEST(what_only_looks_like_one_is_none)
{
	static const char *const NONE[] = {
		"",
		"\n\n",
		"36",
		"1 2 0:3 / /cg rw - cgroup",
		"1 2 0:3 / /cg rw - cgroup2 none",
		"1 2 0:3 / /cg rw - tmpfs cgroup rw,memory",
		"1 2 0:3 / /cg rw - cgroup none rw,memoryx,xpids,cpuset",
		"1 2 0:3 / /cg rw cgroup2 none rw",
		"1 2 0:3 / /cg - cgroup2 none rw",
		"- - - - - - - - - -",
	};

	for (size_t i = 0; i < ARRAY_LEN(NONE); i++) {
		CHECK_EQ(parse(NONE[i]), 0);
		CHECK_EQ(mounts.count, 0);
	}
}

TEST(every_controller_alone_and_version_2_fit)
{
	CHECK_EQ(parse("1 2 0:1 / /a rw - cgroup none rw,cpu\n"
		       "1 2 0:2 / /b rw - cgroup none rw,memory\n"
		       "1 2 0:3 / /c rw - cgroup2 none rw\n"
		       "1 2 0:3 / /d rw - cgroup2 none rw\n"
		       "1 2 0:4 / /e rw - cgroup none rw,pids\n"
		       "1 2 0:5 / /f rw - cgroup none rw,pids,cpu\n"),
		 0);
	CHECK_EQ(mounts.count, CGROUP_MOUNTS_MAX);
	is_mount(2, "/c", 0, true);
	is_mount(3, "/e", CGROUP_PIDS, false);
}

TEST(what_is_no_escape_stays_as_it_is)
{
	CHECK_EQ(parse("1 2 0:3 / /\\04\\089\\777\\000\\ rw - cgroup2 a b"), 0);
	is_mount(0, "/\\04\\089\\777\\000\\", 0, true);
}

TEST(a_path_too_long_is_refused)
{
	static char text[PATH_MAX + 64];
	int n = snprintf(text, sizeof(text), "1 2 0:3 / /%0*d rw - cgroup2 a b",
			 PATH_MAX - 1, 0);

	CHECK(n > PATH_MAX);
	CHECK_EQ(parse(text), -ENAMETOOLONG);
	CHECK_EQ(mounts.count, 77);
}

TESTS(RUN(version_1_is_its_controllers_of_ours),
      RUN(version_2_has_its_controllers_elsewhere), RUN(a_hybrid_has_both),
      RUN(several_controllers_in_one_mount_are_all_seen),
      RUN(a_container_has_odd_mounts),
      RUN(a_hierarchy_mounted_again_counts_once),
      RUN(what_only_looks_like_one_is_none),
      RUN(every_controller_alone_and_version_2_fit),
      RUN(what_is_no_escape_stays_as_it_is), RUN(a_path_too_long_is_refused))
