// SPDX-License-Identifier: Apache-2.0
// Starting one program as a user: everything between fork and exec.
//
// Theory. clone3 puts the child into the workload's control group at birth,
// so no moment exists in which its memory counts as the agent's. Between fork
// and exec the child makes system calls only: no allocation, no lock.

#include "agent/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	FIRST_FREE_FD = 3,
	EXIT_NOT_STARTED = 127,
	WORKLOAD_FILES = 1024,
	WORKLOAD_FILES_MAX = 1048576,
	WORKLOAD_UMASK = 0022,
};

static NORETURN void fail(int status_fd, enum spawn_stage stage)
{
	struct spawn_failure failure = { .stage = stage, .code = neg_errno() };

	(void)!write(status_fd, &failure, sizeof(failure));
	_exit(EXIT_NOT_STARTED);
}

/* Bring the descriptors above the three, so that none overwrites another. */
static void place_stdio(const struct spawn_plan *plan, int *status_fd)
{
	int high[SPAWN_STDIO];
	int status = fcntl(*status_fd, F_DUPFD_CLOEXEC, 16);

	if (status < 0)
		fail(*status_fd, SPAWN_STAGE_SETUP);
	*status_fd = status;
	for (int i = 0; i < SPAWN_STDIO; i++) {
		high[i] = fcntl(plan->stdio[i], F_DUPFD_CLOEXEC, 16);
		if (high[i] < 0)
			fail(status, SPAWN_STAGE_SETUP);
	}
	for (int i = 0; i < SPAWN_STDIO; i++) {
		if (dup2(high[i], i) < 0)
			fail(status, SPAWN_STAGE_SETUP);
	}
}

static void reset_signals(void)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &normal, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The agent's privileges against the out-of-memory killer and for the
 * processor are its own. */
static void become_ordinary(void)
{
	struct rlimit files = { .rlim_cur = WORKLOAD_FILES,
				.rlim_max = WORKLOAD_FILES_MAX };
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "100", 3);
	(void)setpriority(PRIO_PROCESS, 0, 0);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)umask(WORKLOAD_UMASK);
}

/* By system call: glibc's wrappers are for programs with threads. */
static bool become_user(const struct passwd_user *user)
{
	return syscall(SYS_setgroups, user->group_count, user->groups) == 0 &&
	       syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
	       syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0;
}

/* A pseudo terminal belongs to the one who works at it. */
static bool take_terminal(const struct passwd_user *user)
{
	return ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0 &&
	       fchown(STDIN_FILENO, user->uid, (gid_t)-1) == 0;
}

static NORETURN void become(const struct spawn_plan *plan, int status_fd)
{
	place_stdio(plan, &status_fd);
	reset_signals();
	(void)setsid();
	become_ordinary();
	if (plan->is_terminal && !take_terminal(plan->user))
		fail(status_fd, SPAWN_STAGE_SETUP);
	(void)syscall(SYS_close_range, FIRST_FREE_FD, ~0U,
		      1U << 2 /* CLOSE_RANGE_CLOEXEC */);
	if (!become_user(plan->user))
		fail(status_fd, SPAWN_STAGE_USER);
	if (chdir(plan->cwd) < 0)
		fail(status_fd, SPAWN_STAGE_CWD);
	environ = plan->envp; /* whose PATH is searched */
	(void)execvp(plan->argv[0], plan->argv);
	fail(status_fd, SPAWN_STAGE_EXEC);
}

static pid_t clone_into(int cgroup_fd, int *ret_pid_fd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)ret_pid_fd,
		.exit_signal = SIGCHLD,
	};

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)cgroup_fd;
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int spawn(const struct spawn_plan *plan, struct spawned *ret)
{
	int status[2] = { -1, -1 };
	int pid_fd = -1;
	pid_t pid = 0;
	int r = 0;

	if (pipe2(status, O_CLOEXEC | O_NONBLOCK) < 0)
		return neg_errno();
	pid = clone_into(plan->cgroup_fd, &pid_fd);
	if (pid == 0)
		become(plan, status[1]);
	if (pid < 0)
		r = neg_errno();
	(void)close(status[1]);
	if (r < 0) {
		(void)close(status[0]);
		return r;
	}
	*ret = (struct spawned){
		.pid = pid,
		.pid_fd = pid_fd,
		.status_fd = status[0],
	};
	return 0;
}
