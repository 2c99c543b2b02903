// SPDX-License-Identifier: Apache-2.0
// The host's posture, one row of a table at a time.

#include "cli/posture.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "image/template.h"

enum {
	LANDLOCK_VERSION_FLAG = 1,
	LANDLOCK_GOOD = 6,
	OLD_DAYS = 180,
	TEXT_MAX_BYTES = 65536,
	SPACE_LOW_MIB = 4096,
};

static void found(struct posture *row, enum posture_state state,
		  const char *fmt, ...) PRINTF(3, 4);

static void found(struct posture *row, enum posture_state state,
		  const char *fmt, ...)
{
	va_list ap;

	row->state = state;
	va_start(ap, fmt);
	(void)vsnprintf(row->found, sizeof(row->found), fmt, ap);
	va_end(ap);
}

static void mend(struct posture *row, const char *fmt, ...) PRINTF(2, 3);

static void mend(struct posture *row, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(row->mend, sizeof(row->mend), fmt, ap);
	va_end(ap);
}

/* The first line of a file, or "" */
static void read_line(const char *path, char *ret, size_t cap)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(TEXT_MAX_BYTES);
	const uint8_t *end = NULL;
	size_t len = 0;

	ret[0] = '\0';
	if (fd_read_file(AT_FDCWD, path, &text) < 0 || text.len == 0)
		return;
	end = memchr(text.ptr, '\n', text.len);
	len = end != NULL ? (size_t)(end - text.ptr) : text.len;
	if (len >= cap)
		len = cap - 1;
	(void)!span_copy_str(span_to(buf_span(&text), len), ret, cap);
}

static void look_user(const struct home *home, struct posture *row)
{
	(void)home;
	if (geteuid() == 0) {
		found(row, POSTURE_OK,
		      "root: every engine and shim gets a uid of its own");
		return;
	}
	found(row, POSTURE_WARN,
	      "an ordinary user: all engines share your uid, and limits on "
	      "QEMU itself are not held by a cgroup");
	mend(row, "sudo caponier ..., for a uid and a cgroup per sandbox");
}

static void look_kernel(const struct home *home, struct posture *row)
{
	struct utsname u;
	int year = 0;
	const char *at = NULL;
	time_t now = time(NULL);
	struct tm tm;

	(void)home;
	if (uname(&u) < 0)
		return;
	/* "... SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-10-01)" */
	at = strchr(u.version, '(');
	if (at != NULL && strptime(at, "(%Y-%m-%d)", &tm) != NULL) {
		tm.tm_hour = 12;
		tm.tm_min = 0;
		tm.tm_sec = 0;
		year = (int)(difftime(now, mktime(&tm)) / 86400);
		found(row, year > OLD_DAYS ? POSTURE_WARN : POSTURE_OK,
		      "%s, built %d days ago", u.release, year);
		if (year > OLD_DAYS)
			mend(row, "apt-get update && apt-get upgrade, then "
				  "reboot");
		return;
	}
	found(row, POSTURE_OK, "%s (%s): its age is not in its name", u.release,
	      u.version);
}

static void look_userns(const struct home *home, struct posture *row)
{
	char clone[16];
	char apparmor[16];

	(void)home;
	read_line("/proc/sys/kernel/unprivileged_userns_clone", clone,
		  sizeof(clone));
	read_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		  apparmor, sizeof(apparmor));
	if (strcmp(clone, "0") == 0 || strcmp(apparmor, "1") == 0) {
		found(row, geteuid() == 0 ? POSTURE_OK : POSTURE_BAD,
		      "closed to ordinary users (%s)",
		      strcmp(clone, "0") == 0 ?
			      "kernel.unprivileged_userns_clone=0" :
			      "kernel.apparmor_restrict_unprivileged_userns=1");
		if (geteuid() != 0)
			mend(row, "run as root, or sysctl that setting");
		return;
	}
	found(row, POSTURE_OK, "open to ordinary users");
}

static void look_landlock(const struct home *home, struct posture *row)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_VERSION_FLAG);

	(void)home;
	if (abi <= 0) {
		found(row, POSTURE_WARN, "not there: one wall fewer");
		mend(row, "boot with lsm=landlock,... and a kernel of 5.13 or "
			  "later");
		return;
	}
	found(row, abi >= LANDLOCK_GOOD ? POSTURE_OK : POSTURE_WARN,
	      "ABI %ld%s", abi,
	      abi >= LANDLOCK_GOOD ? "" :
				     ": no scopes for signals and sockets");
	if (abi < LANDLOCK_GOOD)
		mend(row, "a kernel of 6.12 or later");
}

static void look_cgroup(const struct home *home, struct posture *row)
{
	struct statfs fs;
	char controllers[256];

	(void)home;
	read_line("/sys/fs/cgroup/cgroup.controllers", controllers,
		  sizeof(controllers));
	if (statfs("/sys/fs/cgroup", &fs) < 0) {
		found(row, POSTURE_BAD, "not mounted: limits cannot be held");
		mend(row, "mount -t cgroup2 none /sys/fs/cgroup");
	} else if (controllers[0] != '\0') {
		found(row, POSTURE_OK, "v2, controllers: %s", controllers);
	} else {
		found(row, POSTURE_OK,
		      "v1 or hybrid: limits by v1, kill by v2 where mounted");
	}
}

