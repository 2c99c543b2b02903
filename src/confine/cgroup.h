/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits and clean ends by control groups, version 1, 2 or both.
 *
 * Theory. Per sandbox there is a group caponier/<id> in every hierarchy that
 * is used, with two leaves: the engine, which the limits are for, and the
 * shim, whose few limits are fixed. On a host with version 1 controllers the limits are held there, and
 * the version 2 tree, where mounted, serves to kill.
 *
 * Invariants.
 *  1. A limit that was asked for is written and read back, or cgroup_new()
 *     fails and leaves nothing.
 *  2. cgroup_remove() returns 0 only when no process and no group is left.
 */
#ifndef CPN_CONFINE_CGROUP_H
#define CPN_CONFINE_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"

enum cgroup_leaf { CGROUP_ENGINE, CGROUP_SHIM, CGROUP_LEAF_COUNT };

enum { CGROUP_TREES_MAX = 6 };

struct cgroup_limits {
	uint64_t memory_bytes; /* 0: none; swap is then not used either */
	unsigned pids;	       /* 0: none */
	unsigned cpu_pct;      /* 0: none; 100 = one CPU */
};

struct cgroup_tree {
	char dir[PATH_MAX];   /* .../caponier/<id> */
	unsigned controllers; /* bit set, private */
	bool is_v2;
};

struct cgroup {
	struct cgroup_tree trees[CGROUP_TREES_MAX];
	size_t tree_count;
};

/**
 * cgroup_new() - make a sandbox's groups with the engine's limits
 * @id:     one path component
 * @limits: of the engine
 * @ret:    plain data, needs no freeing; untouched on failure
 *
 * Return: 0; -ENOTSUP if a limit that was asked for cannot be held here (the
 * sentence names it), or if no cgroup is delegated to the calling user;
 * -EINVAL for @id; -errno.
 * Context: blocks briefly; root, or a user with a delegated version 2 group.
 * Test: test/escape/cgroup_limits.sh
 */
int cgroup_new(const char *id, const struct cgroup_limits *limits,
	       struct cgroup *ret, struct err *e) MUST_CHECK;

/**
 * cgroup_enter() - move a process into a leaf in every hierarchy
 * @pid: in the caller's pid namespace
 *
 * Return: 0; -errno with a sentence.
 * Context: as cgroup_new(), in the cgroup namespace of cgroup_new().
 */
int cgroup_enter(const struct cgroup *cg, enum cgroup_leaf leaf, pid_t pid,
		 struct err *e) MUST_CHECK;

/**
 * cgroup_oom_kills() - how often the engine ran out of its memory limit
 *
 * Return: a count, 0 if unknown.
 * Context: blocks briefly.
 */
uint64_t cgroup_oom_kills(const struct cgroup *cg);

/**
 * cgroup_remove() - kill what the groups hold, wait, remove them
 *
 * Return: 0; -EBUSY if something would not die within two seconds; -errno.
 * Context: blocks for milliseconds.
 */
int cgroup_remove(const struct cgroup *cg) MUST_CHECK;

/**
 * cgroup_sweep() - cgroup_remove() for a sandbox known by its id only
 *
 * Return: as cgroup_remove(); 0 also if there is none.
 * Context: as cgroup_remove().
 */
int cgroup_sweep(const char *id) MUST_CHECK;

#endif
