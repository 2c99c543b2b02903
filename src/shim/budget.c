// SPDX-License-Identifier: Apache-2.0
// What a sandbox's engine may use of the host, from its specification.

#include "shim/budget.h"

#include "base/span.h"

enum {
	/* The code of QEMU, its devices' buffers, page tables, and the page
	 * cache of the disk images, which is charged to who reads first. */
	ENGINE_MIB = 96,
	/* QEMU_TB_MIB and the tables beside it; only under tcg. */
	TRANSLATION_MIB = 128 + 32,
	/* Threads: vCPUs, the main loop, workers of the block layer. */
	ENGINE_THREADS = 96,
};

struct cgroup_limits budget_of(const struct sandbox_spec *spec)
{
	bool is_emulated = span_is(span_str(spec->accel), "tcg");
	uint64_t mib = (uint64_t)spec->mem_mib + ENGINE_MIB +
		       (is_emulated ? TRANSLATION_MIB : 0);

	return (struct cgroup_limits){
		.memory_bytes = mib << 20,
		.pids = ENGINE_THREADS + spec->vcpus,
		.cpu_pct = spec->cpu_pct,
	};
}
