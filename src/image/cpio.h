/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a cpio archive in the "newc" format that Linux takes as initramfs. */
#ifndef CPN_IMAGE_CPIO_H
#define CPN_IMAGE_CPIO_H

#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/span.h"

/**
 * cpio_put() - append one entry
 * @out:  the archive so far
 * @path: without a leading slash; directories come before what is in them
 * @mode: type and permission bits as in st_mode
 * @body: a file's content; empty for directories
 *
 * Owner, times and inode numbers are fixed: the same input gives the same
 * archive.
 *
 * Return: as buf_put(); -E2BIG for a body of 4 GiB or more.
 * Context: any thread; may allocate.
 * Spec: Linux Documentation/driver-api/early-userspace/buffer-format.rst
 */
int cpio_put(struct buf *out, const char *path, uint32_t mode,
	     struct span body) MUST_CHECK;

/**
 * cpio_end() - append the trailer
 *
 * Return: as buf_put().
 * Context: any thread; may allocate.
 */
int cpio_end(struct buf *out) MUST_CHECK;

#endif
