// SPDX-License-Identifier: Apache-2.0
// Limits by cgroup, on whatever hierarchies this host has: each is run into,
// and in the end nothing is left.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "confine/cgroup.h"
#include "tap.h"

#define ID "escapetestcgroup0000"

enum {
	MEMORY_BYTES = 32 << 20,
	PIDS = 20,
	CPU_PCT = 20,
	STEP_BYTES = 1 << 20,
	STEPS = 128,
};

static const struct cgroup_limits limits = {
	.memory_bytes = MEMORY_BYTES,
	.pids = PIDS,
	.cpu_pct = CPU_PCT,
};
static struct cgroup group;

/* Start @fn in the engine's leaf. */
static pid_t start(int (*fn)(void))
{
	struct err e = { 0 };
	int go[2] = { -1, -1 };
	char byte = 0;
	pid_t pid = -1;

	if (!CHECK(pipe2(go, O_CLOEXEC) == 0))
		return -1;
	pid = fork();
	if (pid == 0) {
		fd_close(&go[1]);
		_exit(fd_read(go[0], &byte, 1) == 1 ? fn() : 99);
	}
	CHECK_EQ(cgroup_enter(&group, CGROUP_ENGINE, pid, &e), 0);
	CHECK_EQ(fd_write_all(go[1], span_str("g")), 0);
	fd_close(&go[0]);
	fd_close(&go[1]);
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static bool make(void)
{
	struct err e = { 0 };
	int r = cgroup_new(ID, &limits, &group, &e);

	if (r < 0)
		printf("# %s\n", e.text);
	return CHECK_EQ(r, 0);
}

static int eat_memory(void)
{
	for (int i = 0; i < STEPS; i++) {
		char *at = mmap(NULL, STEP_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			return 1;
		memset(at, 'x', STEP_BYTES);
	}
	return 0;
}

TEST(memory_beyond_the_limit_kills_and_is_counted)
{
	int status = 0;

	if (!make())
		return;
	CHECK_EQ(cgroup_oom_kills(&group), 0);
	status = status_of(start(eat_memory));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(cgroup_oom_kills(&group) > 0);
	CHECK_EQ(cgroup_remove(&group), 0);
}

static int bear_children(void)
{
	int count = 0;

	while (count < 10 * PIDS && fork() > 0)
		count++;
	if (count == 0 || count == 10 * PIDS)
		pause(); /* a child, or no limit */
	return count;
}

TEST(processes_end_at_the_limit)
{
	int status = 0;

	if (!make())
		return;
	status = status_of(start(bear_children));
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), PIDS - 1);
	/* Its children live on: removing is killing. */
	CHECK_EQ(cgroup_remove(&group), 0);
}

static int spin(void)
{
	uint64_t end = clock_boot_ns() + NS_PER_S;
	struct rusage used;

	while (clock_boot_ns() < end)
		;
	if (getrusage(RUSAGE_SELF, &used) < 0)
		return 255;
	return (int)((used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 100 +
		     (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 10000);
}

TEST(processor_time_keeps_to_the_quota)
{
	int status = 0;

	if (!make())
		return;
	status = status_of(start(spin));
	CHECK(WIFEXITED(status));
	printf("# used %d%% of one processor, limit %d%%\n",
	       WEXITSTATUS(status), CPU_PCT);
	CHECK(WEXITSTATUS(status) <= CPU_PCT + CPU_PCT / 2);
	CHECK_EQ(cgroup_remove(&group), 0);
}

/* Hard to kill: ignores what can be ignored, and forks. */
static NORETURN void cling(void)
{
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_IGN);
	(void)setsid();
	while (fork() >= 0)
		;
	for (;;)
		(void)pause();
}

static int start_to_cling(void)
{
	cling();
}

static void exists(const char *id, bool want)
{
	struct stat st;

	for (size_t i = 0; i < group.tree_count; i++) {
		CHECK(strstr(group.trees[i].dir, id) != NULL);
		CHECK_EQ(stat(group.trees[i].dir, &st) == 0, want);
	}
}

TEST(a_dead_sandbox_is_swept_by_its_id)
{
	uint64_t begin = 0;
	pid_t pid = 0;

	if (!make())
		return;
	pid = start(start_to_cling);
	exists(ID, true);
	begin = clock_boot_ns();
	/* Its reaper must be gone before the group is. */
	(void)signal(SIGCHLD, SIG_IGN);
	CHECK_EQ(cgroup_sweep(ID), 0);
	printf("# swept after %ju ms\n",
	       (uintmax_t)((clock_boot_ns() - begin) / NS_PER_MS));
	exists(ID, false);
	CHECK(kill(pid, 0) < 0 && errno == ESRCH);
	(void)signal(SIGCHLD, SIG_DFL);
	CHECK_EQ(cgroup_sweep(ID), 0);
}

TEST(a_name_that_leads_elsewhere_is_refused)
{
	CHECK_EQ(cgroup_new("../x", &limits, &group, NULL), -EINVAL);
	CHECK_EQ(cgroup_sweep(".."), -EINVAL);
	CHECK_EQ(cgroup_sweep(""), -EINVAL);
	CHECK_EQ(cgroup_sweep("a/b"), -EINVAL);
}

TESTS(RUN(memory_beyond_the_limit_kills_and_is_counted),
      RUN(processes_end_at_the_limit), RUN(processor_time_keeps_to_the_quota),
      RUN(a_dead_sandbox_is_swept_by_its_id),
      RUN(a_name_that_leads_elsewhere_is_refused))
