// SPDX-License-Identifier: Apache-2.0
// From the kernel's hand-over to a root file system the workload can use.

#include "init/boot.h"

#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/span.h"
#include "domain/guest.h"

#define NEW_ROOT "/newroot"
#define MODULES "/modules"

enum {
	ORDER_MAX_BYTES = 4096,
	SERIAL_BYTES = 32,
	DISK_LETTERS = 8, /* vda..vdh */
};

struct mount_point {
	const char *source;
	const char *target;
	const char *type;
	unsigned long flags;
	const char *options;
};

static const struct mount_point early_mounts[] = {
	{ "devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=755" },
	{ "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
};

static const struct mount_point root_mounts[] = {
	{ "proc", NEW_ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	  NULL },
	{ "sysfs", NEW_ROOT "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	  NULL },
	{ "devtmpfs", NEW_ROOT "/dev", "devtmpfs", MS_NOSUID, "mode=755" },
	{ "devpts", NEW_ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
	  "mode=620,ptmxmode=666,gid=5" },
	{ "tmpfs", NEW_ROOT "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV,
	  "mode=1777" },
	{ "tmpfs", NEW_ROOT "/run", "tmpfs", MS_NOSUID | MS_NODEV,
	  "mode=755,size=20%" },
	{ "cgroup2", NEW_ROOT GUEST_CGROUP_ROOT, "cgroup2",
	  MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate,memory_recursiveprot" },
};

static const struct {
	const char *target;
	const char *path;
} dev_links[] = {
	{ "/proc/self/fd", NEW_ROOT "/dev/fd" },
	{ "/proc/self/fd/0", NEW_ROOT "/dev/stdin" },
	{ "/proc/self/fd/1", NEW_ROOT "/dev/stdout" },
	{ "/proc/self/fd/2", NEW_ROOT "/dev/stderr" },
};

static const struct {
	const char *path;
	const char *value;
} settings[] = {
	/* Errors only: the console is slow and its reader is the shim. */
	{ "/proc/sys/kernel/printk", "3 4 1 3" },
	/* A panic ends the machine, and with it the sandbox, at once. */
	{ "/proc/sys/kernel/panic", "-1" },
	{ "/proc/sys/kernel/hostname", "caponier" },
	/* ping without a set-uid bit */
	{ "/proc/sys/net/ipv4/ping_group_range", "0 2147483647" },
	/* file watchers of editors and bundlers */
	{ "/proc/sys/fs/inotify/max_user_instances", "1024" },
	{ "/proc/sys/vm/max_map_count", "262144" },
};

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * (long)NS_PER_MS };

	(void)nanosleep(&t, NULL);
}

/* As fd_read_file(), into the caller's memory: invariant 1. */
static ssize_t read_file(const char *path, char *dst, size_t cap)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd < 0)
		return neg_errno();
	n = fd_read(fd, dst, cap - 1);
	if (n < 0)
		return n;
	dst[n] = '\0';
	return n;
}

static int mount_all(const struct mount_point *points, size_t count,
		     struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct mount_point *p = &points[i];

		(void)mkdir(p->target, 0755);
		if (mount(p->source, p->target, p->type, p->flags, p->options) <
		    0)
			return err_set(e, neg_errno(),
				       "cannot mount %s at %s: %s; use the "
				       "kernel that the template names",
				       p->type, p->target, strerror(errno));
	}
	return 0;
}

static int load_module(const char *name, struct err *e)
{
	char path[NAME_MAX + sizeof(MODULES) + 1];
	CLEANUP(fd_close) int fd = -1;

	(void)snprintf(path, sizeof(path), MODULES "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 &&
	    (syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST))
		return 0;
	return err_set(e, neg_errno(),
		       "cannot load the module %s: %s; rebuild the initramfs "
		       "for this kernel",
		       path, strerror(errno));
}

/* Calls @each with every line of the list of modules. */
static int for_modules(int (*each)(const char *name, struct err *e),
		       struct err *e)
{
	char order[ORDER_MAX_BYTES];
	ssize_t n = read_file(MODULES "/order", order, sizeof(order));
	char *rest = order;
	char *name = NULL;

