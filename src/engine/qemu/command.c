// SPDX-License-Identifier: Apache-2.0
// QEMU's command line for one sandbox.

#include "engine/qemu/command.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/span.h"

enum { ARGS_MAX = 96 };

/* No legacy device but the APIC and the clock, without which the kernel waits
 * two seconds for one. Debian's kernel finds virtio-mmio by ACPI. */
#define MACHINE                                                                \
	"microvm,acpi=on,pit=off,pic=off,rtc=on,isa-serial=off,"               \
	"auto-kernel-cmdline=off,x-option-roms=off,ioapic2=off,usb=off,"       \
	"graphics=off,dump-guest-core=off,mem-merge=off,memory-backend=ram"

/* QEMU's own filter, under ours. */
#define SANDBOX                                                                \
	"on,obsolete=deny,elevateprivileges=deny,spawn=deny,"                  \
	"resourcecontrol=deny"

/* The guest kernel's command line. */
#define APPEND                                                                 \
	"console=hvc0 quiet loglevel=1 panic=-1 reboot=t pci=off "             \
	"cryptomgr.notests no_timer_check edd=off"

static int add(struct qemu_command *c, const char *fmt, ...) PRINTF(2, 3);

static int add(struct qemu_command *c, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n = 0;

	if (c->argc + 1 >= ARGS_MAX)
		return -E2BIG;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	c->argv[c->argc++] = text;
	return 0;
}

static int add_pair(struct qemu_command *c, const char *option,
		    const char *value)
{
	TRY(add(c, "%s", option));
	return add(c, "%s", value);
}

static bool is_kvm(const struct sandbox_spec *spec)
{
	return span_is(span_str(spec->accel), "kvm");
}

static int add_machine(struct qemu_command *c, const struct sandbox_spec *spec)
{
	TRY(add_pair(c, "-M", MACHINE));
	TRY(add(c, "-accel"));
	if (span_is(span_str(spec->accel), "tcg"))
		TRY(add(c, "tcg,thread=multi,tb-size=%d", QEMU_TB_MIB));
	else if (is_kvm(spec))
		TRY(add(c, "kvm,device=/dev/fdset/%d", QEMU_FD_KVM));
	else
		return -EINVAL;
	TRY(add_pair(c, "-cpu", spec->cpu_model));
	TRY(add(c, "-smp"));
	TRY(add(c, "%u", spec->vcpus));
	TRY(add(c, "-m"));
	TRY(add(c, "%uM", spec->mem_mib));
	TRY(add(c, "-object"));
	switch ((enum boot)spec->boot) {
	case BOOT_TEMPLATE:
		return add(c,
			   "memory-backend-file,id=ram,size=%uM,share=on,"
			   "mem-path=" QEMU_RAM,
			   spec->mem_mib);
	case BOOT_RESTORE:
		return add(c,
			   "memory-backend-file,id=ram,size=%uM,share=off,"
			   "readonly=on,rom=off,mem-path=" QEMU_RAM,
			   spec->mem_mib);
	case BOOT_COLD:
	case BOOT_COUNT:
		break;
	}
	return add(c, "memory-backend-ram,id=ram,size=%uM", spec->mem_mib);
}

static int add_boot(struct qemu_command *c, const struct sandbox_spec *spec)
{
	TRY(add_pair(c, "-bios", "qboot.rom"));
	if (spec->boot == BOOT_RESTORE)
		return add_pair(c, "-incoming", "defer");
	TRY(add_pair(c, "-kernel", QEMU_KERNEL));
	TRY(add_pair(c, "-initrd", QEMU_INITRD));
	TRY(add(c, "-append"));
	/* KVM tells the guest its clock. Emulated it has the host's counter and
	 * nothing to measure it by: about one boot in twenty would hang trying,
	 * and with a wrong number the clock runs at the wrong speed. */
	if (is_kvm(spec))
		return add(c, APPEND);
	return add(c, APPEND " tsc=reliable tsc_early_khz=%u", spec->tsc_khz);
}

/* One file a descriptor points to, as block node "f<fd>". */
static int add_file(struct qemu_command *c, int fd, const char *more)
{
	TRY(add(c, "-blockdev"));
	return add(c,
		   "driver=file,filename=/dev/fdset/%d,node-name=f%d,"
		   "locking=off,%s",
		   fd, fd, more);
}

