// SPDX-License-Identifier: Apache-2.0
// Host uids for sandboxes.

#include "confine/uid.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/fd.h"

int uid_pair_take(const char *dir, struct uid_pair *ret, int *ret_fd,
		  struct err *e)
{
	for (uint32_t slot = 0; slot < UID_PAIRS_MAX; slot++) {
		char path[PATH_MAX];
		CLEANUP(fd_close) int fd = -1;

		if (snprintf(path, sizeof(path), "%s/%u", dir, slot) >=
		    (int)sizeof(path))
			return -ENAMETOOLONG;
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			  0600);
		if (fd < 0)
			return err_set(e, neg_errno(),
				       "cannot take a uid for the sandbox: "
				       "%s: %s; correct its permissions",
				       path, err_text(NULL, neg_errno()));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				continue;
			return err_set(e, neg_errno(),
				       "cannot take a uid for the sandbox: "
				       "%s: %s; put CAPONIER_HOME on a file "
				       "system with locks",
				       path, err_text(NULL, neg_errno()));
		}
		ret->engine = UID_BASE + 2 * slot;
		ret->shim = UID_BASE + 2 * slot + 1;
		*ret_fd = fd_take(&fd);
		return 0;
	}
	return err_set(e, -EAGAIN,
		       "cannot take a uid for the sandbox: all %d pairs are in "
		       "use; end some sandboxes",
		       UID_PAIRS_MAX);
}
