// SPDX-License-Identifier: Apache-2.0
// What the qemu engine can do on this host, found out by running it.

#include "engine/qemu/probe.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "confine/steps.h"
#include "engine/qemu/qemu.h"

enum {
	GUEST_BYTES = 65536,
	GUEST_CODE_AT = 0x1000,
	LOOPS = 65536,
	TRIES = 3,
	/* Hardware does the loop in a tenth of a millisecond, an emulated SVM
	 * in a few; an instruction emulator needs 100 and more. */
	SLOW_MS = 20,
	CPUINFO_MAX_BYTES = 1 << 20,
};

/* Real-mode code: 65,536 times round, then a write to port 0x10. */
static const uint8_t guest_code[] = {
	0x31, 0xc9, /* xor cx, cx */
	0x49,	    /* again: dec cx */
	0x75, 0xfd, /* jnz again */
	0xb0, 0x2a, /* mov al, 42 */
	0xe6, 0x10, /* out 0x10, al */
	0xf4,	    /* hlt */
};

struct tiny_vm {
	int kvm;
	int vm;
	int vcpu;
	uint8_t *ram;
	struct kvm_run *run;
	size_t run_bytes;
};

static void tiny_vm_fini(struct tiny_vm *v)
{
	if (v->run != NULL)
		(void)munmap(v->run, v->run_bytes);
	if (v->ram != NULL)
		(void)munmap(v->ram, GUEST_BYTES);
	fd_close(&v->vcpu);
	fd_close(&v->vm);
	fd_close(&v->kvm);
}

