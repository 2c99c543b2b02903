// SPDX-License-Identifier: Apache-2.0
// Caging oneself.

#include "confine/self.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* An ordinary user becomes root in a user namespace of its own first. */
static int become_root(uid_t uid, gid_t gid)
{
	char line[64];
	int n = 0;

	TRY(fd_write_file(AT_FDCWD, "/proc/self/setgroups", 0,
			  span_str("deny")));
	n = snprintf(line, sizeof(line), "0 %u 1\n", uid);
	TRY(fd_write_file(AT_FDCWD, "/proc/self/uid_map", 0,
			  span_of(line, (size_t)n)));
	n = snprintf(line, sizeof(line), "0 %u 1\n", gid);
	return fd_write_file(AT_FDCWD, "/proc/self/gid_map", 0,
			     span_of(line, (size_t)n));
}

pid_t confine_fork(int *ret_pid_fd, struct err *e)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int pid_fd = -1;
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
			 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
			 CLONE_PIDFD | (uid != 0 ? CLONE_NEWUSER : 0u),
		.pidfd = (uint64_t)(uintptr_t)&pid_fd,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return err_set(e, neg_errno(),
			       "cannot make namespaces for the sandbox: %s; "
			       "caponier doctor names the setting that forbids "
			       "them",
			       err_text(NULL, neg_errno()));
	if (pid > 0) {
		*ret_pid_fd = pid_fd;
		return (pid_t)pid;
	}
	if (uid != 0) {
		int r = become_root(uid, gid);

		if (r < 0)
			return err_set(e, r,
				       "cannot make a user namespace for the "
				       "sandbox: %s; caponier doctor names the "
				       "setting that forbids it",
				       err_text(NULL, r));
	}
	return 0;
}

struct state {
	const struct confine_spec *spec;
	int proc_self;
};

static int open_proc(struct state *s)
{
	s->proc_self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->proc_self < 0 ? neg_errno() : 0;
}

static int private_mounts(struct state *s)
{
	(void)s;
	return step_private_mounts();
}

static int empty_root(struct state *s)
{
	const char *at = s->spec->empty;

	if (mount("none", at, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4k,nr_inodes=1,mode=0555") < 0)
		return neg_errno();
	TRY(step_set_mount_flags(at, MOUNT_ATTR_RDONLY));
	return step_pivot(at);
}

static int limit(struct state *s)
{
	return step_limits(s->spec->limits, s->spec->limit_count);
}

static int own_user(struct state *s)
{
	int r = step_own_user(s->proc_self, s->spec->host_uid);

	fd_close(&s->proc_self);
	return r;
}

static int no_capabilities(struct state *s)
{
	(void)s;
	return step_no_capabilities();
}

static int no_dump(struct state *s)
{
	(void)s;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? neg_errno() : 0;
}

static int die_with_parent(struct state *s)
{
	return step_die_with_parent(s->spec->parent_pipe);
}

static int landlock(struct state *s)
{
	int abi = step_landlock(NULL, 0);

	(void)s;
	return abi < 0 ? abi : 0;
}

static int seccomp(struct state *s)
{
	return step_seccomp(s->spec->filter);
}

static const struct {
	const char *name;
	int (*fn)(struct state *s);
} steps[] = {
	{ "open /proc/self", open_proc },
	{ "make mounts private", private_mounts },
	{ "enter an empty root", empty_root },
	{ "enter its user namespace", own_user },
	{ "drop capabilities", no_capabilities },
	{ "set resource limits", limit },
	{ "forbid core dumps", no_dump },
	{ "die with its parent", die_with_parent },
	{ "apply Landlock", landlock },
	{ "apply seccomp", seccomp },
};

int confine_full(const struct confine_spec *spec, struct err *e)
{
	struct state s = { .spec = spec, .proc_self = -1 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int r = steps[i].fn(&s);

		if (r < 0)
			return err_set(e, r,
				       "cannot cage the shim: it could not %s: "
				       "%s; caponier doctor says what this "
				       "host allows",
				       steps[i].name, err_text(NULL, r));
	}
	return 0;
}
