// SPDX-License-Identifier: Apache-2.0
// Removing a directory tree without ever leaving it.

#include "image/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

enum { DEPTH_MAX = 64 };

static int remove_at(int dir, const char *name, dev_t dev, int depth);

static void dir_close(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
	*d = NULL;
}

static int remove_below(int fd, dev_t dev, int depth)
{
	CLEANUP(dir_close) DIR *d = fdopendir(fd);
	struct dirent *entry = NULL;
	int first = 0;

	if (d == NULL) {
		int r = neg_errno();

		fd_close(&fd);
		return r;
	}
	for (entry = readdir(d); entry != NULL; entry = readdir(d)) {
		int r = 0;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_at(fd, entry->d_name, dev, depth);
		if (first == 0)
			first = r;
	}
	return first;
}

static int remove_at(int dir, const char *name, dev_t dev, int depth)
{
	struct stat st = { 0 };
	int below = -1;
	int r = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : neg_errno();
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dir, name, 0) < 0 ? neg_errno() : 0;
	if (st.st_dev != dev)
		return -EXDEV;
	if (depth >= DEPTH_MAX)
		return -ELOOP;
	below = openat(dir, name,
		       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		return neg_errno();
	r = remove_below(below, dev, depth + 1); /* closes it */
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && r == 0)
		r = neg_errno();
	return r;
}

int tree_remove(int dir, const char *name)
{
	struct stat st = { 0 };

	if (fstat(dir, &st) < 0)
		return neg_errno();
	return remove_at(dir, name, st.st_dev, 0);
}