static void look_sysfs(struct posture *row, const char *path, const char *good,
		       const char *bad_text, const char *how)
{
	char value[64];

	read_line(path, value, sizeof(value));
	if (value[0] == '\0')
		found(row, POSTURE_OK, "not there");
	else if (strcmp(value, good) == 0)
		found(row, POSTURE_OK, "%s", value);
	else {
		found(row, POSTURE_WARN, "%s: %s", value, bad_text);
		mend(row, "%s", how);
	}
}

static void look_smt(const struct home *home, struct posture *row)
{
	(void)home;
	look_sysfs(row, "/sys/devices/system/cpu/smt/active", "0",
		   "two sandboxes can share a core and learn from its timing",
		   "echo off > /sys/devices/system/cpu/smt/control, where that "
		   "matters");
}

static void look_ksm(const struct home *home, struct posture *row)
{
	(void)home;
	look_sysfs(row, "/sys/kernel/mm/ksm/run", "0",
		   "merged pages are a side channel",
		   "echo 0 > /sys/kernel/mm/ksm/run");
}

static void look_swap(const struct home *home, struct posture *row)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(TEXT_MAX_BYTES);
	const char *lines = NULL;

	(void)home;
	if (fd_read_file(AT_FDCWD, "/proc/swaps", &text) == 0)
		lines = buf_cstr(&text);
	if (lines == NULL || strchr(lines, '/') == NULL) {
		found(row, POSTURE_OK, "none");
		return;
	}
	found(row, POSTURE_WARN, "on: a guest's memory may reach the disk");
	mend(row, "swapoff -a, or encrypt it");
}

static void look_space(const struct home *home, struct posture *row)
{
	struct statfs fs;
	uint64_t mib = 0;

	if (statfs(home->dir, &fs) < 0)
		return;
	mib = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize >> 20;
	found(row, mib < SPACE_LOW_MIB ? POSTURE_BAD : POSTURE_OK,
	      "%llu MiB free in %s", (unsigned long long)mib, home->dir);
	if (mib < SPACE_LOW_MIB)
		mend(row, "free some, or set CAPONIER_HOME to a roomier disk");
}

/* Age in days of an RFC 3339 time, or -1. */
static int age_days(const char *built)
{
	struct tm tm = { 0 };

	if (built == NULL || strptime(built, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return -1;
	return (int)(difftime(time(NULL), timegm(&tm)) / 86400);
}

static void judge_age(struct posture *row, const char *version,
		      const char *built)
{
	int days = age_days(built);

	if (days < 0) {
		found(row, POSTURE_WARN, "%s, of unknown age",
		      version != NULL ? version : "?");
		return;
	}
	found(row, days > OLD_DAYS ? POSTURE_BAD : POSTURE_OK,
	      "%s, fetched %d days ago", version != NULL ? version : "?", days);
	if (days > OLD_DAYS)
		mend(row, "caponier template rm base && caponier template "
			  "build base");
}

static void look_part(const struct home *home, struct posture *row,
		      const char *version, const char *built)
{
	struct sandbox_template t = { .name = "" };

	if (template_open(home, "base", &t, NULL) < 0) {
		found(row, POSTURE_WARN, "the template base is not built");
		mend(row, "caponier template build base");
		return;
	}
	judge_age(row, manifest_get(&t.manifest, version),
		  manifest_get(&t.manifest, built));
}

static void look_guest_kernel(const struct home *home, struct posture *row)
{
	look_part(home, row, "kernel_version", "kernel_built");
}

static void look_qemu(const struct home *home, struct posture *row)
{
	look_part(home, row, "engine_version", "engine_built");
}

static void look_image(const struct home *home, struct posture *row)
{
	look_part(home, row, "image_digest", "image_built");
}

static const struct {
	const char *what;
	void (*look)(const struct home *home, struct posture *row);
} looks[] = {
	{ "user", look_user },
	{ "host kernel", look_kernel },
	{ "guest kernel", look_guest_kernel },
	{ "QEMU", look_qemu },
	{ "base image", look_image },
	{ "user namespaces", look_userns },
	{ "Landlock", look_landlock },
	{ "cgroups", look_cgroup },
	{ "SMT", look_smt },
	{ "KSM", look_ksm },
	{ "swap", look_swap },
	{ "space", look_space },
};
_Static_assert(ARRAY_LEN(looks) <= POSTURE_MAX, "a row per look");

size_t posture_all(const struct home *home, struct posture ret[POSTURE_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		struct posture row = { .what = looks[i].what };

		looks[i].look(home, &row);
		if (row.found[0] != '\0')
			ret[count++] = row;
	}
	return count;
}
