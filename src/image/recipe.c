// SPDX-License-Identifier: Apache-2.0
// Running the build scripts under images/ side by side.

#include "image/recipe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"

enum { LINE_MAX_BYTES = 4096 };

extern char **environ;

struct running {
	const struct recipe_job *job;
	pid_t pid;
	int out; /* the script's stdout, or -1 when it has ended */
	struct buf in;
	unsigned pct;
	int seconds_left;
	bool has_failed;
	bool is_skipping; /* in a line too long, up to its end */
};

struct crew {
	struct running all[RECIPE_JOBS_MAX];
	size_t count;
	recipe_progress_fn *progress;
	void *owner;
	struct err *e;
};

static void running_stop(struct running *r)
{
	if (r->pid > 0) {
		(void)kill(r->pid, SIGTERM);
		(void)!waitpid(r->pid, NULL, 0);
	}
	r->pid = 0;
	fd_close(&r->out);
	buf_fini(&r->in);
}

static void crew_fini(struct crew *c)
{
	for (size_t i = 0; i < c->count; i++)
		running_stop(&c->all[i]);
}

static int spawn(const struct recipe_job *job, int out, pid_t *ret)
{
	const char *argv[RECIPE_ARGS_MAX + 3] = { "sh", job->script };
	posix_spawn_file_actions_t actions;
	int r = 0;

	for (size_t i = 0; job->args[i] != NULL; i++)
		argv[i + 2] = job->args[i];
	(void)posix_spawn_file_actions_init(&actions);
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
					     "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out,
						     STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret, "/bin/sh", &actions, NULL,
				(char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int start(struct crew *c, const struct recipe_job *job)
{
	int pipe_fds[2] = { -1, -1 };
	struct running *r = &c->all[c->count++];
	int result = 0;

	*r = (struct running){ .job = job,
			       .out = -1,
			       .in = BUF_EMPTY(LINE_MAX_BYTES),
			       .seconds_left = -1 };
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return neg_errno();
	r->out = pipe_fds[0];
	result = spawn(job, pipe_fds[1], &r->pid);
	fd_close(&pipe_fds[1]);
	return result;
}

static void report(struct crew *c, const char *title, const char *text)
{
	char line[256];
	unsigned done = 0;
	unsigned whole = 0;
	int left = -1;

	if (c->progress == NULL)
		return;
	for (size_t i = 0; i < c->count; i++) {
		struct running *r = &c->all[i];

		whole += r->job->weight;
		done += r->job->weight * r->pct;
		if (r->out >= 0 && r->seconds_left > left)
			left = r->seconds_left;
	}
	(void)snprintf(line, sizeof(line), "%s: %s", title, text);
	c->progress(c->owner, whole != 0 ? done / whole : 100, left, line);
}

/* "PCT SECONDS_LEFT TEXT" */
static void on_progress(struct crew *c, struct running *r, char *line)
{
	char *save = NULL;
	const char *pct = strtok_r(line, " ", &save);
	const char *left = strtok_r(NULL, " ", &save);
	uint64_t number = 0;

	if (pct == NULL || left == NULL ||
	    num_parse(span_str(pct), 0, 100, &number) < 0)
		return;
	r->pct = (unsigned)number;
	r->seconds_left = -1;
	if (num_parse(span_str(left), 0, 86400, &number) == 0)
		r->seconds_left = (int)number;
	report(c, r->job->title, save != NULL ? save : "");
}

/* "ASKED | IN THE WAY | TO DO" */
static void on_failure(struct crew *c, struct running *r, char *line)
{
	char *save = NULL;
	const char *asked = strtok_r(line, "|", &save);
	const char *way = strtok_r(NULL, "|", &save);
	const char *todo = strtok_r(NULL, "|", &save);

	r->has_failed = true;
	(void)err_set(c->e, -ECANCELED, "cannot %s:%s;%s",
		      asked != NULL ? asked : r->job->title,
		      way != NULL ? way : " the script failed",
		      todo != NULL ? todo : " see its log");
}

static void on_line(struct crew *c, struct running *r, char *line)
{
	if (line[0] == '@' && line[1] == ' ')
		on_progress(c, r, line + 2);
	else if (line[0] == '!' && line[1] == ' ')
		on_failure(c, r, line + 2);
}

static int on_end(struct crew *c, struct running *r)
{
	int status = 0;

	fd_close(&r->out);
	(void)!waitpid(r->pid, &status, 0);
	r->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !r->has_failed) {
		r->pct = 100;
		return 0;
	}
	return err_set(c->e, -ECANCELED,
		       "cannot %s: %s ended with status %d; read its log",
		       r->job->title, r->job->script,
		       WIFEXITED(status) ? WEXITSTATUS(status) :
					   128 + WTERMSIG(status));
}

static int on_output(struct crew *c, struct running *r)
{
	uint8_t *end = NULL;
	ssize_t n = 0;

	if (r->in.len == LINE_MAX_BYTES) {
		r->in.len = 0; /* no line is that long: not for us */
		r->is_skipping = true;
	}
	TRY(buf_reserve(&r->in, LINE_MAX_BYTES - r->in.len));
	n = fd_read(r->out, r->in.ptr + r->in.len, LINE_MAX_BYTES - r->in.len);
	if (n <= 0)
		return on_end(c, r);
	r->in.len += (size_t)n;
	for (;;) {
		end = memchr(r->in.ptr, '\n', r->in.len);
		if (end == NULL)
			return 0;
		*end = '\0';
		if (!r->is_skipping)
			on_line(c, r, (char *)r->in.ptr);
		r->is_skipping = false;
		buf_drop(&r->in, (size_t)(end - r->in.ptr) + 1);
	}
}

static int turn(struct crew *c, bool *is_done)
{
	struct pollfd fds[RECIPE_JOBS_MAX];

	*is_done = true;
	for (size_t i = 0; i < c->count; i++) {
		fds[i] = (struct pollfd){ .fd = c->all[i].out,
					  .events = POLLIN };
		if (c->all[i].out >= 0)
			*is_done = false;
	}
	if (*is_done)
		return 0;
	if (poll(fds, c->count, -1) < 0)
		return errno == EINTR ? 0 : neg_errno();
	for (size_t i = 0; i < c->count; i++) {
		if (fds[i].revents != 0)
			TRY(on_output(c, &c->all[i]));
	}
	return 0;
}

int recipe_run(const struct recipe_job *jobs, size_t count,
	       recipe_progress_fn *progress, void *owner, struct err *e)
{
	CLEANUP(crew_fini)
	struct crew c = { .progress = progress, .owner = owner, .e = e };
	bool is_done = false;

	if (count > RECIPE_JOBS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++)
		TRY(start(&c, &jobs[i]));
	while (!is_done)
		TRY(turn(&c, &is_done));
	return 0;
}
