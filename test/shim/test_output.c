// SPDX-License-Identifier: Apache-2.0
// Output that the shim holds: late, returning, slow and absent clients.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"
#include "tap.h"
#include "wire/connect.h"

static struct reply r;

/* One enveloped message as a request's body. */
static size_t envelope(char *dst, const char *json)
{
	struct buf b = BUF_EMPTY(1024);
	size_t len = 0;

	if (!CHECK_EQ(connect_put(&b, 0, span_str(json)), 0))
		return 0;
	len = b.len;
	memcpy(dst, b.ptr, len);
	buf_fini(&b);
	return len;
}

/* Sends an RPC; the answer is to be read from the descriptor. */
static int call(const struct sandbox *s, const char *method, const char *json)
{
	char path[64];
	char body[1024];
	char bytes[REQUEST_BYTES];
	size_t n = envelope(body, json);
	int fd = sandbox_dial(s);

	(void)snprintf(path, sizeof(path), "/process.Process/%s", method);
	n = sandbox_request(s, bytes, "POST", path, body, n);
	(void)!send(fd, bytes, n, MSG_NOSIGNAL);
	return fd;
}

static int start(const struct sandbox *s, const char *cmd, const char *tag)
{
	char json[256];

	(void)snprintf(json, sizeof(json),
		       "{\"process\":{\"cmd\":\"%s\"},\"tag\":\"%s\"}", cmd,
		       tag);
	return call(s, "Start", json);
}

/* How often a text is in the body, whose envelopes hold zeroes. */
static int count(const char *text)
{
	size_t len = strlen(text);
	size_t have = r.body_len < sizeof(r.body) ? r.body_len : sizeof(r.body);
	int n = 0;

	for (size_t i = 0; i + len <= have; i++)
		n += memcmp(r.body + i, text, len) == 0 ? 1 : 0;
	return n;
}

static bool await(int fd, const char *text)
{
	for (int i = 0; i < 50; i++) {
		struct reply part = { 0 };

		sandbox_read(fd, 20, &part);
		if (memmem(part.head, sizeof(part.head), text, strlen(text)) ||
		    memmem(part.body, sizeof(part.body), text, strlen(text)))
			return true;
	}
	return false;
}

TEST(a_process_runs_to_its_end)
{
	struct sandbox s;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	fd = start(&s, "echo", "");
	sandbox_read(fd, 5000, &r);
	CHECK_EQ(r.status, 200);
	CHECK(strstr(r.head, "application/connect+json") != NULL);
	CHECK_EQ(count("{\"start\":{\"pid\":1}}"), 1);
	CHECK_EQ(count("Zmlyc3Q="), 1);
	CHECK_EQ(count("\"end\""), 1);
	(void)close(fd);

	/* Late: start and end again, but no output twice. */
	fd = call(&s, "Connect", "{\"process\":{\"pid\":1}}");
	sandbox_read(fd, 5000, &r);
	CHECK_EQ(r.status, 200);
	CHECK_EQ(count("{\"start\":{\"pid\":1}}"), 1);
	CHECK_EQ(count("Zmlyc3Q="), 0);
	CHECK_EQ(count("\"end\""), 1);
	(void)close(fd);
	sandbox_fini(&s);
}

TEST(a_process_survives_its_client)
{
	struct sandbox s;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	fd = start(&s, "hold", "job");
	CHECK(await(fd, "Zmlyc3Q="));
	(void)close(fd);
	(void)usleep(50000);
	sandbox_ask(&s, "GET", "/envs", NULL, &r); /* it writes more */
	CHECK_EQ(r.status, 200);

	fd = call(&s, "Connect", "{\"process\":{\"tag\":\"job\"}}");
	(void)usleep(50000);
	sandbox_ask(&s, "GET", "/envs", NULL, &r);
	sandbox_ask(&s, "GET", "/metrics", NULL, &r); /* it ends */
	sandbox_read(fd, 5000, &r);
	CHECK_EQ(count("\"start\""), 1);
	CHECK_EQ(count("Zmlyc3Q="), 0); /* given to the first client */
	CHECK_EQ(count("bW9yZQ=="), 2);
	CHECK_EQ(count("\"end\""), 1);
	(void)close(fd);
	sandbox_fini(&s);
}

TEST(a_client_that_leaves_before_the_answer_starts_it_all_the_same)
{
	struct sandbox s;
	bool is_there = false;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	(void)close(start(&s, "hold", "gone"));
	/* Asked again until the shim knows of it. */
	for (int i = 0; i < 20 && !is_there; i++) {
		int fd = call(&s, "Connect",
			      "{\"process\":{\"tag\":\"gone\"}}");

		is_there = await(fd, "Zmlyc3Q=");
		(void)close(fd);
	}
	CHECK(is_there);
	sandbox_fini(&s);
}

TEST(two_viewers_get_the_same)
{
	struct sandbox s;
	int first = -1;
	int second = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	first = start(&s, "hold", "");
	CHECK(await(first, "Zmlyc3Q="));
	second = call(&s, "Connect", "{\"process\":{\"pid\":1}}");
	CHECK(await(second, "\"start\""));
	sandbox_ask(&s, "GET", "/envs", NULL, &r);
	sandbox_ask(&s, "GET", "/metrics", NULL, &r);
	sandbox_read(first, 300, &r);
	CHECK(memmem(r.head, sizeof(r.head), "bW9yZQ==", 8) != NULL ||
	      count("bW9yZQ==") == 1);
	sandbox_read(second, 300, &r);
	CHECK(memmem(r.head, sizeof(r.head), "bW9yZQ==", 8) != NULL ||
	      count("bW9yZQ==") == 1);
	(void)close(first);
	(void)close(second);
	sandbox_fini(&s);
}

