// SPDX-License-Identifier: Apache-2.0
// QEMU's protocol: the four shapes, lines in pieces, and everything else.

#include "engine/qemu/qmp.h"

#include "tap.h"

/* What the first line of @text is; the message is freed. */
static int type_of(const char *text)
{
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(qmp_message_fini) struct qmp_message m = { .doc = NULL };
	int r = buf_put_str(&in, text);

	if (r == 0)
		r = qmp_next(&in, &m);
	return r == 1 ? (int)m.type : r == 0 ? -EAGAIN : r;
}

TEST(the_greeting_is_known)
{
	CHECK_EQ(type_of("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, "
			 "\"minor\": 2, \"major\": 7}}, \"capabilities\": "
			 "[\"oob\"]}}\r\n"),
		 QMP_GREETING);
}

TEST(a_return_carries_its_value)
{
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(qmp_message_fini) struct qmp_message m = { .doc = NULL };

	CHECK_EQ(buf_put_str(&in, "{\"return\": {\"status\": \"running\"}, "
				  "\"id\": 1}\r\nrest"),
		 0);
	CHECK_EQ(qmp_next(&in, &m), 1);
	CHECK_EQ(m.type, QMP_RETURN);
	CHECK_STR(json_string_value(json_object_get(m.payload, "status")),
		  "running");
	CHECK(span_is(buf_span(&in), "rest"));
	CHECK_EQ(type_of("{\"return\": {}}\n"), QMP_RETURN);
	CHECK_EQ(type_of("{\"return\": null}\n"), QMP_RETURN);
}

TEST(an_error_carries_its_sentence)
{
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(qmp_message_fini) struct qmp_message m = { .doc = NULL };

	CHECK_EQ(buf_put_str(&in, "{\"error\": {\"class\": \"GenericError\", "
				  "\"desc\": \"no such thing\"}}\n"),
		 0);
	CHECK_EQ(qmp_next(&in, &m), 1);
	CHECK_EQ(m.type, QMP_ERROR);
	CHECK_STR(m.name, "no such thing");
	CHECK_EQ(type_of("{\"error\": {\"class\": \"x\"}}\n"), -EBADMSG);
	CHECK_EQ(type_of("{\"error\": {\"desc\": 1}}\n"), -EBADMSG);
	CHECK_EQ(type_of("{\"error\": \"x\"}\n"), -EBADMSG);
}

TEST(an_event_carries_its_name_and_data)
{
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(qmp_message_fini) struct qmp_message m = { .doc = NULL };

	CHECK_EQ(buf_put_str(&in, "{\"timestamp\": {\"seconds\": 1}, "
				  "\"event\": \"SHUTDOWN\", \"data\": "
				  "{\"guest\": true}}\n"),
		 0);
	CHECK_EQ(qmp_next(&in, &m), 1);
	CHECK_EQ(m.type, QMP_EVENT);
	CHECK_STR(m.name, "SHUTDOWN");
	CHECK(json_is_true(json_object_get(m.payload, "guest")));
	qmp_message_fini(&m);
	CHECK_EQ(buf_put_str(&in, "{\"event\": \"STOP\"}\n"), 0);
	CHECK_EQ(qmp_next(&in, &m), 1);
	CHECK(m.payload == NULL);
	CHECK_EQ(type_of("{\"event\": 7}\n"), -EBADMSG);
}

TEST(lines_arrive_in_pieces_and_together)
{
	static const char TEXT[] = "{\"return\": {}}\n{\"event\": \"A\"}\n";
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(qmp_message_fini) struct qmp_message m = { .doc = NULL };

	for (size_t i = 0; i + 1 < sizeof(TEXT); i++) {
		int want = TEXT[i] == '\n' ? 1 : 0;

		CHECK_EQ(buf_put(&in, span_of(TEXT + i, 1)), 0);
		CHECK_EQ(qmp_next(&in, &m), want);
		qmp_message_fini(&m);
	}
	CHECK_EQ(in.len, 0);
	CHECK_EQ(buf_put_str(&in, TEXT), 0);
	CHECK_EQ(qmp_next(&in, &m), 1);
	CHECK_EQ(m.type, QMP_RETURN);
	qmp_message_fini(&m);
	CHECK_EQ(qmp_next(&in, &m), 1);
	CHECK_EQ(m.type, QMP_EVENT);
	qmp_message_fini(&m);
	CHECK_EQ(qmp_next(&in, &m), 0);
	CHECK(m.doc == NULL);
}

TEST(what_is_no_message_is_refused)
{
	static const char *const BAD[] = {
		"\n",
		"\r\n",
		"hello\n",
		"{\n",
		"{}\n",
		"[]\n",
		"[{\"return\": 1}]\n",
		"null\n",
		"7\n",
		"{\"return\": 1}{\"return\": 2}\n",
		"{\"return\": 1, \"return\": 2}\n",
		"{\"id\": 7}\n",
		"{\"event\": \"\xff\"}\n",
		"{\"event\": \"\\u0000\"}\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(type_of(BAD[i]), -EBADMSG);
	CHECK_EQ(type_of("{\"return\": 1}"), -EAGAIN);
	CHECK_EQ(type_of(""), -EAGAIN);
}

TEST(a_refused_line_leaves_the_message_untouched)
{
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	struct qmp_message m = { .type = QMP_EVENT, .name = "kept" };

	CHECK_EQ(buf_put_str(&in, "{\"id\": 7}\n"), 0);
	CHECK_EQ(qmp_next(&in, &m), -EBADMSG);
	CHECK_STR(m.name, "kept");
	CHECK(m.doc == NULL);
}

TEST(a_line_may_be_as_long_as_the_maximum_and_no_longer)
{
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(qmp_message_fini) struct qmp_message m = { .doc = NULL };

	CHECK_EQ(buf_put_str(&in, "{\"return\": 1"), 0);
	while (in.len < QMP_LINE_MAX_BYTES - 2)
		CHECK_EQ(buf_put_str(&in, " "), 0);
	CHECK_EQ(buf_put_str(&in, "}"), 0);
	CHECK_EQ(qmp_next(&in, &m), 0);
	CHECK_EQ(buf_put_str(&in, "\n"), 0);
	CHECK_EQ(qmp_next(&in, &m), 1);
	CHECK_EQ(in.len, 0);
	while (in.len < QMP_LINE_MAX_BYTES)
		CHECK_EQ(buf_put_str(&in, " "), 0);
	CHECK_EQ(qmp_next(&in, &m), -EBADMSG);
}

TEST(deep_nesting_is_refused)
{
	CLEANUP(buf_fini) struct buf in = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(qmp_message_fini) struct qmp_message m = { .doc = NULL };

	CHECK_EQ(buf_put_str(&in, "{\"return\": "), 0);
	for (int i = 0; i < 60000; i++)
		CHECK_EQ(buf_put_str(&in, "["), 0);
	CHECK_EQ(buf_put_str(&in, "\n"), 0);
	CHECK_EQ(qmp_next(&in, &m), -EBADMSG);
}

TESTS(RUN(the_greeting_is_known), RUN(a_return_carries_its_value),
      RUN(an_error_carries_its_sentence),
      RUN(an_event_carries_its_name_and_data),
      RUN(lines_arrive_in_pieces_and_together),
      RUN(what_is_no_message_is_refused),
      RUN(a_refused_line_leaves_the_message_untouched),
      RUN(a_line_may_be_as_long_as_the_maximum_and_no_longer),
      RUN(deep_nesting_is_refused))
