// SPDX-License-Identifier: Apache-2.0
// Writing a cpio archive in the "newc" format.

#include "image/cpio.h"

#include <string.h>

static int pad(struct buf *out)
{
	static const uint8_t zeros[4];

	return buf_put(out, span_of(zeros, (4 - out->len % 4) % 4));
}

int cpio_put(struct buf *out, const char *path, uint32_t mode, struct span body)
{
	if (body.len > UINT32_MAX)
		return -E2BIG;
	/* ino mode uid gid nlink mtime size major minor rmajor rminor name
	 * check */
	TRY(buf_printf(out,
		       "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
		       "%08x%08x",
		       0u, mode, 0u, 0u, 1u, 0u, (unsigned)body.len, 0u, 0u, 0u,
		       0u, (unsigned)strlen(path) + 1, 0u));
	TRY(buf_put(out, span_of(path, strlen(path) + 1)));
	TRY(pad(out));
	TRY(buf_put(out, body));
	return pad(out);
}

int cpio_end(struct buf *out)
{
	return cpio_put(out, "TRAILER!!!", 0, span_of(NULL, 0));
}
