/* SPDX-License-Identifier: Apache-2.0 */
/* Starting one program as a user: everything between fork and exec. */
#ifndef CPN_AGENT_SPAWN_H
#define CPN_AGENT_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/passwd.h"
#include "base/macros.h"

enum {
	SPAWN_STDIO = 3,
	SPAWN_OOM_SCORE_ADJ = 100,
};

/* Where a start failed. */
enum spawn_stage {
	SPAWN_STAGE_SETUP, /* ours: no user should see it */
	SPAWN_STAGE_USER,
	SPAWN_STAGE_CWD,
	SPAWN_STAGE_EXEC,
	SPAWN_STAGE_COUNT,
};

/* What the child writes to the status pipe if it fails. */
struct spawn_failure {
	enum spawn_stage stage;
	int code; /* -errno */
};

struct spawn_plan {
	char **argv;
	char **envp;
	const char *cwd;
	const struct passwd_user *user;
	int stdio[SPAWN_STDIO]; /* become 0, 1, 2 */
	bool is_terminal;	/* 0 becomes the controlling terminal */
	int cgroup_fd;		/* started inside it; -1: nowhere special */
};

struct spawned {
	pid_t pid;
	int pid_fd;    /* owned; readable when the process has ended */
	int status_fd; /* owned; end of file: started; else a failure */
};

/**
 * spawn() - start a program in a session of its own
 * @plan: borrowed
 * @ret:  untouched on failure
 *
 * Return: 0 or -errno of clone; failures behind it come on status_fd.
 * Context: the loop's thread; does not wait for the exec.
 */
int spawn(const struct spawn_plan *plan, struct spawned *ret) MUST_CHECK;

#endif
