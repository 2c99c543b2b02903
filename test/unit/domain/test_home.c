// SPDX-License-Identifier: Apache-2.0
// The state directory: which variable decides, and what stands in the way.

#include "domain/home.h"

#include <sys/wait.h>

#include "scratch.h"
#include "tap.h"

static void set(const char *name, const char *value)
{
	CHECK_EQ(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

TEST(caponier_home_comes_first_and_is_made)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct home home = { { 0 } };
	struct err e = { 0 };
	struct stat st = { 0 };
	char want[PATH_MAX];

	(void)snprintf(want, sizeof(want), "%s/a/b", s.dir);
	set("CAPONIER_HOME", want);
	set("XDG_STATE_HOME", "/nonexistent");
	CHECK_EQ(home_find(&home, &e), 0);
	CHECK_STR(home.dir, want);
	CHECK_EQ(stat(want, &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_EQ(home_find(&home, &e), 0); /* it may be there */
}

TEST(a_relative_caponier_home_is_refused)
{
	struct home home = { "untouched" };
	struct err e = { 0 };

	set("CAPONIER_HOME", "here");
	CHECK_EQ(home_find(&home, &e), -EINVAL);
	CHECK_STR(e.text, "cannot use CAPONIER_HOME=here: it is not an "
			  "absolute path; give one that starts with /");
	CHECK_STR(home.dir, "untouched");
}

/* As an ordinary user in a child; its exit status tells. */
static int find_as_user(const char *home_wanted, int r_wanted,
			const char *sentence)
{
	struct home home = { "" };
	struct err e = { 0 };
	int r = 0;

	if (geteuid() == 0 && setuid(65534) < 0)
		return 3;
	r = home_find(&home, &e);
	if (r != r_wanted)
		return 1;
	return strcmp(home.dir, home_wanted) == 0 &&
			       strcmp(e.text, sentence) == 0 ?
		       0 :
		       2;
}

static int in_child(const char *home, int r, const char *sentence)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(find_as_user(home, r, sentence));
	CHECK_EQ(waitpid(child, &status, 0), child);
	return status;
}

TEST(a_user_has_the_state_directory_of_users)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	char want[PATH_MAX];

	CHECK_EQ(chmod(s.dir, 0777), 0);
	set("CAPONIER_HOME", ""); /* as good as unset */
	set("XDG_STATE_HOME", scratch_path(&s, "state"));
	set("HOME", s.dir);
	(void)snprintf(want, sizeof(want), "%s/state/caponier", s.dir);
	CHECK_EQ(in_child(want, 0, ""), 0);
	(void)snprintf(want, sizeof(want), "%s/.local/state/caponier", s.dir);
	set("XDG_STATE_HOME", "relative: does not count");
	CHECK_EQ(in_child(want, 0, ""), 0);
	set("XDG_STATE_HOME", NULL);
	set("CAPONIER_HOME", NULL);
	CHECK_EQ(in_child(want, 0, ""), 0);
}

TEST(a_user_without_a_home_is_told_what_to_set)
{
	set("CAPONIER_HOME", NULL);
	set("XDG_STATE_HOME", NULL);
	set("HOME", NULL);
	CHECK_EQ(in_child("", -ENOENT,
			  "cannot find a place for Caponier's state: neither "
			  "CAPONIER_HOME nor HOME is set; set CAPONIER_HOME to "
			  "a directory of yours"),
		 0);
}

TEST(a_directory_that_cannot_be_made_is_named)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	char want[PATH_MAX * 2];
	struct err e = { 0 };

	CHECK_EQ(scratch_write(&s, "file", ""), 0);
	CHECK_EQ(home_mkdir(scratch_path(&s, "file/below/deep"), &e), -ENOTDIR);
	(void)snprintf(want, sizeof(want),
		       "cannot make the directory %s/file: Not a directory; "
		       "make it, or set CAPONIER_HOME to a place where you "
		       "may write",
		       s.dir);
	CHECK_STR(e.text, want);
	set("CAPONIER_HOME", NULL);
	set("HOME", "/proc/self"); /* nobody can make a directory there */
	CHECK_EQ(in_child("", -ENOENT,
			  "cannot make the directory /proc/self/.local: No "
			  "such file or directory; make it, or set "
			  "CAPONIER_HOME to a place where you may write"),
		 0);
}

TEST(a_file_in_its_place_is_no_directory)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct err e = { 0 };

	CHECK_EQ(scratch_write(&s, "file", ""), 0);
	CHECK_EQ(home_mkdir(s.path, &e), -ENOTDIR);
	CHECK(strstr(e.text, "Not a directory") != NULL);
}

TEST(odd_slashes_and_links_to_directories_are_fine)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct err e = { 0 };

	CHECK_EQ(scratch_mkdir(&s, "real"), 0);
	CHECK_EQ(symlink("real", scratch_path(&s, "link")), 0);
	CHECK_EQ(home_mkdir(scratch_path(&s, "link"), &e), 0);
	CHECK_EQ(home_mkdir(scratch_path(&s, "/link//a/"), &e), 0);
	CHECK_EQ(access(scratch_path(&s, "real/a"), F_OK), 0);
	CHECK_EQ(home_mkdir("/", &e), 0);
}

TEST(a_path_too_long_has_a_sentence)
{
	char path[PATH_MAX + 2];
	struct home home = { "untouched" };
	struct err e = { 0 };

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	set("CAPONIER_HOME", path);
	CHECK_EQ(home_find(&home, &e), -ENAMETOOLONG);
	CHECK_STR(e.text, "cannot use Caponier's state directory: its path is "
			  "too long; set CAPONIER_HOME to a shorter one");
	CHECK_STR(home.dir, "untouched");
}

TEST(paths_below_it_fit_or_are_refused)
{
	struct home home = { "/h" };
	char path[PATH_MAX];

	CHECK_EQ(home_path(&home, path, "a/%s/%d", "b", 3), 0);
	CHECK_STR(path, "/h/a/b/3");
	CHECK_EQ(home_path(&home, path, "%0*d", PATH_MAX - 4, 1), 0);
	CHECK_EQ(strlen(path), PATH_MAX - 1);
	CHECK_EQ(home_path(&home, path, "%0*d", PATH_MAX - 3, 1),
		 -ENAMETOOLONG);
	memset(home.dir, 'x', PATH_MAX - 1);
	home.dir[PATH_MAX - 1] = '\0';
	CHECK_EQ(home_path(&home, path, "%s", ""), -ENAMETOOLONG);
}

TESTS(RUN(caponier_home_comes_first_and_is_made),
      RUN(a_relative_caponier_home_is_refused),
      RUN(a_user_has_the_state_directory_of_users),
      RUN(a_user_without_a_home_is_told_what_to_set),
      RUN(a_directory_that_cannot_be_made_is_named),
      RUN(a_file_in_its_place_is_no_directory),
      RUN(odd_slashes_and_links_to_directories_are_fine),
      RUN(a_path_too_long_has_a_sentence),
      RUN(paths_below_it_fit_or_are_refused))
