/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where Caponier keeps its state: one directory.
 *
 *   images/base/<digest>/       root trees (images/root.sh)
 *   kernels/<version>/          kernels and modules (images/kernel.sh)
 *   engines/qemu/<version>/     the engines' own files (images/qemu.sh)
 *   templates/<name>/           template.json, initrd, one directory per size
 *   sandboxes/<id>/             one directory per running sandbox
 *   key                         secret of the manifests' MACs, mode 0600
 */
#ifndef CPN_DOMAIN_HOME_H
#define CPN_DOMAIN_HOME_H

#include <limits.h>

#include "base/err.h"
#include "base/macros.h"

struct home {
	char dir[PATH_MAX];
};

/**
 * home_find() - the state directory, made if it is not there
 *
 * $CAPONIER_HOME; else /var/lib/caponier for root, and for a user
 * $XDG_STATE_HOME/caponier or ~/.local/state/caponier.
 *
 * Return: 0; -errno with a sentence.
 * Context: blocks briefly.
 */
int home_find(struct home *ret, struct err *e) MUST_CHECK;

/**
 * home_of_root() - root's state directory, whose templates users may run
 *
 * Return: a constant; it may not exist.
 * Context: any thread.
 */
const struct home *home_of_root(void);

/**
 * home_path() - a path below the state directory
 * @ret: receives a C string of at most PATH_MAX bytes
 * @fmt: printf format of the relative path
 *
 * Return: 0; -ENAMETOOLONG.
 * Context: any thread.
 */
int home_path(const struct home *home, char ret[PATH_MAX], const char *fmt, ...)
	PRINTF(3, 4) MUST_CHECK;

/**
 * home_mkdir() - make a directory and those above it
 * @path: absolute
 *
 * Return: 0, also if it is there; -errno with a sentence.
 * Context: blocks briefly.
 */
int home_mkdir(const char *path, struct err *e) MUST_CHECK;

#endif
