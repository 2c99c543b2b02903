/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's command line for one sandbox: pure, from the specification alone.
 *
 * What the guest can be told apart by (machine, CPU, devices) is the same for
 * a template and its clones: the saved device state fits no other.
 */
#ifndef CPN_ENGINE_QEMU_COMMAND_H
#define CPN_ENGINE_QEMU_COMMAND_H

#include "base/macros.h"
#include "domain/sandbox.h"

/* Descriptors as QEMU sees them in its jail. */
enum qemu_fd {
	QEMU_FD_WIRE = 3,
	QEMU_FD_QMP,
	QEMU_FD_CONSOLE,
	QEMU_FD_ROOT,	 /* raw root image, read-only */
	QEMU_FD_MODULES, /* raw module image, read-only */
	QEMU_FD_LAYER,	 /* qcow2 of the sandbox, read-write */
	QEMU_FD_BASE,	 /* qcow2 of the template, read-only; BOOT_RESTORE */
	QEMU_FD_KVM,	 /* /dev/kvm, which has no name inside; accel "kvm" */
	QEMU_FD_END,
};

/* Paths inside the jail. */
#define QEMU_PROGRAM_TCG "/usr/bin/qemu-system-x86_64"
/* Debian's small build: this machine and KVM, a quarter of the code. */
#define QEMU_PROGRAM_KVM "/usr/bin/qemu-system-x86_64-microvm"
#define QEMU_KERNEL "/kernel"
#define QEMU_INITRD "/initrd"
#define QEMU_RAM "/ram" /* not BOOT_COLD */

enum {
	/* Room for translated code under TCG. */
	QEMU_TB_MIB = 128,
	/* What QEMU needs beside guest RAM and translated code. */
	QEMU_OVERHEAD_MIB = 128,
};

struct qemu_command {
	char **argv; /* owned, NULL-terminated; the first is the program */
	size_t argc;
};

/**
 * qemu_command_init() - build the argument vector
 * @spec: borrowed
 * @ret:  owned by the caller (qemu_command_fini()); untouched on failure
 *
 * Return: 0; -ENOMEM; -EINVAL for an accelerator other than "kvm" and "tcg".
 * Context: any thread; allocates.
 */
int qemu_command_init(const struct sandbox_spec *spec,
		      struct qemu_command *ret) MUST_CHECK;

/**
 * qemu_command_fini() - free an argument vector; zeroed is allowed
 * Context: any thread.
 */
void qemu_command_fini(struct qemu_command *command);

#endif
