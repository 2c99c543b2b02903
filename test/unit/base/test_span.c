// SPDX-License-Identifier: Apache-2.0
// Views: comparing, cutting, copying, and the empty one.

#include "base/span.h"

#include "tap.h"

static const struct span NOTHING = { NULL, 0 };

TEST(equal_means_every_byte_and_the_length)
{
	CHECK(span_is(span_str("ab"), "ab"));
	CHECK(!span_is(span_str("ab"), "abc"));
	CHECK(!span_is(span_str("abc"), "ab"));
	CHECK(!span_is(span_str("ab"), "aB"));
	CHECK(span_eq(span_of("a\0b", 3), span_of("a\0b", 3)));
	CHECK(!span_eq(span_of("a\0b", 3), span_of("a\0c", 3)));
	CHECK(span_eq(NOTHING, span_str("")));
	CHECK(!span_eq(NOTHING, span_str("a")));
}

TEST(case_is_ignored_in_ascii_letters_only)
{
	CHECK(span_is_nocase(span_str("Content-Length"), "cONTENT-lENGTH"));
	CHECK(!span_is_nocase(span_str("Content"), "Content-"));
	/* '@' and '`', '[' and '{' differ by the same bit as letters. */
	CHECK(!span_is_nocase(span_str("@["), "`{"));
	CHECK(!span_is_nocase(span_str("\xc9"), "\xe9"));
	CHECK(span_is_nocase(NOTHING, ""));
}

TEST(secrets_compare_by_their_bytes)
{
	CHECK(span_eq_secret(span_str("token"), span_str("token")));
	CHECK(!span_eq_secret(span_str("token"), span_str("tokeN")));
	CHECK(!span_eq_secret(span_str("Token"), span_str("token")));
	CHECK(!span_eq_secret(span_str("token"), span_str("tokens")));
	CHECK(span_eq_secret(NOTHING, NOTHING));
}

TEST(a_prefix_may_be_all_or_nothing)
{
	CHECK(span_starts(span_str("abc"), ""));
	CHECK(span_starts(span_str("abc"), "ab"));
	CHECK(span_starts(span_str("abc"), "abc"));
	CHECK(!span_starts(span_str("abc"), "abcd"));
	CHECK(!span_starts(span_str("abc"), "b"));
	CHECK(span_starts(NOTHING, ""));
}

TEST(cuts_are_clipped_to_the_length)
{
	struct span a = span_str("abcd");

	CHECK(span_is(span_from(a, 1), "bcd"));
	CHECK(span_is(span_to(a, 3), "abc"));
	CHECK_EQ(span_from(a, 4).len, 0);
	CHECK_EQ(span_from(a, SIZE_MAX).len, 0);
	CHECK_EQ(span_to(a, SIZE_MAX).len, 4);
	CHECK_EQ(span_to(a, 0).len, 0);
	CHECK_EQ(span_from(NOTHING, 0).len, 0);
}

TEST(a_copy_fits_with_its_nul_or_changes_nothing)
{
	char dst[4] = "old";

	CHECK_EQ(span_copy_str(span_str("abcd"), dst, sizeof(dst)),
		 -ENAMETOOLONG);
	CHECK_STR(dst, "old");
	CHECK_EQ(span_copy_str(span_of("a\0b", 3), dst, sizeof(dst)), -EINVAL);
	CHECK_STR(dst, "old");
	CHECK_EQ(span_copy_str(NOTHING, dst, 0), -ENAMETOOLONG);
	CHECK_STR(dst, "old");
	CHECK_EQ(span_copy_str(span_str("abc"), dst, sizeof(dst)), 0);
	CHECK_STR(dst, "abc");
	CHECK_EQ(span_copy_str(NOTHING, dst, 1), 0);
	CHECK_STR(dst, "");
}

TESTS(RUN(equal_means_every_byte_and_the_length),
      RUN(case_is_ignored_in_ascii_letters_only),
      RUN(secrets_compare_by_their_bytes), RUN(a_prefix_may_be_all_or_nothing),
      RUN(cuts_are_clipped_to_the_length),
      RUN(a_copy_fits_with_its_nul_or_changes_nothing))
