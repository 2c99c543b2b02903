/* SPDX-License-Identifier: Apache-2.0 */
/* Where the project's own files lie: in a build tree or installed. */
#ifndef CPN_DOMAIN_INSTALL_H
#define CPN_DOMAIN_INSTALL_H

#include <limits.h>

#include "base/err.h"
#include "base/macros.h"

struct install {
	char programs[PATH_MAX]; /* caponier-shim, -init, -agent */
	char images[PATH_MAX];	 /* root.sh, kernel.sh, qemu.sh, base/ */
};

/**
 * install_find() - find them from where this program lies
 *
 * A program in a build tree uses its neighbours and ../images; an installed
 * one uses ../libexec/caponier and ../share/caponier/images.
 *
 * Return: 0; -ENOENT with a sentence.
 * Context: blocks briefly.
 */
int install_find(struct install *ret, struct err *e) MUST_CHECK;

#endif
