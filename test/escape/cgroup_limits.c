// SPDX-License-Identifier: Apache-2.0
// Limits by cgroup, on whatever hierarchies this host has: each is run into,
// and in the end nothing is left.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "confine/cgroup.h"
#include "confine/jail.h"
#include "confine/self.h"
#include "tap.h"

#define ID "escapetestcgroup0000"

enum {
	MEMORY_BYTES = 32 << 20,
	PIDS = 20,
	CPU_PCT = 20,
	STEP_BYTES = 1 << 20,
	STEPS = 128,
	UID = 0x7fff0030,
};

static const struct cgroup_limits limits = {
	.memory_bytes = MEMORY_BYTES,
	.pids = PIDS,
	.cpu_pct = CPU_PCT,
};
static struct cgroup group;
static char root[PATH_MAX]; /* of the jail */
static bool is_root;

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

/* The engine's way into its leaf: the keeper makes the group and moves the
 * shim, the shim, in namespaces of its own, moves the engine. */

static const struct sock_filter allow_all_code[] = {
	BPF_STMT(BPF_RET | BPF_K, 0x7fff0000U),
};
static const struct sock_fprog allow_all = {
	.len = 1,
	.filter = (struct sock_filter *)(uintptr_t)allow_all_code,
};

static void jail_a_sleeper(int go)
{
	static char *const argv[] = { (char *)(uintptr_t)"sleeper", NULL };
	static const struct step_access access[] = { { "/", true, false } };
	const struct jail_spec spec = {
		.root = root,
		.stderr_fd = STDERR_FILENO,
		.access = access,
		.access_count = 1,
		.filter = &allow_all,
		.cgroup = &group,
		.leaf = CGROUP_ENGINE,
		.host_uid = is_root ? UID : 0,
		.program = "/sleeper",
		.argv = argv,
		.envp = argv + 1,
	};
	struct err e = { 0 };
	int pid_fd = -1;
	pid_t pid = -1;
	char byte = 0;

	if (fd_read(go, &byte, 1) != 1)
		_exit(1);
	if (jail_spawn(&spec, &pid, &pid_fd, &e) < 0) {
		printf("# %s\n", e.text);
		_exit(1);
	}
	if (fd_write_all(go, span_str("s")) < 0)
		_exit(1);
	(void)pause();
	_exit(0);
}

/* The only process of a leaf, or -1. */
static pid_t only_one_in(const char *leaf)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(4096);
	char path[PATH_MAX];
	char *end = NULL;
	long pid = -1;

	(void)snprintf(path, sizeof(path), "%.4000s/%s/cgroup.procs",
		       group.trees[0].dir, leaf);
	if (!CHECK_EQ(fd_read_file(AT_FDCWD, path, &text), 0) ||
	    buf_cstr(&text) == NULL)
		return -1;
	pid = strtol((const char *)text.ptr, &end, 10);
	CHECK_STR(end, "\n");
	return (pid_t)pid;
}

static void has_own_view(pid_t pid)
{
	char path[64];
	char its[64] = "";
	char ours[64] = "";

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/cgroup", pid);
	CHECK(readlink(path, its, sizeof(its) - 1) > 0);
	CHECK(readlink("/proc/self/ns/cgroup", ours, sizeof(ours) - 1) > 0);
	CHECK(strcmp(its, ours) != 0);
}

TEST(the_engine_is_in_its_leaf_and_sees_no_other)
{
	struct err e = { 0 };
	CLEANUP(fd_close) int pid_fd = -1;
	int go[2] = { -1, -1 };
	char byte = 0;
	pid_t shim = -1;

	if (!make() || !CHECK_EQ(fd_pair(go), 0))
		return;
	shim = confine_fork(&pid_fd, &e);
	if (shim == 0) {
		fd_close(&go[0]);
		jail_a_sleeper(go[1]);
	}
	fd_close(&go[1]);
	CHECK_EQ(cgroup_enter(&group, CGROUP_SHIM, shim, &e), 0);
	CHECK_EQ(fd_write_all(go[0], span_str("g")), 0);
	if (CHECK_EQ(fd_read(go[0], &byte, 1), 1)) {
		CHECK_EQ(only_one_in("shim"), shim);
		has_own_view(only_one_in("engine"));
	}
	fd_close(&go[0]);
	(void)kill(shim, SIGKILL);
	CHECK_EQ(waitpid(shim, NULL, 0), shim);
	/* The engine went with the shim. */
	CHECK_EQ(cgroup_remove(&group), 0);
}

TEST(a_name_that_leads_elsewhere_is_refused)
{
	CHECK_EQ(cgroup_new("../x", &limits, &group, NULL), -EINVAL);
	CHECK_EQ(cgroup_sweep(".."), -EINVAL);
	CHECK_EQ(cgroup_sweep(""), -EINVAL);
	CHECK_EQ(cgroup_sweep("a/b"), -EINVAL);
}

static const struct tap_test tests[] = {
	RUN(memory_beyond_the_limit_kills_and_is_counted),
	RUN(processes_end_at_the_limit),
	RUN(processor_time_keeps_to_the_quota),
	RUN(a_dead_sandbox_is_swept_by_its_id),
	RUN(the_engine_is_in_its_leaf_and_sees_no_other),
	RUN(a_name_that_leads_elsewhere_is_refused),
};

TEST(a_user_without_a_delegated_group_is_told_so)
{
	struct err e = { 0 };

	CHECK_EQ(cgroup_new(ID, &limits, &group, &e), -ENOTSUP);
	CHECK_STR(e.text, "cannot limit the sandbox from the host's side: no "
			  "cgroup is delegated to this user; start it by "
			  "systemd-run --user --scope, or as root");
}

static const struct tap_test tests_of_a_user[] = {
	RUN(a_user_without_a_delegated_group_is_told_so),
	RUN(a_name_that_leads_elsewhere_is_refused),
};

static bool is_delegated(void)
{
	if (cgroup_new(ID, &limits, &group, NULL) == -ENOTSUP)
		return false;
	return cgroup_remove(&group) == 0;
}

static int make_place(const char *place)
{
	CLEANUP(buf_fini) struct buf program = BUF_EMPTY(64 << 20);
	char path[PATH_MAX + 16];

	(void)snprintf(root, sizeof(root), "%s", place);
	(void)snprintf(path, sizeof(path), "%s/sleeper", root);
	TRY(fd_read_file(AT_FDCWD, "/proc/self/exe", &program));
	return fd_write_file(AT_FDCWD, path, 0755, buf_span(&program));
}

int main(int argc, char **argv)
{
	/* The program in the jail is this one, too. */
	if (strcmp(argv[0], "sleeper") == 0)
		return pause();
	if (argc != 2 || make_place(argv[1]) < 0)
		return 2;
	is_root = geteuid() == 0;
	if (!is_root && !is_delegated())
		return tap_main(tests_of_a_user, ARRAY_LEN(tests_of_a_user));
	return tap_main(tests, ARRAY_LEN(tests));
}
