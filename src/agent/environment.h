/* SPDX-License-Identifier: Apache-2.0 */
/* What a process is started with: argv, environment. */
#ifndef CPN_AGENT_ENVIRONMENT_H
#define CPN_AGENT_ENVIRONMENT_H

#include <jansson.h>

#include "agent/passwd.h"
#include "base/buf.h"
#include "base/macros.h"

enum {
	STRINGS_COUNT_MAX = 65536,
	STRINGS_MAX_BYTES = 2097152, /* the kernel's own limit */
};

/* A NULL-terminated array of strings, as execve() takes it. */
struct strings {
	char **list;	 /* owned */
	struct buf text; /* owned: what the list points into */
};

/**
 * strings_fini() - free it; a zeroed one is allowed
 * Context: any thread.
 */
void strings_fini(struct strings *s);

/**
 * strings_of_command() - argv of {"cmd":..,"args":[..]}
 * @config: untrusted
 * @ret:    zeroed
 *
 * Return: 0; -EINVAL; -E2BIG; -ENOMEM.
 * Context: any thread; allocates.
 */
int strings_of_command(const json_t *config, struct strings *ret) MUST_CHECK;

/**
 * strings_of_environment() - envp for a user
 * @user:   whose HOME, USER and LOGNAME
 * @common: the sandbox's variables, or NULL
 * @own:    the request's variables, or NULL; untrusted; they win
 * @ret:    zeroed
 *
 * Return: 0; -EINVAL; -E2BIG; -ENOMEM.
 * Context: any thread; allocates.
 */
int strings_of_environment(const struct passwd_user *user, json_t *common,
			   json_t *own, struct strings *ret) MUST_CHECK;

#endif
