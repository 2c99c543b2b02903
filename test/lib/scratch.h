/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of the test's own, removed at the end of the scope:
 *
 *	CLEANUP(scratch_fini) struct scratch s = scratch_new();
 *	CHECK_EQ(scratch_write(&s, "a", "content"), 0);
 *	CHECK_EQ(digest_path(scratch_path(&s, "a"), &d), 0);
 */
#ifndef CPN_TEST_SCRATCH_H
#define CPN_TEST_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

struct scratch {
	char dir[64];
	char path[PATH_MAX]; /* what scratch_path() gave last */
};

static inline struct scratch scratch_new(void)
{
	struct scratch s = { .dir = "/tmp/caponier-test-XXXXXX" };

	/* A test cannot say anything without its directory. */
	if (mkdtemp(s.dir) == NULL)
		abort();
	return s;
}

static inline int scratch_remove(const char *path, const struct stat *st,
				 int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void scratch_fini(struct scratch *s)
{
	(void)nftw(s->dir, scratch_remove, 16,
		   FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* The path of @name in it; valid until the next call. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
	(void)snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, name);
	return s->path;
}

static inline int scratch_write(struct scratch *s, const char *name,
				const char *content)
{
	return fd_write_file(AT_FDCWD, scratch_path(s, name), 0644,
			     span_str(content));
}

static inline int scratch_mkdir(struct scratch *s, const char *name)
{
	return mkdir(scratch_path(s, name), 0755);
}

#endif
