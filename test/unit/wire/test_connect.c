// SPDX-License-Identifier: Apache-2.0
// Connect envelopes: whole, in pieces, and malformed.

#include "wire/connect.h"

#include "tap.h"

TEST(an_envelope_comes_back)
{
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(1024);
	struct span in = span_of(NULL, 0);
	struct span message = span_of(NULL, 0);
	uint8_t flags = 9;

	CHECK_EQ(connect_put(&out, 0, span_str("{\"a\":1}")), 0);
	CHECK_EQ(connect_put(&out, CONNECT_FLAG_END, span_str("{}")), 0);
	CHECK_MEM(out.ptr, "\0\0\0\0\7{\"a\":1}\2\0\0\0\2{}", out.len);
	in = buf_span(&out);
	CHECK_EQ(connect_next(&in, 100, &flags, &message), 1);
	CHECK_EQ(flags, 0);
	CHECK(span_is(message, "{\"a\":1}"));
	CHECK_EQ(connect_next(&in, 100, &flags, &message), 1);
	CHECK_EQ(flags, CONNECT_FLAG_END);
	CHECK(span_is(message, "{}"));
	CHECK_EQ(in.len, 0);
	CHECK_EQ(connect_next(&in, 100, &flags, &message), 0);
}

TEST(every_prefix_of_an_envelope_waits_for_more)
{
	static const uint8_t BYTES[] = { 0, 0, 0, 0, 3, '{', ' ', '}' };
	uint8_t flags = 9;

	for (size_t len = 0; len < sizeof(BYTES); len++) {
		struct span in = span_of(BYTES, len);
		struct span message = span_str("kept");

		CHECK_EQ(connect_next(&in, 3, &flags, &message), 0);
		CHECK_EQ(in.len, len);
		CHECK(span_is(message, "kept"));
	}
	CHECK_EQ(flags, 9);
}

TEST(an_empty_message_is_one)
{
	struct span in = span_of("\2\0\0\0\0", 5);
	struct span message = span_str("old");
	uint8_t flags = 0;

	CHECK_EQ(connect_next(&in, 0, &flags, &message), 1);
	CHECK_EQ(message.len, 0);
	CHECK_EQ(flags, CONNECT_FLAG_END);
}

TEST(every_flag_but_end_is_refused_at_the_first_byte)
{
	for (unsigned first = 0; first < 256; first++) {
		uint8_t byte = (uint8_t)first;
		struct span in = span_of(&byte, 1);
		struct span message = span_of(NULL, 0);
		uint8_t flags = 0;
		int want = first == 0 || first == 2 ? 0 : -EBADMSG;

		CHECK_EQ(connect_next(&in, 10, &flags, &message), want);
		CHECK_EQ(in.len, 1);
	}
}

TEST(a_length_past_the_maximum_is_refused_before_its_bytes)
{
	struct span in = span_of("\0\0\0\0\x0b", 5);
	struct span most = span_of("\0\xff\xff\xff\xff", 5);
	struct span message = span_of(NULL, 0);
	uint8_t flags = 0;

	CHECK_EQ(connect_next(&in, 10, &flags, &message), -E2BIG);
	CHECK_EQ(connect_next(&in, 11, &flags, &message), 0);
	CHECK_EQ(connect_next(&most, CONNECT_MESSAGE_MAX_BYTES, &flags,
			      &message),
		 -E2BIG);
}

TEST(put_keeps_the_maximum)
{
	static uint8_t message[CONNECT_MESSAGE_MAX_BYTES + 1];
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(sizeof(message) * 2);
	CLEANUP(buf_fini) struct buf small = BUF_EMPTY(7);

	CHECK_EQ(connect_put(&out, 0, span_of(message, sizeof(message))),
		 -E2BIG);
	CHECK_EQ(out.len, 0);
	CHECK_EQ(connect_put(&out, 0, span_of(message, sizeof(message) - 1)),
		 0);
	CHECK_EQ(connect_put(&small, 0, span_str("abc")), -E2BIG);
	CHECK_EQ(small.len, 0);
}

TESTS(RUN(an_envelope_comes_back),
      RUN(every_prefix_of_an_envelope_waits_for_more),
      RUN(an_empty_message_is_one),
      RUN(every_flag_but_end_is_refused_at_the_first_byte),
      RUN(a_length_past_the_maximum_is_refused_before_its_bytes),
      RUN(put_keeps_the_maximum))
