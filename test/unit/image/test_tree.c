// SPDX-License-Identifier: Apache-2.0
// Removing trees: links are not followed, other file systems not entered, and
// there is an end to the depth.

#include "image/tree.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "scratch.h"
#include "tap.h"

static int remove_in(const struct scratch *s, const char *name)
{
	CLEANUP(fd_close) int dir = open(s->dir, O_RDONLY | O_CLOEXEC);

	return tree_remove(dir, name);
}

static bool exists(struct scratch *s, const char *name)
{
	struct stat st = { 0 };

	return lstat(scratch_path(s, name), &st) == 0;
}

TEST(a_tree_goes_with_all_that_is_in_it)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();

	CHECK_EQ(scratch_mkdir(&s, "a"), 0);
	CHECK_EQ(scratch_mkdir(&s, "a/b"), 0);
	CHECK_EQ(scratch_mkdir(&s, "a/empty"), 0);
	CHECK_EQ(scratch_write(&s, "a/b/c", "x"), 0);
	CHECK_EQ(scratch_write(&s, "a/.hidden", "x"), 0);
	CHECK_EQ(mkfifo(scratch_path(&s, "a/pipe"), 0600), 0);
	CHECK_EQ(scratch_write(&s, "ab", "beside"), 0);
	CHECK_EQ(remove_in(&s, "a"), 0);
	CHECK(!exists(&s, "a"));
	CHECK(exists(&s, "ab"));
}

TEST(what_is_not_there_is_removed)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();

	CHECK_EQ(remove_in(&s, "a"), 0);
	CHECK_EQ(scratch_write(&s, "file", "x"), 0);
	CHECK_EQ(remove_in(&s, "file"), 0);
	CHECK(!exists(&s, "file"));
	CHECK_EQ(tree_remove(-1, "a"), -EBADF);
}

TEST(links_are_removed_not_followed)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();

	CHECK_EQ(scratch_mkdir(&s, "kept"), 0);
	CHECK_EQ(scratch_write(&s, "kept/file", "x"), 0);
	CHECK_EQ(scratch_mkdir(&s, "a"), 0);
	CHECK_EQ(symlink("../kept", scratch_path(&s, "a/to_dir")), 0);
	CHECK_EQ(symlink("../kept/file", scratch_path(&s, "a/to_file")), 0);
	CHECK_EQ(symlink("nowhere", scratch_path(&s, "a/dangling")), 0);
	CHECK_EQ(symlink("kept", scratch_path(&s, "link")), 0);
	CHECK_EQ(remove_in(&s, "a"), 0);
	CHECK_EQ(remove_in(&s, "link"), 0);
	CHECK(!exists(&s, "a"));
	CHECK(!exists(&s, "link"));
	CHECK(exists(&s, "kept/file"));
}

/* Makes a chain of @depth directories below "deep". */
static void make_chain(struct scratch *s, int depth)
{
	char name[4096] = "deep";

	for (int i = 0; i < depth; i++) {
		CHECK_EQ(scratch_mkdir(s, name), 0);
		(void)strncat(name, "/d", sizeof(name) - strlen(name) - 1);
	}
}

TEST(there_is_an_end_to_the_depth)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();

	make_chain(&s, 64);
	CHECK_EQ(remove_in(&s, "deep"), 0);
	CHECK(!exists(&s, "deep"));
	make_chain(&s, 65);
	CHECK_EQ(scratch_write(&s, "deep/file", "x"), 0);
	CHECK_EQ(remove_in(&s, "deep"), -ELOOP);
	/* What can be removed is. */
	CHECK(!exists(&s, "deep/file"));
}

/* In a mount namespace of its own; 0 if all held. */
static int with_a_mount_inside(struct scratch *s)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", scratch_path(s, "a/mnt"), "tmpfs", 0, NULL) < 0)
		return 77;
	if (scratch_write(s, "a/mnt/file", "x") < 0)
		return 1;
	if (remove_in(s, "a") != -EXDEV)
		return 2;
	if (!exists(s, "a/mnt/file") || exists(s, "a/beside"))
		return 3;
	return 0;
}

TEST(other_file_systems_are_not_entered)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	int status = -1;
	pid_t child = 0;

	CHECK_EQ(scratch_mkdir(&s, "a"), 0);
	CHECK_EQ(scratch_mkdir(&s, "a/mnt"), 0);
	CHECK_EQ(scratch_write(&s, "a/beside", "x"), 0);
	child = fork();
	if (child == 0)
		_exit(with_a_mount_inside(&s));
	CHECK_EQ(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		SKIP("mounting is not permitted here");
		return;
	}
	CHECK_EQ(status, 0);
	CHECK(exists(&s, "a/mnt"));
}

TESTS(RUN(a_tree_goes_with_all_that_is_in_it),
      RUN(what_is_not_there_is_removed), RUN(links_are_removed_not_followed),
      RUN(there_is_an_end_to_the_depth),
      RUN(other_file_systems_are_not_entered))
