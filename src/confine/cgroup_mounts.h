/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroup hierarchies this host has: /proc/self/mountinfo, read. */
#ifndef CPN_CONFINE_CGROUP_MOUNTS_H
#define CPN_CONFINE_CGROUP_MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/span.h"

enum {
	CGROUP_MEMORY = 1,
	CGROUP_PIDS = 2,
	CGROUP_CPU = 4,
};

enum { CGROUP_MOUNTS_MAX = 6 };

struct cgroup_mount {
	char path[PATH_MAX];
	unsigned controllers; /* of ours, a bit set; version 2: may be 0, then
				 it serves to kill */
	bool is_v2;
};

struct cgroup_mounts {
	struct cgroup_mount all[CGROUP_MOUNTS_MAX];
	size_t count;
};

/**
 * cgroup_mounts_parse() - read a mountinfo
 * @text: as in /proc/self/mountinfo
 * @ret:  version 2's controllers are not in it and stay 0
 *
 * Return: 0; -E2BIG for more hierarchies than fit; -ENAMETOOLONG.
 * Context: any thread.
 * Spec: proc_pid_mountinfo(5)
 */
int cgroup_mounts_parse(struct span text, struct cgroup_mounts *ret) MUST_CHECK;

/**
 * cgroup_mounts_find() - the hierarchies of this host
 *
 * Return: 0; -ENOENT if there is none; -errno.
 * Context: blocks briefly.
 */
int cgroup_mounts_find(struct cgroup_mounts *ret) MUST_CHECK;

#endif
