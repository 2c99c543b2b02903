/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: waits for its shim's end and clears up behind it.
 *
 * Theory. The keeper has the launcher's rights and reads no guest byte: only
 * the specification, and the verdict in its shim's pipe. However the shim
 * ends, what is left of the sandbox is killed, its groups and its directory
 * are removed, and the cause is told as the last message. If the keeper is
 * killed, the shim and the engine die with it, and whoever next sweeps the
 * sandboxes' directory does the rest.
 *
 * Invariants.
 *  1. `ended` is sent once, last, when nothing is left.
 *  2. The lock is held until the process has ended.
 */
#ifndef CPN_SHIM_KEEPER_H
#define CPN_SHIM_KEEPER_H

#include "base/macros.h"
#include "shim/shim.h"

/* Descriptors the keeper is born with. */
enum {
	KEEPER_FD_CONTROL = 3,
	KEEPER_FD_LOCK = 4,
	KEEPER_FD_UIDS = 5, /* keeps the sandbox's uids taken; may be absent */
};

/* The shim's program, run in the child. Its exit status says nothing. */
typedef int keeper_shim_fn(const struct shim_birth *birth);

/**
 * keeper_run() - keep one sandbox from beginning to end
 * @dir:      the sandbox's directory, absolute
 * @run_shim: called in the child process
 *
 * Return: 0 when the sandbox has ended and nothing is left; -errno if it left
 * something (the launcher's sweep will try again). In the child: what
 * @run_shim returned.
 * Context: a process with one thread; blocks.
 */
int keeper_run(const char *dir, keeper_shim_fn *run_shim) MUST_CHECK;

#endif
