// SPDX-License-Identifier: Apache-2.0
// Jails: starting a program of somebody else's in a cage.

#include "confine/jail.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	HIGH_FD = 64, /* descriptors are moved out of the way to here */
	CHILD_FAILED = 126,
};

/* What the child works with between clone and exec. */
struct child {
	const struct jail_spec *spec;
	int go;	    /* read end: the parent says go, and lives */
	int report; /* write end: a failure, or nothing and exec */
	int proc_self;
	int null_fd;
	int moved[JAIL_FDS_MAX];
	int moved_stderr;
};

/* A failure as it crosses the pipe. */
struct failure {
	uint32_t step;
	int32_t code;
};

/* The steps, in order. */

static int open_proc(struct child *c)
{
	c->proc_self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->proc_self < 0)
		return neg_errno();
	c->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return c->null_fd < 0 ? neg_errno() : 0;
}

static int await_go(struct child *c)
{
	char byte = 0;

	return fd_read(c->go, &byte, 1) == 1 ? 0 : -ESRCH;
}

static int private_mounts(struct child *c)
{
	(void)c;
	return step_private_mounts();
}

static int bind_root(struct child *c)
{
	const char *root = c->spec->root;

	if (mount(root, root, NULL, MS_BIND, NULL) < 0)
		return neg_errno();
	return step_set_mount_flags(
		root, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static int bind_file(const struct jail_spec *spec, const struct jail_bind *b)
{
	uint64_t attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
			MOUNT_ATTR_NODEV;
	char to[PATH_MAX];
	struct stat st;

	if (snprintf(to, sizeof(to), "%s%s", spec->root, b->to) >=
	    (int)sizeof(to))
		return -ENAMETOOLONG;
	if (stat(b->from, &st) < 0)
		return neg_errno();
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!b->is_writable)
		attr |= MOUNT_ATTR_RDONLY;
	if (mount(b->from, to, NULL, MS_BIND, NULL) < 0)
		return neg_errno();
	return step_set_mount_flags(to, attr);
}

static int bind_files(struct child *c)
{
	for (size_t i = 0; i < c->spec->bind_count; i++) {
		if (c->spec->binds[i].from != NULL)
			TRY(bind_file(c->spec, &c->spec->binds[i]));
	}
	return 0;
}

static int pivot(struct child *c)
{
	return step_pivot(c->spec->root);
}

static int own_cgroup_view(struct child *c)
{
	(void)c;
	return step_own_cgroup_view();
}

static int own_names(struct child *c)
{
	(void)c;
	return step_own_names();
}

static int limit(struct child *c)
{
	return step_limits(c->spec->limits, c->spec->limit_count);
}

static int own_user(struct child *c)
{
	return step_own_user(c->proc_self, c->spec->host_uid);
}

static int no_capabilities(struct child *c)
{
	(void)c;
	return step_no_capabilities();
}

static int die_with_parent(struct child *c)
{
	return step_die_with_parent(c->go);
}

/* A copy above everything that has a place of its own. */
static int lift(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	return high < 0 ? neg_errno() : high;
}

static int lift_all(struct child *c)
{
	for (size_t i = 0; i < c->spec->fd_count; i++) {
		TRY(step_only_files(c->spec->fds[i].from));
		c->moved[i] = lift(c->spec->fds[i].from);
		TRY(c->moved[i]);
	}
	TRY(step_only_files(c->spec->stderr_fd));
	c->moved_stderr = lift(c->spec->stderr_fd);
	TRY(c->moved_stderr);
	c->null_fd = lift(c->null_fd);
	TRY(c->null_fd);
	c->report = lift(c->report);
	return c->report < 0 ? c->report : 0;
}

static int place(int from, int to)
{
	return dup2(from, to) < 0 ? neg_errno() : 0;
}

/* Invariant 2. The report stays until exec closes it. */
static int only_given_fds(struct child *c)
{
	int end = 3;

	TRY(lift_all(c));
	TRY(place(c->null_fd, STDIN_FILENO));
	TRY(place(c->null_fd, STDOUT_FILENO));
	TRY(place(c->moved_stderr, STDERR_FILENO));
	for (size_t i = 0; i < c->spec->fd_count; i++) {
		int to = c->spec->fds[i].to;

		if (to < 3 || to >= HIGH_FD - 1)
			return -EBADF;
		end = to >= end ? to + 1 : end;
	}
	/* Close what lies in the way first: a place may hold another's fd. */
	if (close_range(3, HIGH_FD - 1, 0) < 0)
		return neg_errno();
	for (size_t i = 0; i < c->spec->fd_count; i++)
		TRY(place(c->moved[i], c->spec->fds[i].to));
	if (dup3(c->report, end, O_CLOEXEC) < 0)
		return neg_errno();
	c->report = end;
	return close_range((unsigned)end + 1, ~0U, 0) < 0 ? neg_errno() : 0;
}

static int fresh_session(struct child *c)
{
	sigset_t none;

	(void)c;
	(void)umask(077);
	if (setsid() < 0)
		return neg_errno();
	step_own_keyring();
	(void)sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? neg_errno() : 0;
}

static int landlock(struct child *c)
{
	int abi = step_landlock(c->spec->access, c->spec->access_count);

	return abi < 0 ? abi : 0;
}

static int seccomp(struct child *c)
{
	return step_seccomp(c->spec->filter);
}

static int execute(struct child *c)
{
	(void)execve(c->spec->program, c->spec->argv, c->spec->envp);
	return neg_errno();
}

static const struct {
	const char *name;
	int (*fn)(struct child *c);
} steps[] = {
	{ "open /proc/self and /dev/null", open_proc },
	{ "enter its cgroup", await_go },
	{ "make a cgroup namespace", own_cgroup_view },
	{ "make mounts private", private_mounts },
	{ "mount its root", bind_root },
	{ "mount its files", bind_files },
	{ "enter its root", pivot },
	{ "set a host name", own_names },
	{ "enter its user namespace", own_user },
	{ "drop capabilities", no_capabilities },
	{ "set resource limits", limit },
	{ "die with its parent", die_with_parent },
	{ "start a session", fresh_session },
	{ "close descriptors", only_given_fds },
	{ "apply Landlock", landlock },
	{ "apply seccomp", seccomp },
	{ "start its program", execute },
};

static NORETURN void child_main(struct child *c)
{
	struct failure failure = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int r = steps[i].fn(c);

		if (r >= 0)
			continue;
		failure = (struct failure){ (uint32_t)i, r };
		(void)!write(c->report, &failure, sizeof(failure));
		_exit(CHILD_FAILED);
	}
	_exit(CHILD_FAILED);
}

