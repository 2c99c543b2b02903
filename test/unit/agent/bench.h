/* SPDX-License-Identifier: Apache-2.0 */
/* A real agent behind a socket pair, in namespaces of its own (meson.build). */
#ifndef CPN_TEST_AGENT_BENCH_H
#define CPN_TEST_AGENT_BENCH_H

#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "tap.h"
#include "wire_client.h"

struct bench {
	pid_t agent;
	struct client client;
};

static inline void bench_begin(struct bench *b, bool is_identified)
{
	const char *program = getenv("CAPONIER_AGENT");
	int pair[2] = { -1, -1 };
	char number[16];

	if (program == NULL || fd_pair(pair) < 0)
		abort();
	(void)snprintf(number, sizeof(number), "%d", pair[1]);
	b->agent = fork();
	if (b->agent == 0) {
		(void)!fd_set_inherit(pair[1], true);
		(void)execl(program, "caponier-agent", "--wire-fd", number,
			    "--no-cgroup", "--test-no-identity", (char *)NULL);
		_exit(127);
	}
	(void)close(pair[1]);
	client_init(&b->client, pair[0], 7);
	if (is_identified && client_identify(&b->client) != 204)
		abort();
}

static inline void bench_end(struct bench *b)
{
	int status = 0;

	client_fini(&b->client);
	(void)waitpid(b->agent, &status, 0);
	CHECK_EQ(status, 0);
}

/* Entries of a directory, `.` and `..` apart; -1 if it is not one. */
static inline int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = -2;

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

static inline bool is_text(const struct buf *b, const char *text)
{
	return span_is(buf_span(b), text);
}

#endif
