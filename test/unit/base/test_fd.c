// SPDX-License-Identifier: Apache-2.0
// Descriptors: ownership, whole reads and writes, files replaced in one step.

#include "base/fd.h"

#include <signal.h>
#include <sys/wait.h>

#include "scratch.h"
#include "tap.h"

TEST(closing_forgets_and_keeps_errno)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int was = fd;
	int none = -1;

	errno = EXDEV;
	fd_close(&fd);
	fd_close(&none);
	CHECK_EQ(errno, EXDEV);
	CHECK_EQ(fd, -1);
	CHECK_EQ(fcntl(was, F_GETFD), -1);
}

TEST(taking_moves_the_ownership)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CLEANUP(fd_close) int mine = fd_take(&fd);

	CHECK_EQ(fd, -1);
	CHECK(fcntl(mine, F_GETFD) >= 0);
}

TEST(a_pair_is_connected_and_not_inherited)
{
	int pair[2] = { -1, -1 };
	char got[8] = "";

	CHECK_EQ(fd_pair(pair), 0);
	CHECK_EQ(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fd_write(pair[0], span_str("hello")), 5);
	CHECK_EQ(fd_read(pair[1], got, sizeof(got)), 5);
	CHECK_STR(got, "hello");
	CHECK_EQ(fd_set_inherit(pair[1], true), 0);
	CHECK_EQ(fcntl(pair[1], F_GETFD), 0);
	CHECK_EQ(fd_set_inherit(pair[1], false), 0);
	CHECK_EQ(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
	fd_close(&pair[0]);
	CHECK_EQ(fd_read(pair[1], got, sizeof(got)), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(fd_write(pair[1], span_str("x")), -EPIPE);
	fd_close(&pair[1]);
}

TEST(without_blocking_nothing_there_is_said)
{
	int pair[2] = { -1, -1 };
	char got[8];

	CHECK_EQ(fd_pair(pair), 0);
	CHECK_EQ(fd_set_nonblock(pair[0], true), 0);
	CHECK_EQ(fd_read(pair[0], got, sizeof(got)), -EAGAIN);
	CHECK_EQ(fd_set_nonblock(pair[0], false), 0);
	CHECK_EQ(fcntl(pair[0], F_GETFL) & O_NONBLOCK, 0);
	CHECK_EQ(fd_set_nonblock(-1, true), -EBADF);
	CHECK_EQ(fd_read(-1, got, sizeof(got)), -EBADF);
	CHECK_EQ(fd_set_inherit(-1, true), -EBADF);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

/* More than a pipe holds, read slowly by a child that counts. */
TEST(every_byte_is_written_to_a_slow_reader)
{
	enum { BYTES = 300000 };
	static uint8_t bytes[BYTES];
	int ends[2] = { -1, -1 };
	int status = -1;
	pid_t child = 0;

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		CLEANUP(buf_fini) struct buf got = BUF_EMPTY(BYTES);

		fd_close(&ends[1]);
		_exit(fd_read_all(ends[0], &got) == 0 && got.len == BYTES ? 0 :
									    1);
	}
	fd_close(&ends[0]);
	CHECK_EQ(fd_write_all(ends[1], span_of(bytes, BYTES)), 0);
	fd_close(&ends[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

TEST(a_file_is_read_up_to_the_maximum)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(buf_fini) struct buf fits = BUF_EMPTY(7);
	CLEANUP(buf_fini) struct buf small = BUF_EMPTY(6);
	CLEANUP(buf_fini) struct buf nothing = BUF_EMPTY(0);

	CHECK_EQ(scratch_write(&s, "a", "abcdefg"), 0);
	CHECK_EQ(fd_read_file(AT_FDCWD, scratch_path(&s, "a"), &fits), 0);
	CHECK(span_is(buf_span(&fits), "abcdefg"));
	CHECK_EQ(fd_read_file(AT_FDCWD, s.path, &small), -E2BIG);
	CHECK(span_is(buf_span(&small), "abcdef"));
	CHECK_EQ(fd_read_file(AT_FDCWD, "/dev/null", &nothing), 0);
	CHECK_EQ(fd_read_file(AT_FDCWD, scratch_path(&s, "b"), &fits), -ENOENT);
	CHECK_EQ(fd_read_file(AT_FDCWD, s.dir, &small), -EISDIR);
}

TEST(writing_truncates_what_was_there)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(buf_fini) struct buf got = BUF_EMPTY(100);
	struct stat st = { 0 };

	CHECK_EQ(scratch_write(&s, "a", "a longer one"), 0);
	CHECK_EQ(fd_write_file(AT_FDCWD, s.path, 0600, span_str("new")), 0);
	CHECK_EQ(fd_read_file(AT_FDCWD, s.path, &got), 0);
	CHECK(span_is(buf_span(&got), "new"));
	CHECK_EQ(fd_write_file(AT_FDCWD, scratch_path(&s, "b"), 0600,
			       span_str("")),
		 0);
	CHECK_EQ(stat(s.path, &st), 0);
	CHECK_EQ(st.st_mode & 07777u, 0600);
	CHECK_EQ(fd_write_file(AT_FDCWD, scratch_path(&s, "no/b"), 0600,
			       span_str("")),
		 -ENOENT);
}

TEST(a_replaced_file_is_the_old_or_the_new_one)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(buf_fini) struct buf got = BUF_EMPTY(100);
	CLEANUP(fd_close) int dir = open(s.dir, O_RDONLY | O_CLOEXEC);
	CLEANUP(fd_close) int old = -1;

	CHECK_EQ(scratch_write(&s, "a", "old"), 0);
	old = open(s.path, O_RDONLY | O_CLOEXEC);
	CHECK_EQ(fd_replace_file(dir, "a", 0644, span_str("new")), 0);
	CHECK_EQ(fd_read_all(old, &got), 0);
	CHECK(span_is(buf_span(&got), "old"));
	got.len = 0;
	CHECK_EQ(fd_read_file(dir, "a", &got), 0);
	CHECK(span_is(buf_span(&got), "new"));
	CHECK_EQ(access(scratch_path(&s, "a.new"), F_OK), -1);
}

TEST(a_failed_replacement_leaves_the_old_file_and_nothing_else)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(fd_close) int dir = open(s.dir, O_RDONLY | O_CLOEXEC);
	char path[PATH_MAX + 1];

	CHECK_EQ(scratch_mkdir(&s, "a"), 0);
	CHECK_EQ(fd_replace_file(dir, "a", 0644, span_str("new")), -EISDIR);
	CHECK_EQ(access(scratch_path(&s, "a.new"), F_OK), -1);
	CHECK_EQ(fd_replace_file(dir, "no/a", 0644, span_str("new")), -ENOENT);
	memset(path, 'x', PATH_MAX);
	path[PATH_MAX] = '\0';
	CHECK_EQ(fd_replace_file(dir, path, 0644, span_str("new")),
		 -ENAMETOOLONG);
}

/* Every content is 64 KiB of one letter: a mixture is neither. */
static int replace_often(int dir, char letter)
{
	static uint8_t bytes[65536];

	memset(bytes, letter, sizeof(bytes));
	for (int i = 0; i < 30; i++)
		TRY(fd_replace_file(dir, "a", 0644,
				    span_of(bytes, sizeof(bytes))));
	return 0;
}

static bool is_whole(int dir)
{
	CLEANUP(buf_fini) struct buf got = BUF_EMPTY(65536);

	if (fd_read_file(dir, "a", &got) < 0 || got.len != 65536)
		return false;
	return memcmp(got.ptr, got.ptr + 1, got.len - 1) == 0;
}

TEST(writers_at_once_all_succeed_and_a_reader_sees_whole_files)
{
	enum { WRITERS = 4 };
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(fd_close) int dir = open(s.dir, O_RDONLY | O_CLOEXEC);
	bool is_always_whole = true;
	int alive = WRITERS;

	CHECK_EQ(replace_often(dir, 'z'), 0);
	for (int i = 0; i < WRITERS; i++) {
		if (fork() == 0)
			_exit(replace_often(dir, (char)('a' + i)) == 0 ? 0 : 1);
	}
	while (alive > 0) {
		int status = 0;

		is_always_whole = is_always_whole && is_whole(dir);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			CHECK_EQ(status, 0);
			alive--;
		}
	}
	CHECK(is_always_whole);
	CHECK_EQ(access(scratch_path(&s, "a.new"), F_OK), -1);
}

