// SPDX-License-Identifier: Apache-2.0
#include "shim/output.h"

#include <stdlib.h>

#include "tap.h"
#include "wire/connect.h"

/* An envelope whose message is @len bytes of @byte. */
static struct span envelope(char byte, size_t len)
{
	static uint8_t bytes[OUTPUT_ENVELOPE_MAX_BYTES];

	memset(bytes, byte, sizeof(bytes));
	bytes[0] = 0;
	bytes[1] = 0;
	bytes[2] = (uint8_t)(len >> 16);
	bytes[3] = (uint8_t)(len >> 8);
	bytes[4] = (uint8_t)len;
	return span_of(bytes, CONNECT_HEADER_BYTES + len);
}

TEST(envelopes_come_back_in_order)
{
	struct output o = OUTPUT_EMPTY;
	uint64_t at = 0;

	CHECK_EQ(output_put(&o, envelope('a', 10), OUTPUT_UNREAD), 0);
	CHECK_EQ(output_put(&o, envelope('b', 20), OUTPUT_UNREAD), 0);
	CHECK_EQ(output_at(&o, at).len, 15);
	CHECK_EQ(output_at(&o, at).ptr[5], 'a');
	at += 15;
	CHECK_EQ(output_at(&o, at).len, 25);
	CHECK_EQ(output_at(&o, at).ptr[5], 'b');
	at += 25;
	CHECK_EQ(output_end(&o), at);
	CHECK_EQ(output_at(&o, at).len, 0);
	output_fini(&o);
}

/* Invariant 2: nothing a reader waits for is dropped. */
TEST(a_reader_holds_the_output)
{
	struct output o = OUTPUT_EMPTY;
	int r = 0;

	while (r == 0)
		r = output_put(&o, envelope('x', 1000), 0);
	CHECK_EQ(r, -EAGAIN);
	CHECK(o.bytes.len <= OUTPUT_MAX_BYTES);
	CHECK(o.bytes.len + 1005 > OUTPUT_MAX_BYTES);
	CHECK_EQ(o.tail, 0);
	CHECK_EQ(o.dropped_bytes, 0);
	/* Given one, there is room for one. */
	CHECK_EQ(output_put(&o, envelope('y', 1000), 1005), 0);
	CHECK_EQ(o.tail, 1005);
	CHECK_EQ(output_put(&o, envelope('y', 1000), 1005), -EAGAIN);
	output_fini(&o);
}

TEST(without_a_reader_the_oldest_give_way_and_are_counted)
{
	struct output o = OUTPUT_EMPTY;
	uint64_t put = 0;

	for (int i = 0; i < 1000; i++) {
		size_t len = (size_t)(random() % 5000);

		CHECK_EQ(output_put(&o, envelope('x', len), OUTPUT_UNREAD), 0);
		put += len + CONNECT_HEADER_BYTES;
		CHECK(o.bytes.len <= OUTPUT_MAX_BYTES);
		CHECK_EQ(o.dropped_bytes, o.tail);
		CHECK_EQ(output_end(&o), put);
		CHECK(output_at(&o, o.tail).len > 0); /* a whole one */
	}
	output_fini(&o);
}

/* Invariant 3. */
TEST(memory_is_given_back_when_all_is_given)
{
	struct output o = OUTPUT_EMPTY;

	CHECK_EQ(output_put(&o, envelope('a', 50000), OUTPUT_UNREAD), 0);
	CHECK(o.bytes.cap > 0);
	output_release(&o, UINT64_MAX);
	CHECK_EQ(o.bytes.cap, 0);
	CHECK_EQ(o.tail, 50005);
	CHECK_EQ(o.dropped_bytes, 0);
	output_release(&o, 3); /* behind the oldest: nothing to do */
	CHECK_EQ(o.tail, 50005);
	output_fini(&o);
}

TEST(the_largest_envelope_fits)
{
	struct output o = OUTPUT_EMPTY;

	CHECK_EQ(output_put(&o,
			    envelope('a', OUTPUT_ENVELOPE_MAX_BYTES -
						  CONNECT_HEADER_BYTES),
			    OUTPUT_UNREAD),
		 0);
	CHECK_EQ(output_at(&o, 0).len, OUTPUT_ENVELOPE_MAX_BYTES);
	output_fini(&o);
}

TESTS(RUN(envelopes_come_back_in_order), RUN(a_reader_holds_the_output),
      RUN(without_a_reader_the_oldest_give_way_and_are_counted),
      RUN(memory_is_given_back_when_all_is_given),
      RUN(the_largest_envelope_fits))
