// SPDX-License-Identifier: Apache-2.0
// cpio archives: every byte, and what cpio(1) makes of them.

#include "image/cpio.h"

#include "scratch.h"
#include "tap.h"

/* Magic; ino mode uid gid nlink mtime size, 4 devices, name's size, check. */
#define HEAD(mode, size, name)                                                 \
	"07070100000000" mode "00000000000000000000000100000000" size          \
	"00000000000000000000000000000000" name "00000000"

static const char EXPECTED[] =
	HEAD("000041ed", "00000000", "00000002") "d\0" HEAD(
		"000081a4", "00000005",
		"00000004") "d/f\0\0\0"
			    "hello\0\0\0" HEAD("00000000", "00000000",
					       "0000000b") "TRAILER!!!\0\0\0\0";

static int put_example(struct buf *out)
{
	TRY(cpio_put(out, "d", S_IFDIR | 0755, span_of(NULL, 0)));
	TRY(cpio_put(out, "d/f", S_IFREG | 0644, span_str("hello")));
	return cpio_end(out);
}

TEST(a_small_archive_is_these_bytes)
{
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(4096);

	CHECK_EQ(put_example(&out), 0);
	CHECK_EQ(out.len, sizeof(EXPECTED) - 1);
	if (out.len == sizeof(EXPECTED) - 1)
		CHECK_MEM(out.ptr, EXPECTED, sizeof(EXPECTED) - 1);
}

/* Names and bodies of every length modulo 4 begin and end on 4. */
TEST(entries_are_padded_to_four_bytes)
{
	for (size_t name = 1; name < 6; name++) {
		for (size_t body = 0; body < 6; body++) {
			CLEANUP(buf_fini) struct buf out = BUF_EMPTY(4096);
			char path[8] = "aaaaaaa";

			path[name] = '\0';
			CHECK_EQ(cpio_put(&out, path, S_IFREG,
					  span_of("bbbbbb", body)),
				 0);
			CHECK_EQ(out.len % 4, 0);
			CHECK_EQ(out.len, ((110 + name + 1 + 3) & ~(size_t)3) +
						  ((body + 3) & ~(size_t)3));
		}
	}
}

TEST(cpio_reads_it_back)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(4096);
	CLEANUP(buf_fini) struct buf listed = BUF_EMPTY(4096);
	char command[PATH_MAX + 32];
	FILE *cpio = NULL;
	char line[64] = "";
	int status = -1;

	if (access("/usr/bin/cpio", X_OK) != 0 &&
	    access("/bin/cpio", X_OK) != 0) {
		SKIP("cpio is not installed");
		return;
	}
	CHECK_EQ(put_example(&out), 0);
	CHECK_EQ(fd_write_file(AT_FDCWD, scratch_path(&s, "a"), 0600,
			       buf_span(&out)),
		 0);
	(void)snprintf(command, sizeof(command), "cpio -it <%s 2>/dev/null",
		       s.path);
	/* NOLINTNEXTLINE(cert-env33-c): the path is mkdtemp's */
	cpio = popen(command, "re"); /* banned-ok: the test's own command */
	if (!CHECK(cpio != NULL))
		return;
	while (fgets(line, sizeof(line), cpio) != NULL)
		CHECK_EQ(buf_put_str(&listed, line), 0);
	status = pclose(cpio);
	CHECK_EQ(status, 0);
	CHECK_STR(buf_cstr(&listed), "d\n"
				     "d/f\n");
}

TEST(what_does_not_fit_is_refused)
{
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(100);

	CHECK_EQ(cpio_put(&out, "d", S_IFDIR, span_of(NULL, 0)), -E2BIG);
	/* The length alone is looked at. */
	CHECK_EQ(cpio_put(&out, "f", S_IFREG,
			  span_of("", (size_t)UINT32_MAX + 1)),
		 -E2BIG);
}

TESTS(RUN(a_small_archive_is_these_bytes),
      RUN(entries_are_padded_to_four_bytes), RUN(cpio_reads_it_back),
      RUN(what_does_not_fit_is_refused))
