// SPDX-License-Identifier: Apache-2.0
// Random bytes: every byte is filled, none past the end.

#include "base/rng.h"

#include "tap.h"

TEST(every_byte_is_filled)
{
	uint8_t seen[1000] = { 0 };
	size_t untouched = 0;

	/* A byte that stays 0 in 16 fills was not filled. */
	for (int i = 0; i < 16; i++) {
		uint8_t bytes[1000] = { 0 };

		CHECK_EQ(rng_fill(bytes, sizeof(bytes)), 0);
		for (size_t j = 0; j < sizeof(bytes); j++)
			seen[j] |= bytes[j];
	}
	for (size_t j = 0; j < sizeof(seen); j++)
		untouched += seen[j] == 0;
	CHECK_EQ(untouched, 0);
	CHECK_EQ(rng_fill(NULL, 0), 0);
}

TEST(hex_is_lower_case_digits_and_a_nul)
{
	char a[131];
	char b[131];

	memset(a, '#', sizeof(a));
	CHECK_EQ(rng_hex(a, 64), 0);
	CHECK_EQ(strspn(a, "0123456789abcdef"), 128);
	CHECK_EQ(a[128], '\0');
	CHECK_EQ(a[129], '#');
	CHECK_EQ(rng_hex(b, 64), 0);
	CHECK(strcmp(a, b) != 0);
	CHECK_EQ(rng_hex(a, 0), 0);
	CHECK_STR(a, "");
}

TEST(more_hex_than_there_is_room_for_is_refused)
{
	char dst[4] = "old";

	CHECK_EQ(rng_hex(dst, 65), -EINVAL);
	CHECK_STR(dst, "old");
}

TESTS(RUN(every_byte_is_filled), RUN(hex_is_lower_case_digits_and_a_nul),
      RUN(more_hex_than_there_is_room_for_is_refused))
