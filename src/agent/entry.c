// SPDX-License-Identifier: Apache-2.0
// What E2B's clients call an EntryInfo.

#include "agent/entry.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "agent/passwd.h"
#include "agent/path.h"
#include "base/fd.h"
#include "base/mem.h"

enum {
	PERMISSION_BITS = 0777,
	XATTRS_MAX_BYTES = 65536,
	XATTR_VALUE_MAX_BYTES = 4096,
};

static int load(const char *path, struct buf *ret)
{
	CLEANUP(fd_close)
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? neg_errno() : fd_read_all(fd, ret);
}

void entry_names_load(struct entry_names *ret)
{
	ret->passwd = BUF_EMPTY(PASSWD_FILE_MAX_BYTES);
	ret->group = BUF_EMPTY(PASSWD_FILE_MAX_BYTES);
	(void)!load("/etc/passwd", &ret->passwd);
	(void)!load("/etc/group", &ret->group);
}

void entry_names_fini(struct entry_names *names)
{
	buf_fini(&names->passwd);
	buf_fini(&names->group);
}

static const char *type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "FILE_TYPE_FILE";
	case S_IFDIR:
		return "FILE_TYPE_DIRECTORY";
	case S_IFLNK:
		return "FILE_TYPE_SYMLINK";
	default:
		return "FILE_TYPE_UNSPECIFIED";
	}
}

/* "-rwxr-xr-x", as Go prints it: 'd' and 'L' for directories and links. */
static void put_permissions(mode_t mode, bool is_link, char ret[11])
{
	static const char LETTERS[] = "rwxrwxrwx";

	ret[0] = is_link ? 'L' : S_ISDIR(mode) ? 'd' : '-';
	for (int i = 0; i < 9; i++)
		ret[1 + i] = (mode & (0400U >> i)) != 0 ? LETTERS[i] : '-';
	ret[10] = '\0';
}

static json_t *name_of(const struct buf *file, unsigned id)
{
	char name[PASSWD_NAME_BYTES];

	if (passwd_name(buf_span(file), id, name, sizeof(name)) < 0)
		(void)snprintf(name, sizeof(name), "%u", id);
	return json_string(name);
}

static json_t *time_of(const struct timespec *at)
{
	char seconds[32];
	char text[64];
	struct tm t = { 0 };

	(void)gmtime_r(&at->tv_sec, &t);
	(void)strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &t);
	(void)snprintf(text, sizeof(text), "%s.%09ldZ", seconds, at->tv_nsec);
	return json_string(text);
}

/* The xattrs user.e2b.*, as an upload has set them. */
static json_t *metadata_of(const char *path)
{
	static const char PREFIX[] = "user.e2b.";
	json_t *metadata = json_object();
	char *names = mem_new(1, XATTRS_MAX_BYTES);
	ssize_t len = names == NULL ? -1 :
				      listxattr(path, names, XATTRS_MAX_BYTES);
	size_t step = 0;

	for (ssize_t at = 0; at < len; at += (ssize_t)step) {
		const char *name = names + at;
		char value[XATTR_VALUE_MAX_BYTES];
		ssize_t n = 0;

		step = strlen(name) + 1;
		if (!span_starts(span_str(name), PREFIX))
			continue;
		n = getxattr(path, name, value, sizeof(value));
		if (n >= 0)
			(void)json_object_set_new(
				metadata, name + sizeof(PREFIX) - 1,
				json_stringn(value, (size_t)n));
	}
	mem_free(names);
	return metadata;
}

static void add_link(json_t *entry, const char *path)
{
	char *target = realpath(path, NULL);
	char text[PATH_MAX];
	ssize_t n = target == NULL ? readlink(path, text, sizeof(text) - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
	(void)json_object_set_new(entry, "symlinkTarget",
				  json_string(target != NULL ? target : text));
	(void)json_object_set_new(entry, "isSymlink", json_true());
	mem_free(target);
}

int entry_describe(const char *path, const struct entry_names *names,
		   json_t **ret)
{
	struct stat link = { 0 };
	struct stat st = { 0 };
	char permissions[11];
	char size[24];
	json_t *entry = NULL;
	bool is_link = false;

	if (lstat(path, &link) < 0)
		return neg_errno();
	is_link = S_ISLNK(link.st_mode);
	/* Type and mode are the target's; a link to nowhere is itself. */
	if (!is_link || stat(path, &st) < 0)
		st = link;
	put_permissions(st.st_mode, is_link, permissions);
	(void)snprintf(size, sizeof(size), "%jd", (intmax_t)st.st_size);
	entry = json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:o,s:o,s:o,s:o}", "name",
			  path_name(path), "type", type_of(st.st_mode), "path",
			  path, "size", size, "mode",
			  (int)(st.st_mode & PERMISSION_BITS), "permissions",
			  permissions, "owner",
			  name_of(&names->passwd, st.st_uid), "group",
			  name_of(&names->group, st.st_gid), "modifiedTime",
			  time_of(&st.st_mtim), "metadata", metadata_of(path));
	if (entry == NULL)
		return -EILSEQ;
	if (is_link)
		add_link(entry, path);
	*ret = entry;
	return 0;
}
