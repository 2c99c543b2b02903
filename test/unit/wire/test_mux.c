// SPDX-License-Identifier: Apache-2.0
// The multiplexer: its frames and its invariants.

#include "wire/mux.h"

#include <string.h>

#include "mux_check.h"
#include "mux_raw.h"
#include "tap.h"

/* The type of the output's frame number @at, 0 if there are fewer. */
static uint32_t frame_at(const struct raw *out, size_t at, size_t *ret_offset)
{
	struct span s = span_of(out->bytes, out->len);
	size_t offset = 0;

	while (offset < s.len) {
		if (at-- == 0) {
			*ret_offset = offset;
			return s.ptr[offset];
		}
		offset += MUX_HEADER_BYTES + u32_at(s, offset + 8);
	}
	return 0;
}

/* What the peer's bytes @r lead to: the one event, or none. */
static enum mux_event_type one_event(struct mux *m, const struct raw *r,
				     struct mux_event *ret)
{
	size_t events;

	*ret = (struct mux_event){ 0 };
	CHECK_EQ(feed(m, r, ret, &events), 0);
	CHECK(events <= 1);
	CHECK(mux_is_sound(m));
	return ret->type;
}

static struct mux host, guest;

/* --- the epoch --- */

TEST(both_ends_say_hello_first)
{
	struct raw out = { .len = 0 };
	struct raw want = { .len = 0 };

	/* [WIRE-1] [WIRE-2] [WIRE-10] */
	mux_init(&host, MUX_HOST, EPOCH);
	take_output(&host, &out);
	raw_hello(&want, 1, EPOCH);
	CHECK_EQ(out.len, want.len);
	CHECK_MEM(out.bytes, want.bytes, want.len);

	mux_init(&guest, MUX_GUEST, 0);
	out.len = want.len = 0;
	take_output(&guest, &out);
	raw_hello(&want, 1, 0);
	CHECK_EQ(out.len, want.len);
	CHECK_MEM(out.bytes, want.bytes, want.len);
	CHECK_EQ(mux_open(&guest, span_str("x"), NULL, &(uint32_t){ 0 }),
		 -ENOTCONN);
}

TEST(guest_answers_hello_with_its_epoch)
{
	struct raw out = { .len = 0 };
	struct raw hello = { .len = 0 };
	struct mux_event event;

	/* [WIRE-11] */
	mux_init(&guest, MUX_GUEST, 0);
	drop_output(&guest);
	raw_hello(&hello, 1, EPOCH);
	CHECK_EQ(one_event(&guest, &hello, &event), MUX_EVENT_HELLO);
	CHECK(event.epoch == EPOCH);
	take_output(&guest, &out);
	CHECK_EQ(out.len, hello.len);
	CHECK_MEM(out.bytes, hello.bytes, hello.len);
}

TEST(host_drops_what_precedes_its_epoch)
{
	struct raw r = { .len = 0 };
	struct mux_event event;

	/* [WIRE-12]: an older epoch's frames, then the answer */
	mux_init(&host, MUX_HOST, EPOCH);
	raw_hello(&r, 1, 0);
	raw_hello(&r, 1, EPOCH - 1);
	raw_open(&r, 2);
	raw_frame(&r, DATA, 7, "old", 3);
	raw_value(&r, WINDOW, 9, 5);
	raw_frame(&r, CLOSE, 3, NULL, 0);
	raw_value(&r, RESET, 3, MUX_REASON_ABORTED);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_NONE);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &(uint32_t){ 0 }),
		 -ENOTCONN);
	r.len = 0;
	raw_hello(&r, 1, EPOCH);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_HELLO);
	r.len = 0;
	raw_open(&r, 2);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_OPEN);
}

