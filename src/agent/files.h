/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /files: whole files in and out, streamed.
 *
 * Spec: reference/e2b-wire.md 2.4
 */
#ifndef CPN_AGENT_FILES_H
#define CPN_AGENT_FILES_H

#include <limits.h>

#include "agent/passwd.h"
#include "agent/request.h"

extern const struct handler files_download; /* download.c */
extern const struct handler files_upload;   /* upload.c */

/* Whose file, and which: from the query and the head. */
struct file_target {
	struct passwd_user user;
	char path[PATH_MAX]; /* as given; may be empty */
};

/**
 * files_target() - read `path` and `username` of a request
 *
 * Return: true; false if the request was answered with an error.
 * Context: on_head of a handler.
 */
bool files_target(struct request *r, const struct http_head *head,
		  struct file_target *ret) MUST_CHECK;

/**
 * files_resolve() - the absolute path, for a user
 * @given: untrusted; empty: the default directory
 * @ret:   PATH_MAX bytes
 *
 * Return: true; false if the request was answered with an error.
 * Context: a handler.
 */
bool files_resolve(struct request *r, const struct passwd_user *user,
		   const char *given, char *ret) MUST_CHECK;

/**
 * files_make_parents() - make the directories above a path, for a user
 * @path: absolute
 * @user: owns those that are made
 *
 * Return: 0 or -errno.
 * Context: blocks.
 */
int files_make_parents(const char *path,
		       const struct passwd_user *user) MUST_CHECK;

/**
 * files_fail() - answer an errno that a path ran into
 * Context: a handler.
 */
void files_fail(struct request *r, const char *path, int code);

#endif
