// SPDX-License-Identifier: Apache-2.0
// api.sock: what passes, what is refused, what a hostile agent can answer.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"
#include "tap.h"

static struct reply r;

static bool has(const char *text)
{
	return strstr(r.head, text) != NULL || strstr(r.body, text) != NULL;
}

static void send_raw(struct sandbox *s, const char *text, int ms)
{
	sandbox_exchange(s, text, strlen(text), ms, &r);
}

TEST(only_listed_paths_pass)
{
	static const char *const paths[] = {
		"/init",
		"/",
		"/healthz",
		"/freeze",
		"/files/compose",
		"/%68ealth",
		"//health",
		"/process.Process/../init",
		"/process.Process/Sta%72t",
	};
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		sandbox_ask(&s, "POST", paths[i], "{}", &r);
		CHECK_EQ(r.status, 404);
		CHECK(has("\"code\":404"));
	}
	sandbox_ask(&s, "DELETE", "/files?path=x", NULL, &r);
	CHECK_EQ(r.status, 404);
	sandbox_fini(&s);
}

TEST(the_token_is_asked_for)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	send_raw(&s, "GET /envs HTTP/1.1\r\nHost: x\r\n\r\n", 2000);
	CHECK_EQ(r.status, 401);
	CHECK_STR(r.body, "{\"code\":401,\"message\":\"the header "
			  "X-Access-Token is missing or wrong\"}");
	send_raw(&s,
		 "POST /process.Process/List HTTP/1.1\r\nHost: x\r\n"
		 "X-Access-Token: 0123\r\nContent-Length: 2\r\n\r\n{}",
		 2000);
	CHECK_EQ(r.status, 401);
	CHECK(has("\"code\":\"unauthenticated\""));
	send_raw(&s, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 2000);
	CHECK_EQ(r.status, 204);
	sandbox_fini(&s);
}

/* Sends a body of @bytes to /files and returns what the agent counted. */
static unsigned long long upload(struct sandbox *s, size_t bytes)
{
	static char piece[65536];
	int fd = sandbox_dial(s);
	int n = snprintf(piece, sizeof(piece),
			 "POST /files?path=a HTTP/1.1\r\nHost: x\r\n"
			 "X-Access-Token: %s\r\nContent-Length: %zu\r\n\r\n",
			 s->spec.token, bytes);

	(void)!send(fd, piece, (size_t)n, MSG_NOSIGNAL);
	memset(piece, 'x', sizeof(piece));
	while (bytes != 0) {
		size_t want = bytes < sizeof(piece) ? bytes : sizeof(piece);
		ssize_t sent = send(fd, piece, want, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		bytes -= (size_t)sent;
	}
	sandbox_read(fd, 20000, &r);
	(void)close(fd);
	return strtoull(r.body, NULL, 10);
}

TEST(bodies_pass_both_ways_in_bounded_memory)
{
	struct sandbox s;
	long pss = 0;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	CHECK_EQ(upload(&s, 200000000), 200000000);
	CHECK_EQ(r.status, 200);
	sandbox_ask(&s, "GET", "/files?path=200000000", NULL, &r);
	CHECK_EQ(r.status, 200);
	CHECK_EQ(r.body_len, 200000000);
	pss = memory_kib(sandbox_shim(&s), "Private_Dirty:");
	printf("# private after 400 MB: %ld KiB\n", pss);
	CHECK(pss > 0 && pss < 1024);
	sandbox_fini(&s);
}

TEST(requests_follow_each_other_on_a_connection)
{
	struct sandbox s;
	static char bytes[3 * REQUEST_BYTES];
	size_t n = 0;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	for (int i = 0; i < 3; i++)
		n += sandbox_request(&s, bytes + n, "GET",
				     i == 1 ? "/health" : "/files?path=5", NULL,
				     0);
	fd = sandbox_dial(&s);
	(void)!send(fd, bytes, n, MSG_NOSIGNAL);
	/* Both 200s and the 204 between come, in order. */
	sandbox_read(fd, 300, &r);
	CHECK_EQ(r.status, 200);
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
	sandbox_fini(&s);
}

TEST(too_many_connections_get_503)
{
	struct sandbox s;
	int fds[64];

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = sandbox_dial(&s);
	send_raw(&s, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 2000);
	CHECK_EQ(r.status, 503);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	do
		send_raw(&s, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 2000);
	while (r.status == 503);
	CHECK_EQ(r.status, 204);
	sandbox_fini(&s);
}

TEST(the_sandbox_s_death_is_a_502)
{
	struct sandbox s;
	char bytes[REQUEST_BYTES];
	size_t n = 0;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "early_reset")))
		return;
	sandbox_fini(&s);
	if (!CHECK(sandbox_start(&s, "endless_1xx")))
		return;
	sandbox_fini(&s);

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	/* A request whose body never ends gets no answer of the agent's. */
	n = sandbox_request(&s, bytes, "POST", "/files?path=a", "0123456789",
			    10);
	fd = sandbox_dial(&s);
	(void)!send(fd, bytes, n - 5, MSG_NOSIGNAL);
	(void)usleep(100000);
	(void)kill(child_of(sandbox_shim(&s)), SIGKILL);
	sandbox_read(fd, 5000, &r);
	CHECK_EQ(r.status, 502);
	CHECK(has("\"message\":\"The sandbox was not found\",\"code\":502"));
	CHECK(has(s.spec.id));
	(void)close(fd);
	CHECK(sandbox_ended(&s, "engine_failed", 5000));
	sandbox_fini(&s);
}

