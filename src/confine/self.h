/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caging oneself: the shim's way into its cage.
 *
 * Theory. The keeper forks the shim with confine_fork() into namespaces of its
 * own; there the shim still sees the host's files and may build the engine's
 * jail. Then confine_full() takes everything away: an empty root, a user
 * namespace that owns nothing, no capability, no file, no new descriptor but
 * what the filter lets it accept.
 *
 * Invariants.
 *  1. No path of the host can be reached: not by name, and not through a
 *     directory that was left open.
 *  2. Every step holds, or confine_full() fails.
 */
#ifndef CPN_CONFINE_SELF_H
#define CPN_CONFINE_SELF_H

#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"
#include "confine/steps.h"

/**
 * confine_fork() - fork into new namespaces
 * @ret_pid_fd: parent: owned pidfd of the child
 *
 * New mount, pid, net, ipc and uts namespaces; for an ordinary user also a user
 * namespace in which the child is root. The cgroup namespace comes with the
 * cage: see step_own_cgroup_view().
 *
 * Return: in the parent the child's pid, or -errno with a sentence, and then
 * there is no child; in the child always 0.
 * Context: a single thread.
 */
pid_t confine_fork(int *ret_pid_fd, struct err *e) MUST_CHECK;

/* Everything is borrowed. */
struct confine_spec {
	const char *empty; /* an existing directory, mounted over */
	uint32_t host_uid; /* 0: the caller's own */
	int parent_pipe;   /* see step_die_with_parent() */
	const struct step_limit *limits;
	size_t limit_count;
	const struct sock_fprog *filter;
};

/**
 * confine_full() - close the cage round this process
 *
 * Return: 0; -errno with a sentence that names the step; the process must
 * then exit, for it is half caged.
 * -EISDIR: a directory is open.
 * Context: a single thread, forked by confine_fork(), with /proc in sight. What
 * is open stays open.
 * Test: test/escape/
 */
int confine_full(const struct confine_spec *spec, struct err *e) MUST_CHECK;

#endif
