// SPDX-License-Identifier: Apache-2.0
// File descriptors: ownership, whole reads and writes, bounded files.

#include "base/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_PIECE_BYTES = 65536 };

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

ssize_t fd_read(int fd, void *dst, size_t len)
{
	ssize_t n = 0;

	do {
		n = read(fd, dst, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? neg_errno() : n;
}

ssize_t fd_write(int fd, struct span bytes)
{
	ssize_t n = 0;

	do {
		n = write(fd, bytes.ptr, bytes.len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? neg_errno() : n;
}

int fd_write_all(int fd, struct span bytes)
{
	while (bytes.len != 0) {
		ssize_t n = fd_write(fd, bytes);

		if (n < 0)
			return (int)n;
		bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

int fd_read_all(int fd, struct buf *b)
{
	for (;;) {
		size_t room = b->max - b->len;
		size_t want = room < READ_PIECE_BYTES ? room + 1 :
							READ_PIECE_BYTES;
		uint8_t one = 0;
		ssize_t n = 0;

		if (room == 0) {
			n = fd_read(fd, &one, 1);
			if (n > 0)
				return -E2BIG;
			return (int)n;
		}
		if (want > room)
			want = room;
		TRY(buf_reserve(b, want));
		n = fd_read(fd, b->ptr + b->len, want);
		if (n <= 0)
			return (int)n;
		b->len += (size_t)n;
	}
}

int fd_read_file(int dir, const char *path, struct buf *b)
{
	CLEANUP(fd_close) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return neg_errno();
	return fd_read_all(fd, b);
}

int fd_write_file(int dir, const char *path, mode_t mode, struct span bytes)
{
	CLEANUP(fd_close)
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			mode);

	if (fd < 0)
		return neg_errno();
	return fd_write_all(fd, bytes);
}

/* The staged file, locked: who renames it or removes it holds its lock. */
static int open_staged(int dir, const char *staged, mode_t mode, int *ret)
{
	for (;;) {
		CLEANUP(fd_close)
		int fd = openat(dir, staged,
				O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				mode);
		struct stat locked = { 0 };
		struct stat there = { 0 };

		if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &locked) < 0)
			return neg_errno();
		/* While this waited the name may have moved on. */
		if (fstatat(dir, staged, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
		    there.st_ino != locked.st_ino ||
		    there.st_dev != locked.st_dev)
			continue;
		*ret = fd_take(&fd);
		return 0;
	}
}

static int write_synced(int fd, struct span bytes)
{
	if (ftruncate(fd, 0) < 0)
		return neg_errno();
	TRY(fd_write_all(fd, bytes));
	return fsync(fd) < 0 ? neg_errno() : 0;
}

int fd_replace_file(int dir, const char *path, mode_t mode, struct span bytes)
{
	char staged[PATH_MAX];
	CLEANUP(fd_close) int fd = -1;
	int n = snprintf(staged, sizeof(staged), "%s.new", path);
	int r = 0;

	if (n < 0 || (size_t)n >= sizeof(staged))
		return -ENAMETOOLONG;
	TRY(open_staged(dir, staged, mode, &fd));
	r = write_synced(fd, bytes);
	if (r == 0 && renameat(dir, staged, dir, path) < 0)
		r = neg_errno();
	if (r < 0)
		(void)unlinkat(dir, staged, 0);
	return r;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return neg_errno();
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? neg_errno() : 0;
}

int fd_set_inherit(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? 0 : FD_CLOEXEC) < 0 ? neg_errno() : 0;
}

int fd_pair(int ret[2])
{
	int pair[2] = { -1, -1 };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return neg_errno();
	ret[0] = pair[0];
	ret[1] = pair[1];
	return 0;
}
