// SPDX-License-Identifier: Apache-2.0
// The attack program: stands in QEMU's place, in QEMU's cage, with QEMU's
// descriptors. Reads on the wire which probe to run, says on stderr what came
// of it.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/qemu/command.h"
#include "probes.h"

int main(void)
{
	char line[16] = "";
	size_t i = 0;
	int r = 0;

	probe_fds = (struct probe_fds){ QEMU_FD_ROOT, QEMU_FD_LAYER,
					QEMU_FD_WIRE };
	if (read(QEMU_FD_WIRE, line, sizeof(line) - 1) <= 0)
		return 2;
	i = strtoul(line, NULL, 10);
	if (i >= probe_count)
		return 2;
	r = probe_rows[i].fn();
	(void)dprintf(STDERR_FILENO, "%d\n", r);
	return 0;
}
