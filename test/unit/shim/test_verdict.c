// SPDX-License-Identifier: Apache-2.0
#include "shim/verdict.h"

#include "tap.h"

TEST(the_first_cause_stays)
{
	struct verdict v = { 0 };

	verdict_set(&v, CAUSE_IDLE, "no request for %u s", 5);
	verdict_set(&v, CAUSE_HOST, "late");
	CHECK_EQ(v.cause, CAUSE_IDLE);
	CHECK_STR(v.detail, "no request for 5 s");
}

TEST(a_verdict_comes_back)
{
	struct verdict v = { 0 };
	struct verdict back = { 0 };
	struct buf json = BUF_EMPTY(VERDICT_MESSAGE_BYTES);

	verdict_set(&v, CAUSE_MEMORY, "a \"quoted\" \\ word");
	CHECK_EQ(verdict_put(&v, NULL, &json), 0);
	CHECK_EQ(verdict_parse(buf_span(&json), &back), 0);
	CHECK_EQ(back.cause, CAUSE_MEMORY);
	CHECK_STR(back.detail, v.detail);
	json.len = 0;
	CHECK_EQ(verdict_put(&v, "ended", &json), 0);
	CHECK_STR(buf_cstr(&json), "{\"event\":\"ended\",\"cause\":\"memory\","
				   "\"detail\":\"a \\\"quoted\\\" \\\\ "
				   "word\"}");
	buf_fini(&json);
}

TEST(the_worst_detail_fits_a_message)
{
	struct verdict v = { 0 };
	struct buf json = BUF_EMPTY(VERDICT_MESSAGE_BYTES);
	char worst[2 * VERDICT_DETAIL_BYTES];

	memset(worst, '"', sizeof(worst));
	worst[sizeof(worst) - 1] = '\0';
	verdict_set(&v, CAUSE_HOST, "%s", worst);
	CHECK_EQ(strlen(v.detail), VERDICT_DETAIL_BYTES - 1);
	CHECK_EQ(verdict_put(&v, "ended", &json), 0);
	CHECK(json.len < VERDICT_MESSAGE_BYTES);
	buf_fini(&json);
}

TEST(what_is_not_printable_is_shown_as_such)
{
	struct verdict v = { 0 };

	verdict_set(&v, CAUSE_HOST, "a\x1b[1m\xff\nb");
	CHECK_STR(v.detail, "a?[1m??b");
}

TEST(other_texts_are_no_verdicts)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"cause\":\"bored\",\"detail\":\"\"}",
		"{\"cause\":\"host\"}",
	};
	struct verdict v = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK_EQ(verdict_parse(span_str(texts[i]), &v), -EBADMSG);
	CHECK_EQ(v.cause, CAUSE_NONE);
}

TESTS(RUN(the_first_cause_stays), RUN(a_verdict_comes_back),
      RUN(the_worst_detail_fits_a_message),
      RUN(what_is_not_printable_is_shown_as_such),
      RUN(other_texts_are_no_verdicts))
