// SPDX-License-Identifier: Apache-2.0
// A real agent behind a socket pair: what clients rely on.
//
// The agent runs with --test-no-identity in namespaces of its own (see
// meson.build), so that nothing of this machine is changed.

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "wire/base64.h"
#include "wire/connect.h"

#define START "/process.Process/Start"

TEST(nothing_is_served_before_the_identity)
{
	struct bench b;

	bench_begin(&b, false);
	CHECK_EQ(client_call(&b.client, "GET", "/health", NULL, NULL), 503);
	CHECK_EQ(client_call(&b.client, "POST", "/process.Process/List", "{}",
			     NULL),
		 503);
	CHECK_EQ(client_call(&b.client, "POST", "/init", "{}", NULL), 400);
	CHECK_EQ(client_call(&b.client, "GET", "/health", NULL, NULL), 503);
	CHECK_EQ(client_identify(&b.client), 204);
	CHECK_EQ(client_call(&b.client, "GET", "/health", NULL, NULL), 204);
	bench_end(&b);
}

TEST(a_second_identity_is_refused)
{
	struct bench b;

	bench_begin(&b, true);
	CHECK_EQ(client_identify(&b.client), 409);
	bench_end(&b);
}

TEST(the_token_is_required)
{
	struct bench b;

	bench_begin(&b, true);
	b.client.token[0] ^= 1;
	CHECK_EQ(client_call(&b.client, "GET", "/envs", NULL, NULL), 401);
	CHECK_EQ(client_call(&b.client, "GET", "/health", NULL, NULL), 204);
	b.client.token[0] = '\0';
	CHECK_EQ(client_call(&b.client, "GET", "/envs", NULL, NULL), 401);
	bench_end(&b);
}

TEST(unknown_paths_and_methods)
{
	struct bench b;

	bench_begin(&b, true);
	CHECK_EQ(client_call(&b.client, "GET", "/nothing", NULL, NULL), 404);
	CHECK_EQ(client_call(&b.client, "GET", START, NULL, NULL), 405);
	bench_end(&b);
}

TEST(exit_codes_and_signals)
{
	struct bench b;
	struct outcome o;

	bench_begin(&b, true);
	client_run(&b.client, "exit 0", &o);
	CHECK_EQ(o.exit_code, 0);
	CHECK_STR(o.status, "exit status 0");
	outcome_fini(&o);
	client_run(&b.client, "exit 7", &o);
	CHECK_EQ(o.exit_code, 7);
	CHECK_STR(o.status, "exit status 7");
	outcome_fini(&o);
	client_run(&b.client, "kill -9 $$", &o);
	CHECK_EQ(o.exit_code, -1);
	CHECK_EQ(o.signal, 9);
	CHECK_STR(o.status, "signal: killed");
	outcome_fini(&o);
	bench_end(&b);
}

TEST(stdout_and_stderr_are_apart_and_in_order)
{
	struct bench b;
	struct outcome o;
	char line[32];
	size_t at = 0;
	bool is_in_order = true;

	bench_begin(&b, true);
	client_run(&b.client,
		   "i=0; while [ $i -lt 3000 ]; do echo o$i; echo e$i >&2; "
		   "i=$((i+1)); done",
		   &o);
	CHECK_EQ(o.exit_code, 0);
	CHECK_EQ(o.out.len, o.err.len);
	for (int i = 0; i < 3000 && is_in_order; i++) {
		int n = snprintf(line, sizeof(line), "o%d\n", i);

		is_in_order = at + (size_t)n <= o.out.len &&
			      memcmp(o.out.ptr + at, line, (size_t)n) == 0;
		line[0] = 'e';
		is_in_order = is_in_order &&
			      memcmp(o.err.ptr + at, line, (size_t)n) == 0;
		at += (size_t)n;
	}
	CHECK(is_in_order);
	outcome_fini(&o);
	bench_end(&b);
}

static void be(struct bench *b, const char *user)
{
	(void)snprintf(b->client.user, sizeof(b->client.user), "%s", user);
}

