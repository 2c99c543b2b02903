// SPDX-License-Identifier: Apache-2.0
// The multiplexer on the wire: many byte streams over one.

#include "wire/mux.h"

#include <string.h>

enum frame_type {
	FRAME_NONE,
	FRAME_HELLO,
	FRAME_OPEN,
	FRAME_DATA,
	FRAME_WINDOW,
	FRAME_CLOSE,
	FRAME_RESET,
	FRAME_COUNT,
};

enum {
	HELLO_BYTES = 24, /* what version 1 knows of it */
	HELLO_MAX_BYTES = 255,
	NUMBER_BYTES = 4,
	/* Room for the longest answer that one received frame can cause. */
	ANSWER_BYTES = 2 * (MUX_HEADER_BYTES + HELLO_BYTES),
};

static const uint8_t magic[8] = "CPNWIRE1";

/* Little-endian numbers. */

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_u64(const uint8_t *at)
{
	return (uint64_t)get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
}

static void put_u64(uint8_t *at, uint64_t value)
{
	put_u32(at, (uint32_t)value);
	put_u32(at + 4, (uint32_t)(value >> 32));
}

/* Streams. */

static struct mux_stream *find(const struct mux *m, uint32_t id)
{
	if (id == 0)
		return NULL;
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (m->streams[i].id == id)
			return (struct mux_stream *)(uintptr_t)&m->streams[i];
	}
	return NULL;
}

static struct mux_stream *find_free(struct mux *m)
{
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		struct mux_stream *s = &m->streams[i];

		if (s->id == 0 && s->owes_reset == 0)
			return s;
	}
	return NULL;
}

static bool is_ours(const struct mux *m, uint32_t id)
{
	return (id % 2 == 1) == (m->side == MUX_HOST);
}

/* An id that was used in this epoch: frames of it may still be under way. */
static bool was_used(const struct mux *m, uint32_t id)
{
	return id != 0 &&
	       id <= (is_ours(m, id) ? m->last_local_id : m->last_remote_id);
}

static void stream_open(struct mux_stream *s, uint32_t id, void *owner)
{
	*s = (struct mux_stream){
		.id = id,
		.send_credit = MUX_WINDOW_BYTES,
		.recv_credit = MUX_WINDOW_BYTES,
		.owner = owner,
	};
}

static void stream_free(struct mux_stream *s)
{
	*s = (struct mux_stream){ 0 };
}

static void free_if_over(struct mux_stream *s)
{
	if (s->is_local_closed && s->is_remote_closed && !s->owes_close)
		stream_free(s);
}

/* Output. */

static void put_frame(struct mux *m, enum frame_type type, uint32_t id,
		      struct span payload)
{
	uint8_t head[MUX_HEADER_BYTES] = { (uint8_t)type };

	put_u32(head + 4, id);
	put_u32(head + 8, (uint32_t)payload.len);
	(void)ring_put(&m->out, span_of(head, sizeof(head)));
	(void)ring_put(&m->out, payload);
}

static bool has_room(const struct mux *m, size_t payload)
{
	return ring_room(&m->out) >= MUX_HEADER_BYTES + payload;
}

static void put_hello(struct mux *m)
{
	uint8_t payload[HELLO_BYTES] = { 0 };

	memcpy(payload, magic, sizeof(magic));
	payload[8] = MUX_VERSION;
	put_u64(payload + 16, m->epoch);
	put_frame(m, FRAME_HELLO, 0, span_of(payload, sizeof(payload)));
}

static bool put_number(struct mux *m, enum frame_type type, uint32_t id,
		       uint32_t number)
{
	uint8_t payload[NUMBER_BYTES];

	if (!has_room(m, sizeof(payload)))
		return false;
	put_u32(payload, number);
	put_frame(m, type, id, span_of(payload, sizeof(payload)));
	return true;
}

/* Send a window once half of it was used up, so that small reads do not each
 * cost a frame. */
static void pay_window(struct mux *m, struct mux_stream *s)
{
	if (s->recv_unread < MUX_WINDOW_BYTES / 2 || s->is_remote_closed)
		return;
	if (!put_number(m, FRAME_WINDOW, s->id, s->recv_unread))
		return;
	s->recv_credit += s->recv_unread;
	s->recv_unread = 0;
}

