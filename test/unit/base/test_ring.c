// SPDX-License-Identifier: Apache-2.0
// Rings: order, clipping, and the wrap, against a plain queue.

#include "base/ring.h"

#include "tap.h"

TEST(bytes_come_out_in_the_order_they_went_in)
{
	uint8_t mem[4];
	struct ring r;

	ring_init(&r, mem, sizeof(mem));
	CHECK_EQ(ring_room(&r), 4);
	CHECK_EQ(ring_peek(&r).len, 0);
	CHECK_EQ(ring_put(&r, span_str("abc")), 3);
	CHECK(span_is(ring_peek(&r), "abc"));
	ring_drop(&r, 2);
	CHECK_EQ(ring_put(&r, span_str("defg")), 3); /* wraps */
	CHECK_EQ(ring_room(&r), 0);
	CHECK(span_is(ring_peek(&r), "cd"));
	ring_drop(&r, 2);
	CHECK(span_is(ring_peek(&r), "ef"));
}

TEST(what_does_not_fit_is_not_taken)
{
	uint8_t mem[3];
	struct ring r;

	ring_init(&r, mem, sizeof(mem));
	CHECK_EQ(ring_put(&r, span_str("abcd")), 3);
	CHECK_EQ(ring_put(&r, span_str("x")), 0);
	CHECK_EQ(ring_put(&r, span_of(NULL, 0)), 0);
	CHECK(span_is(ring_peek(&r), "abc"));
	ring_drop(&r, 100);
	CHECK_EQ(ring_room(&r), 3);
	CHECK_EQ(ring_peek(&r).len, 0);
	ring_drop(&r, 1);
	CHECK_EQ(ring_put(&r, span_str("z")), 1);
}

TEST(a_ring_of_one_byte_is_one)
{
	uint8_t mem[1];
	struct ring r;

	ring_init(&r, mem, 1);
	for (int i = 0; i < 26; i++) {
		char c = (char)('a' + i);

		CHECK_EQ(ring_put(&r, span_of(&c, 1)), 1);
		CHECK_EQ(ring_put(&r, span_of(&c, 1)), 0);
		CHECK_EQ(ring_peek(&r).ptr[0], c);
		ring_drop(&r, 1);
	}
}

/* Puts and drops of every size in 0..9 against counters of what must come. */
TEST(a_long_walk_loses_and_swaps_nothing)
{
	uint8_t mem[7];
	struct ring r;
	uint8_t sent = 0;
	uint8_t seen = 0;
	uint32_t seed = 1;
	bool is_right = true;

	ring_init(&r, mem, sizeof(mem));
	for (int i = 0; i < 10000; i++) {
		uint8_t piece[9];
		struct span out;
		size_t room = ring_room(&r);
		size_t n = 0;

		seed = seed * 1664525 + 1013904223;
		for (size_t j = 0; j < sizeof(piece); j++)
			piece[j] = (uint8_t)(sent + j);
		n = ring_put(&r, span_of(piece, (seed >> 24) % 10));
		is_right = is_right && n <= room;
		sent = (uint8_t)(sent + n);
		out = ring_peek(&r);
		is_right = is_right && (out.len > 0) == (r.len > 0);
		for (size_t j = 0; j < out.len; j++)
			is_right = is_right &&
				   out.ptr[j] == (uint8_t)(seen + j);
		n = (seed >> 16) % 10;
		n = n < out.len ? n : out.len;
		ring_drop(&r, n);
		seen = (uint8_t)(seen + n);
	}
	CHECK(is_right);
	CHECK_EQ((uint8_t)(sent - seen), r.len);
}

TESTS(RUN(bytes_come_out_in_the_order_they_went_in),
      RUN(what_does_not_fit_is_not_taken), RUN(a_ring_of_one_byte_is_one),
      RUN(a_long_walk_loses_and_swaps_nothing))