	if (n < 0)
		return err_set(e, (int)n,
			       "cannot read " MODULES "/order: %s; rebuild "
			       "the initramfs",
			       strerror((int)-n));
	while ((name = strsep(&rest, "\n")) != NULL) {
		if (name[0] != '\0' && strlen(name) <= NAME_MAX)
			TRY(each(name, e));
	}
	return 0;
}

int boot_early(struct err *e)
{
	TRY(mount_all(early_mounts, ARRAY_LEN(early_mounts), e));
	return for_modules(load_module, e);
}

/* Whether /dev/vd@letter is there, and its serial (possibly empty). */
static bool disk_serial(char letter, char serial[SERIAL_BYTES])
{
	char path[64];
	ssize_t n = 0;

	(void)snprintf(path, sizeof(path), "/sys/block/vd%c/serial", letter);
	n = read_file(path, serial, SERIAL_BYTES);
	if (n < 0)
		return false;
	serial[strcspn(serial, "\n")] = '\0';
	return true;
}

static char find_disk(const char *wanted)
{
	char serial[SERIAL_BYTES];

	for (int i = 0; i < DISK_LETTERS; i++) {
		char letter = (char)('a' + i);

		if (disk_serial(letter, serial) && strcmp(serial, wanted) == 0)
			return letter;
	}
	return '\0';
}

static char wait_for_root(void)
{
	uint64_t deadline = clock_boot_ns() + BOOT_WAIT_MS * NS_PER_MS;
	char serial[SERIAL_BYTES];
	char letter = '\0';

	do {
		letter = find_disk(GUEST_ROOT_SERIAL);
		if (letter != '\0')
			return letter;
		/* A disk without any serial can only be the root. */
		if (disk_serial('a', serial) && serial[0] == '\0')
			return 'a';
		sleep_ms(1);
	} while (clock_boot_ns() < deadline);
	return disk_serial('a', serial) ? 'a' : '\0';
}

static int mount_disk(char letter, const char *target, unsigned long flags)
{
	char device[] = "/dev/vd?";

	device[sizeof(device) - 2] = letter;
	return mount(device, target, "ext4", flags, NULL) < 0 ? neg_errno() : 0;
}

int boot_root(struct err *e)
{
	char root = wait_for_root();
	char modules = '\0';
	int r = 0;

	if (root == '\0')
		return err_set(e, -ENODEV,
			       "cannot find the root disk: no virtio disk "
			       "after %d ms; attach one with the serial %s",
			       BOOT_WAIT_MS, GUEST_ROOT_SERIAL);
	(void)mkdir(NEW_ROOT, 0755);
	r = mount_disk(root, NEW_ROOT, MS_NOATIME);
	if (r < 0)
		return err_set(e, r,
			       "cannot mount the root disk /dev/vd%c: %s; "
			       "rebuild the image",
			       root, strerror(-r));
	modules = find_disk(GUEST_MODULES_SERIAL);
	if (modules != '\0') {
		/* By its real name: lib may be an absolute link. */
		(void)mkdir(NEW_ROOT "/usr/lib/modules", 0755);
		(void)mount_disk(modules, NEW_ROOT "/usr/lib/modules",
				 MS_RDONLY | MS_NOATIME | MS_NOSUID | MS_NODEV);
	}
	TRY(mount_all(root_mounts, ARRAY_LEN(root_mounts), e));
	for (size_t i = 0; i < ARRAY_LEN(dev_links); i++)
		(void)!symlink(dev_links[i].target, dev_links[i].path);
	return 0;
}

static int unlink_module(const char *name, struct err *e)
{
	char path[NAME_MAX + sizeof(MODULES) + 1];

	(void)e;
	(void)snprintf(path, sizeof(path), MODULES "/%s", name);
	(void)unlink(path);
	return 0;
}

int boot_switch(struct err *e)
{
	(void)for_modules(unlink_module, NULL);
	if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		return err_set(e, neg_errno(),
			       "cannot make the root disk the root: %s; this "
			       "is a bug in caponier-init",
			       strerror(errno));
	return 0;
}

static void loopback_up(void)
{
	CLEANUP(fd_close)
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
}

void boot_settings(void)
{
	loopback_up();
	(void)chmod("/tmp", 01777);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		CLEANUP(fd_close)
		int fd = open(settings[i].path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)!fd_write(fd, span_str(settings[i].value));
	}
}
