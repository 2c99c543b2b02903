/* SPDX-License-Identifier: Apache-2.0 */
/* The qemu engine: an own kernel in QEMU's microvm machine, in our jail. */
#ifndef CPN_ENGINE_QEMU_QEMU_H
#define CPN_ENGINE_QEMU_QEMU_H

#include "engine/engine.h"

extern const struct engine_ops engine_qemu;

/**
 * qemu_try() - run a QEMU in its jail to see that both work here
 * @root: the jail's root directory on the host
 *
 * It only prints its version, to nobody.
 *
 * Return: 0 if it ran and ended well; -errno with a sentence.
 * Context: a single thread; blocks for milliseconds; leaves nothing.
 */
int qemu_try(const char *root, struct err *e) MUST_CHECK;

#endif
