/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo terminals by hand: glibc's openpty() drags in group files. */
#ifndef CPN_AGENT_PTY_H
#define CPN_AGENT_PTY_H

#include <stdint.h>

#include "base/macros.h"

struct pty_size {
	uint16_t rows;
	uint16_t cols;
};

/**
 * pty_open() - a new pseudo terminal
 * @ret_master: receives the owned, non-blocking master
 * @ret_slave:  receives the owned slave
 *
 * Return: 0 or -errno; nothing is touched on failure.
 * Context: any thread.
 */
int pty_open(struct pty_size size, int *ret_master, int *ret_slave) MUST_CHECK;

/**
 * pty_resize() - tell a terminal's programs its new size
 *
 * Return: 0 or -errno.
 * Context: any thread.
 */
int pty_resize(int master, struct pty_size size) MUST_CHECK;

#endif
