/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: ownership, whole reads and writes, bounded files. */
#ifndef CPN_BASE_FD_H
#define CPN_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/span.h"

/**
 * fd_close() - CLEANUP helper: close *@fd unless negative, then set it to -1
 *
 * Keeps errno.
 * Context: any thread.
 */
void fd_close(int *fd);

/**
 * fd_take() - move ownership out of a CLEANUP variable
 *
 * Return: the descriptor; *@fd becomes -1.
 * Context: any thread.
 */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/**
 * fd_read() - one read(2), repeated on EINTR
 *
 * Return: bytes read, 0 at the end, -EAGAIN if nothing is there now, -errno.
 * Context: blocks if the descriptor does.
 */
ssize_t fd_read(int fd, void *dst, size_t len) MUST_CHECK;

/**
 * fd_write() - one write(2), repeated on EINTR
 *
 * A closed peer is -EPIPE; programs ignore SIGPIPE.
 *
 * Return: bytes written, -EAGAIN if there is no room now, -errno.
 * Context: blocks if the descriptor does.
 */
ssize_t fd_write(int fd, struct span bytes) MUST_CHECK;

/**
 * fd_write_all() - write every byte of @bytes to a blocking descriptor
 *
 * Return: 0, or -errno after an unknown part was written.
 * Context: blocks.
 */
int fd_write_all(int fd, struct span bytes) MUST_CHECK;

/**
 * fd_read_all() - append everything up to the end of file to @b
 * @b: its maximum bounds what is read
 *
 * Return: 0; -E2BIG past the maximum; -errno. @b keeps what was read.
 * Context: blocks.
 */
int fd_read_all(int fd, struct buf *b) MUST_CHECK;

/**
 * fd_read_file() - append a file's content to @b
 * @dir:  directory descriptor or AT_FDCWD
 * @path: relative to @dir; symbolic links are followed
 *
 * Return: as fd_read_all(), or the -errno of open.
 * Context: blocks.
 */
int fd_read_file(int dir, const char *path, struct buf *b) MUST_CHECK;

/**
 * fd_write_file() - create or truncate a file and write @bytes
 * @mode: permission bits for a new file
 *
 * Return: 0 or -errno.
 * Context: blocks.
 */
int fd_write_file(int dir, const char *path, mode_t mode,
		  struct span bytes) MUST_CHECK;

/**
 * fd_replace_file() - replace a file's content in one step, durably
 *
 * Writes `@path.new`, syncs it, renames it over @path. Of two at once the one
 * waits for the other.
 *
 * Return: 0 or -errno; the old file stays on failure.
 * Context: blocks.
 */
int fd_replace_file(int dir, const char *path, mode_t mode,
		    struct span bytes) MUST_CHECK;

/**
 * fd_set_nonblock() - switch O_NONBLOCK
 *
 * Return: 0 or -errno.
 * Context: any thread.
 */
int fd_set_nonblock(int fd, bool on) MUST_CHECK;

/**
 * fd_set_inherit() - let (or stop) exec pass the descriptor on
 *
 * Return: 0 or -errno.
 * Context: any thread.
 */
int fd_set_inherit(int fd, bool on) MUST_CHECK;

/**
 * fd_pair() - a connected pair of unix stream sockets, close-on-exec
 * @ret: receives two owned descriptors; untouched on failure
 *
 * Return: 0 or -errno.
 * Context: any thread.
 */
int fd_pair(int ret[2]) MUST_CHECK;

#endif