static void pay_close(struct mux *m, struct mux_stream *s)
{
	if (!s->owes_close || !has_room(m, 0))
		return;
	put_frame(m, FRAME_CLOSE, s->id, span_of(NULL, 0));
	s->owes_close = false;
	free_if_over(s);
}

/* Invariant 4: what found no room earlier is sent now. */
static void pay_debts(struct mux *m)
{
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		struct mux_stream *s = &m->streams[i];

		if (s->owes_reset != 0 &&
		    put_number(m, FRAME_RESET, s->owes_reset, s->owed_reason))
			stream_free(s);
		if (s->id == 0)
			continue;
		pay_window(m, s);
		pay_close(m, s);
	}
}

/* Frames received, whole or (DATA) piece by piece. Each handler returns 1
 * with an event, 0 without one, or -EPROTO. */

static int set_event(struct mux_event *ret, enum mux_event_type type,
		     uint32_t id)
{
	ret->type = type;
	ret->stream = id;
	return 1;
}

static int on_hello(struct mux *m, uint32_t id, struct span payload,
		    struct mux_event *ret)
{
	uint64_t epoch = 0;

	if (id != 0 || memcmp(payload.ptr, magic, sizeof(magic)) != 0)
		return -EPROTO;
	epoch = get_u64(payload.ptr + 16);
	m->peer_version = (uint16_t)(payload.ptr[8] | payload.ptr[9] << 8);
	if (m->side == MUX_GUEST) {
		if (epoch == 0)
			return -EPROTO;
		memset(m->streams, 0, sizeof(m->streams));
		m->last_local_id = 0;
		m->last_remote_id = 0;
		m->epoch = epoch;
		m->is_established = true;
		put_hello(m);
	} else if (epoch == m->epoch && !m->is_established) {
		m->is_established = true;
	} else if (epoch != 0) {
		return m->is_established ? -EPROTO : 0; /* of an old epoch */
	} else if (!m->is_established) {
		return 0; /* the guest starts: our HELLO is under way to it */
	}
	ret->epoch = epoch;
	return set_event(ret, MUX_EVENT_HELLO, 0);
}

static bool is_printable(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return text.len != 0 && text.len <= MUX_TARGET_MAX_BYTES;
}

static int on_open(struct mux *m, uint32_t id, struct span payload,
		   struct mux_event *ret)
{
	struct mux_stream *s = NULL;

	if (id == 0 || is_ours(m, id) || id <= m->last_remote_id ||
	    !is_printable(payload))
		return -EPROTO;
	m->last_remote_id = id;
	s = find_free(m);
	if (s == NULL) {
		(void)put_number(m, FRAME_RESET, id, MUX_REASON_TOO_MANY);
		return 0;
	}
	stream_open(s, id, NULL);
	ret->bytes = payload;
	return set_event(ret, MUX_EVENT_OPEN, id);
}

static int on_data(struct mux *m, uint32_t id, struct span piece,
		   struct mux_event *ret)
{
	struct mux_stream *s = find(m, id);

	if (s == NULL)
		return was_used(m, id) ? 0 : -EPROTO;
	if (s->is_remote_closed || piece.len > s->recv_credit)
		return -EPROTO;
	s->recv_credit -= (uint32_t)piece.len;
	ret->bytes = piece;
	return set_event(ret, MUX_EVENT_DATA, id);
}

static int on_window(struct mux *m, uint32_t id, struct span payload,
		     struct mux_event *ret)
{
	struct mux_stream *s = find(m, id);
	uint32_t credit = get_u32(payload.ptr);

	if (s == NULL)
		return was_used(m, id) ? 0 : -EPROTO;
	if (credit == 0 || credit > MUX_WINDOW_BYTES - s->send_credit)
		return -EPROTO;
	s->send_credit += credit;
	return set_event(ret, MUX_EVENT_CREDIT, id);
}

static int on_close(struct mux *m, uint32_t id, struct span payload,
		    struct mux_event *ret)
{
	struct mux_stream *s = find(m, id);

	(void)payload;
	if (s == NULL)
		return was_used(m, id) ? 0 : -EPROTO;
	if (s->is_remote_closed)
		return -EPROTO;
	s->is_remote_closed = true;
	free_if_over(s);
	return set_event(ret, MUX_EVENT_CLOSE, id);
}

