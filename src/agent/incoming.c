// SPDX-License-Identifier: Apache-2.0
// One file on its way in: written beside its place, renamed when complete.

#include "agent/incoming.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/files.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/rng.h"

enum {
	NEW_MODE = 0644,
	MODE_BITS = 07777,
	TRIES = 8,
};

/* Where @path leads: itself, or through links to what exists. */
static int find_target(const char *path, char *ret, mode_t *ret_mode)
{
	struct stat st = { 0 };
	char *real = realpath(path, NULL);

	*ret_mode = NEW_MODE;
	if (real == NULL && errno != ENOENT)
		return neg_errno();
	if (real == NULL) {
		(void)snprintf(ret, PATH_MAX, "%s", path);
		return 0;
	}
	(void)snprintf(ret, PATH_MAX, "%s", real);
	mem_free(real);
	if (lstat(ret, &st) < 0)
		return neg_errno();
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	/* Whoever waits at a FIFO or device is not replaced. */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_mode = st.st_mode & MODE_BITS;
	return 0;
}

static int open_staged(struct incoming *in)
{
	size_t dir_len = (size_t)(strrchr(in->target, '/') - in->target);
	char random[17];

	for (int i = 0; i < TRIES; i++) {
		TRY(rng_hex(random, 8));
		if ((size_t)snprintf(in->staged, sizeof(in->staged),
				     "%.*s/.caponier-%s", (int)dir_len,
				     in->target, random) >= sizeof(in->staged))
			return -ENAMETOOLONG;
		in->fd = open(in->staged,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				      O_CLOEXEC,
			      0600);
		if (in->fd >= 0 || errno != EEXIST)
			break;
	}
	return in->fd < 0 ? neg_errno() : 0;
}

int incoming_open(const char *path, const struct passwd_user *user,
		  struct incoming *ret)
{
	struct incoming in = INCOMING_NONE;
	mode_t mode = NEW_MODE;
	int r = 0;

	if (path[1] == '\0')
		return -EISDIR;
	(void)snprintf(in.path, sizeof(in.path), "%s", path);
	TRY(files_make_parents(path, user));
	TRY(find_target(path, in.target, &mode));
	TRY(open_staged(&in));
	if (fchown(in.fd, user->uid, user->gid) < 0 || fchmod(in.fd, mode) < 0)
		r = neg_errno();
	if (r < 0)
		incoming_drop(&in);
	else
		*ret = in;
	return r;
}

int incoming_write(struct incoming *in, struct span bytes)
{
	return fd_write_all(in->fd, bytes);
}

int incoming_set_metadata(struct incoming *in, const json_t *metadata)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(uintptr_t)metadata, name, value) {
		char attribute[256];

		(void)snprintf(attribute, sizeof(attribute), "user.e2b.%s",
			       name);
		if (fsetxattr(in->fd, attribute, json_string_value(value),
			      json_string_length(value), 0) < 0)
			return neg_errno();
	}
	return 0;
}

int incoming_commit(struct incoming *in)
{
	int fd = fd_take(&in->fd);

	/* Delayed allocation may find out here that there is no space. */
	if (close(fd) < 0 || rename(in->staged, in->target) < 0) {
		int r = neg_errno();

		(void)unlink(in->staged);
		return r;
	}
	return 0;
}

void incoming_drop(struct incoming *in)
{
	if (in->fd < 0)
		return;
	(void)unlink(in->staged);
	fd_close(&in->fd);
}