TEST(environment_user_and_directory)
{
	struct bench b;
	struct outcome o;
	struct reply *r = NULL;

	bench_begin(&b, true);
	client_run(&b.client,
		   "echo $GREETING $E2B_SANDBOX $E2B_SANDBOX_ID $HOME $USER; "
		   "pwd; id -u",
		   &o);
	CHECK(is_text(&o.out, "hello there true itest /root root\n/tmp\n0\n"));
	outcome_fini(&o);
	r = client_stream(&b.client, START,
			  "{\"process\":{\"cmd\":\"sh\",\"args\":[\"-c\","
			  "\"echo $GREETING; pwd\"],\"envs\":{\"GREETING\":"
			  "\"own\"},\"cwd\":\"/usr/../etc\"}}");
	reply_outcome(r, &o);
	CHECK(is_text(&o.out, "own\n/etc\n"));
	outcome_fini(&o);
	reply_free(r);
	be(&b, "nobody");
	client_run(&b.client, "id -un; id -u", &o);
	CHECK(is_text(&o.out, "nobody\n65534\n"));
	outcome_fini(&o);
	bench_end(&b);
}

static void expect_error(struct bench *b, const char *message, const char *code,
			 const char *text)
{
	struct reply *r = client_stream(&b->client, START, message);
	struct outcome o;

	reply_outcome(r, &o);
	CHECK_EQ(r->status, 200);
	CHECK_STR(o.error, code);
	CHECK_STR(o.message, text);
	outcome_fini(&o);
	reply_free(r);
}

TEST(what_cannot_start_says_why)
{
	struct bench b;

	bench_begin(&b, true);
	expect_error(&b,
		     "{\"process\":{\"cmd\":\"true\",\"cwd\":\"/no/such\"}}",
		     "invalid_argument", "cwd '/no/such' does not exist");
	expect_error(&b, "{\"process\":{\"cmd\":\"/no/such\"}}",
		     "invalid_argument",
		     "error starting process '/no/such': No such file or "
		     "directory");
	expect_error(&b, "{}", "invalid_argument", "process is missing");
	be(&b, "nosuch");
	expect_error(&b, "{\"process\":{\"cmd\":\"true\"}}", "unauthenticated",
		     "invalid username: 'nosuch'");
	bench_end(&b);
}

/* The pid in the start event that comes next. */
static int next_pid(struct reply *r)
{
	json_t *event = reply_event(r);
	int pid = (int)json_integer_value(json_object_get(
		json_object_get(json_object_get(event, "event"), "start"),
		"pid"));

	if (pid == 0) {
		char *text = json_dumps(event, JSON_COMPACT);

		printf("# no start event but %.80s\n", text);
		mem_free(text);
	}
	json_decref(event);
	return pid;
}

PRINTF(3, 4)
static unsigned call(struct bench *b, const char *target, const char *fmt, ...)
{
	char body[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(body, sizeof(body), fmt, ap);
	va_end(ap);
	return client_call(&b->client, "POST", target, body, NULL);
}

TEST(signals_by_every_name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "SIGHUP", SIGHUP },	{ "SIGINT", SIGINT },
		{ "SIGUSR1", SIGUSR1 }, { "SIGTERM", SIGTERM },
		{ "SIGKILL", SIGKILL }, { "SIGPWR", SIGPWR },
	};
	struct bench b;

	bench_begin(&b, true);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct reply *r = client_stream(
			&b.client, START,
			"{\"process\":{\"cmd\":\"sleep\",\"args\":[\"60\"]}}");
		int pid = next_pid(r);
		struct outcome o;

		CHECK_EQ(call(&b, "/process.Process/SendSignal",
			      "{\"process\":{\"pid\":%d},\"signal\":"
			      "\"SIGNAL_%s\"}",
			      pid, signals[i].name),
			 200);
		reply_outcome(r, &o);
		CHECK_EQ(o.signal, signals[i].number);
		outcome_fini(&o);
		reply_free(r);
	}
	CHECK_EQ(
		call(&b, "/process.Process/SendSignal",
		     "{\"process\":{\"pid\":1},\"signal\":\"SIGNAL_SIGTERM\"}"),
		404);
	bench_end(&b);
}

TEST(a_time_out_kills)
{
	struct bench b;
	struct outcome o;
	uint64_t before = clock_boot_ns();

	bench_begin(&b, true);
	b.client.timeout_ms = 200;
	client_run(&b.client, "sleep 60", &o);
	CHECK_STR(o.error, "deadline_exceeded");
	CHECK(clock_boot_ns() - before < 10 * NS_PER_S);
	outcome_fini(&o);
	bench_end(&b);
}