TEST(hello_in_the_middle_ends_the_guests_streams)
{
	struct raw out = { .len = 20 };
	struct raw r = { .len = 0 };
	struct mux_event event;
	uint32_t id = 0;
	size_t at = 0;

	/* [WIRE-11]; a frame half sent is finished before the answer */
	start(&guest, MUX_GUEST);
	CHECK_EQ(mux_open(&guest, span_str("dns"), NULL, &id), 0);
	CHECK_EQ(mux_send(&guest, id, span_str("question")), 8);
	memcpy(out.bytes, mux_output(&guest).ptr, out.len);
	mux_sent(&guest, out.len);
	raw_hello(&r, 1, EPOCH + 1);
	CHECK_EQ(one_event(&guest, &r, &event), MUX_EVENT_HELLO);
	CHECK(event.epoch == EPOCH + 1);
	CHECK_EQ(mux_send_room(&guest, id), 0);
	take_output(&guest, &out);
	CHECK_EQ(frame_at(&out, 1, &at), DATA);
	CHECK_EQ(frame_at(&out, 2, &at), HELLO);
	CHECK_EQ(at + r.len, out.len);
	CHECK_MEM(out.bytes + at, r.bytes, r.len);
	CHECK_EQ(mux_open(&guest, span_str("dns"), NULL, &id), 0);
	CHECK_EQ(id, 2); /* ids begin anew with the epoch */
}

TEST(hello_zero_ends_the_hosts_epoch)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	uint32_t id = 0;

	/* [WIRE-14] */
	start(&host, MUX_HOST);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
	raw_hello(&r, 1, 0);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_HELLO);
	CHECK(event.epoch == 0);
	CHECK_EQ(mux_send_room(&host, id), 0);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), -ENOTCONN);
	/* no answer brings it back: its ids were used */
	raw_hello(&r, 1, EPOCH);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_NONE);
}

TEST(a_newer_hello_is_understood)
{
	uint8_t payload[MUX_HELLO_MAX_BYTES] = "CPNWIRE1\x02";
	struct raw r = { .len = 0 };
	struct mux_event event;

	/* [WIRE-8] */
	payload[16] = 7;
	payload[255] = 0xff;
	mux_init(&host, MUX_HOST, 7);
	raw_frame(&r, HELLO, 0, payload, sizeof(payload));
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_HELLO);
}

/* --- streams --- */

TEST(ids_are_odd_at_the_host_and_grow)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	uint32_t id = 0;

	/* invariant 1, [WIRE-16] */
	start(&host, MUX_HOST);
	start(&guest, MUX_GUEST);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
	CHECK_EQ(id, 1);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
	CHECK_EQ(id, 3);
	CHECK_EQ(mux_open(&guest, span_str("dns"), NULL, &id), 0);
	CHECK_EQ(id, 2);
	raw_open(&r, UINT32_MAX - 1);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_OPEN);
	CHECK(span_is(event.bytes, "agent"));
	host.last_local_id = UINT32_MAX - 2; /* a long epoch */
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), -EMFILE);
}

TEST(targets_are_checked_before_they_are_sent)
{
	char longest[MUX_TARGET_MAX_BYTES + 1];
	uint32_t id = 0;

	/* [WIRE-17] */
	memset(longest, 'a', sizeof(longest));
	start(&host, MUX_HOST);
	CHECK_EQ(mux_open(&host, span_str(""), NULL, &id), -EINVAL);
	CHECK_EQ(mux_open(&host, span_str("a b"), NULL, &id), -EINVAL);
	CHECK_EQ(mux_open(&host, span_str("a\x7f"), NULL, &id), -EINVAL);
	CHECK_EQ(mux_open(&host, span_of(longest, 256), NULL, &id), -EINVAL);
	CHECK_EQ(mux_open(&host, span_of(longest, 255), NULL, &id), 0);
	CHECK(mux_owner(&host, id) == NULL);
	mux_set_owner(&host, id, &id);
	CHECK(mux_owner(&host, id) == &id);
}

