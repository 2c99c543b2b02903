// SPDX-License-Identifier: Apache-2.0
// The initramfs: caponier-init, caponier-agent and the kernel's modules.

#include "image/initrd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "image/cpio.h"

enum {
	ARCHIVE_MAX_BYTES = 64 << 20,
	FILE_MAX_BYTES = 32 << 20,
	ORDER_MAX_BYTES = 16384,
	PROGRAM_MODE = S_IFREG | 0755,
	PLAIN_MODE = S_IFREG | 0644,
	DIR_MODE = S_IFDIR | 0755,
	FILE_PERMS = 0644,
};

static int put_file(struct buf *out, const char *dir, const char *name,
		    const char *inside, uint32_t mode, struct err *e)
{
	CLEANUP(buf_fini) struct buf body = BUF_EMPTY(FILE_MAX_BYTES);
	char path[PATH_MAX];
	int r = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	r = fd_read_file(AT_FDCWD, path, &body);
	if (r == 0)
		r = cpio_put(out, inside, mode, buf_span(&body));
	if (r < 0)
		return err_set(e, r,
			       "cannot make the initramfs: %s: %s; run ./dev "
			       "build, or build the template again",
			       path, err_text(NULL, r));
	return 0;
}

static int put_module(struct buf *out, const char *modules, struct span name,
		      struct err *e)
{
	char file[NAME_MAX + 1];
	char inside[NAME_MAX + 16];

	if (span_copy_str(name, file, sizeof(file)) < 0 ||
	    strchr(file, '/') != NULL)
		return err_set(e, -EBADMSG,
			       "cannot make the initramfs: %s/order names a "
			       "bad module; build the kernel again",
			       modules);
	(void)snprintf(inside, sizeof(inside), "modules/%s", file);
	return put_file(out, modules, file, inside, PLAIN_MODE, e);
}

static int put_modules(struct buf *out, const char *modules, struct err *e)
{
	CLEANUP(buf_fini) struct buf order = BUF_EMPTY(ORDER_MAX_BYTES);
	char path[PATH_MAX];
	struct span rest;
	int r = 0;

	TRY(put_file(out, modules, "order", "modules/order", PLAIN_MODE, e));
	if (snprintf(path, sizeof(path), "%s/order", modules) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	TRY(fd_read_file(AT_FDCWD, path, &order));
	for (rest = buf_span(&order); rest.len != 0 && r == 0;) {
		const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end != NULL ? (size_t)(end - rest.ptr) : rest.len;

		if (len != 0)
			r = put_module(out, modules, span_to(rest, len), e);
		rest = span_from(rest, len + 1);
	}
	return r;
}

static int build(struct buf *out, const char *programs, const char *modules,
		 struct err *e)
{
	static const char *const dirs[] = { "dev",     "proc",	  "sys",
					    "newroot", "modules", "run" };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		TRY(cpio_put(out, dirs[i], DIR_MODE, span_of(NULL, 0)));
	TRY(put_file(out, programs, "caponier-init", "init", PROGRAM_MODE, e));
	TRY(put_file(out, programs, "caponier-agent", "agent", PROGRAM_MODE,
		     e));
	TRY(put_modules(out, modules, e));
	return cpio_end(out);
}

int initrd_write(const char *programs, const char *modules, const char *file,
		 struct err *e)
{
	CLEANUP(buf_fini) struct buf archive = BUF_EMPTY(ARCHIVE_MAX_BYTES);
	CLEANUP(buf_fini) struct buf old = BUF_EMPTY(ARCHIVE_MAX_BYTES);
	int r = 0;

	TRY(build(&archive, programs, modules, e));
	if (fd_read_file(AT_FDCWD, file, &old) == 0 &&
	    span_eq(buf_span(&old), buf_span(&archive)))
		return 0;
	r = fd_replace_file(AT_FDCWD, file, FILE_PERMS, buf_span(&archive));
	if (r < 0)
		return err_set(e, r,
			       "cannot write %s: %s; free space or correct "
			       "its directory",
			       file, err_text(NULL, r));
	return 0;
}