static void put_input(struct buf *out, struct span bytes)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(1048576);

	if (buf_put_str(&text, "{\"data\":{\"input\":{\"stdin\":\"") < 0 ||
	    base64_put(&text, bytes) < 0 || buf_put_str(&text, "\"}}}") < 0 ||
	    connect_put(out, 0, buf_span(&text)) < 0)
		abort();
}

TEST(ten_megabytes_through_cat_are_identical)
{
	enum { TOTAL = 10485760, PIECE = 65536 };
	static uint8_t bytes[TOTAL];
	CLEANUP(buf_fini) struct buf messages = BUF_EMPTY(33554432);
	struct bench b;
	struct reply *cat = NULL;
	struct reply *input = NULL;
	struct outcome o;
	char start[128];
	int pid = 0;

	if (rng_fill(bytes, sizeof(bytes)) < 0)
		abort();
	bench_begin(&b, true);
	cat = client_stream(&b.client, START,
			    "{\"process\":{\"cmd\":\"cat\"}}");
	pid = next_pid(cat);
	(void)snprintf(start, sizeof(start),
		       "{\"start\":{\"process\":{\"pid\":%d}}}", pid);
	CHECK_EQ(connect_put(&messages, 0, span_str(start)), 0);
	for (size_t at = 0; at < TOTAL; at += PIECE)
		put_input(&messages, span_of(bytes + at, PIECE));
	input = client_request(&b.client, "POST",
			       "/process.Process/StreamInput",
			       "application/connect+json", buf_span(&messages),
			       false);
	CHECK(reply_wait(input));
	CHECK_EQ(call(&b, "/process.Process/CloseStdin",
		      "{\"process\":{\"pid\":%d}}", pid),
		 200);
	reply_outcome(cat, &o);
	CHECK_EQ(o.exit_code, 0);
	CHECK_EQ(o.out.len, TOTAL);
	CHECK(o.out.len == TOTAL && memcmp(o.out.ptr, bytes, TOTAL) == 0);
	outcome_fini(&o);
	reply_free(input);
	reply_free(cat);
	bench_end(&b);
}

TEST(stream_input_arrives_as_it_is_sent)
{
	CLEANUP(buf_fini) struct buf message = BUF_EMPTY(65536);
	struct bench b;
	struct reply *cat = NULL;
	struct reply *input = NULL;
	json_t *event = NULL;
	char start[128];
	int pid = 0;

	bench_begin(&b, true);
	cat = client_stream(&b.client, START,
			    "{\"process\":{\"cmd\":\"cat\"}}");
	pid = next_pid(cat);
	(void)snprintf(start, sizeof(start),
		       "{\"start\":{\"process\":{\"pid\":%d}}}", pid);
	CHECK_EQ(connect_put(&message, 0, span_str(start)), 0);
	put_input(&message, span_str("one"));
	input = client_request(&b.client, "POST",
			       "/process.Process/StreamInput",
			       "application/connect+json", buf_span(&message),
			       true);
	event = reply_event(cat); /* though the request is still open */
	CHECK(event != NULL);
	json_decref(event);
	reply_close(input);
	CHECK(reply_wait(input));
	reply_free(input);

	/* A process that is not there: answered at once, body still open. */
	message.len = 0;
	CHECK_EQ(connect_put(&message, 0,
			     span_str("{\"start\":{\"process\":{\"pid\":1}}}")),
		 0);
	input = client_request(&b.client, "POST",
			       "/process.Process/StreamInput",
			       "application/connect+json", buf_span(&message),
			       true);
	event = reply_event(input);
	CHECK_STR(json_string_value(json_object_get(
			  json_object_get(event, "error"), "code")),
		  "not_found");
	json_decref(event);
	reply_free(input);
	reply_free(cat);
	bench_end(&b);
}

