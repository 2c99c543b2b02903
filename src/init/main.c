// SPDX-License-Identifier: Apache-2.0
// caponier-init: PID 1 of the guest. It mounts, starts the agent, reaps and,
// in the end, powers off.
//
// Theory. Two lives. Until the agent first runs, any failure is a sentence on
// the console and the end of the machine: a guest that is not whole must not
// pretend. After that PID 1 may never die, and does nothing that can fail.
//
// Invariants.
//  1. Nothing is allocated.
//  2. SIGTERM, or an agent that exits with GUEST_EXIT_POWER_OFF, powers off.
//  3. A dead agent is started again, at most once per RESPAWN_NS.

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "domain/guest.h"
#include "init/boot.h"

#define RESPAWN_NS NS_PER_S
#define FAREWELL_NS NS_PER_S /* between SIGTERM and SIGKILL */

enum {
	AGENT_NICE = -10,
	EXIT_NO_AGENT = 127,
};

struct init {
	int agent_fd; /* the program, in the initramfs */
	pid_t agent;  /* 0: not running */
	uint64_t respawn_ns;
	sigset_t signals;
};

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0)
		return;
	for (int std = 0; std <= STDERR_FILENO; std++)
		(void)dup2(fd, std);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

/* Without a console the kernel's log still reaches whoever looks. */
static void say(const char *sentence)
{
	CLEANUP(fd_close) int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[ERR_TEXT_BYTES + 32];
	int n = snprintf(line, sizeof(line), "caponier-init: %s\n", sentence);

	(void)!fd_write(STDERR_FILENO, span_of(line, (size_t)n));
	if (kmsg >= 0)
		(void)!fd_write(kmsg, span_of(line, (size_t)n));
}

/* The end; microvm machines without ACPI know only the second way. */
static NORETURN void machine_off(void)
{
	sync();
	(void)reboot(RB_POWER_OFF);
	(void)reboot(RB_AUTOBOOT);
	for (;;)
		(void)pause();
}

/* Reaps until nobody is left or the time is over. */
static void await_children(const sigset_t *signals, uint64_t for_ns)
{
	uint64_t deadline = clock_boot_ns() + for_ns;
	struct timespec tick = { .tv_nsec = 20 * (long)NS_PER_MS };

	while (clock_boot_ns() < deadline) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return;
		if (pid == 0)
			(void)sigtimedwait(signals, NULL, &tick);
	}
}

static NORETURN void power_off(const struct init *init)
{
	(void)kill(-1, SIGTERM);
	await_children(&init->signals, FAREWELL_NS);
	(void)kill(-1, SIGKILL);
	await_children(&init->signals, FAREWELL_NS);
	sync();
	(void)mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	machine_off();
}

static void write_file(const char *path, const char *value)
{
	CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!fd_write(fd, span_str(value));
}

static NORETURN void become_agent(const struct init *init)
{
	char *argv[] = { "caponier-agent", NULL };
	char *envp[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			 "/usr/bin:/sbin:/bin",
			 NULL };

	(void)setsid();
	/* Last to be killed for memory, first to get a processor. */
	write_file(GUEST_AGENT_CGROUP "/cgroup.procs", "0");
	write_file("/proc/self/oom_score_adj", "-1000");
	(void)setpriority(PRIO_PROCESS, 0, AGENT_NICE);
	(void)sigprocmask(SIG_UNBLOCK, &init->signals, NULL);
	(void)execveat(init->agent_fd, "", argv, envp, AT_EMPTY_PATH);
	_exit(EXIT_NO_AGENT);
}

static void spawn_agent(struct init *init)
{
	pid_t pid = fork();

	if (pid == 0)
		become_agent(init);
	/* A failed fork is tried again like a dead agent. */
	init->agent = pid < 0 ? 0 : pid;
	init->respawn_ns = clock_boot_ns() + RESPAWN_NS;
}

static void reap_all(struct init *init)
{
	int status = 0;
	pid_t pid = 0;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != init->agent)
			continue;
		init->agent = 0;
		if (WIFEXITED(status) &&
		    WEXITSTATUS(status) == GUEST_EXIT_POWER_OFF)
			power_off(init);
		say("the agent ended and is started again");
	}
}

static NORETURN void serve(struct init *init)
{
	struct timespec tick = { .tv_sec = 1 };

	for (;;) {
		int signal = 0;

		if (init->agent == 0 && clock_boot_ns() >= init->respawn_ns)
			spawn_agent(init);
		signal = init->agent != 0 ?
				 sigwaitinfo(&init->signals, NULL) :
				 sigtimedwait(&init->signals, NULL, &tick);
		if (signal == SIGTERM)
			power_off(init);
		reap_all(init);
	}
}

static int boot(struct init *init, struct err *e)
{
	TRY(boot_early(e));
	open_console();
	/* Before the root is switched: afterwards /agent has no name. */
	init->agent_fd = open("/agent", O_PATH | O_CLOEXEC);
	if (init->agent_fd < 0)
		return err_set(e, neg_errno(),
			       "cannot open /agent: %s; rebuild the initramfs",
			       strerror(errno));
	TRY(boot_root(e));
	TRY(boot_switch(e));
	boot_settings();
	(void)mkdir(GUEST_AGENT_CGROUP, 0755);
	return 0;
}

int main(void)
{
	struct init init = { .agent_fd = -1 };
	struct err e = { 0 };

	(void)sigemptyset(&init.signals);
	(void)sigaddset(&init.signals, SIGCHLD);
	(void)sigaddset(&init.signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &init.signals, NULL);
	if (boot(&init, &e) < 0) {
		open_console();
		say(err_text(&e, e.code));
		machine_off();
	}
	/* From here on PID 1 may never die. */
	serve(&init);
}
