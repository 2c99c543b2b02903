// SPDX-License-Identifier: Apache-2.0
// Users and groups out of the text of /etc/passwd and /etc/group.

#include "agent/passwd.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"

enum {
	PASSWD_FIELDS = 7, /* name:password:uid:gid:comment:home:shell */
	GROUP_FIELDS = 4,  /* name:password:gid:members */
	FIELD_NAME = 0,
	FIELD_ID = 2, /* uid or gid: in both files */
	FIELD_PASSWD_GID = 3,
	FIELD_MEMBERS = 3,
	FIELD_HOME = 5,
};

/* Cuts @text at the next @end; the rest stays in @text. */
static struct span cut(struct span *text, uint8_t end)
{
	const uint8_t *at = NULL;
	struct span piece = *text;

	if (text->len != 0)
		at = memchr(text->ptr, end, text->len);
	if (at == NULL) {
		*text = span_from(*text, text->len);
		return piece;
	}
	piece = span_to(*text, (size_t)(at - text->ptr));
	*text = span_from(*text, piece.len + 1);
	return piece;
}

/* Return: the number of fields, at most @max. */
static size_t split(struct span line, struct span *fields, size_t max)
{
	size_t n = 0;

	while (n < max) {
		bool is_last = line.len == 0 ||
			       memchr(line.ptr, ':', line.len) == NULL;

		fields[n++] = cut(&line, ':');
		if (is_last)
			break;
	}
	return n;
}

static int parse_id(struct span text, unsigned *ret)
{
	uint64_t n = 0;

	/* The greatest one means "none" to the kernel. */
	TRY(num_parse(text, 0, UINT32_MAX - 1, &n));
	*ret = (unsigned)n;
	return 0;
}

static int parse_user(const struct span *fields, struct passwd_user *ret)
{
	struct passwd_user user = { 0 };

	TRY(parse_id(fields[FIELD_ID], &user.uid));
	TRY(parse_id(fields[FIELD_PASSWD_GID], &user.gid));
	TRY(span_copy_str(fields[FIELD_NAME], user.name, sizeof(user.name)));
	TRY(span_copy_str(fields[FIELD_HOME], user.home, sizeof(user.home)));
	if (user.home[0] != '/')
		memcpy(user.home, "/", 2);
	user.groups[0] = user.gid;
	user.group_count = 1;
	*ret = user;
	return 0;
}

int passwd_find(struct span passwd, struct span name, struct passwd_user *ret)
{
	struct span fields[PASSWD_FIELDS];

	while (name.len != 0 && passwd.len != 0) {
		size_t n = split(cut(&passwd, '\n'), fields, PASSWD_FIELDS);

		if (n == PASSWD_FIELDS && span_eq(fields[FIELD_NAME], name) &&
		    parse_user(fields, ret) == 0)
			return 0;
	}
	return -ENOENT;
}

int passwd_name(struct span text, unsigned id, char *ret, size_t cap)
{
	struct span fields[PASSWD_FIELDS];
	unsigned at = 0;

	while (text.len != 0) {
		size_t n = split(cut(&text, '\n'), fields, PASSWD_FIELDS);

		if (n >= GROUP_FIELDS && parse_id(fields[FIELD_ID], &at) == 0 &&
		    at == id &&
		    span_copy_str(fields[FIELD_NAME], ret, cap) == 0)
			return 0;
	}
	return -ENOENT;
}

static bool is_member(struct span members, struct span name)
{
	while (members.len != 0) {
		if (span_eq(cut(&members, ','), name))
			return true;
	}
	return false;
}

void passwd_add_groups(struct span group, struct passwd_user *user)
{
	struct span name = span_str(user->name);
	struct span fields[GROUP_FIELDS];
	gid_t gid = 0;

	while (group.len != 0 && user->group_count < PASSWD_GROUPS_MAX) {
		size_t n = split(cut(&group, '\n'), fields, GROUP_FIELDS);

		if (n == GROUP_FIELDS &&
		    is_member(fields[FIELD_MEMBERS], name) &&
		    parse_id(fields[FIELD_ID], &gid) == 0 && gid != user->gid)
			user->groups[user->group_count++] = gid;
	}
}

/* Opened without waiting: a hostile image may put a FIFO there. */
static int load(const char *path, struct buf *ret)
{
	CLEANUP(fd_close)
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return neg_errno();
	return fd_read_all(fd, ret);
}

int passwd_load(const char *name, struct passwd_user *ret)
{
	CLEANUP(buf_fini) struct buf passwd = BUF_EMPTY(PASSWD_FILE_MAX_BYTES);
	CLEANUP(buf_fini) struct buf group = BUF_EMPTY(PASSWD_FILE_MAX_BYTES);

	TRY(load("/etc/passwd", &passwd));
	TRY(passwd_find(buf_span(&passwd), span_str(name), ret));
	if (load("/etc/group", &group) == 0)
		passwd_add_groups(buf_span(&group), ret);
	return 0;
}