TEST(a_terminal_is_one_and_resizes)
{
	struct bench b;
	struct reply *r = NULL;
	struct outcome o;
	json_t *event = NULL;
	int pid = 0;

	bench_begin(&b, true);
	r = client_stream(
		&b.client, START,
		"{\"process\":{\"cmd\":\"/bin/bash\",\"args\":[\"-c\",\"trap "
		"'stty size; exit 3' WINCH; stty size; tty; echo ready; while "
		":; do sleep 0.1; done\"]},\"pty\":{\"size\":{\"cols\":80,"
		"\"rows\":24}}}");
	pid = next_pid(r);
	event = reply_event(r);
	CHECK(event != NULL);
	json_decref(event);
	/* The trap is set before anything is printed. */
	CHECK_EQ(call(&b, "/process.Process/Update",
		      "{\"process\":{\"pid\":%d},\"pty\":{\"size\":{\"cols\":"
		      "132,\"rows\":43}}}",
		      pid),
		 200);
	reply_outcome(r, &o);
	CHECK_EQ(o.exit_code, 3);
	CHECK(buf_cstr(&o.out) != NULL &&
	      strstr(buf_cstr(&o.out), "43 132\r\n") != NULL);
	outcome_fini(&o);
	reply_free(r);
	bench_end(&b);
}

TEST(terminal_input_and_end_of_file)
{
	struct bench b;
	struct reply *r = NULL;
	struct outcome o;
	int pid = 0;

	bench_begin(&b, true);
	r = client_stream(&b.client, START,
			  "{\"process\":{\"cmd\":\"cat\"},\"pty\":{\"size\":{"
			  "\"cols\":80,\"rows\":24}}}");
	pid = next_pid(r);
	/* "hi\n" and Ctrl-D */
	CHECK_EQ(call(&b, "/process.Process/SendInput",
		      "{\"process\":{\"pid\":%d},\"input\":{\"pty\":"
		      "\"aGkKBA==\"}}",
		      pid),
		 200);
	CHECK_EQ(call(&b, "/process.Process/CloseStdin",
		      "{\"process\":{\"pid\":%d}}", pid),
		 400);
	reply_outcome(r, &o);
	CHECK_EQ(o.exit_code, 0);
	CHECK(is_text(&o.out, "hi\r\nhi\r\n"));
	outcome_fini(&o);
	reply_free(r);
	bench_end(&b);
}

TEST(a_background_child_holds_nobody_up)
{
	struct bench b;
	struct outcome o;
	uint64_t before = clock_boot_ns();

	bench_begin(&b, true);
	client_run(&b.client, "sleep 30 & echo done", &o);
	CHECK_EQ(o.exit_code, 0);
	CHECK(is_text(&o.out, "done\n"));
	outcome_fini(&o);
	client_run(&b.client, "yes & echo done", &o);
	CHECK_EQ(o.exit_code, 0);
	outcome_fini(&o);
	CHECK(clock_boot_ns() - before < 10 * NS_PER_S);
	/* The noisy one is still there, and starves nobody. */
	client_run(&b.client, "pkill yes; pkill sleep; echo still", &o);
	CHECK(is_text(&o.out, "still\n"));
	outcome_fini(&o);
	bench_end(&b);
}

TEST(a_process_survives_its_client)
{
	struct bench b;
	struct reply *r = NULL;
	struct outcome o;
	json_t *list = NULL;
	char body[128];
	int pid = 0;

	bench_begin(&b, true);
	r = client_stream(
		&b.client, START,
		"{\"process\":{\"cmd\":\"sh\",\"args\":[\"-c\",\"read "
		"x; echo got $x; exit 5\"]},\"tag\":\"mine\"}");
	pid = next_pid(r);
	reply_free(r);
	CHECK_EQ(client_call(&b.client, "POST", "/process.Process/List", "{}",
			     &list),
		 200);
	CHECK_EQ(json_array_size(json_object_get(list, "processes")), 1);
	json_decref(list);
	r = client_stream(&b.client, "/process.Process/Connect",
			  "{\"process\":{\"tag\":\"mine\"}}");
	CHECK_EQ(next_pid(r), pid);
	CHECK_EQ(call(&b, "/process.Process/SendInput",
		      "{\"process\":{\"pid\":%d},\"input\":{\"stdin\":"
		      "\"aGkK\"}}",
		      pid),
		 200);
	reply_outcome(r, &o);
	CHECK_EQ(o.exit_code, 5);
	CHECK(is_text(&o.out, "got hi\n"));
	outcome_fini(&o);
	reply_free(r);
	/* Its end is kept for a late client. */
	(void)snprintf(body, sizeof(body), "{\"process\":{\"pid\":%d}}", pid);
	r = client_stream(&b.client, "/process.Process/Connect", body);
	reply_outcome(r, &o);
	CHECK_EQ(o.exit_code, 5);
	outcome_fini(&o);
	reply_free(r);
	bench_end(&b);
}

