/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file on its way in: written beside its place, renamed when complete.
 *
 * Invariants.
 *  1. Until incoming_commit() the file at the path is as it was; whatever
 *     fails leaves no trace but directories.
 *  2. Only regular files are replaced; links are followed to their target.
 */
#ifndef CPN_AGENT_INCOMING_H
#define CPN_AGENT_INCOMING_H

#include <jansson.h>
#include <limits.h>

#include "agent/passwd.h"
#include "base/macros.h"
#include "base/span.h"

struct incoming {
	int fd;		       /* owned; -1: none */
	char path[PATH_MAX];   /* as asked for, absolute */
	char target[PATH_MAX]; /* where links lead */
	char staged[PATH_MAX]; /* the unfinished file */
};

#define INCOMING_NONE ((struct incoming){ .fd = -1 })

/**
 * incoming_open() - begin a file
 * @path: absolute, untrusted
 * @user: will own the file and the directories that are made
 * @ret:  INCOMING_NONE; untouched on failure
 *
 * Return: 0; -EISDIR; -EINVAL if something else than a file is there; -errno.
 * Context: root; blocks.
 */
int incoming_open(const char *path, const struct passwd_user *user,
		  struct incoming *ret) MUST_CHECK;

/**
 * incoming_write() - append bytes
 *
 * Return: 0 or -errno.
 * Context: blocks.
 */
int incoming_write(struct incoming *in, struct span bytes) MUST_CHECK;

/**
 * incoming_set_metadata() - xattrs user.e2b.* of the file
 * @metadata: object of strings; NULL: none
 *
 * Return: 0 or -errno.
 * Context: blocks.
 */
int incoming_set_metadata(struct incoming *in,
			  const json_t *metadata) MUST_CHECK;

/**
 * incoming_commit() - put the file in its place
 *
 * Return: 0 or -errno; then it must be dropped.
 * Context: blocks.
 */
int incoming_commit(struct incoming *in) MUST_CHECK;

/**
 * incoming_drop() - forget the file; none, or a committed one, is allowed
 * Context: blocks.
 */
void incoming_drop(struct incoming *in);

#endif