static void fill_table(struct mux *m)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	size_t events;

	for (uint32_t i = 0; i < MUX_STREAMS_MAX; i++)
		raw_open(&r, 2 + 2 * i);
	CHECK_EQ(feed(m, &r, &event, &events), 0);
	CHECK_EQ(events, MUX_STREAMS_MAX);
}

TEST(an_open_beyond_the_table_is_reset_and_leaves_no_trace)
{
	struct raw r = { .len = 0 };
	struct raw out = { .len = 0 };
	struct raw want = { .len = 0 };
	struct mux_event event;
	uint32_t id = 0;

	/* invariant 2, [WIRE-18] */
	start(&host, MUX_HOST);
	fill_table(&host);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), -EMFILE);
	raw_open(&r, 1000);
	raw_frame(&r, DATA, 1000, "early", 5); /* it cannot know yet */
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_NONE);
	take_output(&host, &out);
	raw_value(&want, RESET, 1000, MUX_REASON_TOO_MANY);
	CHECK_EQ(out.len, want.len);
	CHECK_MEM(out.bytes, want.bytes, want.len);
	r.len = 0;
	raw_value(&r, RESET, 2, MUX_REASON_ABORTED);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_RESET);
	CHECK_EQ(event.reason, MUX_REASON_ABORTED);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
}

TEST(an_open_flood_is_held_by_back_pressure)
{
	struct raw r = { .len = 0 };
	struct raw out = { .len = 0 };
	struct mux_event event;
	struct span in;
	size_t left;
	size_t at = 0;

	/* invariant 5: every refusal is sent, no input is lost */
	start(&host, MUX_HOST);
	fill_table(&host);
	CHECK_EQ(mux_send(&host, 2, span_str("x")), 1); /* an odd place */
	for (uint32_t i = 0; i < 5000; i++)
		raw_open(&r, 1000 + 2 * i);
	in = span_of(r.bytes, r.len);
	CHECK_EQ(mux_next(&host, &in, &event), 0);
	left = in.len;
	CHECK(left > 0);
	CHECK_EQ(mux_next(&host, &in, &event), 0);
	CHECK_EQ(in.len, left);
	CHECK_EQ(ring_room(&host.out), 35); /* HELLO would want 36 */
	while (in.len > 0) {
		take_output(&host, &out);
		CHECK_EQ(mux_next(&host, &in, &event), 0);
	}
	take_output(&host, &out);
	CHECK_EQ(out.len, 13 + 5000 * 16);
	CHECK_EQ(frame_at(&out, 5000, &at), RESET);
	CHECK_EQ(u32_at(span_of(out.bytes, out.len), at + 4), 1000 + 2 * 4999);
}

TEST(frames_of_a_stream_that_is_gone_are_dropped)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	uint32_t id = 0;

	/* [WIRE-19]; no credit comes back for them */
	start(&host, MUX_HOST);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
	mux_reset(&host, id, MUX_REASON_NONE);
	drop_output(&host);
	raw_frame(&r, DATA, id, "late", 4);
	raw_value(&r, WINDOW, id, MUX_WINDOW_BYTES);
	raw_frame(&r, CLOSE, id, NULL, 0);
	raw_frame(&r, CLOSE, id, NULL, 0);
	raw_value(&r, RESET, id, MUX_REASON_REFUSED);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_NONE);
	mux_consumed(&host, id, MUX_WINDOW_BYTES);
	mux_close(&host, id);
	mux_reset(&host, id, MUX_REASON_ABORTED);
	CHECK_EQ(mux_send(&host, id, span_str("x")), 0);
	CHECK(mux_owner(&host, id) == NULL);
	CHECK_EQ(mux_output(&host).len, 0);
}

