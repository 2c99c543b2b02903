// SPDX-License-Identifier: Apache-2.0
// Growing buffers: the maximum, all or nothing, and the uncounted NUL.

#include "base/buf.h"

#include "tap.h"

TEST(content_grows_up_to_the_maximum_and_no_further)
{
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(1000);
	static const uint8_t BYTES[999] = { 7 };

	CHECK_EQ(buf_put(&b, span_of(BYTES, 999)), 0);
	CHECK_EQ(buf_put_str(&b, "ab"), -E2BIG);
	CHECK_EQ(b.len, 999);
	CHECK_EQ(buf_put_str(&b, "a"), 0);
	CHECK_EQ(buf_put_str(&b, "b"), -E2BIG);
	CHECK_EQ(b.len, 1000);
	CHECK_MEM(b.ptr, BYTES, 999);
	CHECK_EQ(b.ptr[999], 'a');
	CHECK_EQ(buf_put(&b, span_of(NULL, 0)), 0);
}

TEST(a_reserve_that_would_overflow_is_refused)
{
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(SIZE_MAX);

	CHECK_EQ(buf_put_str(&b, "abc"), 0);
	CHECK_EQ(buf_reserve(&b, SIZE_MAX), -E2BIG);
	CHECK_EQ(buf_reserve(&b, SIZE_MAX - 2), -E2BIG);
	CHECK_MEM(b.ptr, "abc", 3);
	CHECK_EQ(b.len, 3);
}

TEST(formatted_text_is_appended_whole_or_not)
{
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(8);

	CHECK_EQ(buf_printf(&b, "%s=%d", "ab", 12), 0);
	CHECK_EQ(buf_printf(&b, "%s", "toolong"), -E2BIG);
	CHECK_EQ(b.len, 5);
	/* The NUL that printf writes needs no room of the maximum. */
	CHECK_EQ(buf_printf(&b, "%s", "xyz"), 0);
	CHECK(span_is(buf_span(&b), "ab=12xyz"));
	CHECK_EQ(buf_printf(&b, "%s", ""), 0);
}

TEST(a_c_string_of_a_full_buffer_is_possible)
{
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(256);
	CLEANUP(buf_fini) struct buf empty = BUF_EMPTY(0);

	for (int i = 0; i < 256; i++)
		CHECK_EQ(buf_put_str(&b, "x"), 0);
	CHECK_EQ(strlen(buf_cstr(&b)), 256);
	CHECK_EQ(b.len, 256);
	CHECK_STR(buf_cstr(&empty), "");
	CHECK_EQ(empty.len, 0);
}

TEST(dropping_keeps_the_rest)
{
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(100);

	CHECK_EQ(buf_put_str(&b, "abcdef"), 0);
	buf_drop(&b, 0);
	CHECK(span_is(buf_span(&b), "abcdef"));
	buf_drop(&b, 2);
	CHECK(span_is(buf_span(&b), "cdef"));
	buf_drop(&b, SIZE_MAX);
	CHECK_EQ(b.len, 0);
	buf_drop(&b, 1);
	CHECK_EQ(buf_put_str(&b, "again"), 0);
	CHECK(span_is(buf_span(&b), "again"));
}

TEST(a_finished_buffer_is_empty_and_may_be_finished_again)
{
	struct buf b = BUF_EMPTY(10);

	CHECK_EQ(buf_put_str(&b, "abc"), 0);
	buf_fini(&b);
	CHECK_EQ(b.len, 0);
	CHECK(b.ptr == NULL);
	buf_fini(&b);
	CHECK_EQ(buf_put_str(&b, "abc"), 0);
	CHECK_EQ(b.max, 10);
	buf_fini(&b);
}

TESTS(RUN(content_grows_up_to_the_maximum_and_no_further),
      RUN(a_reserve_that_would_overflow_is_refused),
      RUN(formatted_text_is_appended_whole_or_not),
      RUN(a_c_string_of_a_full_buffer_is_possible),
      RUN(dropping_keeps_the_rest),
      RUN(a_finished_buffer_is_empty_and_may_be_finished_again))
