// SPDX-License-Identifier: Apache-2.0
// The keeper: waits for its shim's end and clears up behind it.

#include "shim/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "confine/self.h"
#include "image/tree.h"
#include "shim/budget.h"

struct keeper {
	const char *path;
	int dir;
	int signals;
	struct sandbox_spec spec;
	struct cgroup cgroup;
	bool has_cgroup;
	pid_t shim;
	int shim_fd;	/* pidfd */
	int verdict_fd; /* read end */
	int life_fd;	/* write end: closed by our death */
	siginfo_t status;
	struct verdict verdict;
};

static void keeper_fini(struct keeper *k)
{
	sandbox_spec_fini(&k->spec);
	fd_close(&k->dir);
	fd_close(&k->signals);
	fd_close(&k->shim_fd);
	fd_close(&k->verdict_fd);
	fd_close(&k->life_fd);
}

/* Beginning. */

static int watch_signals(struct keeper *k)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return neg_errno();
	k->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return k->signals < 0 ? neg_errno() : 0;
}

/* Whatever the launcher left open is none of ours, nor of the shim's. */
static int drop_strays(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return neg_errno();
	for (int fd = 0; fd < KEEPER_FD_CONTROL; fd++) {
		if (dup2(null, fd) < 0)
			return neg_errno();
	}
	/* Takes @null with it, unless it is one of the three. */
	return close_range(KEEPER_FD_UIDS + 1, ~0U, 0) < 0 ? neg_errno() : 0;
}

static int read_spec(struct keeper *k, struct err *e)
{
	CLEANUP(buf_fini) struct buf json = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);
	int r = 0;

	k->dir = open(k->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (k->dir < 0)
		r = neg_errno();
	if (r == 0)
		r = fd_read_file(k->dir, "spec.json", &json);
	if (r < 0)
		return err_set(e, r,
			       "cannot read %s/spec.json: %s; start the shim "
			       "through caponier",
			       k->path, err_text(NULL, r));
	return sandbox_spec_parse(buf_span(&json), &k->spec, e);
}

static int make_cgroup(struct keeper *k, struct err *e)
{
	struct cgroup_limits limits = budget_of(&k->spec);
	struct err why = { 0 };
	int r = cgroup_new(k->spec.id, &limits, &k->cgroup, &why);

	k->has_cgroup = r == 0;
	/* An ordinary user may have none, and the evidence says so; but what
	 * only a group can hold was then asked for in vain. */
	if (r == -ENOTSUP && geteuid() != 0 && limits.cpu_pct == 0)
		return 0;
	return r < 0 ? err_set(e, r, "%s", err_text(&why, r)) : 0;
}