TEST(a_reset_in_the_middle_of_data_drops_the_rest)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	struct span in;

	start(&host, MUX_HOST);
	raw_open(&r, 2);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_OPEN);
	r.len = 0;
	raw_frame(&r, DATA, 2, "0123456789", 10);
	in = span_of(r.bytes, r.len - 6);
	CHECK_EQ(mux_next(&host, &in, &event), 1);
	CHECK(span_is(event.bytes, "0123"));
	mux_reset(&host, 2, MUX_REASON_ABORTED);
	in = span_of(r.bytes + r.len - 6, 6);
	CHECK_EQ(mux_next(&host, &in, &event), 0);
	CHECK_EQ(in.len, 0);
	CHECK_EQ(host.head_len, 0);
}

TEST(a_stream_ends_when_both_sides_closed)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	uint32_t id = 0;

	/* [WIRE-24]: the half that is open still carries bytes */
	start(&host, MUX_HOST);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
	CHECK_EQ(mux_send(&host, id, span_str("ask")), 3);
	mux_close(&host, id);
	mux_close(&host, id);
	CHECK_EQ(mux_send(&host, id, span_str("x")), 0);
	raw_value(&r, WINDOW, id, 3); /* of no use now, but no breach */
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_NONE);
	r.len = 0;
	raw_frame(&r, DATA, id, "answer", 6);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_DATA);
	r.len = 0;
	raw_frame(&r, CLOSE, id, NULL, 0);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_CLOSE);
	CHECK_EQ(event.stream, id);
	CHECK_EQ(host.streams[0].id, 0);
	r.len = 0;
	raw_open(&r, 2);
	raw_frame(&r, CLOSE, 2, NULL, 0);
	CHECK_EQ(feed(&host, &r, &event, &(size_t){ 0 }), 0);
	CHECK_EQ(mux_send(&host, 2, span_str("late")), 4);
	mux_close(&host, 2);
	CHECK_EQ(host.streams[0].id, 0);
}

TEST(reasons_we_do_not_know_are_told_as_aborted)
{
	struct raw r = { .len = 0 };
	struct mux_event event;

	/* [WIRE-25] */
	start(&host, MUX_HOST);
	raw_open(&r, 2);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_OPEN);
	r.len = 0;
	raw_value(&r, RESET, 2, 0xffffffff);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_RESET);
	CHECK_EQ(event.reason, MUX_REASON_ABORTED);
	r.len = 0;
	raw_open(&r, 4);
	raw_value(&r, RESET, 4, MUX_REASON_EPOCH); /* is not for the wire */
	CHECK_EQ(feed(&host, &r, &event, &(size_t){ 0 }), 0);
	CHECK_EQ(event.type, MUX_EVENT_RESET);
	CHECK_EQ(event.reason, MUX_REASON_ABORTED);
}

/* --- credit --- */

/* Sends until the window is used up. */
static void use_window(struct mux *m, uint32_t id)
{
	struct span rest = span_of(zeroes, sizeof(zeroes));
	size_t room;
	size_t sent;

	do {
		room = mux_send_room(m, id);
		sent = mux_send(m, id, rest);
		CHECK_EQ(sent, room);
		CHECK(ring_room(&m->out) >= MUX_CONTROL_ROOM_BYTES);
		rest = span_from(rest, sent);
		drop_output(m);
	} while (sent > 0);
	CHECK_EQ(rest.len, 1);
}

TEST(a_sender_stays_within_its_credit)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	uint32_t id = 0;

	/* invariant 3, [WIRE-20] */
	start(&host, MUX_HOST);
	CHECK_EQ(mux_open(&host, span_str("agent"), NULL, &id), 0);
	use_window(&host, id);
	raw_value(&r, WINDOW, id, 3);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_CREDIT);
	CHECK_EQ(mux_send_room(&host, id), 3);
	CHECK_EQ(mux_send(&host, id, span_of(zeroes, 9)), 3);
}

