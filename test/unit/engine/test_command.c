// SPDX-License-Identifier: Apache-2.0
// QEMU's command line: what must be in it and what must not, by boot mode.

#include "engine/qemu/command.h"

#include <stdio.h>

#include "tap.h"

static const struct sandbox_spec *spec_of(enum boot boot, const char *accel)
{
	static struct sandbox_spec spec;

	spec = (struct sandbox_spec){
		.boot = boot,
		.vcpus = 3,
		.mem_mib = 640,
		.cpu_model = "max,-vmx",
		.hostname = "UNTRUSTED",
		.token = "SECRET",
		.kernel = "/host/kernel",
		.layer = "/host/layer",
	};
	(void)snprintf(spec.accel, sizeof(spec.accel), "%s", accel);
	return &spec;
}

static bool has_word(const struct qemu_command *c, const char *word)
{
	for (size_t i = 0; i < c->argc; i++) {
		if (strcmp(c->argv[i], word) == 0)
			return true;
	}
	return false;
}

/* How often @option is followed by @value. */
static int count_pair(const struct qemu_command *c, const char *option,
		      const char *value)
{
	int count = 0;

	for (size_t i = 0; i + 1 < c->argc; i++)
		count += strcmp(c->argv[i], option) == 0 &&
			 strcmp(c->argv[i + 1], value) == 0;
	return count;
}

static bool has_part(const struct qemu_command *c, const char *part)
{
	for (size_t i = 0; i < c->argc; i++) {
		if (strstr(c->argv[i], part) != NULL)
			return true;
	}
	return false;
}

TEST(every_mode_has_the_same_base)
{
	for (int boot = 0; boot < BOOT_COUNT; boot++) {
		CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };

		CHECK_EQ(qemu_command_init(spec_of((enum boot)boot, "kvm"), &c),
			 0);
		CHECK_STR(c.argv[0], "/usr/bin/qemu-system-x86_64-microvm");
		CHECK(c.argv[c.argc] == NULL);
		CHECK(has_word(&c, "-nodefaults"));
		CHECK(has_word(&c, "-no-user-config"));
		CHECK(has_word(&c, "-no-reboot"));
		CHECK_EQ(count_pair(&c, "-display", "none"), 1);
		CHECK_EQ(count_pair(&c, "-sandbox",
				    "on,obsolete=deny,elevateprivileges=deny,"
				    "spawn=deny,resourcecontrol=deny"),
			 1);
		CHECK_EQ(count_pair(&c, "-accel", "kvm,device=/dev/fdset/10"),
			 1);
		CHECK_EQ(count_pair(&c, "-cpu", "max,-vmx"), 1);
		CHECK_EQ(count_pair(&c, "-smp", "3"), 1);
		CHECK_EQ(count_pair(&c, "-m", "640M"), 1);
		CHECK_EQ(count_pair(&c, "-bios", "qboot.rom"), 1);
		CHECK_EQ(count_pair(&c, "-mon", "chardev=qmp,mode=control"), 1);
	}
}

/* No network, nothing that leaves the jail, no secret, no host path. */
TEST(nothing_else_comes_in)
{
	static const char *const NEVER[] = {
		"-netdev",     "-nic",	 "virtio-net", "-vnc",
		"-monitor",    "-gdb",	 "-s",	       "-qmp",
		"-virtfs",     "-fsdev", "-usb",       "-daemonize",
		"-enable-kvm", "-runas", "-chroot",    "-serial",
	};

	for (int boot = 0; boot < BOOT_COUNT; boot++) {
		CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };

		CHECK_EQ(qemu_command_init(spec_of((enum boot)boot, "tcg"), &c),
			 0);
		for (size_t i = 0; i < ARRAY_LEN(NEVER); i++)
			CHECK(!has_word(&c, NEVER[i]));
		CHECK(!has_part(&c, "virtio-net"));
		CHECK(!has_part(&c, "SECRET"));
		CHECK(!has_part(&c, "UNTRUSTED"));
		CHECK(!has_part(&c, "/host/"));
	}
}

TEST(a_cold_boot_has_a_kernel_and_memory_of_its_own)
{
	CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };

	CHECK_EQ(qemu_command_init(spec_of(BOOT_COLD, "kvm"), &c), 0);
	CHECK_EQ(count_pair(&c, "-kernel", "/kernel"), 1);
	CHECK_EQ(count_pair(&c, "-initrd", "/initrd"), 1);
	CHECK(has_word(&c, "-append"));
	CHECK_EQ(count_pair(&c, "-object",
			    "memory-backend-ram,id=ram,size=640M"),
		 1);
	CHECK(!has_word(&c, "-incoming"));
	CHECK(!has_part(&c, "memory-backend-file"));
	CHECK(!has_part(&c, "node-name=middle"));
}

TEST(a_template_writes_its_memory_into_the_file)
{
	CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };

	CHECK_EQ(qemu_command_init(spec_of(BOOT_TEMPLATE, "kvm"), &c), 0);
	CHECK_EQ(count_pair(&c, "-object",
			    "memory-backend-file,id=ram,size=640M,share=on,"
			    "mem-path=/ram"),
		 1);
	CHECK_EQ(count_pair(&c, "-kernel", "/kernel"), 1);
	CHECK(!has_word(&c, "-incoming"));
	CHECK(!has_part(&c, "share=off"));
	CHECK(!has_part(&c, "node-name=middle"));
}

