/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups out of the text of /etc/passwd and /etc/group. Pure: glibc's
 * own would load shared libraries of the image into a static program.
 */
#ifndef CPN_AGENT_PASSWD_H
#define CPN_AGENT_PASSWD_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/macros.h"
#include "base/span.h"

enum {
	PASSWD_NAME_BYTES = 64,
	PASSWD_GROUPS_MAX = 64,
	PASSWD_FILE_MAX_BYTES = 1048576,
};

struct passwd_user {
	char name[PASSWD_NAME_BYTES];
	uid_t uid;
	gid_t gid;
	char home[PATH_MAX];
	gid_t groups[PASSWD_GROUPS_MAX]; /* with gid */
	size_t group_count;
};

/**
 * passwd_find() - a user by name
 * @passwd: text of /etc/passwd; untrusted; lines out of form are passed over
 * @name:   untrusted
 * @ret:    name, uid, gid, home and its one group; untouched on failure
 *
 * Return: 0; -ENOENT.
 * Context: any thread, allocates nothing.
 * Proof: test/unit/agent/test_passwd.c
 */
int passwd_find(struct span passwd, struct span name,
		struct passwd_user *ret) MUST_CHECK;

/**
 * passwd_name() - the name of a numeric id, in either file
 * @text: of /etc/passwd or /etc/group; untrusted
 * @id:   uid or gid
 * @ret:  receives the name; untouched on failure
 * @cap:  size of @ret
 *
 * Return: 0; -ENOENT.
 * Context: any thread, allocates nothing.
 */
int passwd_name(struct span text, unsigned id, char *ret,
		size_t cap) MUST_CHECK;

/**
 * passwd_add_groups() - add the groups that list a user as a member
 * @group: text of /etc/group; untrusted
 *
 * Groups past PASSWD_GROUPS_MAX are left out.
 * Context: any thread, allocates nothing.
 */
void passwd_add_groups(struct span group, struct passwd_user *user);

/**
 * passwd_load() - a user by name, from the files of this machine
 *
 * Return: 0; -ENOENT; -errno of reading.
 * Context: blocks; allocates.
 */
int passwd_load(const char *name, struct passwd_user *ret) MUST_CHECK;

#endif
