/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The single steps a cage is built from. jail.c and self.c put them in order.
 *
 * Every step either holds completely or fails; none degrades in silence.
 */
#ifndef CPN_CONFINE_STEPS_H
#define CPN_CONFINE_STEPS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/macros.h"

/* The id a caged process sees as its own. */
enum { CAGE_UID = 1000 };

struct step_limit {
	int resource; /* RLIMIT_... */
	rlim_t value; /* soft and hard */
};

/* One path below which Landlock lets something happen. */
struct step_access {
	const char *path; /* NULL: leave this row out */
	bool may_execute;
	bool may_write;
};

/**
 * step_private_mounts() - cut the mount namespace's ties to the host's
 *
 * Return: 0 or -errno.
 * Context: inside a mount namespace of one's own.
 */
int step_private_mounts(void) MUST_CHECK;

/**
 * step_set_mount_flags() - add mount flags to a mount, keeping those it has
 * @attr: MOUNT_ATTR_...
 *
 * Return: 0 or -errno.
 * Context: inside a mount namespace of one's own.
 */
int step_set_mount_flags(const char *path, uint64_t attr) MUST_CHECK;

/**
 * step_pivot() - make the mount at @path the root and drop the old one
 *
 * Return: 0 or -errno.
 * Context: inside a mount namespace of one's own.
 */
int step_pivot(const char *path) MUST_CHECK;

/**
 * step_own_user() - enter a last user namespace that owns nothing
 * @proc_self: descriptor of /proc/self, opened before the root was changed
 * @host_uid:  uid and gid in the namespace left behind; 0 keeps the present
 *
 * The other namespaces stay with the user namespace left behind: even a
 * process that regained every capability here would have none over them.
 *
 * Return: 0; -EPERM for @host_uid 0 outside a namespace that confine_fork()
 * made for an ordinary user, where the present id may be root's; -errno.
 * Context: a single thread with CAP_SETUID and CAP_SETGID.
 */
int step_own_user(int proc_self, uint32_t host_uid) MUST_CHECK;

/**
 * step_own_cgroup_view() - take the present cgroup for the root of all
 *
 * After the process is in its group, not at clone: a version 2 tree that is
 * mounted with nsdelegate lets nobody move across a cgroup namespace.
 *
 * Return: 0 or -errno.
 * Context: with CAP_SYS_ADMIN over its own namespaces.
 */
int step_own_cgroup_view(void) MUST_CHECK;

/**
 * step_own_names() - hide the host's name and domain
 *
 * Return: 0 or -errno.
 * Context: inside a uts namespace of one's own.
 */
int step_own_names(void) MUST_CHECK;

/**
 * step_own_keyring() - leave the session keyring of who started us
 *
 * A second line: where it is not possible, seccomp alone denies the calls.
 *
 * Context: any.
 */
void step_own_keyring(void);

/**
 * step_only_files() - refuse a descriptor that paths can start from
 *
 * A directory or an O_PATH descriptor would lead out of any root.
 *
 * Return: 0; -EISDIR; -EBADF.
 * Context: any.
 */
int step_only_files(int fd) MUST_CHECK;

/**
 * step_no_capabilities() - empty every capability set, for good
 *
 * Return: 0 or -errno.
 * Context: with CAP_SETPCAP; before exec.
 */
int step_no_capabilities(void) MUST_CHECK;

/**
 * step_limits() - set resource limits, soft and hard
 *
 * A limit above the present hard one is left at that.
 *
 * Return: 0 or -errno.
 * Context: any.
 */
int step_limits(const struct step_limit *limits, size_t count) MUST_CHECK;

/**
 * step_die_with_parent() - be killed when the parent ends
 * @parent_pipe: read end of a pipe whose write end only the parent holds
 *
 * Return: 0; -ESRCH if the parent has ended already; -errno.
 * Context: after the last change of credentials, which would undo it.
 */
int step_die_with_parent(int parent_pipe) MUST_CHECK;

/**
 * step_landlock_abi() - what this kernel's Landlock can do
 *
 * Return: its ABI, 0 where there is none, or -errno.
 * Context: any thread.
 */
int step_landlock_abi(void) MUST_CHECK;

/**
 * step_landlock() - allow what @access lists, deny the rest of files and TCP
 * @access: may be empty
 *
 * With ABI 4 TCP is denied, with ABI 6 signals and abstract sockets of others.
 *
 * Return: the ABI, 0 where the kernel has no Landlock, or -errno.
 * Context: with no_new_privs.
 */
int step_landlock(const struct step_access *access, size_t count) MUST_CHECK;

/**
 * step_seccomp() - install a filter
 *
 * Return: 0 or -errno.
 * Context: last of all, with no_new_privs.
 */
int step_seccomp(const struct sock_fprog *filter) MUST_CHECK;

#endif
