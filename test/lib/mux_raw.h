/* SPDX-License-Identifier: Apache-2.0 */
/* Frames made by hand, and an end of the wire to try them on. */
#ifndef CPN_TEST_MUX_RAW_H
#define CPN_TEST_MUX_RAW_H

#include <string.h>

#include "tap.h"
#include "wire/mux.h"

enum { HELLO = 1, OPEN, DATA, WINDOW, CLOSE, RESET };

#define EPOCH UINT64_C(0x1122334455667788)

/* --- raw frames --- */

struct raw {
	uint8_t bytes[4 * MUX_OUT_BYTES];
	size_t len;
};

static inline void raw_u32(struct raw *r, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		r->bytes[r->len++] = (uint8_t)(value >> (8 * i) & 0xff);
}

static inline void raw_frame(struct raw *r, uint32_t type, uint32_t id,
			     const void *payload, size_t len)
{
	raw_u32(r, type);
	raw_u32(r, id);
	raw_u32(r, (uint32_t)len);
	if (len > 0)
		memcpy(r->bytes + r->len, payload, len);
	r->len += len;
}

static inline void raw_value(struct raw *r, uint32_t type, uint32_t id,
			     uint32_t value)
{
	raw_u32(r, type);
	raw_u32(r, id);
	raw_u32(r, 4);
	raw_u32(r, value);
}

static inline void raw_open(struct raw *r, uint32_t id)
{
	raw_frame(r, OPEN, id, "agent", 5);
}

static inline void raw_hello(struct raw *r, uint32_t version, uint64_t epoch)
{
	uint8_t payload[24] = "CPNWIRE1";
	struct raw tail = { .len = 0 };

	raw_u32(&tail, version);
	raw_u32(&tail, 0);
	raw_u32(&tail, (uint32_t)(epoch & UINT32_MAX));
	raw_u32(&tail, (uint32_t)(epoch >> 32));
	memcpy(payload + 8, tail.bytes, 16);
	raw_frame(r, HELLO, 0, payload, sizeof(payload));
}

static inline uint32_t u32_at(struct span s, size_t at)
{
	uint32_t value = 0;

	for (size_t i = 0; i < 4; i++)
		value |= (uint32_t)s.ptr[at + i] << (8 * i);
	return value;
}

static const uint8_t zeroes[MUX_WINDOW_BYTES + 1];

/* DATA of @len bytes from the peer, in as many frames as it takes. */
static inline void raw_data(struct raw *r, uint32_t id, size_t len)
{
	while (len > 0) {
		size_t n = len < MUX_PAYLOAD_MAX_BYTES ? len :
							 MUX_PAYLOAD_MAX_BYTES;

		raw_frame(r, DATA, id, zeroes, n);
		len -= n;
	}
}

/* All of the output, moved out of the mux. */
static inline void take_output(struct mux *m, struct raw *ret)
{
	struct span out = mux_output(m);

	for (; out.len > 0; out = mux_output(m)) {
		memcpy(ret->bytes + ret->len, out.ptr, out.len);
		ret->len += out.len;
		mux_sent(m, out.len);
	}
}

static inline void drop_output(struct mux *m)
{
	static struct raw out;

	out.len = 0;
	take_output(m, &out);
}

/* An established end with empty output; its peer is the test. */
static inline void start(struct mux *m, enum mux_side side)
{
	struct mux_event event;
	struct raw hello = { .len = 0 };
	struct span in;

	mux_init(m, side, side == MUX_HOST ? EPOCH : 0);
	raw_hello(&hello, 1, EPOCH);
	in = span_of(hello.bytes, hello.len);
	CHECK_EQ(mux_next(m, &in, &event), 1);
	CHECK_EQ(event.type, MUX_EVENT_HELLO);
	CHECK(event.epoch == EPOCH);
	drop_output(m);
}

/* Feeds a whole message and says what came of it: the last result. */
static inline int feed(struct mux *m, const struct raw *r,
		       struct mux_event *ret, size_t *ret_events)
{
	struct span in = span_of(r->bytes, r->len);
	int result;

	*ret_events = 0;
	while ((result = mux_next(m, &in, ret)) == 1)
		++*ret_events;
	if (result == 0 && in.len > 0)
		result = -EAGAIN;
	return result;
}

#endif
