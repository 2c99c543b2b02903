// SPDX-License-Identifier: Apache-2.0
// Which cgroup hierarchies this host has.

#include "confine/cgroup_mounts.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"

enum { MOUNTINFO_MAX_BYTES = 4 << 20, FIELDS_MAX = 24 };

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

/* A controller is in one hierarchy, and there is one version 2: what is
 * listed again is the same one mounted elsewhere. */
static bool is_listed(const struct cgroup_mounts *m, bool is_v2, unsigned bits)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct cgroup_mount *mount = &m->all[i];

		if (is_v2 ? mount->is_v2 : (mount->controllers & bits) != 0)
			return true;
	}
	return false;
}

/* id parent dev root MOUNT-POINT options [tags] - TYPE source SUPER */
static int parse_line(struct span line, struct cgroup_mounts *m)
{
	struct cgroup_mount *mount = NULL;
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
	bits = is_v2 ? 0 : bits_of(fields[dash + 3], ",");
	if ((!is_v2 && bits == 0) || is_listed(m, is_v2, bits))
		return 0;
	mount = &m->all[m->count];
	TRY(copy_path(fields[4], mount->path));
	mount->is_v2 = is_v2;
	mount->controllers = bits;
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

int cgroup_mounts_find(struct cgroup_mounts *ret)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(MOUNTINFO_MAX_BYTES);

	TRY(fd_read_file(AT_FDCWD, "/proc/self/mountinfo", &text));
	TRY(cgroup_mounts_parse(buf_span(&text), ret));
	for (size_t i = 0; i < ret->count; i++) {
		CLEANUP(buf_fini) struct buf list = BUF_EMPTY(4096);
		char path[PATH_MAX];

		if (!ret->all[i].is_v2 ||
		    snprintf(path, sizeof(path), "%s/cgroup.controllers",
			     ret->all[i].path) >= (int)sizeof(path) ||
		    fd_read_file(AT_FDCWD, path, &list) < 0)
			continue;
		ret->all[i].controllers = bits_of(buf_span(&list), " \n");
	}
	return ret->count != 0 ? 0 : -ENOENT;
}