/* The parent's side. */

struct pipes {
	int go[2];
	int report[2];
};

static void pipes_fini(struct pipes *p)
{
	fd_close(&p->go[0]);
	fd_close(&p->go[1]);
	fd_close(&p->report[0]);
	fd_close(&p->report[1]);
}

static int clone_child(const struct jail_spec *spec, struct pipes *p,
		       pid_t *ret_pid, int *ret_pid_fd)
{
	int pid_fd = -1;
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
			 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pid_fd,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return neg_errno();
	if (pid == 0) {
		struct child c = { .spec = spec,
				   .go = p->go[0],
				   .report = p->report[1],
				   .proc_self = -1,
				   .null_fd = -1 };

		/* The write end is the parent's alone: see the steps. */
		fd_close(&p->go[1]);
		child_main(&c);
	}
	*ret_pid = (pid_t)pid;
	*ret_pid_fd = pid_fd;
	return 0;
}

static int release(const struct jail_spec *spec, pid_t pid, struct pipes *p,
		   struct err *e)
{
	fd_close(&p->go[0]);
	fd_close(&p->report[1]);
	if (spec->cgroup != NULL)
		TRY(cgroup_enter(spec->cgroup, spec->leaf, pid, e));
	return fd_write_all(p->go[1], span_str("g"));
}

static int await_exec(struct pipes *p, const char *program, struct err *e)
{
	struct failure failure = { 0 };
	ssize_t n = fd_read(p->report[0], &failure, sizeof(failure));

	if (n == 0)
		return 0; /* closed by exec */
	if (n != (ssize_t)sizeof(failure) || failure.step >= ARRAY_LEN(steps) ||
	    failure.code >= 0)
		return err_set(e, -EIO,
			       "cannot start %s in its jail: its last word "
			       "was cut off; look for a kill in dmesg",
			       program);
	return err_set(e, failure.code,
		       "cannot start %s in its jail: it could not %s: %s; "
		       "caponier doctor says what this host allows",
		       program, steps[failure.step].name,
		       err_text(NULL, failure.code));
}

static int check(const struct jail_spec *spec, struct err *e)
{
	if (spec->fd_count <= JAIL_FDS_MAX && spec->filter != NULL)
		return 0;
	return err_set(e, -EINVAL,
		       "cannot start %s in its jail: %s; this is a bug, please "
		       "report it",
		       spec->program,
		       spec->filter == NULL ? "it has no system-call filter" :
					      "too many descriptors");
}

int jail_spawn(const struct jail_spec *spec, pid_t *ret_pid, int *ret_pid_fd,
	       struct err *e)
{
	CLEANUP(pipes_fini)
	struct pipes p = { .go = { -1, -1 }, .report = { -1, -1 } };
	CLEANUP(fd_close) int pid_fd = -1;
	pid_t pid = -1;
	int r = 0;

	TRY(check(spec, e));
	if (pipe2(p.go, O_CLOEXEC) < 0 || pipe2(p.report, O_CLOEXEC) < 0)
		return err_set(e, neg_errno(),
			       "cannot start %s in its jail: no pipe: %s; look "
			       "at the limit of open files",
			       spec->program, err_text(NULL, neg_errno()));
	r = clone_child(spec, &p, &pid, &pid_fd);
	if (r < 0)
		return err_set(e, r,
			       "cannot start %s in its jail: no namespaces: "
			       "%s; caponier doctor says what this host allows",
			       spec->program, err_text(NULL, r));
	r = release(spec, pid, &p, e);
	if (r == 0)
		r = await_exec(&p, spec->program, e);
	if (r < 0) {
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return r;
	}
	*ret_pid = pid;
	*ret_pid_fd = fd_take(&pid_fd);
	return 0;
}
