// SPDX-License-Identifier: Apache-2.0
// The shim's cage.

#include "shim/cage.h"

#include "confine/self.h"
#include "shim/api.h"
#include "shim_seccomp.h"

enum {
	/* What is open when the cage closes, and the clients. */
	OPEN_MAX_FILES = API_CLIENTS_MAX + 32,
};

int cage_close(const char *empty, uint32_t uid, int parent_pipe, struct err *e)
{
	const struct step_limit limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, OPEN_MAX_FILES },
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_MEMLOCK, 0 },
	};
	const struct confine_spec cage = {
		.empty = empty,
		.host_uid = uid,
		.parent_pipe = parent_pipe,
		.limits = limits,
		.limit_count = ARRAY_LEN(limits),
		.filter = &shim_filter,
	};

	return confine_full(&cage, e);
}
