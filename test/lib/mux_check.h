/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of a mux after every call, whatever its peer sent. */
#ifndef CPN_TEST_MUX_CHECK_H
#define CPN_TEST_MUX_CHECK_H

#include "wire/mux.h"

/* A header of 12 bytes that our own side may have sent. */
static inline bool mux_is_frame_head(const uint8_t *head)
{
	static const uint32_t longest[] = { 0,
					    MUX_HELLO_MAX_BYTES,
					    MUX_TARGET_MAX_BYTES,
					    MUX_PAYLOAD_MAX_BYTES,
					    4,
					    0,
					    4 };
	uint32_t len = 0;

	for (size_t i = 0; i < 4; i++)
		len |= (uint32_t)head[8 + i] << (8 * i);
	return head[0] >= 1 && head[0] <= 6 &&
	       (head[1] | head[2] | head[3]) == 0 && len <= longest[head[0]];
}

static inline bool mux_is_credit_sound(const struct mux_stream *s)
{
	return s->send_credit <= MUX_WINDOW_BYTES &&
	       s->recv_credit <= MUX_WINDOW_BYTES &&
	       s->recv_owed <= MUX_WINDOW_BYTES - s->recv_credit;
}

/* Closed both ways is over, unless a frame of ours still waits. */
static inline bool mux_is_end_sound(const struct mux_stream *s)
{
	bool is_over = s->is_local_closed && s->is_remote_closed;

	return (s->is_local_closed || !s->owes_close) &&
	       s->owes_reset < MUX_REASON_EPOCH &&
	       (!is_over || s->owes_close || s->owes_reset != MUX_REASON_NONE);
}

static inline bool mux_is_stream_sound(const struct mux *m,
				       const struct mux_stream *s)
{
	bool is_ours = (s->id % 2 == 1) == (m->side == MUX_HOST);
	uint32_t last = is_ours ? m->last_local_id : m->last_remote_id;

	return s->id == 0 || (m->is_established && s->id <= last &&
			      mux_is_credit_sound(s) && mux_is_end_sound(s));
}

static inline bool mux_is_sound(const struct mux *m)
{
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (m->streams[i].id == 0)
			continue;
		if (!mux_is_stream_sound(m, &m->streams[i]))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (m->streams[i].id == m->streams[j].id)
				return false;
		}
	}
	return m->head_len <= MUX_HEADER_BYTES && m->out.len <= m->out.cap &&
	       m->out.head < m->out.cap &&
	       (m->is_dead || m->head_len < MUX_HEADER_BYTES ||
		m->payload_seen < m->payload_len);
}

#endif
