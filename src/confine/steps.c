// SPDX-License-Identifier: Apache-2.0
// The single steps a cage is built from.

#include "confine/steps.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/* Newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

enum { CAPABILITY_LAST = 63 };

static int result(int r)
{
	return r < 0 ? neg_errno() : 0;
}

int step_private_mounts(void)
{
	return result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

int step_set_mount_flags(const char *path, uint64_t attr)
{
	struct mount_attr wanted = { .attr_set = attr };

	return result((int)syscall(SYS_mount_setattr, AT_FDCWD, path, 0,
				   &wanted, sizeof(wanted)));
}

int step_pivot(const char *path)
{
	if (chdir(path) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return neg_errno();
	return 0;
}

/* User namespace. */

static int write_map(int proc_self, const char *name, uint32_t host_id)
{
	char line[64];
	CLEANUP(fd_close)
	int fd = openat(proc_self, name, O_WRONLY | O_CLOEXEC);
	int n = snprintf(line, sizeof(line), "%d %u 1\n", CAGE_UID, host_id);

	if (fd < 0)
		return neg_errno();
	return fd_write_all(fd, span_of(line, (size_t)n));
}

/* The helper stays behind in the old namespace, where it may write the new
 * one's maps. It holds no write end: else it would wait for ever for one that
 * failed to follow. */
static int map_from_outside(int proc_self, int go[2], uint32_t uid,
			    uint32_t gid)
{
	char byte = 0;

	fd_close(&go[1]);
	if (fd_read(go[0], &byte, 1) != 1)
		return -EPIPE;
	TRY(write_map(proc_self, "uid_map", uid));
	return write_map(proc_self, "gid_map", gid);
}

static int await_helper(pid_t helper)
{
	int status = 0;

	while (waitpid(helper, &status, 0) < 0) {
		if (errno != EINTR)
			return neg_errno();
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

/* Only a namespace that confine_fork() made for an ordinary user denies
 * setgroups: elsewhere the caller's own id may be that of root. */
static int check_own_id(int proc_self)
{
	char text[16] = "";
	CLEANUP(fd_close)
	int fd = openat(proc_self, "setgroups", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? neg_errno() : fd_read(fd, text, sizeof(text));

	if (n < 0)
		return (int)n;
	return span_starts(span_of(text, (size_t)n), "deny") ? 0 : -EPERM;
}

/* Leave the present user namespace for one in which @uid and @gid are mapped. */
static int enter_user_namespace(int proc_self, uint32_t uid, uint32_t gid)
{
	int go[2] = { -1, -1 };
	pid_t helper = -1;
	int mapped = 0;
	int r = 0;

	if (pipe2(go, O_CLOEXEC) < 0)
		return neg_errno();
	helper = fork();
	if (helper == 0)
		_exit(map_from_outside(proc_self, go, uid, gid) < 0);
	r = helper < 0 ? neg_errno() : result(unshare(CLONE_NEWUSER));
	if (r == 0)
		r = fd_write_all(go[1], span_str("g"));
	fd_close(&go[0]);
	fd_close(&go[1]);
	if (helper > 0)
		mapped = await_helper(helper);
	return r < 0 ? r : mapped;
}

int step_own_user(int proc_self, uint32_t host_uid)
{
	uint32_t uid = host_uid != 0 ? host_uid : geteuid();
	uint32_t gid = host_uid != 0 ? host_uid : getegid();

	/* Without a mapping of its own the caller may not drop groups. */
	if (host_uid == 0)
		TRY(check_own_id(proc_self));
	else if (setgroups(0, NULL) < 0)
		return neg_errno();
	TRY(enter_user_namespace(proc_self, uid, gid));
	/* The user id goes last and keeps the capabilities for the steps to
	 * come: step_no_capabilities() takes them all. */
	if (setresgid(CAGE_UID, CAGE_UID, CAGE_UID) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return neg_errno();
	return result(setresuid(CAGE_UID, CAGE_UID, CAGE_UID));
}

int step_own_cgroup_view(void)
{
	return result(unshare(CLONE_NEWCGROUP));
}

int step_own_names(void)
{
	static const char name[] = "sandbox";

	if (sethostname(name, sizeof(name) - 1) < 0 ||
	    setdomainname(name, sizeof(name) - 1) < 0)
		return neg_errno();
	return 0;
}

void step_own_keyring(void)
{
	/* Where keyctl is forbidden (in many containers), the cage's own filter
	 * still forbids it to the caged. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

int step_only_files(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) < 0)
		return neg_errno();
	return S_ISDIR(st.st_mode) || (flags & O_PATH) != 0 ? -EISDIR : 0;
}

/* Capabilities. */

static int raise_effective(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return neg_errno();
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	return result((int)syscall(SYS_capset, &head, data));
}

int step_no_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };
	unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
			     SECBIT_NO_SETUID_FIXUP |
			     SECBIT_NO_SETUID_FIXUP_LOCKED |
			     SECBIT_KEEP_CAPS_LOCKED |
			     SECBIT_NO_CAP_AMBIENT_RAISE |
			     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	TRY(raise_effective());
	for (int cap = 0; cap <= CAPABILITY_LAST; cap++) {
		/* EINVAL: past the last one this kernel knows. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return neg_errno();
	}
	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &head, none) < 0)
		return neg_errno();
	return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int step_limits(const struct step_limit *limits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct rlimit now;
		struct rlimit want = { limits[i].value, limits[i].value };

		if (getrlimit((__rlimit_resource_t)limits[i].resource, &now) <
		    0)
			return neg_errno();
		if (want.rlim_max > now.rlim_max)
			want = (struct rlimit){ now.rlim_max, now.rlim_max };
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &want) <
		    0)
			return neg_errno();
	}
	return 0;
}

int step_die_with_parent(int parent_pipe)
{
	struct pollfd p = { .fd = parent_pipe };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return neg_errno();
	/* It may have died before the line above. */
	if (poll(&p, 1, 0) < 0)
		return neg_errno();
	return (p.revents & POLLHUP) != 0 ? -ESRCH : 0;
}

/* Landlock. */

enum {
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_IOCTL = 5,
	ABI_SCOPE = 6,
};

/* The newest layout; older kernels take a shorter one. */
struct ruleset {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

static const size_t ruleset_bytes[] = { 8, 16, 24 };

static struct ruleset ruleset_of(int abi)
{
	/* Execute .. make symlink: bits 0 to 12; refer is bit 13, ABI 2. */
	struct ruleset r = { .handled_fs = (1ULL << 13) - 1 };

	if (abi >= 2)
		r.handled_fs |= 1ULL << 13;
	if (abi >= ABI_TRUNCATE)
		r.handled_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= ABI_IOCTL)
		r.handled_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (abi >= ABI_NET)
		r.handled_net = 3; /* bind and connect TCP */
	if (abi >= ABI_SCOPE)
		r.scoped = 3; /* abstract unix sockets, signals */
	return r;
}

static int add_rule(int ruleset, const struct step_access *access)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
	};
	CLEANUP(fd_close)
	int fd = open(access->path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return neg_errno();
	if (access->may_execute)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE |
				       LANDLOCK_ACCESS_FS_READ_DIR;
	if (access->may_write)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_WRITE_FILE;
	rule.parent_fd = fd;
	return result((int)syscall(SYS_landlock_add_rule, ruleset,
				   LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

int step_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : neg_errno();
	return (int)abi;
}

int step_landlock(const struct step_access *access, size_t count)
{
	int abi = step_landlock_abi();
	struct ruleset want = ruleset_of(abi);
	size_t layout = abi >= ABI_SCOPE ? 2 : abi >= ABI_NET ? 1 : 0;
	CLEANUP(fd_close) int ruleset = -1;

	if (abi <= 0)
		return abi;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &want,
			       ruleset_bytes[layout], 0);
	if (ruleset < 0)
		return neg_errno();
	for (size_t i = 0; i < count; i++) {
		if (access[i].path != NULL)
			TRY(add_rule(ruleset, &access[i]));
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return neg_errno();
	return abi;
}

int step_seccomp(const struct sock_fprog *filter)
{
	return result(
		(int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter));
}
