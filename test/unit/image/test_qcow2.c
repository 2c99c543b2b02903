// SPDX-License-Identifier: Apache-2.0
// Empty qcow2 layers: the header's bytes, the tables, and qemu-img's opinion.

#include "image/qcow2.h"

#include <endian.h>
#include <sys/wait.h>

#include "scratch.h"
#include "tap.h"

#define CLUSTER INT64_C(65536)

static uint64_t be64(int fd, off_t at)
{
	uint64_t n = 0;

	CHECK_EQ(pread(fd, &n, sizeof(n), at), sizeof(n));
	return be64toh(n);
}

static uint32_t be32(int fd, off_t at)
{
	uint32_t n = 0;

	CHECK_EQ(pread(fd, &n, sizeof(n), at), sizeof(n));
	return be32toh(n);
}

static int create(struct scratch *s, uint64_t bytes, int *ret_fd)
{
	*ret_fd = open(scratch_path(s, "layer"),
		       O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return qcow2_create(*ret_fd, bytes);
}

TEST(the_header_is_these_bytes)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(fd_close) int fd = -1;
	struct stat st = { 0 };

	CHECK_EQ(create(&s, UINT64_C(3) << 30, &fd), 0);
	CHECK_EQ(be32(fd, 0), 0x514649fb); /* "QFI" and 0xfb */
	CHECK_EQ(be32(fd, 4), 3);
	CHECK_EQ(be64(fd, 8), 0); /* no backing file */
	CHECK_EQ(be32(fd, 16), 0);
	CHECK_EQ(be32(fd, 20), 16); /* clusters of 64 KiB */
	CHECK_EQ(be64(fd, 24), UINT64_C(3) << 30);
	CHECK_EQ(be32(fd, 32), 0); /* not encrypted */
	CHECK_EQ(be32(fd, 36), 6); /* first-level entries, 512 MiB each */
	CHECK_EQ(be64(fd, 40), 3 * CLUSTER);
	CHECK_EQ(be64(fd, 48), CLUSTER);
	CHECK_EQ(be32(fd, 56), 1);
	CHECK_EQ(be32(fd, 60), 0); /* no snapshot */
	CHECK_EQ(be64(fd, 72), 0); /* no incompatible feature */
	CHECK_EQ(be64(fd, 80), 0);
	CHECK_EQ(be64(fd, 88), 0);
	CHECK_EQ(be32(fd, 96), 4); /* reference counts of 16 bits */
	CHECK_EQ(be32(fd, 100), 104);
	CHECK_EQ(be64(fd, 104), 0); /* no extension */
	CHECK_EQ(be64(fd, CLUSTER), 2 * CLUSTER);
	CHECK_EQ(be64(fd, 2 * CLUSTER), UINT64_C(0x0001000100010001));
	CHECK_EQ(be64(fd, 2 * CLUSTER + 8), 0);
	CHECK_EQ(be64(fd, 3 * CLUSTER), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 4 * CLUSTER);
	CHECK(st.st_blocks * 512 < st.st_size); /* sparse */
}

TEST(sizes_are_whole_sectors_up_to_four_tebibytes)
{
	static const uint64_t BAD[] = { 0,
					1,
					511,
					513,
					QCOW2_SIZE_MAX_BYTES + 512,
					UINT64_MAX,
					UINT64_MAX - 511 };
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct stat st = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		CLEANUP(fd_close) int fd = -1;

		CHECK_EQ(create(&s, BAD[i], &fd), -EINVAL);
		CHECK_EQ(fstat(fd, &st), 0);
		CHECK_EQ(st.st_size, 0);
	}
}

TEST(the_first_level_table_covers_the_disk)
{
	static const struct {
		uint64_t bytes;
		uint32_t entries;
	} SIZES[] = {
		{ 512, 1 },
		{ UINT64_C(1) << 29, 1 },
		{ (UINT64_C(1) << 29) + 512, 2 },
		{ QCOW2_SIZE_MAX_BYTES, 8192 }, /* one cluster of entries */
	};
	CLEANUP(scratch_fini) struct scratch s = scratch_new();

	for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
		CLEANUP(fd_close) int fd = -1;

		CHECK_EQ(create(&s, SIZES[i].bytes, &fd), 0);
		CHECK_EQ(be32(fd, 36), SIZES[i].entries);
		CHECK_EQ(be64(fd, 24), SIZES[i].bytes);
	}
}

TEST(qemu_img_finds_nothing_wrong)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(fd_close) int fd = -1;
	int status = -1;
	pid_t child = 0;

	if (access("/usr/bin/qemu-img", X_OK) != 0) {
		SKIP("qemu-img is not installed");
		return;
	}
	CHECK_EQ(create(&s, UINT64_C(20) << 30, &fd), 0);
	child = fork();
	if (child == 0) {
		(void)execl("/usr/bin/qemu-img", "qemu-img", "check", "-q",
			    "-f", "qcow2", s.path, (char *)NULL);
		_exit(127);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

TEST(a_file_that_cannot_be_written_is_an_error)
{
	CLEANUP(fd_close) int fd = open("/dev/full", O_RDONLY | O_CLOEXEC);

	CHECK_EQ(qcow2_create(fd, 512), -EBADF);
	CHECK_EQ(qcow2_create(-1, 512), -EBADF);
}

TESTS(RUN(the_header_is_these_bytes),
      RUN(sizes_are_whole_sectors_up_to_four_tebibytes),
      RUN(the_first_level_table_covers_the_disk),
      RUN(qemu_img_finds_nothing_wrong),
      RUN(a_file_that_cannot_be_written_is_an_error))
