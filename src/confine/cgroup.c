// SPDX-License-Identifier: Apache-2.0
// Limits and clean ends by control groups.

#include "confine/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "confine/cgroup_mounts.h"

enum {
	FILE_MAX_BYTES = 65536,
	CPU_PERIOD_US = 100000,
	DIR_MODE = 0755,
	MAKE_TRIES = 16,
	ROUNDING_MAX_BYTES = 65536, /* the largest page */
};

/* The shim's share: its rings, buffers and windows at their maxima come to
 * some 60 MiB. It has one thread; the others are helpers that end. */
static const struct cgroup_limits shim_limits = {
	.memory_bytes = 128 << 20,
	.pids = 16,
};

#define REMOVE_MAX_NS (2 * NS_PER_S)

static const char *const leaf_names[] = {
	[CGROUP_ENGINE] = "engine",
	[CGROUP_SHIM] = "shim",
};
_Static_assert(ARRAY_LEN(leaf_names) == CGROUP_LEAF_COUNT, "a name per leaf");

static int join(char ret[PATH_MAX], const char *a, const char *b, const char *c)
{
	int n = snprintf(ret, PATH_MAX, "%s/%s/%s", a, b, c);

	return n >= 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int write_text(const char *path, const char *text)
{
	CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return neg_errno();
	return fd_write_all(fd, span_str(text));
}

static int make_dir(const char *path)
{
	return mkdir(path, DIR_MODE) < 0 && errno != EEXIST ? neg_errno() : 0;
}

/* Hand the controllers that we use down to the children of @dir (v2). */
static int delegate(const char *dir, unsigned controllers)
{
	static const struct {
		unsigned bit;
		const char *text;
	} rows[] = {
		{ CGROUP_MEMORY, "+memory" },
		{ CGROUP_PIDS, "+pids" },
		{ CGROUP_CPU, "+cpu" },
	};
	char path[PATH_MAX];

	TRY(join(path, dir, ".", "cgroup.subtree_control"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if ((controllers & rows[i].bit) != 0)
			TRY(write_text(path, rows[i].text));
	}
	return 0;
}

/* Limits: what is written where. */

struct limit_file {
	unsigned controller;
	bool is_v2;
	const char *file;
	const char *what;
	bool is_optional; /* not there without swap accounting */
	void (*format)(const struct cgroup_limits *limits, char ret[64]);
};

static void format_memory(const struct cgroup_limits *limits, char ret[64])
{
	if (limits->memory_bytes != 0)
		(void)snprintf(ret, 64, "%" PRIu64, limits->memory_bytes);
}

static void format_no_swap(const struct cgroup_limits *limits, char ret[64])
{
	if (limits->memory_bytes != 0)
		(void)snprintf(ret, 64, "0");
}

static void format_pids(const struct cgroup_limits *limits, char ret[64])
{
	if (limits->pids != 0)
		(void)snprintf(ret, 64, "%u", limits->pids);
}

static void format_quota(const struct cgroup_limits *limits, char ret[64])
{
	if (limits->cpu_pct != 0)
		(void)snprintf(ret, 64, "%u",
			       limits->cpu_pct * (CPU_PERIOD_US / 100));
}

static void format_max(const struct cgroup_limits *limits, char ret[64])
{
	if (limits->cpu_pct != 0)
		(void)snprintf(ret, 64, "%u %d",
			       limits->cpu_pct * (CPU_PERIOD_US / 100),
			       CPU_PERIOD_US);
}

static const struct limit_file limit_files[] = {
	{ CGROUP_MEMORY, true, "memory.max", "memory", false, format_memory },
	{ CGROUP_MEMORY, true, "memory.swap.max", "swap", true,
	  format_no_swap },
	{ CGROUP_PIDS, true, "pids.max", "process", false, format_pids },
	{ CGROUP_CPU, true, "cpu.max", "CPU", false, format_max },
	{ CGROUP_MEMORY, false, "memory.limit_in_bytes", "memory", false,
	  format_memory },
	/* memory and swap together: the same number leaves no swap */
	{ CGROUP_MEMORY, false, "memory.memsw.limit_in_bytes", "swap", true,
	  format_memory },
	{ CGROUP_PIDS, false, "pids.max", "process", false, format_pids },
	{ CGROUP_CPU, false, "cpu.cfs_quota_us", "CPU", false, format_quota },
};

/* The number at the start of a file's text; "max" and "-1" are none. */
static int leading_number(struct span text, uint64_t *ret)
{
	size_t len = 0;

	while (len < text.len && text.ptr[len] >= '0' && text.ptr[len] <= '9')
		len++;
	return num_parse(span_to(text, len), 0, UINT64_MAX, ret);
}

/* Invariant 1: what was written is read back. The kernel rounds to pages. */
static int write_limit(const char *path, const char *text)
{
	CLEANUP(buf_fini) struct buf back = BUF_EMPTY(FILE_MAX_BYTES);
	uint64_t want = 0;
	uint64_t got = 0;

	TRY(write_text(path, text));
	TRY(fd_read_file(AT_FDCWD, path, &back));
	if (leading_number(span_str(text), &want) < 0 ||
	    leading_number(buf_span(&back), &got) < 0)
		return -ENOTSUP;
	return got <= want && want - got < ROUNDING_MAX_BYTES ? 0 : -ENOTSUP;
}

static int apply_one(const struct cgroup_tree *tree, enum cgroup_leaf leaf,
		     const struct cgroup_limits *limits,
		     const struct limit_file *f, struct err *e)
{
	char path[PATH_MAX];
	char text[64] = "";
	int r = 0;

	f->format(limits, text);
	if (text[0] == '\0' || f->is_v2 != tree->is_v2 ||
	    (tree->controllers & f->controller) == 0)
		return 0;
	TRY(join(path, tree->dir, leaf_names[leaf], f->file));
	r = write_limit(path, text);
	if (r == 0 || (r == -ENOENT && f->is_optional))
		return 0;
	return err_set(e, r,
		       "cannot hold the %s limit: %s: %s; see caponier doctor "
		       "about cgroups",
		       f->what, path, err_text(NULL, r));
}

static int apply(const struct cgroup_tree *tree,
		 const struct cgroup_limits *limits, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(limit_files); i++) {
		TRY(apply_one(tree, CGROUP_ENGINE, limits, &limit_files[i], e));
		TRY(apply_one(tree, CGROUP_SHIM, &shim_limits, &limit_files[i],
			      e));
	}
	return 0;
}

/* Which controllers the limits need. */
static unsigned needed(const struct cgroup_limits *limits)
{
	return (limits->memory_bytes != 0 ? CGROUP_MEMORY : 0u) |
	       (limits->pids != 0 ? CGROUP_PIDS : 0u) |
	       (limits->cpu_pct != 0 ? CGROUP_CPU : 0u);
}

static int check_needed(const struct cgroup_mounts *mounts,
			const struct cgroup_limits *limits, struct err *e)
{
	unsigned missing = needed(limits);

	for (size_t i = 0; i < mounts->count; i++)
		missing &= ~mounts->all[i].controllers;
	if (missing == 0)
		return 0;
	return err_set(e, -ENOTSUP,
		       "cannot hold the %s limit: no cgroup hierarchy has that "
		       "controller; mount it, or boot with it enabled",
		       (missing & CGROUP_MEMORY) != 0 ? "memory" :
		       (missing & CGROUP_PIDS) != 0   ? "process" :
							"CPU");
}

static int try_make_tree(const struct cgroup_mount *mount, const char *id,
			 struct cgroup_tree *tree)
{
	char above[PATH_MAX];
	char leaf[PATH_MAX];

	tree->controllers = mount->controllers;
	tree->is_v2 = mount->is_v2;
	TRY(join(above, mount->path, ".", "caponier"));
	TRY(join(tree->dir, mount->path, "caponier", id));
	if (mount->is_v2 && mount->controllers != 0)
		TRY(delegate(mount->path, mount->controllers));
	TRY(make_dir(above));
	if (mount->is_v2 && mount->controllers != 0)
		TRY(delegate(above, mount->controllers));
	TRY(make_dir(tree->dir));
	if (mount->is_v2 && mount->controllers != 0)
		TRY(delegate(tree->dir, mount->controllers));
	for (size_t i = 0; i < ARRAY_LEN(leaf_names); i++) {
		TRY(join(leaf, tree->dir, ".", leaf_names[i]));
		TRY(make_dir(leaf));
	}
	return 0;
}

/* The end of the last sandbox may take the common group away meanwhile. */
static int make_tree(const struct cgroup_mount *mount, const char *id,
		     struct cgroup_tree *tree)
{
	int r = -ENOENT;

	for (int i = 0; i < MAKE_TRIES && r == -ENOENT; i++)
		r = try_make_tree(mount, id, tree);
	return r;
}

static int make_all(const struct cgroup_mounts *mounts, const char *id,
		    const struct cgroup_limits *limits, struct cgroup *cg,
		    struct err *e)
{
	for (size_t i = 0; i < mounts->count; i++) {
		struct cgroup_tree *tree = &cg->trees[cg->tree_count++];
		int r = make_tree(&mounts->all[i], id, tree);

		if (r < 0)
			return err_set(e, r,
				       "cannot make a cgroup below %s: %s; %s",
				       mounts->all[i].path, err_text(NULL, r),
				       r == -EBUSY ?
					       "move the processes that are in "
					       "that group itself to one below "
					       "it" :
					       "run as root, or see caponier "
					       "doctor");
		TRY(apply(tree, limits, e));
	}
	return 0;
}

/* One path component that leads nowhere else. */
static bool is_name(const char *id)
{
	return id[0] != '\0' && id[0] != '.' && strchr(id, '/') == NULL;
}

int cgroup_new(const char *id, const struct cgroup_limits *limits,
	       struct cgroup *ret, struct err *e)
{
	struct cgroup_mounts mounts = { .count = 0 };
	struct cgroup cg = { .tree_count = 0 };
	int r = 0;

	if (!is_name(id))
		return -EINVAL;
	r = cgroup_mounts_find(&mounts);
	if (r == -ENOENT && geteuid() != 0)
		return err_set(e, -ENOTSUP,
			       "cannot limit the sandbox from the host's side: "
			       "no cgroup is delegated to this user; start it "
			       "by systemd-run --user --scope, or as root");
	if (r < 0)
		return err_set(e, r,
			       "cannot find this host's cgroups: %s; mount "
			       "them at /sys/fs/cgroup",
			       err_text(NULL, r));
	TRY(check_needed(&mounts, limits, e));
	r = make_all(&mounts, id, limits, &cg, e);
	if (r < 0) {
		(void)!cgroup_remove(&cg);
		return r;
	}
	*ret = cg;
	return 0;
}

int cgroup_enter(const struct cgroup *cg, enum cgroup_leaf leaf, pid_t pid,
		 struct err *e)
{
	char path[PATH_MAX];
	char text[32];

	(void)snprintf(text, sizeof(text), "%d", pid);
	for (size_t i = 0; i < cg->tree_count; i++) {
		int r = 0;

		TRY(join(path, cg->trees[i].dir, leaf_names[leaf],
			 "cgroup.procs"));
		r = write_text(path, text);
		if (r < 0)
			return err_set(e, r,
				       "cannot put a process under its limits: "
				       "%s: %s; see caponier doctor about "
				       "cgroups",
				       path, err_text(NULL, r));
	}
	return 0;
}

uint64_t cgroup_oom_kills(const struct cgroup *cg)
{
	static const char kills_line[] = "oom_kill ";
	uint64_t kills = 0;

	for (size_t i = 0; i < cg->tree_count; i++) {
		const struct cgroup_tree *tree = &cg->trees[i];
		CLEANUP(buf_fini) struct buf text = BUF_EMPTY(FILE_MAX_BYTES);
		char path[PATH_MAX];
		const char *at = NULL;

		if ((tree->controllers & CGROUP_MEMORY) == 0 ||
		    join(path, tree->dir, leaf_names[CGROUP_ENGINE],
			 tree->is_v2 ? "memory.events" : "memory.oom_control") <
			    0 ||
		    fd_read_file(AT_FDCWD, path, &text) < 0)
			continue;
		at = buf_cstr(&text);
		at = at != NULL ? strstr(at, kills_line) : NULL;
		if (at != NULL &&
		    leading_number(span_str(at + sizeof(kills_line) - 1),
				   &kills) < 0)
			kills = 0;
	}
	return kills;
}

/* Ends. */

static void kill_listed(const char *dir, const char *leaf)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(FILE_MAX_BYTES);
	char path[PATH_MAX];
	struct span rest;

	if (join(path, dir, leaf, "cgroup.procs") < 0 ||
	    fd_read_file(AT_FDCWD, path, &text) < 0)
		return;
	for (rest = buf_span(&text); rest.len != 0;) {
		const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end != NULL ? (size_t)(end - rest.ptr) : rest.len;
		uint64_t pid = 0;

		if (num_parse(span_to(rest, len), 2, INT32_MAX, &pid) == 0)
			(void)kill((pid_t)pid, SIGKILL);
		rest = span_from(rest, len + 1);
	}
}

