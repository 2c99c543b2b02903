/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a directory tree without ever leaving it. */
#ifndef CPN_IMAGE_TREE_H
#define CPN_IMAGE_TREE_H

#include "base/macros.h"

/**
 * tree_remove() - remove @name below @dir with everything in it
 * @dir:  directory descriptor, borrowed
 * @name: one path component; a symbolic link is removed, never followed
 *
 * Stays on the file system it starts on.
 *
 * Return: 0, also if it is not there; the first -errno, after removing what
 * can be removed.
 * Context: blocks.
 */
int tree_remove(int dir, const char *name) MUST_CHECK;

#endif
