// SPDX-License-Identifier: Apache-2.0
// Sweeping: a directory that nobody holds is removed, a held one stays, one
// that is being made stays for a while.

#include "launch/launch.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>

#include "scratch.h"
#include "tap.h"

#define ID_A "00000000000000000aaa"
#define ID_B "00000000000000000bbb"

struct fixture {
	struct scratch s;
	struct home home;
};

static void fixture_fini(struct fixture *f)
{
	scratch_fini(&f->s);
}

static struct fixture fixture_new(void)
{
	struct fixture f = { .s = scratch_new() };

	(void)snprintf(f.home.dir, sizeof(f.home.dir), "%s", f.s.dir);
	CHECK_EQ(scratch_mkdir(&f.s, "sandboxes"), 0);
	return f;
}

static const char *inside(struct fixture *f, const char *name)
{
	char below[300];

	(void)snprintf(below, sizeof(below), "sandboxes/%s", name);
	return scratch_path(&f->s, below);
}

/* A sandbox's directory; the descriptor of its lock, held if asked for. */
static int make(struct fixture *f, const char *id, bool is_held)
{
	char lock[64];
	int fd = -1;

	CHECK_EQ(mkdir(inside(f, id), 0700), 0);
	(void)snprintf(lock, sizeof(lock), "%s/lock", id);
	fd = open(inside(f, lock), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	if (is_held)
		CHECK_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

static bool exists(struct fixture *f, const char *name)
{
	return access(inside(f, name), F_OK) == 0;
}

/* Sets the directory's mtime @seconds back. */
static void age(struct fixture *f, const char *name, time_t seconds)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = time(NULL) - seconds } };

	CHECK_EQ(utimensat(AT_FDCWD, inside(f, name), times, 0), 0);
}

TEST(held_ones_stay_and_the_others_go)
{
	CLEANUP(fixture_fini) struct fixture f = fixture_new();
	CLEANUP(fd_close) int held = make(&f, ID_A, true);
	CLEANUP(fd_close) int loose = make(&f, ID_B, false);

	CHECK_EQ(fd_write_file(AT_FDCWD, inside(&f, ID_B "/spec.json"), 0600,
			       span_str("{}")),
		 0);
	CHECK_EQ(mkdir(inside(&f, ID_B "/deep"), 0700), 0);
	CHECK_EQ(launch_sweep(&f.home), 1);
	CHECK(exists(&f, ID_A "/lock"));
	CHECK(!exists(&f, ID_B));
	fd_close(&held);
	CHECK_EQ(launch_sweep(&f.home), 1);
	CHECK(!exists(&f, ID_A));
	CHECK_EQ(launch_sweep(&f.home), 0);
}

/* The lock is the open file's: a keeper's copy holds it, too. */
TEST(a_copy_of_the_lock_holds_it)
{
	CLEANUP(fixture_fini) struct fixture f = fixture_new();
	int held = make(&f, ID_A, true);
	CLEANUP(fd_close) int copy = dup(held);

	fd_close(&held);
	CHECK_EQ(launch_sweep(&f.home), 0);
	CHECK(exists(&f, ID_A));
}

TEST(one_without_a_lock_is_dead)
{
	CLEANUP(fixture_fini) struct fixture f = fixture_new();

	CHECK_EQ(mkdir(inside(&f, ID_A), 0700), 0);
	CHECK_EQ(launch_sweep(&f.home), 1);
	CHECK(!exists(&f, ID_A));
}

TEST(one_being_made_stays_until_it_is_old)
{
	CLEANUP(fixture_fini) struct fixture f = fixture_new();
	CLEANUP(fd_close) int held = -1;

	CHECK_EQ(mkdir(inside(&f, ".new-" ID_A), 0700), 0);
	held = make(&f, ".new-" ID_B, true);
	CHECK(held >= 0);
	CHECK_EQ(launch_sweep(&f.home), 0);
	age(&f, ".new-" ID_A, 120);
	age(&f, ".new-" ID_B, 120);
	CHECK_EQ(launch_sweep(&f.home), 1);
	CHECK(!exists(&f, ".new-" ID_A));
	CHECK(exists(&f, ".new-" ID_B));
}

