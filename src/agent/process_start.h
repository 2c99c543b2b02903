/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of a new process; a part of process.c. */
#ifndef CPN_AGENT_PROCESS_START_H
#define CPN_AGENT_PROCESS_START_H

#include "agent/process.h"

/**
 * process_launch() - make pipes or a terminal for @p and spawn it
 * @p: listed, nothing opened yet; on failure what was opened stays with it
 *
 * Return: 0 or -errno.
 * Context: the loop's thread.
 */
int process_launch(struct process *p,
		   const struct process_request *what) MUST_CHECK;

#endif
