// SPDX-License-Identifier: Apache-2.0
#include "shim/identity.h"

#include <jansson.h>
#include <time.h>

#include "base/clock.h"
#include "tap.h"

TEST(times_are_rfc_3339)
{
	char text[IDENTITY_TIME_BYTES];

	identity_time(0, text);
	CHECK_STR(text, "1970-01-01T00:00:00.000000000Z");
	identity_time(UINT64_C(951782399999999999), text);
	CHECK_STR(text, "2000-02-28T23:59:59.999999999Z");
	identity_time(UINT64_C(951782400000000000), text);
	CHECK_STR(text, "2000-02-29T00:00:00.000000000Z");
	identity_time(UINT64_C(4107542400000000001), text);
	CHECK_STR(text, "2100-03-01T00:00:00.000000001Z");
}

TEST(they_agree_with_libc)
{
	for (time_t s = 0; s < (time_t)9000000000; s += 86400 * 13 + 4567) {
		char ours[IDENTITY_TIME_BYTES];
		char theirs[IDENTITY_TIME_BYTES];
		struct tm tm;

		identity_time((uint64_t)s * NS_PER_S, ours);
		(void)strftime(theirs, sizeof(theirs),
			       "%Y-%m-%dT%H:%M:%S.000000000Z",
			       gmtime_r(&s, &tm));
		CHECK_STR(ours, theirs);
	}
}

static const char *text_of(json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));

	return text != NULL ? text : "(none)";
}

TEST(an_identity_is_fresh_each_time)
{
	struct sandbox_spec spec = { .id = "0123456789abcdef0123",
				     .hostname = "h",
				     .token = "t",
				     .disk_mib = 3 };
	struct buf first = BUF_EMPTY(100000);
	struct buf second = BUF_EMPTY(100000);
	json_t *a = NULL;
	json_t *b = NULL;

	CHECK_EQ(identity_put(&spec, &first), 0);
	CHECK_EQ(identity_put(&spec, &second), 0);
	a = json_loadb((char *)first.ptr, first.len, 0, NULL);
	b = json_loadb((char *)second.ptr, second.len, 0, NULL);
	CHECK_STR(text_of(a, "id"), spec.id);
	CHECK_EQ(strlen(text_of(a, "entropy")), 88);
	CHECK_EQ(strlen(text_of(a, "machineId")), 32);
	CHECK(strcmp(text_of(a, "entropy"), text_of(b, "entropy")) != 0);
	CHECK(strcmp(text_of(a, "machineId"), text_of(b, "machineId")) != 0);
	CHECK_EQ(json_integer_value(json_object_get(a, "diskBytes")), 3145728);
	CHECK(json_is_object(json_object_get(a, "envVars")));
	json_decref(a);
	json_decref(b);
	buf_fini(&first);
	buf_fini(&second);
}

TESTS(RUN(times_are_rfc_3339), RUN(they_agree_with_libc),
      RUN(an_identity_is_fresh_each_time))
