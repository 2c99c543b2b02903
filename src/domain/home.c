// SPDX-License-Identifier: Apache-2.0
// Where Caponier keeps its state.

#include "domain/home.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOTS_DIR "/var/lib/caponier"

enum { DIR_MODE = 0755 };

static int put(char ret[PATH_MAX], const char *fmt, ...) PRINTF(2, 3);

static int put(char ret[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n = 0;

	va_start(ap, fmt);
	n = vsnprintf(ret, PATH_MAX, fmt, ap);
	va_end(ap);
	return n >= 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int choose(char ret[PATH_MAX], struct err *e)
{
	const char *asked = getenv("CAPONIER_HOME");
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (asked != NULL && asked[0] == '/')
		return put(ret, "%s", asked);
	if (asked != NULL && asked[0] != '\0')
		return err_set(e, -EINVAL,
			       "cannot use CAPONIER_HOME=%s: it is not an "
			       "absolute path; give one that starts with /",
			       asked);
	if (geteuid() == 0)
		return put(ret, ROOTS_DIR);
	if (state != NULL && state[0] == '/')
		return put(ret, "%s/caponier", state);
	if (home != NULL && home[0] == '/')
		return put(ret, "%s/.local/state/caponier", home);
	return err_set(e, -ENOENT,
		       "cannot find a place for Caponier's state: neither "
		       "CAPONIER_HOME nor HOME is set; set CAPONIER_HOME to a "
		       "directory of yours");
}

/* Also if it is there, but only as a directory. */
static int make_one(const char *path)
{
	struct stat st = { 0 };

	if (mkdir(path, DIR_MODE) == 0)
		return 0;
	if (errno != EEXIST || stat(path, &st) < 0)
		return neg_errno();
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int refuse(struct err *e, int r, const char *path)
{
	return err_set(e, r,
		       "cannot make the directory %s: %s; make it, or set "
		       "CAPONIER_HOME to a place where you may write",
		       path, err_text(NULL, r));
}

int home_mkdir(const char *path, struct err *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (put(part, "%s", path) < 0)
		return refuse(e, -ENAMETOOLONG, path);
	for (size_t i = 1; i <= len; i++) {
		int r = 0;

		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		r = make_one(part);
		if (r < 0)
			return refuse(e, r, part);
		part[i] = path[i];
	}
	return 0;
}

int home_find(struct home *ret, struct err *e)
{
	struct home home = { { 0 } };
	int r = 0;

	r = choose(home.dir, e);
	if (r == -ENAMETOOLONG)
		return err_set(e, r,
			       "cannot use Caponier's state directory: its "
			       "path is too long; set CAPONIER_HOME to a "
			       "shorter one");
	TRY(r);
	TRY(home_mkdir(home.dir, e));
	*ret = home;
	return 0;
}

const struct home *home_of_root(void)
{
	static const struct home roots = { ROOTS_DIR };

	return &roots;
}

int home_path(const struct home *home, char ret[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	size_t len = strlen(home->dir);
	int n = 0;

	TRY(put(ret, "%s/", home->dir));
	va_start(ap, fmt);
	n = vsnprintf(ret + len + 1, PATH_MAX - len - 1, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < PATH_MAX - len - 1 ? 0 : -ENAMETOOLONG;
}