TEST(a_restore_has_no_kernel_and_never_writes_the_file)
{
	CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };

	CHECK_EQ(qemu_command_init(spec_of(BOOT_RESTORE, "kvm"), &c), 0);
	CHECK(!has_word(&c, "-kernel"));
	CHECK(!has_word(&c, "-initrd"));
	CHECK(!has_word(&c, "-append"));
	CHECK_EQ(count_pair(&c, "-incoming", "defer"), 1);
	CHECK_EQ(count_pair(&c, "-object",
			    "memory-backend-file,id=ram,size=640M,share=off,"
			    "readonly=on,rom=off,mem-path=/ram"),
		 1);
	CHECK(!has_part(&c, "share=on"));
	CHECK_EQ(count_pair(&c, "-blockdev",
			    "driver=qcow2,file=f9,node-name=middle,"
			    "backing=base,read-only=on"),
		 1);
	CHECK(has_part(&c, "node-name=root,backing=middle,"));
}

/* The sets are the descriptors of enum qemu_fd; one disk is written to. */
TEST(descriptors_are_handed_over_by_number)
{
	for (int boot = 0; boot < BOOT_COUNT; boot++) {
		CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };
		int has_base = boot == BOOT_RESTORE;
		int sets = 0;

		CHECK_EQ(qemu_command_init(spec_of((enum boot)boot, "kvm"), &c),
			 0);
		for (size_t i = 0; i < c.argc; i++)
			sets += strcmp(c.argv[i], "-add-fd") == 0;
		CHECK_EQ(sets, 4 + has_base);
		CHECK_EQ(count_pair(&c, "-add-fd", "fd=6,set=6"), 1);
		CHECK_EQ(count_pair(&c, "-add-fd", "fd=7,set=7"), 1);
		CHECK_EQ(count_pair(&c, "-add-fd", "fd=8,set=8"), 1);
		CHECK_EQ(count_pair(&c, "-add-fd", "fd=9,set=9"), has_base);
		CHECK_EQ(count_pair(&c, "-add-fd", "fd=10,set=10"), 1);
		CHECK_EQ(count_pair(&c, "-chardev", "socket,id=wire,fd=3"), 1);
		CHECK_EQ(count_pair(&c, "-chardev", "socket,id=qmp,fd=4"), 1);
		CHECK_EQ(count_pair(&c, "-chardev", "socket,id=console,fd=5"),
			 1);
		CHECK_EQ(count_pair(&c, "-blockdev",
				    "driver=file,filename=/dev/fdset/6,"
				    "node-name=f6,locking=off,read-only=on"),
			 1);
		CHECK_EQ(count_pair(&c, "-blockdev",
				    "driver=file,filename=/dev/fdset/7,"
				    "node-name=f7,locking=off,read-only=on"),
			 1);
		CHECK_EQ(count_pair(&c, "-blockdev",
				    "driver=file,filename=/dev/fdset/8,"
				    "node-name=f8,locking=off,discard=unmap"),
			 1);
		CHECK_EQ(count_pair(&c, "-blockdev",
				    "driver=file,filename=/dev/fdset/9,"
				    "node-name=f9,locking=off,read-only=on"),
			 has_base);
	}
}

/* The saved device state fits no other machine. */
TEST(a_template_and_its_clones_have_the_same_devices)
{
	CLEANUP(qemu_command_fini) struct qemu_command a = { 0 };
	CLEANUP(qemu_command_fini) struct qemu_command b = { 0 };
	size_t at = 0;

	CHECK_EQ(qemu_command_init(spec_of(BOOT_TEMPLATE, "tcg"), &a), 0);
	CHECK_EQ(qemu_command_init(spec_of(BOOT_RESTORE, "tcg"), &b), 0);
	for (size_t i = 0; i + 1 < a.argc; i++) {
		static const char *const SAME[] = { "-device", "-M", "-cpu",
						    "-smp",    "-m", "-accel" };
		bool is_part = false;

		for (size_t j = 0; j < ARRAY_LEN(SAME); j++)
			is_part = is_part || strcmp(a.argv[i], SAME[j]) == 0;
		if (!is_part)
			continue;
		while (at < b.argc && strcmp(b.argv[at], a.argv[i]) != 0)
			at++;
		if (!CHECK(at + 1 < b.argc))
			return;
		CHECK_STR(b.argv[at + 1], a.argv[i + 1]);
		at++;
	}
	CHECK(at > 0);
}

TEST(tcg_has_a_bounded_buffer)
{
	CLEANUP(qemu_command_fini) struct qemu_command c = { 0 };

	CHECK_EQ(qemu_command_init(spec_of(BOOT_COLD, "tcg"), &c), 0);
	CHECK_EQ(count_pair(&c, "-accel", "tcg,thread=multi,tb-size=128"), 1);
}

TEST(an_unknown_accelerator_is_refused)
{
	static const char *const BAD[] = { "", "xen", "kvm,x", "KVM", "tcg " };
	struct qemu_command c = { .argc = 77 };

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(qemu_command_init(spec_of(BOOT_COLD, BAD[i]), &c),
			 -EINVAL);
	CHECK_EQ(c.argc, 77);
	CHECK(c.argv == NULL);
}

TESTS(RUN(every_mode_has_the_same_base), RUN(nothing_else_comes_in),
      RUN(a_cold_boot_has_a_kernel_and_memory_of_its_own),
      RUN(a_template_writes_its_memory_into_the_file),
      RUN(a_restore_has_no_kernel_and_never_writes_the_file),
      RUN(descriptors_are_handed_over_by_number),
      RUN(a_template_and_its_clones_have_the_same_devices),
      RUN(tcg_has_a_bounded_buffer), RUN(an_unknown_accelerator_is_refused))
