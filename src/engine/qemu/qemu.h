/* SPDX-License-Identifier: Apache-2.0 */
/* The qemu engine: an own kernel in QEMU's microvm machine, in our jail. */
#ifndef CPN_ENGINE_QEMU_QEMU_H
#define CPN_ENGINE_QEMU_QEMU_H

#include "engine/engine.h"

extern const struct engine_ops engine_qemu;

#endif