TEST(credit_comes_back_in_steps_of_half_a_window)
{
	static struct raw r;
	struct raw out = { .len = 0 };
	struct raw want = { .len = 0 };
	struct mux_event event;

	/* invariant 3, [WIRE-21] */
	r.len = 0;
	start(&host, MUX_HOST);
	raw_open(&r, 2);
	raw_data(&r, 2, MUX_WINDOW_BYTES);
	CHECK_EQ(feed(&host, &r, &event, &(size_t){ 0 }), 0);
	mux_consumed(&host, 2, MUX_WINDOW_BYTES / 2 - 1);
	CHECK_EQ(mux_output(&host).len, 0);
	mux_consumed(&host, 2, 1);
	mux_consumed(&host, 2, SIZE_MAX); /* clipped to what was delivered */
	mux_consumed(&host, 2, SIZE_MAX);
	take_output(&host, &out);
	raw_value(&want, WINDOW, 2, MUX_WINDOW_BYTES / 2);
	raw_value(&want, WINDOW, 2, MUX_WINDOW_BYTES / 2);
	CHECK_EQ(out.len, want.len);
	CHECK_MEM(out.bytes, want.bytes, want.len);
	CHECK_EQ(host.streams[0].recv_credit, MUX_WINDOW_BYTES);
}

TEST(a_peer_that_closed_is_given_no_credit)
{
	static struct raw r;
	struct mux_event event;

	/* [WIRE-21] */
	r.len = 0;
	start(&host, MUX_HOST);
	raw_open(&r, 2);
	raw_data(&r, 2, MUX_WINDOW_BYTES);
	raw_frame(&r, CLOSE, 2, NULL, 0);
	CHECK_EQ(feed(&host, &r, &event, &(size_t){ 0 }), 0);
	mux_consumed(&host, 2, MUX_WINDOW_BYTES);
	CHECK_EQ(mux_output(&host).len, 0);
	CHECK(mux_is_sound(&host));
}

/* --- room --- */

/* Leaves the ring no room for anything but answers. */
static void fill_output(struct mux *m)
{
	while (ring_room(&m->out) >= MUX_ANSWER_ROOM_BYTES + MUX_HEADER_BYTES)
		(void)ring_put(&m->out, span_of(zeroes, 1));
}

TEST(owed_frames_come_when_there_is_room)
{
	static struct raw r;
	static struct raw out;
	static const uint32_t want[] = { RESET, WINDOW, CLOSE };
	struct mux_event event;
	size_t at = 0;

	/* invariant 4 */
	r.len = out.len = 0;
	start(&host, MUX_HOST);
	raw_open(&r, 2);
	raw_open(&r, 4);
	raw_data(&r, 4, MUX_WINDOW_BYTES / 2);
	CHECK_EQ(feed(&host, &r, &event, &(size_t){ 0 }), 0);
	fill_output(&host);
	mux_consumed(&host, 4, MUX_WINDOW_BYTES / 2);
	mux_close(&host, 4);
	mux_reset(&host, 2, MUX_REASON_REFUSED);
	CHECK_EQ(mux_send_room(&host, 4), 0);
	CHECK(mux_is_sound(&host));
	CHECK(ring_room(&host.out) < MUX_ANSWER_ROOM_BYTES + MUX_HEADER_BYTES);
	CHECK_EQ(host.streams[0].id, 2); /* its place is not free yet */
	mux_sent(&host, host.out.len);
	CHECK_EQ(host.streams[0].id, 0);
	take_output(&host, &out);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		CHECK_EQ(frame_at(&out, i, &at), want[i]);
	CHECK_EQ(frame_at(&out, ARRAY_LEN(want), &at), 0);
}

TEST(a_reset_that_crosses_an_owed_one_is_not_told)
{
	struct raw r = { .len = 0 };
	struct mux_event event;

	start(&host, MUX_HOST);
	raw_open(&r, 2);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_OPEN);
	fill_output(&host);
	mux_reset(&host, 2, MUX_REASON_ABORTED);
	CHECK(mux_owner(&host, 2) == NULL);
	r.len = 0;
	raw_frame(&r, DATA, 2, "late", 4);
	raw_value(&r, RESET, 2, MUX_REASON_ABORTED);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_NONE);
	CHECK_EQ(host.streams[0].id, 0);
	mux_sent(&host, host.out.len);
	CHECK_EQ(mux_output(&host).len, 0);
}