/* In the child: nothing of the keeper's but what is handed on. */
static int be_shim(struct keeper *k, int verdict, int life,
		   keeper_shim_fn *run_shim)
{
	struct shim_birth birth = {
		.spec = &k->spec,
		.cgroup = k->has_cgroup ? &k->cgroup : NULL,
		.path = k->path,
		.dir = k->dir,
		.control = KEEPER_FD_CONTROL,
		.verdict = verdict,
		.life = life,
	};
	sigset_t none;
	char go = 0;

	fd_close(&k->signals);
	fd_close(&k->verdict_fd);
	fd_close(&k->life_fd);
	(void)close_range(KEEPER_FD_LOCK, KEEPER_FD_UIDS, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* The keeper puts us into our group first. */
	if (fd_read(life, &go, 1) != 1)
		return -EPIPE;
	return run_shim(&birth);
}

/* Return: in the child the end of its work, and *ret_is_child is set. */
static int fork_shim(struct keeper *k, keeper_shim_fn *run_shim,
		     bool *ret_is_child, struct err *e)
{
	int verdict[2] = { -1, -1 };
	int life[2] = { -1, -1 };
	int r = 0;

	if (pipe2(verdict, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0)
		return err_set(e, neg_errno(),
			       "cannot make pipes: %s; look at the limit of "
			       "open files",
			       err_text(NULL, neg_errno()));
	k->verdict_fd = verdict[0];
	k->life_fd = life[1];
	r = confine_fork(&k->shim_fd, e);
	if (r == 0) {
		*ret_is_child = true;
		return be_shim(k, verdict[1], life[0], run_shim);
	}
	fd_close(&verdict[1]);
	fd_close(&life[0]);
	TRY(r);
	k->shim = r;
	if (k->has_cgroup)
		TRY(cgroup_enter(&k->cgroup, CGROUP_SHIM, k->shim, e));
	return fd_write_all(k->life_fd, span_str("g"));
}

/* End. */

/* Wait for the shim; a signal to us ends it. */
static void await_shim(struct keeper *k)
{
	struct pollfd on[] = {
		{ .fd = k->shim_fd, .events = POLLIN },
		{ .fd = k->signals, .events = POLLIN },
	};
	struct signalfd_siginfo got = { 0 };

	while ((on[0].revents & POLLIN) == 0) {
		if (poll(on, ARRAY_LEN(on), -1) < 0 && errno != EINTR)
			break;
		if ((on[1].revents & POLLIN) == 0)
			continue;
		if (fd_read(k->signals, &got, sizeof(got)) < 0)
			continue;
		verdict_set(&k->verdict, CAUSE_KILLED,
			    "the keeper got signal %u", got.ssi_signo);
		(void)kill(k->shim, SIGKILL);
	}
}

static void reap_shim(struct keeper *k)
{
	if (k->shim <= 0)
		return;
	(void)kill(k->shim, SIGKILL);
	(void)waitid(P_PID, (id_t)k->shim, &k->status, WEXITED);
}

static void read_verdict(struct keeper *k)
{
	char text[VERDICT_MESSAGE_BYTES];
	struct verdict verdict = { 0 };
	ssize_t n = 0;

	if (k->verdict_fd < 0 || fd_set_nonblock(k->verdict_fd, true) < 0)
		return;
	n = fd_read(k->verdict_fd, text, sizeof(text));
	if (n > 0 && k->verdict.cause == CAUSE_NONE &&
	    verdict_parse(span_of(text, (size_t)n), &verdict) == 0)
		k->verdict = verdict;
}

/* The shim may name what it saw; only the group knows of want of memory. */
static void judge(struct keeper *k)
{
	uint64_t kills = k->has_cgroup ? cgroup_oom_kills(&k->cgroup) : 0;

	if (kills > 0 && (k->verdict.cause == CAUSE_NONE ||
			  k->verdict.cause == CAUSE_ENGINE_FAILED)) {
		k->verdict.cause = CAUSE_NONE;
		verdict_set(&k->verdict, CAUSE_MEMORY,
			    "the engine passed its %ju MiB on the host; give "
			    "the sandbox more memory",
			    (uintmax_t)(budget_of(&k->spec).memory_bytes >>
					20));
	}
	if (k->status.si_code == CLD_EXITED)
		verdict_set(&k->verdict, CAUSE_HOST,
			    "the shim ended with status %d and left no word",
			    k->status.si_status);
	verdict_set(&k->verdict, CAUSE_HOST, "the shim was killed by signal %d",
		    k->status.si_status);
}

/* Remove the directory by its name in its parent. */
static int remove_dir(const char *path)
{
	CLEANUP(fd_close) int parent = -1;
	const char *name = strrchr(path, '/');
	char above[PATH_MAX];

	if (name == NULL ||
	    snprintf(above, sizeof(above), "%.*s/", (int)(name - path), path) >=
		    (int)sizeof(above))
		return -EINVAL;
	parent = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return neg_errno();
	return tree_remove(parent, name + 1);
}

static int clear_up(struct keeper *k)
{
	int r = 0;
	int s = 0;

	reap_shim(k);
	read_verdict(k);
	judge(k);
	if (k->has_cgroup)
		r = cgroup_remove(&k->cgroup);
	s = remove_dir(k->path);
	return r < 0 ? r : s;
}

static void send_ended(const struct keeper *k)
{
	CLEANUP(buf_fini) struct buf json = BUF_EMPTY(VERDICT_MESSAGE_BYTES);

	/* The launcher may be dead, or not read: it is its loss. */
	if (verdict_put(&k->verdict, "ended", &json) == 0)
		(void)!send(KEEPER_FD_CONTROL, json.ptr, json.len,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

int keeper_run(const char *dir, keeper_shim_fn *run_shim)
{
	CLEANUP(keeper_fini)
	struct keeper k = {
		.path = dir,
		.dir = -1,
		.signals = -1,
		.shim_fd = -1,
		.verdict_fd = -1,
		.life_fd = -1,
	};
	struct err e = { 0 };
	bool is_child = false;
	int r = drop_strays();

	if (r == 0)
		r = watch_signals(&k);
	if (r == 0)
		r = read_spec(&k, &e);
	if (r == 0)
		r = make_cgroup(&k, &e);
	if (r == 0)
		r = fork_shim(&k, run_shim, &is_child, &e);
	if (is_child)
		return r;
	if (r == 0)
		await_shim(&k);
	else
		verdict_set(&k.verdict, CAUSE_HOST, "%s", err_text(&e, r));
	r = clear_up(&k);
	send_ended(&k);
	return r;
}