TEST(what_is_no_directory_is_left_alone)
{
	CLEANUP(fixture_fini) struct fixture f = fixture_new();

	CHECK_EQ(scratch_mkdir(&f.s, "elsewhere"), 0);
	CHECK_EQ(symlink("../elsewhere", inside(&f, "link")), 0);
	CHECK_EQ(fd_write_file(AT_FDCWD, inside(&f, "file"), 0600,
			       span_str("")),
		 0);
	CHECK_EQ(launch_sweep(&f.home), 0);
	CHECK(exists(&f, "file"));
	CHECK_EQ(access(scratch_path(&f.s, "elsewhere"), F_OK), 0);
	/* A lock that is a link is not followed: the directory stays. */
	CHECK_EQ(mkdir(inside(&f, ID_A), 0700), 0);
	CHECK_EQ(symlink("/dev/null", inside(&f, ID_A "/lock")), 0);
	CHECK_EQ(launch_sweep(&f.home), 0);
	CHECK(exists(&f, ID_A));
}

TEST(a_home_without_sandboxes_is_clean)
{
	CLEANUP(fixture_fini) struct fixture f = fixture_new();

	CHECK_EQ(rmdir(scratch_path(&f.s, "sandboxes")), 0);
	CHECK_EQ(launch_sweep(&f.home), 0);
	CHECK_EQ(scratch_write(&f.s, "sandboxes", "a file"), 0);
	CHECK_EQ(launch_sweep(&f.home), -ENOTDIR);
}

/* Sends @text as the shim would and reads it as the launcher does. */
static int message(const char *text, struct control_message *ret)
{
	int pair[2] = { -1, -1 };
	struct launched sandbox = LAUNCHED_NONE;
	int r = 0;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
		 0);
	CHECK_EQ(fd_set_nonblock(pair[0], true), 0);
	sandbox.control_fd = pair[0];
	if (text != NULL)
		CHECK_EQ(send(pair[1], text, strlen(text), 0), strlen(text));
	else
		fd_close(&pair[1]);
	r = launch_read(&sandbox, ret);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return r;
}

TEST(messages_of_the_shim_are_read)
{
	struct control_message m;

	CHECK_EQ(message("{\"event\":\"ready\",\"boot_ms\":12}", &m), 0);
	CHECK_EQ(m.event, CONTROL_READY);
	CHECK_EQ(m.boot_ms, 12);
	CHECK_EQ(message("{\"event\":\"saved\"}", &m), 0);
	CHECK_EQ(m.event, CONTROL_SAVED);
	CHECK_EQ(message("{\"event\":\"ended\",\"cause\":\"memory\","
			 "\"detail\":\"why\"}",
			 &m),
		 0);
	CHECK_EQ(m.event, CONTROL_ENDED);
	CHECK_EQ(m.cause, CAUSE_MEMORY);
	CHECK_STR(m.detail, "why");
	CHECK_EQ(message(NULL, &m), 0);
	CHECK_EQ(m.event, CONTROL_LOST);
}

TEST(messages_that_are_none_are_refused)
{
	static const char *const BAD[] = {
		"x",
		"{}",
		"[]",
		"{\"event\":1}",
		"{\"event\":\"other\"}",
		"{\"event\":\"ended\"}",
		"{\"event\":\"ended\",\"cause\":\"none\"}",
		"{\"event\":\"ended\",\"cause\":7}",
	};
	struct control_message m;

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(message(BAD[i], &m), -EBADMSG);
}

TESTS(RUN(held_ones_stay_and_the_others_go), RUN(a_copy_of_the_lock_holds_it),
      RUN(one_without_a_lock_is_dead),
      RUN(one_being_made_stays_until_it_is_old),
      RUN(what_is_no_directory_is_left_alone),
      RUN(a_home_without_sandboxes_is_clean),
      RUN(messages_of_the_shim_are_read),
      RUN(messages_that_are_none_are_refused))
