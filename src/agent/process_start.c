// SPDX-License-Identifier: Apache-2.0
// The descriptors of a new process.

#include "agent/process_start.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

struct stdio {
	int fd[SPAWN_STDIO]; /* the child's ends, owned */
};

static void stdio_close(struct stdio *stdio)
{
	for (int i = 0; i < SPAWN_STDIO; i++)
		fd_close(&stdio->fd[i]);
}

/* @ours gets the agent's end, non-blocking; the child's end stays blocking. */
static int make_pipe(bool is_input, int *ours, int *theirs)
{
	int ends[2] = { -1, -1 };

	if (pipe2(ends, O_CLOEXEC) < 0)
		return neg_errno();
	*ours = ends[is_input ? 1 : 0];
	*theirs = ends[is_input ? 0 : 1];
	return fd_set_nonblock(*ours, true);
}

static int open_null(int *ret)
{
	*ret = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? neg_errno() : 0;
}

static int make_pipes(struct process *p, const struct process_request *what,
		      struct stdio *stdio)
{
	for (int i = 0; i < PROCESS_OUTPUTS; i++) {
		p->outputs[i].channel = i == 0 ? PROCESS_STDOUT :
						 PROCESS_STDERR;
		TRY(make_pipe(false, &p->outputs[i].fd, &stdio->fd[1 + i]));
	}
	if (!what->has_stdin)
		return open_null(&stdio->fd[0]);
	return make_pipe(true, &p->input_fd, &stdio->fd[0]);
}

static int copy_fd(int fd, int *ret)
{
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *ret < 0 ? neg_errno() : 0;
}

static int make_terminal(struct process *p, const struct process_request *what,
			 struct stdio *stdio)
{
	p->outputs[0].channel = PROCESS_PTY;
	TRY(pty_open(what->size, &p->outputs[0].fd, &stdio->fd[0]));
	TRY(copy_fd(p->outputs[0].fd, &p->input_fd));
	TRY(copy_fd(stdio->fd[0], &stdio->fd[1]));
	return copy_fd(stdio->fd[0], &stdio->fd[2]);
}

int process_launch(struct process *p, const struct process_request *what)
{
	CLEANUP(stdio_close) struct stdio stdio = { { -1, -1, -1 } };
	struct spawned spawned = { 0 };
	struct spawn_plan plan = {
		.argv = what->argv,
		.envp = what->envp,
		.cwd = what->cwd,
		.user = what->user,
		.is_terminal = what->is_pty,
		.cgroup_fd = p->table->cgroup->dir_fd,
	};

	if (what->tag != NULL) {
		p->tag = mem_str(what->tag);
		if (p->tag == NULL)
			return -ENOMEM;
	}
	TRY(what->is_pty ? make_terminal(p, what, &stdio) :
			   make_pipes(p, what, &stdio));
	for (int i = 0; i < SPAWN_STDIO; i++)
		plan.stdio[i] = stdio.fd[i];
	TRY(spawn(&plan, &spawned));
	p->pid = spawned.pid;
	p->pid_fd = spawned.pid_fd;
	p->status_fd = spawned.status_fd;
	return 0;
}
