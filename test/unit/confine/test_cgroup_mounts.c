// SPDX-License-Identifier: Apache-2.0
// Which cgroup hierarchies are found in the mount tables of real hosts.

#include "confine/cgroup_mounts.h"

#include "tap.h"

/* Debian 12 and 13, systemd. */
static const char UNIFIED[] =
	"22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw\n"
	"31 23 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 "
	"- cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
	"45 27 254:0 / / rw,relatime - ext4 /dev/vda1 rw\n";

/* Version 1 for the limits, version 2 without controllers beside it. */
static const char HYBRID[] =
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
	"33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n"
	"34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	"39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
	"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
	"rw,name=systemd\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

/* Debian 10: controllers mounted together, tags in the middle. */
static const char TOGETHER[] =
	"33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:15 master:2 - "
	"cgroup cgroup rw,cpu,cpuacct\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

static struct cgroup_mounts parsed;

static bool parses(const char *text)
{
	memset(&parsed, 0, sizeof(parsed));
	return CHECK_EQ(cgroup_mounts_parse(span_str(text), &parsed), 0);
}

static void is_mount(size_t i, const char *path, unsigned controllers,
		     bool is_v2)
{
	CHECK_STR(parsed.all[i].path, path);
	CHECK_EQ(parsed.all[i].controllers, controllers);
	CHECK_EQ(parsed.all[i].is_v2, is_v2);
}

TEST(a_unified_host_has_one_hierarchy)
{
	if (!parses(UNIFIED) || !CHECK_EQ(parsed.count, 1))
		return;
	is_mount(0, "/sys/fs/cgroup", 0, true);
}

TEST(a_hybrid_host_has_three_for_limits_and_one_to_kill)
{
	if (!parses(HYBRID) || !CHECK_EQ(parsed.count, 4))
		return;
	is_mount(0, "/sys/fs/cgroup/cpu", CGROUP_CPU, false);
	is_mount(1, "/sys/fs/cgroup/memory", CGROUP_MEMORY, false);
	is_mount(2, "/sys/fs/cgroup/pids", CGROUP_PIDS, false);
	is_mount(3, "/sys/fs/cgroup/unified", 0, true);
}

TEST(controllers_mounted_together_are_found)
{
	if (!parses(TOGETHER) || !CHECK_EQ(parsed.count, 2))
		return;
	is_mount(0, "/sys/fs/cgroup/cpu,cpuacct", CGROUP_CPU, false);
	is_mount(1, "/sys/fs/cgroup/memory", CGROUP_MEMORY, false);
}

/* Invariant 1: a chroot with a bound /sys doubles the whole table. */
TEST(what_is_mounted_twice_is_listed_once)
{
	char twice[2 * sizeof(HYBRID)];

	(void)snprintf(twice, sizeof(twice), "%s%s", HYBRID, HYBRID);
	if (!parses(twice))
		return;
	CHECK_EQ(parsed.count, 4);
}

TEST(no_cgroups_are_none_and_broken_lines_are_passed_over)
{
	if (parses(""))
		CHECK_EQ(parsed.count, 0);
	if (parses("garbage\n1 2 3\n- cgroup2 x y\n   \n"))
		CHECK_EQ(parsed.count, 0);
	if (parses("1 2 0:1 / /mnt rw - cgroup2"))
		CHECK_EQ(parsed.count, 0);
}

TEST(a_path_that_does_not_fit_is_refused)
{
	char text[2 * PATH_MAX];
	struct cgroup_mounts untouched = { .count = 99 };

	(void)snprintf(text, sizeof(text),
		       "1 2 0:1 / /%0*d rw - cgroup2 cgroup2 rw\n", PATH_MAX,
		       0);
	CHECK_EQ(cgroup_mounts_parse(span_str(text), &untouched),
		 -ENAMETOOLONG);
	CHECK_EQ(untouched.count, 99);
}

/* In a container: another root, no optional tag or many, odd names. */
TEST(a_container_has_odd_mount_points)
{
	parses("9 8 0:26 /docker/0123 /run/my\\040cg\\134x rw - cgroup2 cgroup "
	       "rw\n"
	       "10 8 0:33 /../.. /a\\011b\\012c ro shared:1 master:2 "
	       "propagate_from:3 unbindable - cgroup cgroup rw,memory\n");
	CHECK_EQ(parsed.count, 2);
	is_mount(0, "/run/my cg\\x", 0, true);
	is_mount(1, "/a\tb\nc", CGROUP_MEMORY, false);
	parses("1 2 0:3 / /\\04\\089\\777\\000\\ rw - cgroup2 a b");
	is_mount(0, "/\\04\\089\\777\\000\\", 0, true);
}

TEST(every_controller_alone_and_version_2_fit)
{
	parses("1 2 0:1 / /a rw - cgroup none rw,cpu\n"
	       "1 2 0:2 / /b rw - cgroup none rw,memory\n"
	       "1 2 0:3 / /c rw - cgroup2 none rw\n"
	       "1 2 0:3 / /d rw - cgroup2 none rw\n"
	       "1 2 0:4 / /e rw - cgroup none rw,pids\n"
	       "1 2 0:4 / /f rw - cgroup none rw,pids\n");
	CHECK_EQ(parsed.count, CGROUP_MOUNTS_MAX);
	is_mount(2, "/c", 0, true);
	is_mount(3, "/e", CGROUP_PIDS, false);
}

TEST(what_only_looks_like_a_hierarchy_is_none)
{
	static const char *const NONE[] = {
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
		parses(NONE[i]);
		CHECK_EQ(parsed.count, 0);
	}
}

TEST(the_own_group_is_that_of_version_2)
{
	char path[64] = "untouched";

	CHECK_EQ(cgroup_own_path(span_str("4:memory:/a\n0::/user.slice/b\n"),
				 path, sizeof(path)),
		 0);
	CHECK_STR(path, "/user.slice/b");
	CHECK_EQ(cgroup_own_path(span_str("0::/"), path, sizeof(path)), 0);
	CHECK_STR(path, "/");
	CHECK_EQ(cgroup_own_path(span_str("4:memory:/a\n"), path, sizeof(path)),
		 -ENOENT);
	CHECK_EQ(cgroup_own_path(span_str("0::/0123456789\n"), path, 8),
		 -ENAMETOOLONG);
	CHECK_STR(path, "/");
}

TESTS(RUN(a_unified_host_has_one_hierarchy),
      RUN(a_container_has_odd_mount_points),
      RUN(every_controller_alone_and_version_2_fit),
      RUN(what_only_looks_like_a_hierarchy_is_none),
      RUN(a_hybrid_host_has_three_for_limits_and_one_to_kill),
      RUN(controllers_mounted_together_are_found),
      RUN(what_is_mounted_twice_is_listed_once),
      RUN(no_cgroups_are_none_and_broken_lines_are_passed_over),
      RUN(a_path_that_does_not_fit_is_refused),
      RUN(the_own_group_is_that_of_version_2))
