/* SPDX-License-Identifier: Apache-2.0 */
/* What a sandbox's engine may use of the host, from its specification. */
#ifndef CPN_SHIM_BUDGET_H
#define CPN_SHIM_BUDGET_H

#include "confine/cgroup.h"
#include "domain/sandbox.h"

/**
 * budget_of() - the limits of a sandbox's engine
 *
 * Memory is the guest's RAM, the translation buffer of an emulated machine and
 * what the engine needs itself: a limit below kills the wrong process with the
 * wrong cause.
 *
 * Return: the limits.
 * Context: any thread.
 */
struct cgroup_limits budget_of(const struct sandbox_spec *spec);

#endif