static int on_reset(struct mux *m, uint32_t id, struct span payload,
		    struct mux_event *ret)
{
	struct mux_stream *s = find(m, id);
	uint32_t reason = get_u32(payload.ptr);

	if (s == NULL)
		return was_used(m, id) ? 0 : -EPROTO;
	stream_free(s);
	ret->reason = reason < MUX_REASON_COUNT ? (enum mux_reason)reason :
						  MUX_REASON_ABORTED;
	return set_event(ret, MUX_EVENT_RESET, id);
}

static const struct {
	uint32_t min_bytes;
	uint32_t max_bytes;
	int (*fn)(struct mux *m, uint32_t id, struct span payload,
		  struct mux_event *ret);
} frames[] = {
	[FRAME_NONE] = { 1, 0, NULL }, /* no length is right */
	[FRAME_HELLO] = { HELLO_BYTES, HELLO_MAX_BYTES, on_hello },
	[FRAME_OPEN] = { 1, MUX_TARGET_MAX_BYTES, on_open },
	[FRAME_DATA] = { 1, MUX_PAYLOAD_MAX_BYTES, on_data },
	[FRAME_WINDOW] = { NUMBER_BYTES, NUMBER_BYTES, on_window },
	[FRAME_CLOSE] = { 0, 0, on_close },
	[FRAME_RESET] = { NUMBER_BYTES, NUMBER_BYTES, on_reset },
};
_Static_assert(ARRAY_LEN(frames) == FRAME_COUNT, "a row per frame type");

static bool take(struct span *in, uint8_t *dst, size_t want, size_t *have)
{
	size_t n = want - *have < in->len ? want - *have : in->len;

	if (n != 0)
		memcpy(dst + *have, in->ptr, n);
	*have += n;
	*in = span_from(*in, n);
	return *have == want;
}

/* Bytes of the frame's payload that are still to come. */
static size_t payload_left(const struct mux *m)
{
	return m->payload_len - m->payload_seen;
}

static int head_done(struct mux *m)
{
	uint8_t type = m->head[0];
	uint32_t len = get_u32(m->head + 8);

	if (type >= FRAME_COUNT || m->head[1] != 0 || m->head[2] != 0 ||
	    m->head[3] != 0 || len < frames[type].min_bytes ||
	    len > frames[type].max_bytes)
		return -EPROTO;
	m->payload_len = len;
	m->payload_seen = 0;
	return 0;
}

static void frame_done(struct mux *m)
{
	m->head_len = 0;
	m->payload_len = 0;
	m->payload_seen = 0;
}

static bool is_dropped(const struct mux *m)
{
	return !m->is_established && m->head[0] != FRAME_HELLO;
}

/* Take the frame's payload from @in and hand it to its handler. */
static int take_payload(struct mux *m, struct span *in, struct mux_event *ret)
{
	uint8_t type = m->head[0];
	uint32_t id = get_u32(m->head + 4);
	struct span piece = span_to(*in, payload_left(m));
	size_t seen = m->payload_seen;
	int r = 0;

	if (type == FRAME_DATA) {
		*in = span_from(*in, piece.len);
		m->payload_seen += (uint32_t)piece.len;
		if (piece.len != 0 && !is_dropped(m))
			r = frames[type].fn(m, id, piece, ret);
		if (payload_left(m) == 0)
			frame_done(m);
		return r;
	}
	(void)take(in, m->control, m->payload_len, &seen);
	m->payload_seen = (uint32_t)seen;
	if (payload_left(m) != 0)
		return 0;
	piece = span_of(m->control, m->payload_len);
	if (!is_dropped(m))
		r = frames[type].fn(m, id, piece, ret);
	frame_done(m);
	return r;
}

static int step(struct mux *m, struct span *in, struct mux_event *ret)
{
	size_t have = m->head_len;
	bool is_whole = m->head_len == MUX_HEADER_BYTES;

	if (!is_whole) {
		is_whole = take(in, m->head, MUX_HEADER_BYTES, &have);
		m->head_len = (uint8_t)have;
		if (!is_whole)
			return 0;
		TRY(head_done(m));
	}
	return take_payload(m, in, ret);
}

