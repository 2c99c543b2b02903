// SPDX-License-Identifier: Apache-2.0
// The body of POST /init: taken whole or not at all.

#include "agent/identity.h"

#include "base/mem.h"
#include "tap.h"

static const char GOOD[] =
	"{\"id\":\"i1\",\"template\":\"base\",\"hostname\":\"box-1\","
	"\"token\":\"secret\",\"timestamp\":\"2026-11-24T10:11:12.5Z\","
	"\"entropy\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\","
	"\"machineId\":\"0123456789abcdef0123456789abcdef\","
	"\"envVars\":{\"A\":\"b\",\"E2B_SANDBOX\":\"mine\"},"
	"\"defaultUser\":\"user\",\"defaultWorkdir\":\"/home/user\","
	"\"diskBytes\":4096,\"unknown\":[1]}";

TEST(a_good_one_is_taken)
{
	struct identity id = { 0 };
	struct err e = { 0 };

	CHECK_EQ(identity_parse(span_str(GOOD), &id, &e), 0);
	CHECK_STR(id.id, "i1");
	CHECK_STR(id.hostname, "box-1");
	CHECK_STR(id.token, "secret");
	CHECK_EQ(id.disk_bytes, 4096);
	CHECK_EQ(id.wall.tv_sec, 1795515072);
	CHECK_EQ(id.wall.tv_nsec, 500000000);
	CHECK_STR(json_string_value(json_object_get(id.env, "A")), "b");
	CHECK_STR(json_string_value(json_object_get(id.env, "E2B_SANDBOX")),
		  "mine");
	CHECK_STR(json_string_value(json_object_get(id.env, "E2B_SANDBOX_ID")),
		  "i1");
	identity_fini(&id);
}

/* GOOD with one member's value replaced, or taken away with "" */
static void check_bad(const char *member, const char *value)
{
	json_t *body = json_loads(GOOD, 0, NULL);
	struct identity id = { 0 };
	struct err e = { 0 };
	char want[256];
	char *text = NULL;

	if (value[0] == '\0')
		(void)json_object_del(body, member);
	else
		(void)json_object_set_new(
			body, member, json_loads(value, JSON_DECODE_ANY, NULL));
	text = json_dumps(body, 0);
	CHECK_EQ(identity_parse(span_str(text), &id, &e), -EINVAL);
	(void)snprintf(want, sizeof(want),
		       "cannot take the identity: \"%s\" is missing or wrong; "
		       "send what docs/design/0001 lists",
		       member);
	CHECK_STR(e.text, want);
	CHECK(!id.is_known && id.env == NULL);
	mem_free(text);
	json_decref(body);
}

TEST(each_member_is_checked)
{
	static const struct {
		const char *member;
		const char *value;
	} cases[] = {
		{ "id", "" },
		{ "id", "7" },
		{ "token", "\"\"" },
		{ "hostname", "\"a b\"" },
		{ "hostname", "\"-a\"" },
		{ "hostname", "\"a\\nb\"" },
		{ "machineId", "\"0123\"" },
		{ "machineId", "\"0123456789abcdef0123456789abcdeX\"" },
		{ "timestamp", "" },
		{ "timestamp", "\"yesterday\"" },
		{ "entropy", "\"AAAA\"" },
		{ "entropy", "\"!\"" },
		{ "defaultWorkdir", "\"relative\"" },
		{ "diskBytes", "-1" },
		{ "diskBytes", "\"7\"" },
		{ "envVars", "[]" },
		{ "envVars", "{\"A=B\":\"c\"}" },
		{ "envVars", "{\"A\":1}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_bad(cases[i].member, cases[i].value);
}

TEST(times)
{
	struct timespec t = { 0 };

	CHECK_EQ(identity_parse_time(span_str("1970-01-01T00:00:00Z"), &t), 0);
	CHECK_EQ(t.tv_sec, 0);
	CHECK_EQ(identity_parse_time(
			 span_str("2024-02-29T23:59:59.123456789012Z"), &t),
		 0);
	CHECK_EQ(t.tv_sec, 1709251199);
	CHECK_EQ(t.tv_nsec, 123456789);
	CHECK_EQ(identity_parse_time(span_str("1969-01-01T00:00:00Z"), &t),
		 -EINVAL);
	CHECK_EQ(identity_parse_time(span_str("2024-01-01T00:00:00"), &t),
		 -EINVAL);
	CHECK_EQ(identity_parse_time(span_str("2024-01-01T00:00:00.Z"), &t),
		 -EINVAL);
	CHECK_EQ(identity_parse_time(span_str("2024-13-01T00:00:00Z"), &t),
		 -EINVAL);
	CHECK_EQ(identity_parse_time(span_str("2024-1-01T00:00:00Z"), &t),
		 -EINVAL);
}

TESTS(RUN(a_good_one_is_taken), RUN(each_member_is_checked), RUN(times))