/* Hostile answers, each to a request of a fresh sandbox. */
static const struct {
	const char *mode;
	unsigned status;
} answers[] = {
	{ "two_lengths", 502 },	 { "length_and_chunked", 502 },
	{ "bare_lf", 502 },	 { "endless_1xx", 502 },
	{ "endless_head", 502 }, { "bad_status", 502 },
	{ "switching", 502 },	 { "early_reset", 502 },
};

TEST(hostile_answers_are_502)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct sandbox s;

		printf("# %s\n", answers[i].mode);
		if (!CHECK(sandbox_start(&s, answers[i].mode)))
			return;
		sandbox_ask(&s, "GET", "/envs", NULL, &r);
		CHECK_EQ(r.status, answers[i].status);
		/* And the sandbox lives on. */
		sandbox_ask(&s, "GET", "/envs", NULL, &r);
		CHECK_EQ(r.status, answers[i].status);
		CHECK(memory_kib(sandbox_shim(&s), "Private_Dirty:") < 1024);
		sandbox_order(&s, "{\"stop\":\"exited\"}");
		CHECK(sandbox_ended(&s, "exited", 5000));
		sandbox_fini(&s);
	}
}

TEST(headers_do_not_travel_unless_listed)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "header_injection")))
		return;
	sandbox_ask(&s, "GET", "/envs", NULL, &r);
	CHECK_EQ(r.status, 200);
	CHECK_STR(r.body, "ok");
	CHECK(!has("Set-Cookie"));
	CHECK(!has("X-Evil"));
	CHECK(!has("Connection"));
	sandbox_fini(&s);
}

TEST(what_follows_an_answer_is_dropped)
{
	struct sandbox s;
	char bytes[REQUEST_BYTES];
	size_t n = 0;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "body_after_end")))
		return;
	fd = sandbox_dial(&s);
	n = sandbox_request(&s, bytes, "GET", "/envs", NULL, 0);
	for (int i = 0; i < 3; i++) {
		(void)!send(fd, bytes, n, MSG_NOSIGNAL);
		sandbox_read(fd, 2000, &r);
		CHECK_EQ(r.status, 200);
		CHECK_STR(r.body, "ok");
	}
	(void)close(fd);
	sandbox_fini(&s);
}

/* A client that stops reading bounds what the shim holds. */
static void stall(const char *mode, const char *path)
{
	struct sandbox s;
	char bytes[REQUEST_BYTES];
	size_t n = 0;
	int fds[16];
	long kib = 0;

	printf("# %s\n", mode);
	if (!CHECK(sandbox_start(&s, mode)))
		return;
	n = sandbox_request(&s, bytes, "GET", path, NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = sandbox_dial(&s);
		(void)!send(fds[i], bytes, n, MSG_NOSIGNAL);
	}
	(void)usleep(700000);
	kib = memory_kib(sandbox_shim(&s), "Private_Dirty:");
	printf("# private with 16 stalled clients: %ld KiB\n", kib);
	/* Each: an answer's output and one window, and their halves' slack. */
	CHECK(kib > 0 && kib < 1024 + 16 * 512);
	sandbox_ask(&s, "GET", "/health", NULL, &r);
	CHECK(r.status == 204 || r.status == 200);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	sandbox_order(&s, "{\"stop\":\"exited\"}");
	CHECK(sandbox_ended(&s, "exited", 5000));
	sandbox_fini(&s);
}

TEST(stalled_clients_bound_the_shim)
{
	stall("good", "/files?path=10000000000");
	stall("tiny_chunks", "/envs");
	stall("endless_chunk_line", "/envs");
}

TEST(a_slow_head_is_cut_off)
{
	struct sandbox s;
	char byte = 0;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	fd = sandbox_dial(&s);
	(void)!send(fd, "GET /hea", 8, MSG_NOSIGNAL);
	CHECK_EQ(read(fd, &byte, 1), 0); /* after 10 s */
	(void)close(fd);
	sandbox_fini(&s);
}

TESTS(RUN(only_listed_paths_pass), RUN(the_token_is_asked_for),
      RUN(bodies_pass_both_ways_in_bounded_memory),
      RUN(requests_follow_each_other_on_a_connection),
      RUN(too_many_connections_get_503), RUN(the_sandbox_s_death_is_a_502),
      RUN(hostile_answers_are_502), RUN(headers_do_not_travel_unless_listed),
      RUN(what_follows_an_answer_is_dropped),
      RUN(stalled_clients_bound_the_shim), RUN(a_slow_head_is_cut_off))
