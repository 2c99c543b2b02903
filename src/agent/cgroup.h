/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workload's control group: everything clients start lives in it, capped
 * below the guest's memory, so that the agent survives their bombs.
 */
#ifndef CPN_AGENT_CGROUP_H
#define CPN_AGENT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

struct cgroup {
	int dir_fd; /* -1: there is none (tests, other engines) */
	uint64_t claimed_oom_kills; /* each explains one process's end */
};

#define CGROUP_NONE ((struct cgroup){ .dir_fd = -1 })

/**
 * cgroup_init() - make the workload's group and set its limits
 *
 * Return: 0; -errno if there is no group to start processes in. A limit whose
 * controller is missing is left out.
 * Context: root; before the first process.
 */
int cgroup_init(struct cgroup *ret) MUST_CHECK;

/**
 * cgroup_fini() - close it; CGROUP_NONE is allowed
 * Context: any thread.
 */
void cgroup_fini(struct cgroup *cgroup);

/**
 * cgroup_oom_kills() - how many processes were killed for memory so far
 *
 * Return: the count; 0 without a group.
 * Context: any thread.
 */
uint64_t cgroup_oom_kills(const struct cgroup *cgroup);

/**
 * cgroup_claim_oom() - whether a kill for memory explains a process's end
 * @since: cgroup_oom_kills() when the process was started
 *
 * Return: true if there was a kill since then that explains no other's end.
 * Context: any thread.
 */
bool cgroup_claim_oom(struct cgroup *cgroup, uint64_t since);

/**
 * cgroup_kill() - kill everything in the group
 *
 * Return: 0, or -errno (-ENOENT without a group).
 * Context: any thread; does not wait.
 */
int cgroup_kill(struct cgroup *cgroup) MUST_CHECK;

#endif
