// SPDX-License-Identifier: Apache-2.0
// GET /metrics: processors, memory, disk, as E2B's agent names them.

#include "agent/basics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/rpc.h"
#include "base/clock.h"
#include "base/fd.h"

enum {
	PROC_MAX_BYTES = 65536,
	BYTES_PER_KIB = 1024,
	MIB_SHIFT = 20,
	STAT_FIELDS = 8, /* user nice system idle iowait irq softirq steal */
	STAT_IDLE = 3,
	STAT_IOWAIT = 4,
};

/* The KiB behind "Name:" in /proc/meminfo, in bytes. */
static uint64_t meminfo(const char *text, const char *name)
{
	const char *at = text == NULL ? NULL : strstr(text, name);

	return at == NULL ?
		       0 :
		       strtoull(at + strlen(name), NULL, 10) * BYTES_PER_KIB;
}

/* Percent of all processors' time since the last call. */
static double cpu_used_pct(struct cpu_time *last)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(PROC_MAX_BYTES);
	struct cpu_time now = { 0 };
	uint64_t total = 0;
	const char *stat = NULL;
	char *at = NULL;
	double pct = 0;

	if (fd_read_file(AT_FDCWD, "/proc/stat", &text) < 0)
		return 0;
	stat = buf_cstr(&text);
	if (stat == NULL || strncmp(stat, "cpu ", 4) != 0)
		return 0;
	at = (char *)text.ptr + 4;
	for (int i = 0; i < STAT_FIELDS; i++) {
		uint64_t ticks = strtoull(at, &at, 10);

		now.total += ticks;
		if (i != STAT_IDLE && i != STAT_IOWAIT)
			now.busy += ticks;
	}
	total = now.total - last->total;
	if (total != 0)
		pct = 100.0 * (double)(now.busy - last->busy) / (double)total;
	*last = now;
	return pct;
}

static json_t *measure(struct agent *agent)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(PROC_MAX_BYTES);
	struct statvfs disk = { 0 };
	const char *memory = NULL;
	uint64_t total = 0;
	uint64_t cache = 0;
	uint64_t used = 0;
	uint64_t disk_total = 0;
	uint64_t disk_used = 0;

	(void)!fd_read_file(AT_FDCWD, "/proc/meminfo", &text);
	memory = buf_cstr(&text);
	total = meminfo(memory, "MemTotal:");
	cache = meminfo(memory, "\nCached:");
	used = total - meminfo(memory, "MemAvailable:");
	(void)statvfs("/", &disk);
	disk_total = disk.f_blocks * disk.f_frsize;
	disk_used = disk_total - disk.f_bfree * disk.f_frsize;
	return json_pack("{s:I,s:I,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "ts",
			 (json_int_t)(clock_wall_ns() / NS_PER_S), "cpu_count",
			 (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
			 "cpu_used_pct", cpu_used_pct(&agent->cpu), "mem_total",
			 (json_int_t)total, "mem_used", (json_int_t)used,
			 "mem_cache", (json_int_t)cache, "mem_total_mib",
			 (json_int_t)(total >> MIB_SHIFT), "mem_used_mib",
			 (json_int_t)(used >> MIB_SHIFT), "disk_used",
			 (json_int_t)disk_used, "disk_total",
			 (json_int_t)disk_total);
}

static void on_metrics(struct request *r)
{
	rpc_reply(r, measure(r->agent));
}

const struct handler basics_metrics = {
	.body_max_bytes = 4096,
	.on_end = on_metrics,
};
