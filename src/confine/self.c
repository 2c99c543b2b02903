// SPDX-License-Identifier: Apache-2.0
// Caging oneself.

#include "confine/self.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

/* Maps. The parent writes the child's: what goes wrong is then said in the
 * parent, and the child never runs as anything but what was asked. */

static int write_line(pid_t pid, const char *file, const char *line)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return fd_write_file(AT_FDCWD, path, 0, span_str(line));
}

/* An ordinary user is root in a user namespace of its own, and only there. */
static int map_to_root(pid_t pid)
{
	char line[64];

	TRY(write_line(pid, "setgroups", "deny"));
	(void)snprintf(line, sizeof(line), "0 %u 1\n", geteuid());
	TRY(write_line(pid, "uid_map", line));
	(void)snprintf(line, sizeof(line), "0 %u 1\n", getegid());
	return write_line(pid, "gid_map", line);
}

static int release(pid_t pid, bool is_user, int go)
{
	if (is_user)
		TRY(map_to_root(pid));
	return fd_write_all(go, span_str("g"));
}

/* In the child: not a step before the maps are written. */
static void await_release(int go[2])
{
	char byte = 0;

	fd_close(&go[1]);
	if (fd_read(go[0], &byte, 1) != 1)
		_exit(1);
	fd_close(&go[0]);
}

static int refuse_fork(int r, struct err *e)
{
	return err_set(e, r,
		       "cannot make namespaces for the sandbox: %s; caponier "
		       "doctor names the setting that forbids them",
		       err_text(NULL, r));
}

pid_t confine_fork(int *ret_pid_fd, struct err *e)
{
	bool is_user = geteuid() != 0;
	int go[2] = { -1, -1 };
	int pid_fd = -1;
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
			 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
			 (is_user ? CLONE_NEWUSER : 0u),
		.pidfd = (uint64_t)(uintptr_t)&pid_fd,
		.exit_signal = SIGCHLD,
	};
	long pid = -1;
	int r = 0;

	if (pipe2(go, O_CLOEXEC) < 0)
		return refuse_fork(neg_errno(), e);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		await_release(go);
		return 0;
	}
	r = pid < 0 ? neg_errno() : release((pid_t)pid, is_user, go[1]);
	fd_close(&go[0]);
	fd_close(&go[1]);
	if (r < 0 && pid > 0) {
		(void)kill((pid_t)pid, SIGKILL);
		while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
			;
		fd_close(&pid_fd);
	}
	if (r < 0)
		return refuse_fork(r, e);
	*ret_pid_fd = pid_fd;
	return (pid_t)pid;
}

/* The cage. */

struct state {
	const struct confine_spec *spec;
	int proc_self;
};

static int open_proc(struct state *s)
{
	s->proc_self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->proc_self < 0 ? neg_errno() : 0;
}

/* @listing: the descriptor that the list is read from */
static int check_fd(const char *name, int listing)
{
	uint64_t fd = 0;

	if (num_parse(span_str(name), 0, INT_MAX, &fd) < 0)
		return 0; /* . and .. */
	return (int)fd == listing ? 0 : step_only_files((int)fd);
}

/* Invariant 1. Runs before /proc/self is opened for good. */
static int no_directories(struct state *s)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry = NULL;
	int r = 0;

	(void)s;
	if (dir == NULL)
		return neg_errno();
	while (r == 0 && (entry = readdir(dir)) != NULL)
		r = check_fd(entry->d_name, dirfd(dir));
	(void)closedir(dir);
	return r;
}

static int fresh_session(struct state *s)
{
	(void)s;
	step_own_keyring();
	return setsid() < 0 ? neg_errno() : 0;
}

static int own_cgroup_view(struct state *s)
{
	(void)s;
	return step_own_cgroup_view();
}

static int own_names(struct state *s)
{
	(void)s;
	return step_own_names();
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
	{ "see that it holds no directory", no_directories },
	{ "open /proc/self", open_proc },
	{ "start a session", fresh_session },
	{ "make a cgroup namespace", own_cgroup_view },
	{ "set a host name", own_names },
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