int mux_next(struct mux *m, struct span *in, struct mux_event *ret)
{
	int r = 0;

	if (m->is_dead)
		return -EPROTO;
	*ret = (struct mux_event){ .type = MUX_EVENT_NONE };
	/* Invariant 5: nothing is taken that could not be answered. A frame
	 * without payload ends with its head, hence the look at head_len. */
	while (r == 0 && has_room(m, ANSWER_BYTES) &&
	       (in->len != 0 || (m->head_len == MUX_HEADER_BYTES &&
				 payload_left(m) == 0)))
		r = step(m, in, ret);
	if (r < 0)
		m->is_dead = true;
	return r;
}

/* The user's side. */

void mux_init(struct mux *m, enum mux_side side, uint64_t epoch)
{
	memset(m, 0, sizeof(*m));
	m->side = side;
	m->epoch = epoch;
	ring_init(&m->out, m->out_bytes, sizeof(m->out_bytes));
	put_hello(m);
}

int mux_open(struct mux *m, struct span target, void *owner, uint32_t *ret)
{
	struct mux_stream *s = find_free(m);
	uint32_t id = m->last_local_id + 2;

	if (!m->is_established)
		return -ENOTCONN;
	if (!is_printable(target))
		return -EINVAL;
	if (s == NULL || m->last_local_id > UINT32_MAX - 2)
		return -EMFILE;
	if (!has_room(m, target.len + ANSWER_BYTES))
		return -EAGAIN;
	if (m->last_local_id == 0)
		id = m->side == MUX_HOST ? 1 : 2;
	m->last_local_id = id;
	stream_open(s, id, owner);
	put_frame(m, FRAME_OPEN, id, target);
	*ret = id;
	return 0;
}

void mux_set_owner(struct mux *m, uint32_t id, void *owner)
{
	struct mux_stream *s = find(m, id);

	if (s != NULL)
		s->owner = owner;
}

void *mux_owner(const struct mux *m, uint32_t id)
{
	const struct mux_stream *s = find(m, id);

	return s != NULL ? s->owner : NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t mux_send_room(const struct mux *m, uint32_t id)
{
	const struct mux_stream *s = find(m, id);
	size_t taken = MUX_HEADER_BYTES + ANSWER_BYTES + MUX_HEADER_BYTES;
	size_t room = ring_room(&m->out);

	if (s == NULL || s->is_local_closed || room <= taken)
		return 0;
	return least(least(s->send_credit, room - taken),
		     MUX_PAYLOAD_MAX_BYTES);
}

size_t mux_send(struct mux *m, uint32_t id, struct span bytes)
{
	struct mux_stream *s = find(m, id);
	size_t sent = 0;

	while (s != NULL && sent < bytes.len) {
		size_t n = least(mux_send_room(m, id), bytes.len - sent);

		if (n == 0)
			break;
		put_frame(m, FRAME_DATA, id, span_to(span_from(bytes, sent), n));
		s->send_credit -= (uint32_t)n;
		sent += n;
	}
	return sent;
}

void mux_consumed(struct mux *m, uint32_t id, size_t n)
{
	struct mux_stream *s = find(m, id);

	if (s == NULL)
		return;
	s->recv_unread += (uint32_t)least(
		n, MUX_WINDOW_BYTES - s->recv_credit - s->recv_unread);
	pay_window(m, s);
}

void mux_close(struct mux *m, uint32_t id)
{
	struct mux_stream *s = find(m, id);

	if (s == NULL || s->is_local_closed)
		return;
	s->is_local_closed = true;
	s->owes_close = true;
	pay_close(m, s);
}

void mux_reset(struct mux *m, uint32_t id, enum mux_reason reason)
{
	struct mux_stream *s = find(m, id);

	if (s == NULL)
		return;
	stream_free(s);
	if (put_number(m, FRAME_RESET, id, (uint32_t)reason))
		return;
	/* The slot stays taken until the frame is sent. */
	s->owes_reset = id;
	s->owed_reason = (uint32_t)reason;
}

struct span mux_output(const struct mux *m)
{
	return ring_peek(&m->out);
}

void mux_sent(struct mux *m, size_t n)
{
	ring_drop(&m->out, n);
	pay_debts(m);
}

bool mux_is_quiet(const struct mux *m)
{
	return m->head_len == 0 && m->out.len == 0;
}
