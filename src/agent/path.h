/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as clients write them: absolute, relative to home, with `~`. */
#ifndef CPN_AGENT_PATH_H
#define CPN_AGENT_PATH_H

#include <stddef.h>

#include "base/macros.h"

/**
 * path_resolve() - the absolute path a client means
 * @path:    untrusted; empty means @workdir
 * @home:    absolute; what `~` and relative paths start from
 * @workdir: absolute
 * @ret:     receives it without `.`, `..` and double slashes
 * @cap:     size of @ret
 *
 * Links are not followed: `a/..` is what the text says.
 *
 * Return: 0; -ENAMETOOLONG; -EINVAL for `~other`.
 * Context: any thread, allocates nothing.
 * Proof: test/unit/agent/test_path.c
 */
int path_resolve(const char *path, const char *home, const char *workdir,
		 char *ret, size_t cap) MUST_CHECK;

/**
 * path_name() - the last part of an absolute path
 *
 * Return: a pointer into @path; "" for the root.
 * Context: any thread.
 */
const char *path_name(const char *path);

#endif
