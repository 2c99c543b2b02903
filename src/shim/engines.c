// SPDX-License-Identifier: Apache-2.0
// The engines of this program.

#include <string.h>

#include "engine/qemu/qemu.h"
#include "shim/shim.h"

const struct engine_ops *shim_engine(const char *name)
{
	return strcmp(name, engine_qemu.name) == 0 ? &engine_qemu : NULL;
}
