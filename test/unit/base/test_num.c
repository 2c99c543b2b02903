// SPDX-License-Identifier: Apache-2.0
// Numbers from text: the whole text, the range, the ends of 64 bits.

#include "base/num.h"

#include "tap.h"

static int parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	return num_parse(span_str(text), min, max, ret);
}

TEST(decimals_fill_the_text)
{
	static const char *const BAD[] = { "",	 " 1", "1 ", "+1", "-1",
					   "0x", "1a", "a1", "1.", "1\n" };
	uint64_t n = 99;

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(parse(BAD[i], 0, UINT64_MAX, &n), -EINVAL);
	CHECK_EQ(num_parse(span_of("1\0", 2), 0, 9, &n), -EINVAL);
	CHECK_EQ(n, 99);
	CHECK_EQ(parse("0", 0, 0, &n), 0);
	CHECK_EQ(n, 0);
	CHECK_EQ(parse("00123", 0, 1000, &n), 0);
	CHECK_EQ(n, 123);
}

TEST(both_ends_of_the_range_are_in_it)
{
	uint64_t n = 99;

	CHECK_EQ(parse("4", 5, 7, &n), -ERANGE);
	CHECK_EQ(parse("8", 5, 7, &n), -ERANGE);
	CHECK_EQ(n, 99);
	CHECK_EQ(parse("5", 5, 7, &n), 0);
	CHECK_EQ(n, 5);
	CHECK_EQ(parse("7", 5, 7, &n), 0);
	CHECK_EQ(n, 7);
}

TEST(sixty_four_bits_are_read_and_no_more)
{
	uint64_t n = 99;

	CHECK_EQ(parse("18446744073709551616", 0, UINT64_MAX, &n), -ERANGE);
	CHECK_EQ(parse("18446744073709551620", 0, UINT64_MAX, &n), -ERANGE);
	CHECK_EQ(parse("99999999999999999999999", 0, UINT64_MAX, &n), -ERANGE);
	CHECK_EQ(n, 99);
	CHECK_EQ(parse("18446744073709551615", 0, UINT64_MAX, &n), 0);
	CHECK_EQ(n, UINT64_MAX);
}

TEST(hexadecimals_are_one_to_sixteen_digits)
{
	static const char *const BAD[] = {
		"",  "0x1", "g", "-1", "1 ",
		"@", "`",   "/", ":",  "11111111111111111"
	};
	uint64_t n = 99;

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(num_parse_hex(span_str(BAD[i]), &n), -EINVAL);
	/* 0x10 becomes '0' when its case is folded without looking. */
	CHECK_EQ(num_parse_hex(span_of("\x10", 1), &n), -EINVAL);
	CHECK_EQ(n, 99);
	CHECK_EQ(num_parse_hex(span_str("aF09"), &n), 0);
	CHECK_EQ(n, 0xaf09);
	CHECK_EQ(num_parse_hex(span_str("ffffffffffffffff"), &n), 0);
	CHECK_EQ(n, UINT64_MAX);
}

TESTS(RUN(decimals_fill_the_text), RUN(both_ends_of_the_range_are_in_it),
      RUN(sixty_four_bits_are_read_and_no_more),
      RUN(hexadecimals_are_one_to_sixteen_digits))