static void *map(size_t bytes, int flags, int fd)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static int vcpu_init(struct tiny_vm *v)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = GUEST_CODE_AT, .rflags = 2 };
	int bytes = ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (bytes <= 0)
		return neg_errno();
	v->run_bytes = (size_t)bytes;
	v->run = map(v->run_bytes, MAP_SHARED, v->vcpu);
	if (v->run == NULL || ioctl(v->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return neg_errno();
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(v->vcpu, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(v->vcpu, KVM_SET_REGS, &regs) < 0)
		return neg_errno();
	return 0;
}

static int tiny_vm_init(struct tiny_vm *v)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_BYTES,
	};

	v->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (v->kvm < 0)
		return neg_errno();
	if (ioctl(v->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return -EPROTONOSUPPORT;
	v->vm = ioctl(v->kvm, KVM_CREATE_VM, 0);
	v->ram = map(GUEST_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (v->vm < 0 || v->ram == NULL)
		return neg_errno();
	memcpy(v->ram + GUEST_CODE_AT, guest_code, sizeof(guest_code));
	region.userspace_addr = (uint64_t)(uintptr_t)v->ram;
	if (ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return neg_errno();
	v->vcpu = ioctl(v->vm, KVM_CREATE_VCPU, 0);
	return v->vcpu < 0 ? neg_errno() : vcpu_init(v);
}

/* Run the guest once.
 * Return: microseconds, or -errno. */
static int tiny_vm_time(void)
{
	CLEANUP(tiny_vm_fini)
	struct tiny_vm v = { .kvm = -1, .vm = -1, .vcpu = -1 };
	uint64_t start_ns = 0;

	TRY(tiny_vm_init(&v));
	start_ns = clock_boot_ns();
	if (ioctl(v.vcpu, KVM_RUN, 0) < 0)
		return neg_errno();
	if (v.run->exit_reason != KVM_EXIT_IO || v.run->io.port != 0x10)
		return -EILSEQ;
	return (int)((clock_boot_ns() - start_ns) / 1000);
}

static bool has_hardware(void)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(CPUINFO_MAX_BYTES);
	const char *flags = NULL;

	if (fd_read_file(AT_FDCWD, "/proc/cpuinfo", &text) < 0)
		return false;
	flags = buf_cstr(&text);
	return flags != NULL &&
	       (strstr(flags, " vmx") != NULL || strstr(flags, " svm") != NULL);
}

/* The version of the QEMU under the home, or NULL-terminated "". */
static void qemu_version(const struct home *home, char *ret, size_t cap)
{
	char link[PATH_MAX];
	char target[PATH_MAX];
	ssize_t n = 0;

	ret[0] = '\0';
	if (home_path(home, link, "engines/qemu/current") < 0)
		return;
	n = readlink(link, target, sizeof(target) - 1);
	/* A user may run root's templates. */
	if (n < 0 && geteuid() != 0 &&
	    home_path(home_of_root(), link, "engines/qemu/current") == 0)
		n = readlink(link, target, sizeof(target) - 1);
	if (n > 0)
		(void)!span_copy_str(span_of(target, (size_t)n), ret, cap);
}

#define SAY(field, ...)                                                        \
	((void)snprintf(ret->field, sizeof(ret->field), __VA_ARGS__))

static void explain_kvm(struct probe *ret, int r)
{
	SAY(gain, "hardware isolation (tier microvm) and guests at native "
		  "speed");
	if (r == -ENOENT) {
		SAY(why, "there is no /dev/kvm");
		SAY(mend, "run on bare metal or on a cloud machine with nested "
			  "virtualisation, and modprobe kvm_intel or kvm_amd");
	} else if (r == -EACCES || r == -EPERM) {
		SAY(why, "/dev/kvm may not be opened by this user");
		SAY(mend, "usermod -aG kvm $USER, then log in again");
	} else {
		SAY(why, "a virtual CPU does not run: %s", err_text(NULL, r));
		SAY(mend, "look at dmesg | grep kvm");
	}
}

static void judge_speed(struct probe *ret, int best_us)
{
	SAY(evidence, "a virtual CPU ran %d loops in %d us", LOOPS, best_us);
	ret->is_working = best_us < SLOW_MS * 1000;
	if (ret->is_working)
		return;
	SAY(why,
	    "this /dev/kvm emulates: %d loops took %d ms, and a stock "
	    "kernel needs instructions it lacks",
	    LOOPS, best_us / 1000);
	SAY(mend, "use a host with vmx or svm in /proc/cpuinfo");
}

/* Run the tiny guest a few times and keep the best.
 * Return: microseconds, or -errno. */
static int best_time(void)
{
	int best = INT_MAX;

	for (int i = 0; i < TRIES; i++) {
		int us = tiny_vm_time();

		TRY(us);
		best = us < best ? us : best;
	}
	return best;
}

void qemu_probe_kvm(const struct home *home, struct probe *ret)
{
	int best_us = 0;

	(void)home;
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		explain_kvm(ret, neg_errno());
		return;
	}
	/* Only a claim that it works needs the proof of a run. */
	if (!has_hardware()) {
		explain_kvm(ret, -ENODEV);
		SAY(why, "this /dev/kvm is paravirtual: the processor shows "
			 "neither vmx nor svm, and a stock kernel does not "
			 "run on it");
		SAY(mend, "use a host with vmx or svm in /proc/cpuinfo");
		return;
	}
	best_us = best_time();
	explain_kvm(ret, best_us < 0 ? best_us : -EIO);
	if (best_us < 0)
		return;
	ret->why[0] = '\0';
	ret->mend[0] = '\0';
	judge_speed(ret, best_us);
}

/* What the jail is made of on this host: nothing that is not there. */
static void say_jail(char *ret, size_t cap)
{
	int abi = step_landlock_abi();
	char landlock[32] = "no Landlock";

	if (abi > 0)
		(void)snprintf(landlock, sizeof(landlock), "Landlock ABI %d",
			       abi);
	(void)snprintf(ret, cap, "namespaces, seccomp, %s, %s", landlock,
		       geteuid() == 0 ? "own uid, cgroup limits" :
					"your uid, no cgroup limits");
}

/* Whether QEMU starts in its jail, where that is to be proved now. */
static bool runs(const struct home *home, struct probe *ret)
{
	char root[PATH_MAX];
	struct err e = { 0 };

	if (!ret->wants_run)
		return true;
	if (home_path(home, root, "engines/qemu/current/root") < 0)
		return false;
	if (access(root, X_OK) < 0 &&
	    home_path(home_of_root(), root, "engines/qemu/current/root") < 0)
		return false;
	if (qemu_try(root, &e) == 0)
		return true;
	SAY(why, "%.380s", e.text);
	SAY(mend, "look at the rows about user namespaces and cgroups below");
	SAY(gain, "an own kernel per sandbox on any host");
	return false;
}

void qemu_probe_tcg(const struct home *home, struct probe *ret)
{
	char version[64];
	char jail[128];

	qemu_version(home, version, sizeof(version));
	if (version[0] == '\0') {
		SAY(why, "QEMU is not prepared yet");
		SAY(mend, "caponier template build base");
		SAY(gain, "an own kernel per sandbox on any host");
		return;
	}
	if (!runs(home, ret))
		return;
	ret->is_working = true;
	say_jail(jail, sizeof(jail));
	SAY(evidence,
	    "own Linux kernel in QEMU %s (TCG emulation), in our jail: %s",
	    version, jail);
}