TEST(without_a_client_the_oldest_output_gives_way)
{
	struct sandbox s;
	long kib = 0;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	fd = start(&s, "flood", "f");
	CHECK(await(fd, "Zmlyc3Q="));
	(void)close(fd);
	(void)usleep(1000000);
	kib = memory_kib(sandbox_shim(&s), "Private_Dirty:");
	printf("# private under a flood that nobody reads: %ld KiB\n", kib);
	CHECK(kib > 0 && kib < 1536);
	fd = call(&s, "Connect", "{\"process\":{\"tag\":\"f\"}}");
	sandbox_read(fd, 500, &r);
	CHECK_EQ(r.status, 200);
	CHECK(strstr(r.head, "X-Caponier-Dropped-Bytes: 0\r") == NULL);
	CHECK(strstr(r.head, "X-Caponier-Dropped-Bytes: ") != NULL);
	printf("# %.*s\n", (int)strcspn(strstr(r.head, "X-Cap"), "\r"),
	       strstr(r.head, "X-Cap"));
	CHECK_EQ(count("\"start\""), 1);
	(void)close(fd);
	sandbox_order(&s, "{\"stop\":\"exited\"}");
	CHECK(sandbox_ended(&s, "exited", 5000));
	sandbox_fini(&s);
}

/* Read that many bytes. */
static bool take(int fd, size_t bytes)
{
	static char piece[1048576];

	while (bytes != 0) {
		size_t want = bytes < sizeof(piece) ? bytes : sizeof(piece);
		ssize_t n = read(fd, piece, want);

		if (n <= 0)
			return false;
		bytes -= (size_t)n;
	}
	return true;
}

TEST(with_a_client_that_stalls_the_guest_waits)
{
	struct sandbox s;
	long kib = 0;
	int fd = -1;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	fd = start(&s, "flood", "f");
	(void)usleep(1000000);
	kib = memory_kib(sandbox_shim(&s), "Private_Dirty:");
	printf("# private under a flood that stalls: %ld KiB\n", kib);
	CHECK(kib > 0 && kib < 2048);
	/* It goes on as soon as the client does. */
	CHECK(take(fd, 3000000));
	sandbox_ask(&s, "GET", "/health", NULL, &r);
	CHECK_EQ(r.status, 204);
	(void)close(fd);
	sandbox_fini(&s);
}

TEST(too_many_processes_are_refused)
{
	struct sandbox s;
	int started = 0;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	for (int i = 0; i < 100; i++) {
		int fd = start(&s, "hold", "many");

		/* A refusal is a plain answer. */
		if (await(fd, "Zmlyc3Q="))
			started++;
		else
			i = 100;
		(void)close(fd);
	}
	CHECK_EQ(started, 96);
	sandbox_ask(&s, "GET", "/metrics", NULL, &r); /* all end */
	CHECK_EQ(r.status, 200);
	/* 128 are kept: more may start, the oldest are forgotten. */
	for (int i = 0; i < 60; i++) {
		int fd = start(&s, "echo", "late");

		sandbox_read(fd, 5000, &r);
		CHECK_EQ(r.status, 200);
		(void)close(fd);
	}
	printf("# private with 128 processes: %ld KiB\n",
	       memory_kib(sandbox_shim(&s), "Private_Dirty:"));
	sandbox_fini(&s);
}

static const struct {
	const char *mode;
	const char *body;
} lies[] = {
	{ "lying_pid", "unavailable" },
	{ "huge_envelope", "unavailable" },
	{ "deep_json", "unavailable" },
};

TEST(lies_hurt_the_liar_only)
{
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct sandbox s;
		int fd = -1;

		printf("# %s\n", lies[i].mode);
		if (!CHECK(sandbox_start(&s, lies[i].mode)))
			return;
		fd = start(&s, "echo", "");
		sandbox_read(fd, 5000, &r);
		CHECK_EQ(r.status, 200);
		CHECK_EQ(count(lies[i].body), 1);
		(void)close(fd);
		fd = call(&s, "Connect", "{\"process\":{\"pid\":1}}");
		sandbox_read(fd, 300, &r);
		CHECK(r.status == 502 || r.status == 200);
		(void)close(fd);
		sandbox_order(&s, "{\"stop\":\"exited\"}");
		CHECK(sandbox_ended(&s, "exited", 5000));
		sandbox_fini(&s);
	}
}

TEST(ten_gigabytes_of_output_at_full_speed)
{
	struct sandbox s;
	const char *slow = getenv("SHIM_SLOW_TESTS");
	int fd = -1;

	if (slow == NULL) {
		SKIP("takes a minute; set SHIM_SLOW_TESTS");
		return;
	}
	if (!CHECK(sandbox_start(&s, "good")))
		return;
	fd = start(&s, "flood", "f");
	CHECK(take(fd, 10000000000));
	printf("# private after 10 GB: %ld KiB\n",
	       memory_kib(sandbox_shim(&s), "Private_Dirty:"));
	CHECK(memory_kib(sandbox_shim(&s), "Private_Dirty:") < 2048);
	(void)close(fd);
	sandbox_fini(&s);
}

TESTS(RUN(a_process_runs_to_its_end), RUN(a_process_survives_its_client),
      RUN(a_client_that_leaves_before_the_answer_starts_it_all_the_same),
      RUN(two_viewers_get_the_same),
      RUN(without_a_client_the_oldest_output_gives_way),
      RUN(with_a_client_that_stalls_the_guest_waits),
      RUN(too_many_processes_are_refused), RUN(lies_hurt_the_liar_only),
      RUN(ten_gigabytes_of_output_at_full_speed))
