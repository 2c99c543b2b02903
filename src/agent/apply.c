// SPDX-License-Identifier: Apache-2.0
// The effects of an identity on the machine.

#include "agent/identity.h"

#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"

/* <ext4/ext4.h> is the kernel's own: the ioctl that grows a mounted one. */
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)

#define DEVICE_MAX_NS (10 * NS_PER_S)

enum {
	DEVICE_PAUSE_NS = 2000000,
	HOSTS_MAX_BYTES = 65536,
	SECTOR_BYTES = 512,
};

static int add_entropy(struct identity *identity)
{
	const struct rand_pool_info head = {
		.entropy_count = 8 * IDENTITY_ENTROPY_BYTES,
		.buf_size = IDENTITY_ENTROPY_BYTES,
	};
	_Alignas(struct rand_pool_info)
		uint8_t pool[sizeof(head) + IDENTITY_ENTROPY_BYTES];
	CLEANUP(fd_close) int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return neg_errno();
	memcpy(pool, &head, sizeof(head));
	memcpy(pool + sizeof(head), identity->entropy, IDENTITY_ENTROPY_BYTES);
	if (ioctl(fd, RNDADDENTROPY, pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
		return neg_errno();
	explicit_bzero(pool, sizeof(pool));
	return 0;
}

static int set_clock(struct identity *identity)
{
	return clock_settime(CLOCK_REALTIME, &identity->wall) < 0 ?
		       neg_errno() :
		       0;
}

/*
 * Replaces a file in one step. A template's links, FIFOs and devices of that
 * name are replaced, never followed; nothing waits for the disk.
 */
static int put_file(const char *path, mode_t mode, struct span bytes)
{
	char staged[PATH_MAX];
	CLEANUP(fd_close) int fd = -1;

	(void)snprintf(staged, sizeof(staged), "%s.caponier", path);
	(void)unlink(staged);
	fd = open(staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  mode);
	if (fd < 0)
		return neg_errno();
	TRY(fd_write_all(fd, bytes));
	return rename(staged, path) < 0 ? neg_errno() : 0;
}

/* The old /etc/hosts without its 127.0.1.1 line, and a new such line. */
static int put_hosts(const char *hostname)
{
	CLEANUP(buf_fini) struct buf old = BUF_EMPTY(HOSTS_MAX_BYTES);
	CLEANUP(buf_fini) struct buf new = BUF_EMPTY(2UL * HOSTS_MAX_BYTES);
	CLEANUP(fd_close)
	int fd = open("/etc/hosts", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char *rest = NULL;
	char *line = NULL;

	if (fd >= 0)
		(void)!fd_read_all(fd, &old);
	if (old.len == 0)
		TRY(buf_put_str(&old, "127.0.0.1\tlocalhost\n"
				      "::1\tlocalhost ip6-localhost\n"));
	if (buf_cstr(&old) == NULL)
		return -ENOMEM;
	rest = (char *)old.ptr;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] != '\0' && strncmp(line, "127.0.1.1", 9) != 0)
			TRY(buf_printf(&new, "%s\n", line));
	}
	TRY(buf_printf(&new, "127.0.1.1\t%s\n", hostname));
	return put_file("/etc/hosts", 0644, buf_span(&new));
}

static int set_names(struct identity *identity)
{
	char line[IDENTITY_NAME_BYTES + 1];

	if (sethostname(identity->hostname, strlen(identity->hostname)) < 0)
		return neg_errno();
	(void)snprintf(line, sizeof(line), "%s\n", identity->hostname);
	TRY(put_file("/etc/hostname", 0644, span_str(line)));
	TRY(put_hosts(identity->hostname));
	(void)snprintf(line, sizeof(line), "%s\n", identity->machine_id);
	return put_file("/etc/machine-id", 0444, span_str(line));
}

/* The size of the block device under "/", or -ENODEV. */
static int root_device_bytes(uint64_t *ret)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(32);
	struct stat root = { 0 };
	char path[64];
	uint64_t sectors = 0;

	if (stat("/", &root) < 0)
		return neg_errno();
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/size",
		       major(root.st_dev), minor(root.st_dev));
	if (fd_read_file(AT_FDCWD, path, &text) < 0 || text.len == 0)
		return -ENODEV;
	text.len--; /* the newline */
	TRY(num_parse(buf_span(&text), 1, UINT64_MAX / SECTOR_BYTES, &sectors));
	*ret = sectors * SECTOR_BYTES;
	return 0;
}

/* A clone's disk is made larger while the clone wakes up: the device says so a
 * moment later. A disk smaller than was asked for is never taken.
 * Return: 0 with its size; -ENOSPC if it stays too small; -ENODEV. */
static int await_device(uint64_t wanted, uint64_t *ret)
{
	const struct timespec pause = { .tv_nsec = DEVICE_PAUSE_NS };
	uint64_t deadline = clock_boot_ns() + DEVICE_MAX_NS;

	for (;;) {
		TRY(root_device_bytes(ret));
		if (*ret >= wanted)
			return 0;
		if (clock_boot_ns() >= deadline)
			return -ENOSPC;
		(void)nanosleep(&pause, NULL);
	}
}

/* Growing flushes the journal: done only for a size not seen before. */
static int grow_disk(struct identity *identity)
{
	CLEANUP(fd_close) int fd = -1;
	struct statfs now = { 0 };
	uint64_t bytes = 0;
	uint64_t blocks = 0;
	int r = 0;

	if (identity->disk_bytes == 0)
		return 0;
	r = await_device(identity->disk_bytes, &bytes);
	if (r == -ENODEV)
		return 0; /* no block device: a test on the host */
	TRY(r);
	if (bytes == identity->grown_bytes)
		return 0;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &now) < 0)
		return neg_errno();
	blocks = bytes / (uint64_t)now.f_bsize;
	if (ioctl(fd, EXT4_IOC_RESIZE_FS, &blocks) < 0 && errno != ENOTTY)
		return neg_errno();
	identity->grown_bytes = bytes;
	return 0;
}

/* E2B's marker files. */
static int put_markers(struct identity *identity)
{
	(void)mkdir("/run/e2b", 0755);
	TRY(put_file("/run/e2b/.E2B_SANDBOX", 0444, span_str("true")));
	TRY(put_file("/run/e2b/.E2B_SANDBOX_ID", 0444, span_str(identity->id)));
	return put_file("/run/e2b/.E2B_TEMPLATE_ID", 0444,
			span_str(identity->template));
}

static const struct {
	const char *what;
	int (*apply)(struct identity *identity);
} steps[] = {
	{ "add entropy", add_entropy },
	{ "set the clock", set_clock },
	{ "set host name and machine id", set_names },
	{ "grow the root file system", grow_disk },
	{ "write the marker files", put_markers },
};

int identity_apply(struct identity *identity, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int r = steps[i].apply(identity);

		if (r < 0)
			return err_set(e, r,
				       "cannot %s: %s; this guest must not "
				       "be used",
				       steps[i].what, strerror(-r));
	}
	return 0;
}
