// SPDX-License-Identifier: Apache-2.0
// An engine for tests of the shim: no cage, no guest, only an agent program on
// the other end of the wire, descriptor 3. The specification's kernel is its
// path, its initrd the argument; an empty one stands for those with which the
// real agent leaves this machine alone. Linked in place of src/shim/engines.c.

#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "shim/shim.h"

enum { AGENT_WIRE = 3 };

#ifdef __SANITIZE_ADDRESS__
/* The shim's group has 128 MiB, less than a sanitizer holds back. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:malloc_context_size=0";
}
#endif

static void be_agent(const struct sandbox_spec *spec, int wire, int console)
{
	char *const real[] = { (char *)(uintptr_t)"caponier-agent",
			       (char *)(uintptr_t)"--wire-fd=3",
			       (char *)(uintptr_t)"--no-cgroup",
			       (char *)(uintptr_t)"--test-no-identity", NULL };
	char *const hostile[] = { (char *)(uintptr_t)"hostile_agent",
				  (char *)(uintptr_t)spec->initrd, NULL };
	char *const *argv = spec->initrd[0] == '\0' ? real : hostile;
	char *const envp[] = { NULL };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Else the shim's empty root would become ours. */
	if (unshare(CLONE_NEWNS) < 0)
		_exit(126);
	(void)dup2(console, 2);
	(void)dup2(wire, AGENT_WIRE);
	(void)close_range(AGENT_WIRE + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)execve(spec->kernel, argv, envp);
	_exit(127);
}

static int spawn(const struct sandbox_spec *spec, const struct cgroup *cgroup,
		 struct engine *ret, struct err *e)
{
	struct engine engine = ENGINE_NONE;
	int wire[2] = { -1, -1 };
	int console[2] = { -1, -1 };
	int started[2] = { -1, -1 };
	char none = 0;
	pid_t pid = 0;

	TRY(fd_pair(wire));
	TRY(fd_pair(console));
	TRY(fd_pair(started));
	pid = fork();
	if (pid == 0)
		be_agent(spec, wire[1], console[1]);
	fd_close(&wire[1]);
	fd_close(&console[1]);
	/* The end of file says that it was executed, with our root still. */
	fd_close(&started[1]);
	(void)!fd_read(started[0], &none, 1);
	fd_close(&started[0]);
	if (pid < 0)
		return err_set(e, neg_errno(), "cannot fork the stub engine");
	if (cgroup != NULL)
		TRY(cgroup_enter(cgroup, CGROUP_ENGINE, pid, e));
	engine.pid = pid;
	engine.pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	engine.wire_fd = wire[0];
	engine.console_fd = console[0];
	engine.ops = shim_engine("stub");
	*ret = engine;
	return 0;
}

static int start(struct engine *engine, const struct sandbox_spec *spec,
		 struct ev *loop, const struct engine_events *events,
		 void *owner, struct err *e)
{
	(void)spec;
	(void)e;
	engine->loop = loop;
	engine->events = events;
	engine->owner = owner;
	events->on_running(engine);
	return 0;
}

static int save(struct engine *engine, struct err *e)
{
	(void)e;
	engine->events->on_saved(engine);
	return 0;
}

const struct engine_ops *shim_engine(const char *name)
{
	static const struct engine_ops stub = {
		.name = "stub",
		.spawn = spawn,
		.start = start,
		.save = save,
	};

	return strcmp(name, stub.name) == 0 ? &stub : NULL;
}
