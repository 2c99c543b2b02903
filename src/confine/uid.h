/* SPDX-License-Identifier: Apache-2.0 */
/* Host uids for sandboxes: a pair each, handed out by locked files. */
#ifndef CPN_CONFINE_UID_H
#define CPN_CONFINE_UID_H

#include <stdint.h>

#include "base/err.h"
#include "base/macros.h"

/* Above what distributions and systemd hand out. */
#define UID_BASE UINT32_C(0x70000000)
enum { UID_PAIRS_MAX = 4096 };

struct uid_pair {
	uint32_t engine;
	uint32_t shim;
};

/**
 * uid_pair_take() - take a pair of uids nobody else has
 * @dir:    directory of the lock files
 * @ret_fd: owned; the pair is free again when every copy of it is closed,
 *          so a process that is killed gives its pair back
 *
 * Return: 0; -EAGAIN if all are taken; -errno; with a sentence.
 * Context: blocks briefly. Two directories hand out the same uids: that parts
 * sandboxes of one home, not those of two.
 * Test: test/unit/confine/test_uid.c
 */
int uid_pair_take(const char *dir, struct uid_pair *ret, int *ret_fd,
		  struct err *e) MUST_CHECK;

#endif
