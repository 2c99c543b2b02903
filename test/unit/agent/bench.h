/* SPDX-License-Identifier: Apache-2.0 */
/* A real agent behind a socket pair, in namespaces of its own (meson.build). */
#ifndef CPN_TEST_AGENT_BENCH_H
#define CPN_TEST_AGENT_BENCH_H

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
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

/* How many names in a directory start with @prefix; 0 if it is not there. */
static inline int count_names(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	struct dirent *entry = d != NULL ? readdir(d) : NULL;
	int count = 0;

	for (; entry != NULL; entry = readdir(d))
		count += strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0 &&
			 strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	if (d != NULL)
		(void)closedir(d);
	return count;
}

static inline bool is_text(const struct buf *b, const char *text)
{
	return span_is(buf_span(b), text);
}

#endif
