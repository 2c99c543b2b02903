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
	int dir_fd;	    /* -1: there is none (tests, other engines) */
	uint64_t oom_kills; /* already told to somebody */
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
 * cgroup_take_oom() - whether a process was killed for memory since last asked
 *
 * Return: true if so; then the kill is used up.
 * Context: any thread.
 */
bool cgroup_take_oom(struct cgroup *cgroup);

/**
 * cgroup_kill() - kill everything in the group
 *
 * Return: 0, or -errno (-ENOENT without a group).
 * Context: any thread; does not wait.
 */
int cgroup_kill(struct cgroup *cgroup) MUST_CHECK;

/**
 * cgroup_memory_bytes() - the guest's memory
 *
 * Return: MemTotal in bytes, or 0.
 * Context: any thread.
 */
uint64_t cgroup_memory_bytes(void);

#endif