static int add_disks(struct qemu_command *c, const struct sandbox_spec *spec)
{
	const char *below = "base";

	TRY(add_file(c, QEMU_FD_ROOT, "read-only=on"));
	TRY(add(c, "-blockdev"));
	TRY(add(c, "driver=raw,file=f%d,node-name=base,read-only=on",
		QEMU_FD_ROOT));
	if (spec->boot == BOOT_RESTORE) {
		TRY(add_file(c, QEMU_FD_BASE, "read-only=on"));
		TRY(add(c, "-blockdev"));
		TRY(add(c,
			"driver=qcow2,file=f%d,node-name=middle,"
			"backing=base,read-only=on",
			QEMU_FD_BASE));
		below = "middle";
	}
	TRY(add_file(c, QEMU_FD_LAYER, "discard=unmap"));
	TRY(add(c, "-blockdev"));
	TRY(add(c,
		"driver=qcow2,file=f%d,node-name=root,backing=%s,"
		"discard=unmap,detect-zeroes=unmap",
		QEMU_FD_LAYER, below));
	TRY(add_file(c, QEMU_FD_MODULES, "read-only=on"));
	TRY(add(c, "-blockdev"));
	return add(c, "driver=raw,file=f%d,node-name=modules,read-only=on",
		   QEMU_FD_MODULES);
}

/* Order is probe order: the wire first, then the disks. */
static int add_devices(struct qemu_command *c)
{
	TRY(add_pair(c, "-device", "virtio-serial-device,id=ser,max_ports=3"));
	TRY(add(c, "-chardev"));
	TRY(add(c, "socket,id=wire,fd=%d", QEMU_FD_WIRE));
	TRY(add_pair(c, "-device",
		     "virtserialport,chardev=wire,name=caponier.wire,"
		     "bus=ser.0,nr=1"));
	TRY(add(c, "-chardev"));
	TRY(add(c, "socket,id=console,fd=%d", QEMU_FD_CONSOLE));
	TRY(add_pair(c, "-device",
		     "virtconsole,chardev=console,bus=ser.0,nr=2"));
	TRY(add_pair(c, "-device",
		     "virtio-blk-device,id=vda,drive=root,"
		     "serial=caponier-root"));
	TRY(add_pair(c, "-device",
		     "virtio-blk-device,id=vdb,drive=modules,"
		     "serial=caponier-modules"));
	TRY(add_pair(c, "-object", "rng-builtin,id=rng"));
	return add_pair(c, "-device", "virtio-rng-device,id=rng0,rng=rng");
}

static int add_fds(struct qemu_command *c, const struct sandbox_spec *spec)
{
	for (int fd = QEMU_FD_ROOT; fd < QEMU_FD_END; fd++) {
		if ((fd == QEMU_FD_BASE && spec->boot != BOOT_RESTORE) ||
		    (fd == QEMU_FD_KVM && !is_kvm(spec)))
			continue;
		TRY(add(c, "-add-fd"));
		TRY(add(c, "fd=%d,set=%d", fd, fd));
	}
	TRY(add(c, "-chardev"));
	TRY(add(c, "socket,id=qmp,fd=%d", QEMU_FD_QMP));
	return add_pair(c, "-mon", "chardev=qmp,mode=control");
}

static int build(const struct sandbox_spec *spec, struct qemu_command *c)
{
	TRY(add(c, "%s", is_kvm(spec) ? QEMU_PROGRAM_KVM : QEMU_PROGRAM_TCG));
	TRY(add_pair(c, "-display", "none"));
	TRY(add(c, "-nodefaults"));
	TRY(add(c, "-no-user-config"));
	TRY(add(c, "-no-reboot"));
	TRY(add_pair(c, "-sandbox", SANDBOX));
	TRY(add_pair(c, "-L", "/usr/share/qemu"));
	TRY(add_machine(c, spec));
	TRY(add_fds(c, spec));
	TRY(add_boot(c, spec));
	TRY(add_disks(c, spec));
	return add_devices(c);
}

int qemu_command_init(const struct sandbox_spec *spec, struct qemu_command *ret)
{
	CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };

	c.argv = mem_new(ARGS_MAX, sizeof(*c.argv));
	if (c.argv == NULL)
		return -ENOMEM;
	TRY(build(spec, &c));
	*ret = c;
	c = (struct qemu_command){ 0 }; /* ownership moved to *ret */
	return 0;
}

void qemu_command_fini(struct qemu_command *command)
{
	for (size_t i = 0; i < command->argc; i++)
		mem_free(command->argv[i]);
	mem_free(command->argv);
	*command = (struct qemu_command){ 0 };
}
