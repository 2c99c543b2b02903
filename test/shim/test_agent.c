// SPDX-License-Identifier: Apache-2.0
// The real agent behind the real shim: a command from its start to its end.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"
#include "tap.h"

static struct reply r;

static bool start_real(struct sandbox *s)
{
	sandbox_describe(s, "");
	(void)snprintf(s->spec.kernel, sizeof(s->spec.kernel), "%s",
		       getenv("AGENT"));
	sandbox_launch(s);
	if (sandbox_next(s, 10000) && strstr(s->message, "\"ready\"") != NULL)
		return true;
	printf("#   instead of ready: %s\n", s->message);
	return false;
}

static void run(struct sandbox *s, const char *script)
{
	char json[512];
	char body[520] = { 0 };
	char bytes[REQUEST_BYTES];
	int len = snprintf(json, sizeof(json),
			   "{\"process\":{\"cmd\":\"/bin/sh\",\"args\":"
			   "[\"-c\",\"%s\"],\"cwd\":\"/\"},\"stdin\":false}",
			   script);
	size_t n = 0;

	body[3] = (char)(len >> 8);
	body[4] = (char)len;
	memcpy(body + 5, json, (size_t)len);
	/* As root: this machine has no user "user". */
	n = (size_t)snprintf(bytes, sizeof(bytes),
			     "POST /process.Process/Start HTTP/1.1\r\n"
			     "Host: x\r\nX-Access-Token: %s\r\n"
			     "Authorization: Basic cm9vdDo=\r\n"
			     "Content-Type: application/connect+json\r\n"
			     "Content-Length: %d\r\n\r\n",
			     s->spec.token, len + 5);
	memcpy(bytes + n, body, (size_t)len + 5);
	sandbox_exchange(s, bytes, n + (size_t)len + 5, 10000, &r);
}

static bool body_has(const char *text)
{
	if (memmem(r.body, sizeof(r.body), text, strlen(text)) != NULL)
		return true;
	printf("#   no %s in the answer %u\n#   ", text, r.status);
	for (size_t i = 0; i < r.body_len && i < 2000; i++) {
		char c = r.body[i];

		(void)putchar(c >= ' ' && c <= '~' ? c : '.');
	}
	(void)putchar('\n');
	return false;
}

TEST(a_command_s_output_and_status_come_back)
{
	struct sandbox s;

	if (!CHECK(start_real(&s)))
		return;
	run(&s, "echo hi; exit 7");
	CHECK_EQ(r.status, 200);
	CHECK(body_has("{\"start\":{\"pid\":"));
	CHECK(body_has("\"stdout\":\"aGkK\""));
	CHECK(body_has("\"exitCode\":7"));
	sandbox_order(&s, "{\"stop\":\"exited\"}");
	CHECK(sandbox_ended(&s, "exited", 5000));
	sandbox_fini(&s);
}

TEST(health_and_what_is_not_there)
{
	struct sandbox s;

	if (!CHECK(start_real(&s)))
		return;
	sandbox_ask(&s, "GET", "/health", NULL, &r);
	CHECK_EQ(r.status, 204);
	sandbox_ask(&s, "GET", "/files?path=/nonesuch&username=root", NULL, &r);
	CHECK_EQ(r.status, 404);
	sandbox_fini(&s);
}

TESTS(RUN(a_command_s_output_and_status_come_back),
      RUN(health_and_what_is_not_there))
