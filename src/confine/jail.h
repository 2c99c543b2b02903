/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jails: starting a program of somebody else's in a cage.
 *
 * Theory. The child is cloned into new mount, pid, net, ipc, uts and cgroup
 * namespaces while it still has its parent's rights, builds its root from a
 * directory, pivots into it, and only then enters a last user namespace that
 * maps one id and owns none of the others. After that it has no capability,
 * no way to get one (no_new_privs), sees no file but those of its root, and
 * holds only the descriptors it was given. Landlock and seccomp come last.
 *
 * Invariants.
 *  1. Every step holds or jail_spawn() fails, and then no process is left.
 *  2. The program starts with exactly the listed descriptors.
 *  3. It dies with the thread that called jail_spawn().
 */
#ifndef CPN_CONFINE_JAIL_H
#define CPN_CONFINE_JAIL_H

#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"
#include "confine/cgroup.h"
#include "confine/steps.h"

enum { JAIL_FDS_MAX = 24 };

/* A file of the host at an existing empty file of the root. */
struct jail_bind {
	const char *from; /* absolute, on the host; NULL: leave this one out */
	const char *to;	  /* absolute, inside */
	bool is_writable;
};

struct jail_fd {
	int from; /* borrowed; no directory, no O_PATH */
	int to;	  /* number inside, above 2 */
};

/* Everything is borrowed. */
struct jail_spec {
	const char *root; /* directory that becomes the read-only root */
	const struct jail_bind *binds;
	size_t bind_count;
	const struct jail_fd *fds;
	size_t fd_count;
	int stderr_fd; /* becomes 2; 0 and 1 are /dev/null */
	const struct step_limit *limits;
	size_t limit_count;
	const struct step_access *access; /* for Landlock; paths inside */
	size_t access_count;
	const struct sock_fprog *filter;
	const struct cgroup *cgroup; /* NULL: none */
	enum cgroup_leaf leaf;
	uint32_t host_uid;   /* 0: the caller's own */
	const char *program; /* absolute, inside */
	char *const *argv;
	char *const *envp;
};

/**
 * jail_spawn() - start a program in a jail
 * @ret_pid:    untouched on failure
 * @ret_pid_fd: owned pidfd; untouched on failure
 *
 * Returns when the program was executed.
 *
 * Return: 0; -EISDIR for a directory among the descriptors or mounts; -EPERM
 * for host_uid 0 where that could be root; -errno; always with a sentence that
 * names the step that failed.
 * Context: a single thread that is root in its user namespace; blocks for
 * milliseconds. The caller reaps the child.
 * Test: test/escape/
 */
int jail_spawn(const struct jail_spec *spec, pid_t *ret_pid, int *ret_pid_fd,
	       struct err *e) MUST_CHECK;

#endif
