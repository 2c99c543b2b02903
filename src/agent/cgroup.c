// SPDX-License-Identifier: Apache-2.0
// The workload's control group.

#include "agent/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"
#include "domain/guest.h"

enum {
	RESERVE_MIN_BYTES = 25165824, /* 24 MiB for kernel, init and agent */
	RESERVE_PCT = 6,
	/* What a process costs at least in kernel memory. */
	PROCESS_BYTES = 131072,
	PROCESSES_MIN = 256,
	PROCESSES_MAX = 30000, /* below the default kernel.pid_max */
	EVENTS_MAX_BYTES = 16384,
	BYTES_PER_KIB = 1024,
};

static uint64_t memory_bytes_of_machine(void)
{
	struct sysinfo machine = { 0 };

	if (sysinfo(&machine) < 0)
		return 0;
	return (uint64_t)machine.totalram * machine.mem_unit;
}

static void put(int dir, const char *name, const char *value)
{
	CLEANUP(fd_close) int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!fd_write(fd, span_str(value));
}

static void put_number(int dir, const char *name, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	put(dir, name, text);
}

/* The number behind a "key N" line, or 0. */
static uint64_t event_count(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

static uint64_t reserve_of(uint64_t memory_bytes)
{
	uint64_t share = memory_bytes / 100 * RESERVE_PCT;

	return share > RESERVE_MIN_BYTES ? share : RESERVE_MIN_BYTES;
}

/* What the kernel would give away now, while nothing runs yet: what it has
 * taken for itself is not to be had, whatever MemTotal says. */
static uint64_t available_bytes(void)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(EVENTS_MAX_BYTES);
	const char *memory = NULL;

	if (fd_read_file(AT_FDCWD, "/proc/meminfo", &text) < 0)
		return 0;
	memory = buf_cstr(&text);
	return memory == NULL ?
		       0 :
		       event_count(memory, "MemAvailable:") * BYTES_PER_KIB;
}

static void set_limits(int dir)
{
	uint64_t memory = memory_bytes_of_machine();
	uint64_t available = available_bytes();
	uint64_t reserve = reserve_of(memory);
	uint64_t processes = memory / PROCESS_BYTES;

	if (available > 2 * reserve)
		put_number(dir, "memory.max", available - reserve);
	if (processes < PROCESSES_MIN)
		processes = PROCESSES_MIN;
	if (processes > PROCESSES_MAX)
		processes = PROCESSES_MAX;
	put_number(dir, "pids.max", processes);
	put(dir, "memory.swap.max", "0");
	put(dir, "memory.oom.group", "0");
}

int cgroup_init(struct cgroup *ret)
{
	CLEANUP(fd_close) int dir = -1;
	bool is_new = false;

	/* One at a time: a missing controller must not lose the others. */
	put(AT_FDCWD, GUEST_CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	put(AT_FDCWD, GUEST_CGROUP_ROOT "/cgroup.subtree_control", "+pids");
	put(AT_FDCWD, GUEST_CGROUP_ROOT "/cgroup.subtree_control", "+cpu");
	put(AT_FDCWD, GUEST_AGENT_CGROUP "/cpu.weight", "10000");
	is_new = mkdir(GUEST_WORKLOAD_CGROUP, 0755) == 0;
	if (!is_new && errno != EEXIST)
		return neg_errno();
	dir = open(GUEST_WORKLOAD_CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return neg_errno();
	/* A second agent finds the first one's limits, and its workload. */
	if (is_new)
		set_limits(dir);
	*ret = (struct cgroup){ .dir_fd = fd_take(&dir) };
	return 0;
}

void cgroup_fini(struct cgroup *cgroup)
{
	fd_close(&cgroup->dir_fd);
}

uint64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(EVENTS_MAX_BYTES);
	const char *events = NULL;

	if (cgroup->dir_fd < 0 ||
	    fd_read_file(cgroup->dir_fd, "memory.events", &text) < 0)
		return 0;
	events = buf_cstr(&text);
	return events == NULL ? 0 : event_count(events, "oom_kill ");
}

bool cgroup_claim_oom(struct cgroup *cgroup, uint64_t since)
{
	if (since < cgroup->claimed_oom_kills)
		since = cgroup->claimed_oom_kills;
	if (cgroup_oom_kills(cgroup) <= since)
		return false;
	cgroup->claimed_oom_kills = since + 1;
	return true;
}

int cgroup_kill(struct cgroup *cgroup)
{
	CLEANUP(fd_close) int fd = -1;

	if (cgroup->dir_fd < 0)
		return -ENOENT;
	fd = openat(cgroup->dir_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return neg_errno();
	return fd_write_all(fd, span_str("1"));
}
