// SPDX-License-Identifier: Apache-2.0
// Floods on the wire, and kill -9 of everybody at random moments.

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/cgroup.h"
#include "sandbox.h"
#include "tap.h"

enum { KILLS = 50 };

TEST(a_hundred_thousand_streams_leave_no_trace)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "open_flood")))
		return;
	/* The agent exits when it is through. */
	CHECK(sandbox_ended(&s, "engine_failed", 20000));
	CHECK(strstr(s.message, "ended with status 9") != NULL);
	sandbox_fini(&s);
}

TEST(a_flood_keeps_nobody_from_being_served)
{
	static const char request[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
	struct sandbox s;
	static struct reply r;
	long kib = 0;

	if (!CHECK(sandbox_start(&s, "data_flood")))
		return;
	(void)usleep(300000);
	for (int i = 0; i < 20; i++) {
		sandbox_exchange(&s, request, sizeof(request) - 1, 2000, &r);
		CHECK_EQ(r.status, 404);
	}
	kib = memory_kib(sandbox_shim(&s), "Private_Dirty:");
	printf("# private: %ld KiB\n", kib);
	CHECK(kib > 0 && kib < 1024);
	sandbox_order(&s, "{\"stop\":\"killed\"}");
	CHECK(sandbox_ended(&s, "killed", 5000));
	sandbox_fini(&s);
}

TEST(a_flood_that_reads_no_answer_is_back_pressure)
{
	struct sandbox s;
	long kib = 0;

	if (!CHECK(sandbox_start(&s, "open_flood_deaf")))
		return;
	(void)usleep(500000);
	kib = memory_kib(sandbox_shim(&s), "Private_Dirty:");
	printf("# private: %ld KiB\n", kib);
	CHECK(kib > 0 && kib < 1024);
	sandbox_order(&s, "{\"stop\":\"killed\"}");
	CHECK(sandbox_ended(&s, "killed", 5000));
	sandbox_fini(&s);
}

static int open_files(void)
{
	DIR *fds = opendir("/proc/self/fd");
	int n = 0;

	while (fds != NULL && readdir(fds) != NULL)
		n++;
	if (fds != NULL)
		(void)closedir(fds);
	return n;
}

/* What a launcher does with a sandbox whose keeper was killed. */
static void sweep(const struct sandbox *s)
{
	char command[PATH_MAX + 64];
	char *const argv[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
			       command, NULL };
	pid_t pid = 0;

	if (cgroup_sweep(s->spec.id) < 0)
		printf("# the groups of %s are left\n", s->spec.id);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", s->dir);
	pid = fork();
	if (pid == 0) {
		(void)execv("/bin/sh", argv);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
}

static bool is_dead(pid_t pid)
{
	for (int i = 0; i < 1000; i++) {
		(void)waitpid(pid, NULL, WNOHANG);
		if (kill(pid, 0) < 0)
			return true;
		(void)usleep(1000);
	}
	return false;
}

/* The shim and the engine died with the keeper; the rest is swept. */
static void check_swept(struct sandbox *s, pid_t shim, pid_t engine)
{
	(void)waitpid(s->keeper, NULL, 0);
	s->keeper = 0;
	CHECK(shim <= 0 || is_dead(shim));
	CHECK(engine <= 0 || is_dead(engine));
	sweep(s);
	CHECK(sandbox_is_gone(s));
}

/* Kill one of the three at a moment that differs each time. */
static void kill_one(unsigned round)
{
	enum { KEEPER, SHIM, ENGINE, WHOM_COUNT };
	struct sandbox s;
	pid_t victims[WHOM_COUNT] = { 0 };
	unsigned whom = round % WHOM_COUNT;

	sandbox_describe(&s, round % 2 == 0 ? "good" : "tiny_chunks");
	sandbox_launch(&s);
	(void)usleep((useconds_t)(random() % 25000));
	victims[KEEPER] = s.keeper;
	victims[SHIM] = sandbox_shim(&s);
	if (victims[SHIM] > 0)
		victims[ENGINE] = child_of(victims[SHIM]);
	/* Too early for the engine: then the shim, then the keeper. */
	while (whom != KEEPER && victims[whom] <= 0)
		whom--;
	(void)kill(victims[whom], SIGKILL);
	if (whom == KEEPER)
		check_swept(&s, victims[SHIM], victims[ENGINE]);
	else
		CHECK(sandbox_ended(&s, whom == SHIM ? "host" : "engine_failed",
				    10000));
	sandbox_fini(&s);
}

TEST(kill_9_of_anybody_leaves_nothing_and_has_a_cause)
{
	int before = open_files();

	srandom(1);
	for (unsigned round = 0; round < KILLS; round++)
		kill_one(round);
	CHECK_EQ(open_files(), before);
}

TESTS(RUN(a_hundred_thousand_streams_leave_no_trace),
      RUN(a_flood_keeps_nobody_from_being_served),
      RUN(a_flood_that_reads_no_answer_is_back_pressure),
      RUN(kill_9_of_anybody_leaves_nothing_and_has_a_cause))
