/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cgroup hierarchies of this host can be used, and from where.
 *
 * Theory. Root uses each hierarchy from the top of its mount. An ordinary user
 * uses version 2 only, from the highest group above its own that was delegated
 * to it (by systemd: user@UID.service, for what was started below it).
 *
 * Invariants.
 *  1. No controller, and no hierarchy, is listed twice, however often it is
 *     mounted.
 */
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

/* One hierarchy a controller, and version 2. */
enum { CGROUP_MOUNTS_MAX = 4 };

struct cgroup_mount {
	char path[PATH_MAX];  /* group below which ours are made */
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
 * @text: as in /proc/self/mountinfo; of a hierarchy mounted more than once the
 *        first mount counts
 * @ret:  version 2's controllers are not in it and stay 0
 *
 * Return: 0; -ENAMETOOLONG.
 * Context: any thread.
 * Spec: proc_pid_mountinfo(5)
 * Test: test/unit/confine/test_cgroup_mounts.c
 */
int cgroup_mounts_parse(struct span text, struct cgroup_mounts *ret) MUST_CHECK;

/**
 * cgroup_own_path() - a process's group in version 2
 * @text: as in /proc/self/cgroup
 * @ret:  receives a path that starts with "/"; untouched on failure
 * @cap:  size of @ret in bytes
 *
 * Return: 0; -ENOENT if it is in none; -ENAMETOOLONG.
 * Context: any thread.
 * Spec: cgroups(7), /proc/pid/cgroup
 * Test: test/unit/confine/test_cgroup_mounts.c
 */
int cgroup_own_path(struct span text, char *ret, size_t cap) MUST_CHECK;

/**
 * cgroup_mounts_find() - the hierarchies that the caller can use
 *
 * Return: 0; -ENOENT if there is none; -errno.
 * Context: blocks briefly.
 */
int cgroup_mounts_find(struct cgroup_mounts *ret) MUST_CHECK;

#endif
