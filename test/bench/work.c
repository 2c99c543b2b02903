// SPDX-License-Identifier: Apache-2.0
// The work that test/bench/work.sh times in each contender, from inside.
//
// A line on standard input asks for one round; each piece of it answers with
// `NAME NUMBER UNIT`, and the round ends with `end`. Static, so that it is the
// same program everywhere.

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CALLS = 20000,
	PIECE_BYTES = 1 << 20,
	FILE_MIB = 64,
};

static double now_us(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static _Noreturn void give_up(const char *what)
{
	(void)printf("failed %s\nend\n", what);
	exit(1);
}

static void run(const char *script)
{
	char *const argv[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
			       (char *)(uintptr_t)script, NULL };
	extern char **environ;
	pid_t pid = 0;
	int status = 0;

	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		give_up(script);
}

static const struct {
	const char *name;
	const char *prepare;
	const char *script;
} programs[] = {
	{ "python3", NULL, "exec python3 -c 1" },
	{ "node", NULL, "exec node -e 1" },
	{ "forks", NULL,
	  "i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done" },
	{ "git",
	  "rm -rf repo; mkdir repo; cd repo; git init -q; i=0;"
	  "while [ $i -lt 50 ]; do echo $i >f$i; i=$((i+1)); done",
	  "cd repo && exec git add ." },
};

static void time_programs(void)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		double from = 0;

		if (programs[i].prepare != NULL)
			run(programs[i].prepare);
		from = now_us();
		run(programs[i].script);
		(void)printf("%s %.1f ms\n", programs[i].name,
			     (now_us() - from) / 1e3);
	}
}

static void time_getpid(void)
{
	double from = now_us();

	for (int i = 0; i < CALLS; i++)
		(void)syscall(SYS_getpid);
	(void)printf("getpid %.3f us\n", (now_us() - from) / CALLS);
}

static void time_write(void)
{
	static char piece[PIECE_BYTES];
	int fd = open("written", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0600);
	double from = now_us();

	memset(piece, 'x', sizeof(piece));
	for (int i = 0; i < FILE_MIB; i++) {
		if (write(fd, piece, sizeof(piece)) != (ssize_t)sizeof(piece))
			give_up("write");
	}
	(void)close(fd);
	(void)printf("write %.1f ms\n", (now_us() - from) / 1e3);
	(void)unlink("written");
}

int main(void)
{
	char line[16];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		time_programs();
		time_getpid();
		time_write();
		(void)puts("end");
		(void)fflush(stdout);
	}
	return 0;
}
