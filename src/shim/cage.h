/* SPDX-License-Identifier: Apache-2.0 */
/* The shim's cage: see docs/design/0001-first-sandbox.md. */
#ifndef CPN_SHIM_CAGE_H
#define CPN_SHIM_CAGE_H

#include <stdint.h>

#include "base/err.h"
#include "base/macros.h"

/**
 * cage_close() - take everything away that the shim does not need any more
 * @empty:       an existing directory, absolute
 * @uid:         of the shim on the host; 0: the caller's own
 * @parent_pipe: its other end is held by the keeper only
 *
 * Return: 0; -errno with a sentence; the shim must then exit.
 * Context: once.
 * Test: test/scenario/shim_is_caged.c
 */
int cage_close(const char *empty, uint32_t uid, int parent_pipe,
	       struct err *e) MUST_CHECK;

#endif