TEST(what_a_dead_writer_left_is_no_hindrance)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	CLEANUP(fd_close) int dir = open(s.dir, O_RDONLY | O_CLOEXEC);
	CLEANUP(buf_fini) struct buf got = BUF_EMPTY(100);

	CHECK_EQ(scratch_write(&s, "a.new", "half of something long"), 0);
	CHECK_EQ(fd_replace_file(dir, "a", 0644, span_str("new")), 0);
	CHECK_EQ(fd_read_file(dir, "a", &got), 0);
	CHECK(span_is(buf_span(&got), "new"));
	CHECK_EQ(symlink("elsewhere", scratch_path(&s, "a.new")), 0);
	CHECK_EQ(fd_replace_file(dir, "a", 0644, span_str("x")), -ELOOP);
	CHECK_EQ(access(scratch_path(&s, "elsewhere"), F_OK), -1);
}

TESTS(RUN(closing_forgets_and_keeps_errno), RUN(taking_moves_the_ownership),
      RUN(a_pair_is_connected_and_not_inherited),
      RUN(without_blocking_nothing_there_is_said),
      RUN(every_byte_is_written_to_a_slow_reader),
      RUN(a_file_is_read_up_to_the_maximum),
      RUN(writing_truncates_what_was_there),
      RUN(a_replaced_file_is_the_old_or_the_new_one),
      RUN(a_failed_replacement_leaves_the_old_file_and_nothing_else),
      RUN(writers_at_once_all_succeed_and_a_reader_sees_whole_files),
      RUN(what_a_dead_writer_left_is_no_hindrance))
