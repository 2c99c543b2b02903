// SPDX-License-Identifier: Apache-2.0
// Mountinfo: no more hierarchies than there can be, each controller once, and
// every path ends.

#include <stdlib.h>
#include <string.h>

#include "confine/cgroup_mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct cgroup_mounts m;
	unsigned seen = 0;
	int v2 = 0;
	int r = 0;

	m.count = 77;
	r = cgroup_mounts_parse(span_of(bytes, len), &m);
	if (r < 0) {
		must(r == -ENAMETOOLONG && m.count == 77);
		return 0;
	}
	must(m.count <= CGROUP_MOUNTS_MAX);
	for (size_t i = 0; i < m.count; i++) {
		must(memchr(m.all[i].path, 0, PATH_MAX) != NULL);
		must(m.all[i].is_v2 == (m.all[i].controllers == 0));
		must((m.all[i].controllers & seen) == 0);
		seen |= m.all[i].controllers;
		v2 += m.all[i].is_v2;
	}
	must(v2 <= 1);
	return 0;
}
