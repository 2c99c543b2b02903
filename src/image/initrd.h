/* SPDX-License-Identifier: Apache-2.0 */
/* The initramfs: caponier-init, caponier-agent and the kernel's modules. */
#ifndef CPN_IMAGE_INITRD_H
#define CPN_IMAGE_INITRD_H

#include "base/err.h"
#include "base/macros.h"

/**
 * initrd_write() - make the initramfs of a template
 * @programs: directory of caponier-init and caponier-agent
 * @modules:  directory of *.ko and `order`, as images/kernel.sh makes it
 * @file:     path to write; left alone if it holds the same bytes already
 *
 * Return: 0; -errno with a sentence; an old file stays on failure.
 * Context: blocks; allocates some megabytes.
 */
int initrd_write(const char *programs, const char *modules, const char *file,
		 struct err *e) MUST_CHECK;

#endif
