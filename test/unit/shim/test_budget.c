// SPDX-License-Identifier: Apache-2.0
#include "shim/budget.h"

#include <stdio.h>

#include "tap.h"

TEST(emulation_needs_its_buffer)
{
	struct sandbox_spec spec = { .mem_mib = 512,
				     .cpu_pct = 150,
				     .vcpus = 2 };
	struct cgroup_limits kvm;
	struct cgroup_limits tcg;

	(void)snprintf(spec.accel, sizeof(spec.accel), "kvm");
	kvm = budget_of(&spec);
	(void)snprintf(spec.accel, sizeof(spec.accel), "tcg");
	tcg = budget_of(&spec);
	CHECK(kvm.memory_bytes >= UINT64_C(608) << 20);
	CHECK(tcg.memory_bytes >= kvm.memory_bytes + (UINT64_C(128) << 20));
	CHECK_EQ(tcg.cpu_pct, 150);
	CHECK(tcg.pids > 2);
}

TESTS(RUN(emulation_needs_its_buffer))