static uint64_t agent_rss_kib(pid_t pid)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(16384);
	char path[64];
	const char *at = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_file(AT_FDCWD, path, &text) < 0 || buf_cstr(&text) == NULL)
		return 0;
	at = strstr((const char *)text.ptr, "VmRSS:");
	return at == NULL ? 0 : strtoull(at + 6, NULL, 10);
}

TEST(a_stalled_reader_costs_the_agent_nothing)
{
	struct bench b;
	struct reply *r = NULL;
	uint64_t before = 0;
	uint64_t after = 0;

	bench_begin(&b, true);
	r = client_stream(&b.client, START, "{\"process\":{\"cmd\":\"yes\"}}");
	CHECK(next_pid(r) > 0);
	r->is_stalled = true;
	for (int i = 0; i < 30; i++)
		client_step(&b.client, 10);
	before = agent_rss_kib(b.agent);
	for (int i = 0; i < 100; i++)
		client_step(&b.client, 10);
	after = agent_rss_kib(b.agent);
	CHECK(before != 0);
	CHECK(after <= before + 64);
	/* Others are served meanwhile. */
	CHECK_EQ(client_call(&b.client, "GET", "/health", NULL, NULL), 204);
	reply_free(r);
	bench_end(&b);
}

static int count_fds(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	return count_entries(path);
}

TEST(a_thousand_processes_leak_nothing)
{
	struct bench b;
	struct outcome o;
	int before = 0;
	int failures = 0;
	uint64_t began = 0;

	bench_begin(&b, true);
	client_run(&b.client, ":", &o);
	outcome_fini(&o);
	before = count_fds(b.agent);
	began = clock_boot_ns();
	for (int i = 0; i < 1000; i++) {
		client_run(&b.client, "exit 3", &o);
		failures += o.exit_code != 3;
		outcome_fini(&o);
	}
	printf("# %ju us a process\n",
	       (uintmax_t)((clock_boot_ns() - began) / 1000000));
	CHECK_EQ(failures, 0);
	CHECK_EQ(count_fds(b.agent), before);
	printf("# agent VmRSS %ju KiB\n", (uintmax_t)agent_rss_kib(b.agent));
	bench_end(&b);
}

TEST(many_at_once)
{
	struct bench b;
	struct reply *r[64];
	struct outcome o;
	int failures = 0;

	bench_begin(&b, true);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		r[i] = client_stream(&b.client, START,
				     "{\"process\":{\"cmd\":\"sh\",\"args\":["
				     "\"-c\",\"head -c 300000 /dev/zero\"]}}");
	for (size_t i = 0; i < ARRAY_LEN(r); i++) {
		reply_outcome(r[i], &o);
		failures += o.exit_code != 0 || o.out.len != 300000;
		outcome_fini(&o);
		reply_free(r[i]);
	}
	CHECK_EQ(failures, 0);
	bench_end(&b);
}

TEST(streams_to_nowhere_are_refused)
{
	struct bench b;
	struct reply *r = NULL;

	bench_begin(&b, true);
	r = client_raw(&b.client, "tcp:1");
	CHECK(!reply_wait(r));
	CHECK(r->is_failed);
	reply_free(r);
	r = client_raw(&b.client, "elsewhere");
	CHECK(!reply_wait(r));
	CHECK(r->is_failed);
	reply_free(r);
	bench_end(&b);
}

