// SPDX-License-Identifier: Apache-2.0
// Proof: sources src/base/span.c
// Proof: unwind 17
// Proof: flags -DMUX_STREAMS_MAX=3 -DMUX_OUT_BYTES=64 --unwindset is_target.0:256 --slice-formula
// Proof: mutant src/wire/mux.c s/m->head_len + n/m->head_len + n + 1/
// Proof: mutant src/wire/mux.c s/m->payload_len > s->recv_credit/false/
// Proof: mutant src/wire/mux.c s/len <= frame_types\[type\].max_bytes/true/
// Proof: mutant src/wire/mux.c s/MUX_WINDOW_BYTES - s->send_credit/MUX_WINDOW_BYTES/

#include <string.h>

#include "proof.h"

/* CBMC copies a number of bytes it does not know at a cost that took all of a
 * machine's memory, so here a copy is checked and not made. That loses no
 * case: what mux.c copies goes to head and control, whose bytes are arbitrary
 * before, and to the ring and HELLO's payload, which it does not read. */
#ifdef __CPROVER__
static inline void *check_copy(void *dst, const void *src, size_t len)
{
	proof_assert(__CPROVER_w_ok(dst, len) && __CPROVER_r_ok(src, len));
	return dst;
}
#define memcpy check_copy
#endif

/* The private turn of the loop belongs to the claim. */
#include "base/ring.c"
#include "wire/mux.c"

#include "mux_check.h"

enum { INPUT_MAX_BYTES = 40 };

/* What mux_init() makes true and each turn keeps. */
static bool is_receiving_soundly(const struct mux *m)
{
	uint32_t id = get_u32(m->head + 4);
	const struct mux_stream *s = live(m, id);

	if (m->head_len < MUX_HEADER_BYTES)
		return true;
	if (m->head_len > MUX_HEADER_BYTES || !is_head(m->head) ||
	    m->payload_len != get_u32(m->head + 8) ||
	    m->payload_seen >= m->payload_len)
		return false;
	return m->head[0] != FRAME_DATA || s == NULL ||
	       (!s->is_remote_closed &&
		m->payload_len - m->payload_seen <= s->recv_credit);
}

static bool are_streams_sound(const struct mux *m)
{
	bool are_sound = true;

	for (size_t i = 0; i < MUX_STREAMS_MAX; i++)
		are_sound &= mux_is_stream_sound(m, &m->streams[i]);
	return are_sound;
}

static bool is_sound(const struct mux *m)
{
	return (m->side == MUX_HOST || m->side == MUX_GUEST) && !m->is_dead &&
	       m->out.head < m->out.cap && m->out.len <= m->out.cap &&
	       are_streams_sound(m) && is_receiving_soundly(m);
}

/* By address: the two may be of different objects. */
static bool is_within(struct span part, struct span whole)
{
	uintptr_t at = (uintptr_t)part.ptr;
	uintptr_t from = (uintptr_t)whole.ptr;

	return at >= from && at - from <= whole.len &&
	       part.len <= whole.len - (at - from);
}

static bool is_event_within(const struct mux_event *event, struct span in,
			    struct span control)
{
	bool is_in = is_within(event->bytes, in);
	bool is_in_control = is_within(event->bytes, control);

	if (event->type == MUX_EVENT_DATA)
		return event->bytes.len > 0 && is_in;
	if (event->type == MUX_EVENT_OPEN)
		return event->bytes.len > 0 && is_in_control;
	return event->bytes.len == 0;
}

static bool is_result(int r)
{
	return r == 1 || r == 0 || r == -EPROTO;
}

static bool is_answer(size_t len)
{
	return len == 0 || len == MUX_HEADER_BYTES + VALUE_BYTES ||
	       len == ANSWER_MAX_BYTES;
}

/* Claim: from every sound mux whose ring has room for an answer, and for every
 * input, a turn of mux_next()'s loop reads and writes only the mux, the ring
 * and the input, says 1, 0 or -EPROTO, puts nothing but whole answers into the
 * ring, takes at least a byte or refuses, and leaves the mux sound. mux_next()
 * takes turns from mux_init() on, so this holds of it for inputs of any length
 * that come in pieces of INPUT_MAX_BYTES. */
void proof_mux_next(void);
void proof_mux_next(void)
{
	static struct mux m;
	uint8_t bytes[INPUT_MAX_BYTES];
	struct span in = { .ptr = bytes };
	struct mux_event event = { 0 };
	int r;

	proof_any(m.side);
	proof_any(m.is_established);
	proof_any(m.epoch);
	proof_any(m.last_local_id);
	proof_any(m.last_remote_id);
	proof_any(m.streams);
	proof_any(m.head);
	proof_any(m.head_len);
	proof_any(m.control);
	proof_any(m.payload_len);
	proof_any(m.payload_seen);
	proof_any(m.out.head);
	proof_any(m.out.len);
	proof_any(bytes);
	proof_any(in.len);
	m.out.ptr = m.out_bytes;
	m.out.cap = sizeof(m.out_bytes);
	proof_assume(in.len > 0 && in.len <= sizeof(bytes));
	proof_assume(is_sound(&m) && ring_room(&m.out) >= ANSWER_MAX_BYTES);

	size_t len = in.len;
	size_t out_len = m.out.len;

	r = take_some(&m, &in, &event);
	proof_assert(is_result(r));
	proof_assert(r < 0 || in.len < len);
	proof_assert(is_within(in, span_of(bytes, len)));
	proof_assert(is_answer(m.out.len - out_len));
	proof_assert(r < 0 || is_sound(&m));
	if (r == 1)
		proof_assert(
			is_event_within(&event, span_of(bytes, len),
					span_of(m.control, sizeof(m.control))));
}

PROOF_FUZZ(proof_mux_next)
