/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's hand-over to a root file system the workload can use.
 *
 * Invariants.
 *  1. Nothing here allocates.
 *  2. Every wait is bounded by BOOT_WAIT_MS.
 */
#ifndef CPN_INIT_BOOT_H
#define CPN_INIT_BOOT_H

#include "base/err.h"
#include "base/macros.h"

enum { BOOT_WAIT_MS = 5000 };

/**
 * boot_early() - mount /dev, /proc and /sys, load the initramfs' modules
 * @e: receives the sentence for the console
 *
 * Return: 0 or -errno.
 * Context: PID 1, in the initramfs.
 */
int boot_early(struct err *e) MUST_CHECK;

/**
 * boot_root() - wait for the disks and mount the new root with all below it
 * @e: receives the sentence for the console
 *
 * The disk whose serial is GUEST_ROOT_SERIAL, else the first one, is the
 * root. The one with GUEST_MODULES_SERIAL is mounted where it belongs; a
 * guest without it works, but loads no modules.
 *
 * Return: 0 or -errno.
 * Context: PID 1, after boot_early(); waits for devices.
 */
int boot_root(struct err *e) MUST_CHECK;

/**
 * boot_switch() - make the new root the root; give the initramfs' modules back
 * @e: receives the sentence for the console
 *
 * Return: 0 or -errno.
 * Context: PID 1, after boot_root().
 */
int boot_switch(struct err *e) MUST_CHECK;

/**
 * boot_settings() - loopback, host name and kernel settings
 *
 * None of them is worth a boot: what fails is left as it is.
 * Context: PID 1, after boot_switch().
 */
void boot_settings(void);

#endif
