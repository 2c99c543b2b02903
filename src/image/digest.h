/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of files and trees, and the keyed code over a manifest. */
#ifndef CPN_IMAGE_DIGEST_H
#define CPN_IMAGE_DIGEST_H

#include "base/err.h"
#include "base/macros.h"
#include "base/span.h"

enum {
	DIGEST_BYTES = 32,
	DIGEST_HEX_BYTES = 65, /* 64 hex digits and a NUL */
};

struct digest {
	char hex[DIGEST_HEX_BYTES]; /* SHA-256, lower case */
};

/**
 * digest_span() - SHA-256 of bytes in memory
 *
 * Return: 0; -EIO if the library fails.
 * Context: any thread.
 */
int digest_span(struct span bytes, struct digest *ret) MUST_CHECK;

/**
 * digest_hmac() - HMAC-SHA-256
 * @key: secret bytes
 *
 * Return: 0; -EIO if the library fails.
 * Context: any thread.
 */
int digest_hmac(struct span key, struct span bytes,
		struct digest *ret) MUST_CHECK;

/**
 * digest_path() - SHA-256 of what lies at a path
 * @path: a regular file: of its bytes; a directory: of the sorted listing of
 *        everything below it (path, type, permission bits, owner, and the
 *        digest of each file's bytes or the target of each link)
 *
 * Return: 0; -errno; -EIO if the library fails; -ENOTSUP for other types.
 * Context: blocks while it reads everything.
 */
int digest_path(const char *path, struct digest *ret) MUST_CHECK;

/**
 * digest_stat() - a signature of when things at a path last changed
 * @path: as for digest_path(); no file's bytes are read
 *
 * Two equal signatures mean that nothing was written in between: they cover
 * inode, size, mtime and ctime (which nobody can set back) of every file, and
 * one is given only when a further write would move a ctime.
 *
 * Return: as digest_path(); -EBUSY if it is being written to all the time.
 * Context: blocks briefly; some milliseconds after a write.
 */
int digest_stat(const char *path, struct digest *ret) MUST_CHECK;

#endif
