/* SPDX-License-Identifier: Apache-2.0 */
/* The agent as a whole: what main() builds and every request can reach. */
#ifndef CPN_AGENT_AGENT_H
#define CPN_AGENT_AGENT_H

#include <stdbool.h>

#include "agent/cgroup.h"
#include "agent/identity.h"
#include "agent/process.h"
#include "agent/wire.h"
#include "ev/ev.h"

/* What /metrics saw last, in ticks. */
struct cpu_time {
	uint64_t busy;
	uint64_t total;
};

struct agent {
	struct ev loop;
	struct wire wire;
	struct identity identity;
	struct processes processes;
	struct cgroup cgroup;
	struct cpu_time cpu;
	/* Tests: leave this machine's clock, names and keys alone. */
	bool is_identity_skipped;
	bool is_power_off_wanted;
};

#endif
