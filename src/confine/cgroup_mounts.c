// SPDX-License-Identifier: Apache-2.0
// Which cgroup hierarchies this host has.

#include "confine/cgroup_mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

enum {
	MOUNTINFO_MAX_BYTES = 4 << 20,
	FIELDS_MAX = 24,
	LIST_MAX_BYTES = 65536,
};

#define IS_V2 0x100U /* beside the controllers' bits */

static const struct {
	const char *name;
	unsigned bit;
} controllers[] = {
	{ "memory", CGROUP_MEMORY },
	{ "pids", CGROUP_PIDS },
	{ "cpu", CGROUP_CPU },
};

/* Cut the next word, up to any of @stops, off the front. */
static struct span next_word(struct span *in, const char *stops)
{
	size_t len = 0;
	struct span word;

	while (len < in->len && strchr(stops, in->ptr[len]) == NULL)
		len++;
	word = span_to(*in, len);
	*in = span_from(*in, len + 1);
	return word;
}

static unsigned bits_of(struct span list, const char *stops)
{
	unsigned bits = 0;

	while (list.len != 0) {
		struct span word = next_word(&list, stops);

		for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
			if (span_is(word, controllers[i].name))
				bits |= controllers[i].bit;
		}
	}
	return bits;
}

static bool is_octal(uint8_t c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes space, tab, newline and backslash as \ooo. */
static uint8_t next_byte(struct span *in)
{
	const uint8_t *p = in->ptr;
	uint8_t byte = p[0];
	unsigned code = 0;
	size_t used = 1;

	if (in->len >= 4 && p[0] == '\\' && is_octal(p[1]) && is_octal(p[2]) &&
	    is_octal(p[3]))
		code = (unsigned)((p[1] & 7) << 6 | (p[2] & 7) << 3 |
				  (p[3] & 7));
	if (code != 0 && code <= UINT8_MAX) {
		byte = (uint8_t)code;
		used = 4;
	}
	*in = span_from(*in, used);
	return byte;
}

static int copy_path(struct span escaped, char ret[PATH_MAX])
{
	size_t len = 0;

	while (escaped.len != 0) {
		if (len == PATH_MAX - 1)
			return -ENAMETOOLONG;
		ret[len++] = (char)next_byte(&escaped);
	}
	ret[len] = '\0';
	return 0;
}

/* What the mounts so far have; version 2 counts as one more controller. */
static unsigned seen(const struct cgroup_mounts *m)
{
	unsigned bits = 0;

	for (size_t i = 0; i < m->count; i++)
		bits |= m->all[i].is_v2 ? IS_V2 : m->all[i].controllers;
	return bits;
}

/* id parent dev root MOUNT-POINT options [tags] - TYPE source SUPER */
static int parse_line(struct span line, struct cgroup_mounts *m)
{
	struct cgroup_mount *mount = &m->all[m->count];
	struct span fields[FIELDS_MAX];
	size_t count = 0;
	size_t dash = 0;
	bool is_v2 = false;
	unsigned bits = 0;

	while (line.len != 0 && count < FIELDS_MAX)
		fields[count++] = next_word(&line, " ");
	for (dash = 6; dash < count && !span_is(fields[dash], "-"); dash++)
		;
	if (dash + 3 >= count)
		return 0;
	is_v2 = span_is(fields[dash + 1], "cgroup2");
	if (!is_v2 && !span_is(fields[dash + 1], "cgroup"))
		return 0;
	bits = is_v2 ? IS_V2 : bits_of(fields[dash + 3], ",");
	/* Invariant 1: a second mount of the same is the same. */
	bits &= ~seen(m);
	if (bits == 0)
		return 0;
	if (m->count == CGROUP_MOUNTS_MAX)
		return -E2BIG;
	TRY(copy_path(fields[4], mount->path));
	mount->is_v2 = is_v2;
	mount->controllers = bits & ~IS_V2;
	m->count++;
	return 0;
}

int cgroup_mounts_parse(struct span text, struct cgroup_mounts *ret)
{
	struct cgroup_mounts m = { .count = 0 };

	while (text.len != 0)
		TRY(parse_line(next_word(&text, "\n"), &m));
	*ret = m;
	return 0;
}

int cgroup_own_path(struct span text, char *ret, size_t cap)
{
	while (text.len != 0) {
		struct span line = next_word(&text, "\n");

		if (span_starts(line, "0::/"))
			return span_copy_str(span_from(line, 3), ret, cap);
	}
	return -ENOENT;
}

/* Delegation, of version 2 only: the highest group above our own that is ours
 * to change is where others can be moved to and from. */

static bool is_ours(const char *dir)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/cgroup.procs", dir) <
		       (int)sizeof(path) &&
	       access(dir, W_OK) == 0 && access(path, W_OK) == 0;
}

/* Return: 0, or -ENOENT if not even our own group is ours. */
static int climb(char path[PATH_MAX], size_t mount_len)
{
	char *slash = NULL;

	if (!is_ours(path))
		return -ENOENT;
	while ((slash = strrchr(path, '/')) != NULL &&
	       (size_t)(slash - path) > mount_len) {
		*slash = '\0';
		if (!is_ours(path)) {
			*slash = '/';
			return 0;
		}
	}
	return 0;
}

static int find_delegated(struct cgroup_mount *mount)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(LIST_MAX_BYTES);
	char own[PATH_MAX] = "";
	size_t mount_len = strlen(mount->path);
	int n = 0;

	TRY(fd_read_file(AT_FDCWD, "/proc/self/cgroup", &text));
	TRY(cgroup_own_path(buf_span(&text), own, sizeof(own)));
	n = snprintf(mount->path + mount_len, sizeof(mount->path) - mount_len,
		     "%s", own);
	if (n < 0 || (size_t)n >= sizeof(mount->path) - mount_len)
		return -ENAMETOOLONG;
	return climb(mount->path, mount_len);
}

static unsigned read_controllers(const char *dir)
{
	CLEANUP(buf_fini) struct buf list = BUF_EMPTY(LIST_MAX_BYTES);
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/cgroup.controllers", dir) >=
		    (int)sizeof(path) ||
	    fd_read_file(AT_FDCWD, path, &list) < 0)
		return 0;
	return bits_of(buf_span(&list), " \n");
}

int cgroup_mounts_find(struct cgroup_mounts *ret)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(MOUNTINFO_MAX_BYTES);
	struct cgroup_mounts all = { .count = 0 };
	struct cgroup_mounts usable = { .count = 0 };

	TRY(fd_read_file(AT_FDCWD, "/proc/self/mountinfo", &text));
	TRY(cgroup_mounts_parse(buf_span(&text), &all));
	for (size_t i = 0; i < all.count; i++) {
		struct cgroup_mount *mount = &all.all[i];

		if (geteuid() != 0 &&
		    (!mount->is_v2 || find_delegated(mount) < 0))
			continue;
		if (mount->is_v2)
			mount->controllers = read_controllers(mount->path);
		usable.all[usable.count++] = *mount;
	}
	if (usable.count == 0)
		return -ENOENT;
	*ret = usable;
	return 0;
}