TEST(a_close_that_meets_an_owed_close_waits_for_it)
{
	struct raw r = { .len = 0 };
	struct raw out = { .len = 0 };
	struct mux_event event;
	size_t at = 0;

	start(&host, MUX_HOST);
	raw_open(&r, 2);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_OPEN);
	fill_output(&host);
	mux_close(&host, 2);
	r.len = 0;
	raw_frame(&r, CLOSE, 2, NULL, 0);
	CHECK_EQ(one_event(&host, &r, &event), MUX_EVENT_CLOSE);
	CHECK_EQ(host.streams[0].id, 2);
	mux_sent(&host, host.out.len);
	CHECK_EQ(host.streams[0].id, 0);
	take_output(&host, &out);
	CHECK_EQ(frame_at(&out, 0, &at), CLOSE);
}

TEST(opening_waits_for_room)
{
	uint32_t id = 0;

	start(&host, MUX_HOST);
	while (mux_open(&host, span_str("a"), NULL, &id) == 0) {
		(void)mux_send(&host, id, span_of(zeroes, 60000));
		mux_reset(&host, id, MUX_REASON_ABORTED);
	}
	CHECK_EQ(mux_open(&host, span_str("a"), NULL, &id), -EAGAIN);
	drop_output(&host);
	CHECK_EQ(mux_open(&host, span_str("a"), NULL, &id), 0);
}

TEST(quiet_means_a_frame_boundary_both_ways)
{
	struct raw r = { .len = 0 };
	struct mux_event event;
	struct span in;

	start(&host, MUX_HOST);
	CHECK(mux_is_quiet(&host));
	raw_open(&r, 2);
	in = span_of(r.bytes, r.len - 1);
	CHECK_EQ(mux_next(&host, &in, &event), 0);
	CHECK(!mux_is_quiet(&host));
	in = span_of(r.bytes + r.len - 1, 1);
	CHECK_EQ(mux_next(&host, &in, &event), 1);
	CHECK(mux_is_quiet(&host));
	CHECK_EQ(mux_send(&host, 2, span_str("x")), 1);
	CHECK(!mux_is_quiet(&host));
	drop_output(&host);
	CHECK(mux_is_quiet(&host));
}

TESTS(RUN(both_ends_say_hello_first), RUN(guest_answers_hello_with_its_epoch),
      RUN(host_drops_what_precedes_its_epoch),
      RUN(hello_in_the_middle_ends_the_guests_streams),
      RUN(hello_zero_ends_the_hosts_epoch), RUN(a_newer_hello_is_understood),
      RUN(ids_are_odd_at_the_host_and_grow),
      RUN(targets_are_checked_before_they_are_sent),
      RUN(an_open_beyond_the_table_is_reset_and_leaves_no_trace),
      RUN(an_open_flood_is_held_by_back_pressure),
      RUN(frames_of_a_stream_that_is_gone_are_dropped),
      RUN(a_reset_in_the_middle_of_data_drops_the_rest),
      RUN(a_stream_ends_when_both_sides_closed),
      RUN(reasons_we_do_not_know_are_told_as_aborted),
      RUN(a_sender_stays_within_its_credit),
      RUN(credit_comes_back_in_steps_of_half_a_window),
      RUN(a_peer_that_closed_is_given_no_credit),
      RUN(owed_frames_come_when_there_is_room),
      RUN(a_reset_that_crosses_an_owed_one_is_not_told),
      RUN(a_close_that_meets_an_owed_close_waits_for_it),
      RUN(opening_waits_for_room), RUN(quiet_means_a_frame_boundary_both_ways))