TEST(a_new_epoch_forgets_the_old_one)
{
	struct bench b;
	struct client old;
	struct reply *r = NULL;
	int pid = 0;
	uint64_t deadline = clock_boot_ns() + 5 * NS_PER_S;

	bench_begin(&b, true);
	r = client_stream(
		&b.client, START,
		"{\"process\":{\"cmd\":\"sleep\",\"args\":[\"77\"]}}");
	pid = next_pid(r);
	CHECK(pid > 0 && kill(pid, 0) == 0);
	/* A shim that takes over: the same wire, another epoch. */
	old = b.client;
	client_init(&b.client, old.fd, 8);
	while (b.client.epoch_seen != 8 && clock_boot_ns() < deadline)
		client_step(&b.client, 100);
	CHECK_EQ(b.client.epoch_seen, 8);
	while (kill(pid, 0) == 0 && clock_boot_ns() < deadline)
		client_step(&b.client, 10);
	CHECK_EQ(kill(pid, 0), -1);
	CHECK_EQ(client_call(&b.client, "GET", "/health", NULL, NULL), 503);
	CHECK_EQ(client_identify(&b.client), 204);
	CHECK_EQ(client_call(&b.client, "GET", "/envs", NULL, NULL), 200);
	/* What the old client held is freed with it. */
	old.fd = -1;
	client_fini(&old);
	bench_end(&b);
}

TEST(a_local_server_is_reached)
{
	struct bench b;
	struct outcome o;
	struct reply *server = NULL;
	struct reply *r = NULL;
	static uint8_t bytes[1048576];

	if (rng_fill(bytes, sizeof(bytes)) < 0)
		abort();
	bench_begin(&b, true);
	/* An echo server that says when it listens; IPv6 only. */
	server = client_stream(
		&b.client, START,
		"{\"process\":{\"cmd\":\"python3\",\"args\":[\"-c\","
		"\"import socket,sys\\n"
		"s=socket.create_server(('::1',18765),family=socket.AF_INET6)"
		"\\nprint('up',flush=True)\\nc=s.accept()[0]\\nwhile True:\\n"
		" d=c.recv(65536)\\n if not d: break\\n c.sendall(d)\"]}}");
	CHECK(next_pid(server) > 0);
	json_decref(reply_event(server));
	r = client_raw(&b.client, "tcp:18765");
	reply_send(r, span_of(bytes, sizeof(bytes)));
	while (r->body.len < sizeof(bytes) && !r->is_failed)
		client_step(&b.client, 100);
	CHECK_EQ(r->body.len, sizeof(bytes));
	CHECK(r->body.len == sizeof(bytes) &&
	      memcmp(r->body.ptr, bytes, sizeof(bytes)) == 0);
	reply_close(r); /* the end of our side ends the server */
	CHECK(reply_wait(r));
	reply_outcome(server, &o);
	CHECK_EQ(o.exit_code, 0);
	outcome_fini(&o);
	reply_free(r);
	reply_free(server);
	bench_end(&b);
}

TEST(several_requests_on_one_stream)
{
	static const char TWO[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
				  "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
	struct bench b;
	struct reply *r = NULL;

	bench_begin(&b, true);
	r = client_raw(&b.client, "agent");
	reply_send(r, span_str(TWO));
	reply_close(r); /* half closed: answered all the same */
	CHECK(reply_wait(r));
	CHECK(is_text(&r->body, "HTTP/1.1 204 No Content\r\n\r\n"
				"HTTP/1.1 204 No Content\r\n\r\n"));
	reply_free(r);
	r = client_raw(&b.client, "agent");
	reply_send(r, span_str("nonsense\r\n\r\n"));
	CHECK(reply_wait(r));
	CHECK(r->body.len > 12 && memcmp(r->body.ptr, "HTTP/1.1 400", 12) == 0);
	reply_free(r);
	bench_end(&b);
}

TESTS(RUN(nothing_is_served_before_the_identity),
      RUN(a_second_identity_is_refused), RUN(the_token_is_required),
      RUN(unknown_paths_and_methods), RUN(exit_codes_and_signals),
      RUN(stdout_and_stderr_are_apart_and_in_order),
      RUN(environment_user_and_directory), RUN(what_cannot_start_says_why),
      RUN(signals_by_every_name), RUN(a_time_out_kills),
      RUN(ten_megabytes_through_cat_are_identical),
      RUN(stream_input_arrives_as_it_is_sent),
      RUN(a_terminal_is_one_and_resizes), RUN(terminal_input_and_end_of_file),
      RUN(a_background_child_holds_nobody_up),
      RUN(a_process_survives_its_client),
      RUN(a_stalled_reader_costs_the_agent_nothing),
      RUN(a_thousand_processes_leak_nothing), RUN(many_at_once),
      RUN(streams_to_nowhere_are_refused), RUN(a_new_epoch_forgets_the_old_one),
      RUN(a_local_server_is_reached), RUN(several_requests_on_one_stream))