static void kill_tree(const struct cgroup_tree *tree)
{
	char path[PATH_MAX];

	if (tree->is_v2 && join(path, tree->dir, ".", "cgroup.kill") == 0 &&
	    write_text(path, "1") == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(leaf_names); i++)
		kill_listed(tree->dir, leaf_names[i]);
}

/* Return: 0 when gone, -EBUSY while something is inside, -errno. */
static int remove_tree(const struct cgroup_tree *tree)
{
	char leaf[PATH_MAX];
	const char *name = strrchr(tree->dir, '/');

	for (size_t i = 0; i < ARRAY_LEN(leaf_names); i++) {
		TRY(join(leaf, tree->dir, ".", leaf_names[i]));
		if (rmdir(leaf) < 0 && errno != ENOENT)
			return neg_errno();
	}
	if (rmdir(tree->dir) < 0 && errno != ENOENT)
		return neg_errno();
	/* The common group goes with the last sandbox. */
	(void)snprintf(leaf, sizeof(leaf), "%.*s", (int)(name - tree->dir),
		       tree->dir);
	(void)rmdir(leaf);
	return 0;
}

static int remove_all(const struct cgroup *cg)
{
	int r = 0;

	for (size_t i = 0; i < cg->tree_count; i++) {
		int one = remove_tree(&cg->trees[i]);

		if (one < 0)
			r = one;
	}
	return r;
}

int cgroup_remove(const struct cgroup *cg)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	uint64_t deadline = clock_boot_ns() + REMOVE_MAX_NS;
	int r = remove_all(cg);

	/* Killed processes leave their group when they are reaped, for which
	 * version 1 has no event: look again every millisecond. */
	while (r == -EBUSY && clock_boot_ns() < deadline) {
		for (size_t i = 0; i < cg->tree_count; i++)
			kill_tree(&cg->trees[i]);
		(void)nanosleep(&pause, NULL);
		r = remove_all(cg);
	}
	return r;
}

int cgroup_sweep(const char *id)
{
	struct cgroup_mounts mounts = { .count = 0 };
	struct cgroup cg = { .tree_count = 0 };

	if (!is_name(id))
		return -EINVAL;
	if (cgroup_mounts_find(&mounts) < 0)
		return 0; /* then there were none */
	for (size_t i = 0; i < mounts.count; i++) {
		struct cgroup_tree *tree = &cg.trees[cg.tree_count++];

		tree->is_v2 = mounts.all[i].is_v2;
		TRY(join(tree->dir, mounts.all[i].path, "caponier", id));
	}
	return cgroup_remove(&cg);
}
