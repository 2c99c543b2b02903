// SPDX-License-Identifier: Apache-2.0
// Births and ends of a sandbox, with a stub engine: each end has its cause.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"
#include "tap.h"

TEST(an_agent_is_named_and_serves)
{
	struct sandbox s;
	static struct reply r;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	CHECK(strstr(s.message, "\"restored\":false") != NULL);
	sandbox_ask(&s, "GET", "/health", NULL, &r);
	CHECK_EQ(r.status, 204);
	sandbox_order(&s, "{\"stop\":\"exited\"}");
	CHECK(sandbox_ended(&s, "exited", 5000));
	sandbox_fini(&s);
}

/* Larger than what a call takes at once, or the wire's window. */
TEST(a_large_environment_reaches_the_agent)
{
	enum { VARIABLES = 6000 };
	static char env[VARIABLES * 120];
	struct sandbox s;
	size_t n = 1;

	env[0] = '{';
	for (int i = 0; i < VARIABLES; i++)
		n += (size_t)snprintf(env + n, sizeof(env) - n,
				      "\"V%d\":\"%064d%32d\"%s", i, i, i,
				      i + 1 < VARIABLES ? "," : "}");
	sandbox_describe(&s, "good");
	s.spec.env_json = env;
	sandbox_launch(&s);
	CHECK(sandbox_next(&s, 10000));
	CHECK(strstr(s.message, "\"ready\"") != NULL);
	sandbox_order(&s, "{\"stop\":\"exited\"}");
	CHECK(sandbox_ended(&s, "exited", 5000));
	s.spec.env_json = NULL;
	sandbox_fini(&s);
}

TEST(the_launcher_s_end_kills)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	(void)shutdown(s.control, SHUT_WR);
	CHECK(sandbox_ended(&s, "killed", 5000));
	sandbox_fini(&s);
}

TEST(a_signal_to_the_keeper_kills)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	(void)kill(s.keeper, SIGTERM);
	CHECK(sandbox_ended(&s, "killed", 5000));
	sandbox_fini(&s);
}

TEST(a_killed_engine_has_failed)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	(void)kill(child_of(sandbox_shim(&s)), SIGKILL);
	CHECK(sandbox_ended(&s, "engine_failed", 5000));
	CHECK(strstr(s.message, "killed by signal 9") != NULL);
	CHECK(strstr(s.message, "agent: good") != NULL); /* its console */
	sandbox_fini(&s);
}

TEST(a_killed_shim_is_the_host_s_fault)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	(void)kill(sandbox_shim(&s), SIGKILL);
	CHECK(sandbox_ended(&s, "host", 5000));
	CHECK(strstr(s.message, "the shim was killed by signal 9") != NULL);
	sandbox_fini(&s);
}

TEST(time_and_idleness_end_it)
{
	struct sandbox s;

	sandbox_describe(&s, "good");
	s.spec.timeout_s = 1;
	sandbox_launch(&s);
	CHECK(sandbox_ended(&s, "timeout", 5000));
	sandbox_fini(&s);

	sandbox_describe(&s, "good");
	s.spec.idle_s = 1;
	sandbox_launch(&s);
	CHECK(sandbox_ended(&s, "idle", 5000));
	sandbox_fini(&s);
}

TEST(a_template_s_guest_is_saved)
{
	struct sandbox s;

	if (!CHECK(sandbox_start(&s, "good")))
		return;
	sandbox_order(&s, "{\"save\":true}");
	CHECK(sandbox_next(&s, 5000));
	CHECK_STR(s.message, "{\"event\":\"saved\"}");
	sandbox_order(&s, "{\"stop\":\"killed\"}");
	CHECK(sandbox_ended(&s, "killed", 5000));
	sandbox_fini(&s);
}

TEST(a_bad_specification_is_told)
{
	struct sandbox s;

	sandbox_describe(&s, "good");
	(void)snprintf(s.spec.engine, sizeof(s.spec.engine), "warp");
	sandbox_launch(&s);
	CHECK(sandbox_ended(&s, "host", 5000));
	CHECK(strstr(s.message,
		     "cannot start the sandbox: this shim has no "
		     "engine \\\"warp\\\"; install the same "
		     "version of caponier and caponier-shim") != NULL);
	sandbox_fini(&s);
}

/* Agents that fail before or at their naming. */
static const struct {
	const char *mode;
	const char *cause;
	const char *detail;
} births[] = {
	{ "exit", "engine_failed", "the engine ended with status 7" },
	{ "bad_magic", "agent_lost", "not the wire's protocol" },
	{ "flood_at_start", "agent_lost", "not the wire's protocol" },
	{ "init_500", "agent_lost", "with status 500" },
	{ "init_garbage", "agent_lost", "no valid answer" },
	{ "frame_flood", "agent_lost", "not the wire's protocol" },
	{ "credit", "agent_lost", "not the wire's protocol" },
	{ "overrun", "agent_lost", "not the wire's protocol" },
	{ "restart", "agent_lost", "began anew" },
};

static int send_request(const struct sandbox *s)
{
	char bytes[REQUEST_BYTES];
	size_t n = sandbox_request(s, bytes, "GET", "/files?path=99999999",
				   NULL, 0);
	int fd = sandbox_dial(s);

	(void)!send(fd, bytes, n, MSG_NOSIGNAL);
	return fd;
}

TEST(hostile_births_end_with_their_cause)
{
	for (size_t i = 0; i < ARRAY_LEN(births); i++) {
		struct sandbox s;
		int fd = -1;

		printf("# %s\n", births[i].mode);
		sandbox_describe(&s, births[i].mode);
		sandbox_launch(&s);
		CHECK(sandbox_next(&s, 5000));
		/* Some act on a stream that is open and not read. */
		if (!s.has_ended)
			fd = send_request(&s);
		CHECK(sandbox_ended(&s, births[i].cause, 5000));
		CHECK(strstr(s.message, births[i].detail) != NULL);
		(void)close(fd);
		sandbox_fini(&s);
	}
}

TEST(silence_ends_at_the_start_limit)
{
	struct sandbox s;
	const char *slow = getenv("SHIM_SLOW_TESTS");

	if (slow == NULL) {
		SKIP("takes 30 s; set SHIM_SLOW_TESTS");
		return;
	}
	sandbox_describe(&s, "silent");
	s.spec.boot = BOOT_RESTORE;
	sandbox_launch(&s);
	CHECK(sandbox_ended(&s, "engine_failed", 40000));
	CHECK(strstr(s.message, "the agent did not answer in 30 s") != NULL);
	sandbox_fini(&s);
}

TESTS(RUN(an_agent_is_named_and_serves),
      RUN(a_large_environment_reaches_the_agent), RUN(the_launcher_s_end_kills),
      RUN(a_signal_to_the_keeper_kills), RUN(a_killed_engine_has_failed),
      RUN(a_killed_shim_is_the_host_s_fault), RUN(time_and_idleness_end_it),
      RUN(a_template_s_guest_is_saved), RUN(a_bad_specification_is_told),
      RUN(hostile_births_end_with_their_cause),
      RUN(silence_ends_at_the_start_limit))
