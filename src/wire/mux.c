// SPDX-License-Identifier: Apache-2.0
// The multiplexer on the wire; theory and invariants are in mux.h.

#include "wire/mux.h"

#include <string.h>

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_OPEN,
	FRAME_DATA,
	FRAME_WINDOW,
	FRAME_CLOSE,
	FRAME_RESET,
	FRAME_TYPE_COUNT,
};

enum {
	HELLO_BYTES = 24,
	VALUE_BYTES = 4, /* payload of WINDOW and RESET */
	ANSWER_MAX_BYTES = MUX_HEADER_BYTES + HELLO_BYTES,
	WINDOW_STEP_BYTES = MUX_WINDOW_BYTES / 2,
};

static const uint8_t magic[8] = { 'C', 'P', 'N', 'W', 'I', 'R', 'E', '1' };

/* --- little-endian fields --- */

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint64_t get_u64(const uint8_t *at)
{
	return (uint64_t)get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i) & 0xff);
}

static void put_u64(uint8_t *at, uint64_t value)
{
	put_u32(at, (uint32_t)(value & UINT32_MAX));
	put_u32(at + 4, (uint32_t)(value >> 32));
}

/* --- streams --- */

static bool is_local(const struct mux *m, uint32_t id)
{
	return (id % 2 == 1) == (m->side == MUX_HOST);
}

/* Whether the side that opens such ids has used this one in the epoch. */
static bool was_opened(const struct mux *m, uint32_t id)
{
	return id <= (is_local(m, id) ? m->last_local_id : m->last_remote_id);
}

/* Also finds a stream whose RESET is owed; id 0 finds a free slot. */
static const struct mux_stream *slot(const struct mux *m, uint32_t id)
{
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (m->streams[i].id == id)
			return &m->streams[i];
	}
	return NULL;
}

/* A stream that exists for the user. */
static const struct mux_stream *live(const struct mux *m, uint32_t id)
{
	const struct mux_stream *s = id == 0 ? NULL : slot(m, id);

	return s != NULL && s->owes_reset == MUX_REASON_NONE ? s : NULL;
}

static struct mux_stream *slot_of(struct mux *m, uint32_t id)
{
	return (struct mux_stream *)slot(m, id);
}

static struct mux_stream *live_of(struct mux *m, uint32_t id)
{
	return (struct mux_stream *)live(m, id);
}

static void start_stream(struct mux_stream *s, uint32_t id, void *owner)
{
	*s = (struct mux_stream){
		.id = id,
		.send_credit = MUX_WINDOW_BYTES,
		.recv_credit = MUX_WINDOW_BYTES,
		.owner = owner,
	};
}

static void end_stream(struct mux_stream *s)
{
	*s = (struct mux_stream){ 0 };
}

/* --- frames to send --- */

/* Room for a frame of a class that leaves @reserve bytes to its betters. */
static bool has_room(const struct mux *m, size_t payload_len, size_t reserve)
{
	return ring_room(&m->out) >= reserve + MUX_HEADER_BYTES + payload_len;
}

/* The caller has seen that there is room: frames go in whole or not at all. */
static void put_frame(struct mux *m, enum frame_type type, uint32_t id,
		      struct span payload)
{
	uint8_t head[MUX_HEADER_BYTES] = { (uint8_t)type };

	put_u32(head + 4, id);
	put_u32(head + 8, (uint32_t)payload.len);
	(void)ring_put(&m->out, span_of(head, sizeof(head)));
	(void)ring_put(&m->out, payload);
}

static void put_value(struct mux *m, enum frame_type type, uint32_t id,
		      uint32_t value)
{
	uint8_t payload[VALUE_BYTES];

	put_u32(payload, value);
	put_frame(m, type, id, span_of(payload, sizeof(payload)));
}

static void put_hello(struct mux *m)
{
	uint8_t payload[HELLO_BYTES] = { 0 };

	memcpy(payload, magic, sizeof(magic));
	payload[8] = MUX_VERSION;
	put_u64(payload + 16, m->epoch);
	put_frame(m, FRAME_HELLO, 0, span_of(payload, sizeof(payload)));
}

static void send_owed_window(struct mux *m, struct mux_stream *s)
{
	if (s->is_remote_closed || s->recv_owed < WINDOW_STEP_BYTES)
		return;
	if (!has_room(m, VALUE_BYTES, MUX_ANSWER_ROOM_BYTES))
		return;
	put_value(m, FRAME_WINDOW, s->id, s->recv_owed);
	s->recv_credit += s->recv_owed;
	s->recv_owed = 0;
}

static void send_owed_close(struct mux *m, struct mux_stream *s)
{
	if (!s->owes_close || !has_room(m, 0, MUX_ANSWER_ROOM_BYTES))
		return;
	put_frame(m, FRAME_CLOSE, s->id, span_of(NULL, 0));
	s->owes_close = false;
	if (s->is_remote_closed)
		end_stream(s);
}

static void send_owed_reset(struct mux *m, struct mux_stream *s)
{
	if (!has_room(m, VALUE_BYTES, MUX_ANSWER_ROOM_BYTES))
		return;
	put_value(m, FRAME_RESET, s->id, (uint32_t)s->owes_reset);
	end_stream(s);
}

/* What the ring cannot take now stays owed (invariant 4). */
static void send_owed(struct mux *m, struct mux_stream *s)
{
	if (s->id == 0)
		return;
	if (s->owes_reset != MUX_REASON_NONE) {
		send_owed_reset(m, s);
		return;
	}
	send_owed_window(m, s);
	send_owed_close(m, s);
}

/* --- what each type of frame does ---
 *
 * Each returns 1 with an event, 0 without one, -EPROTO on a breach. The
 * payload is complete and has passed its form check. */

static bool is_hello(struct span payload)
{
	uint32_t version = get_u32(payload.ptr + 8); /* its high half is zero */

	if (memcmp(payload.ptr, magic, sizeof(magic)) != 0)
		return false;
	if (version == 0 || version > UINT16_MAX ||
	    get_u32(payload.ptr + 12) != 0)
		return false;
	return version > MUX_VERSION || payload.len == HELLO_BYTES;
}

static bool is_target(struct span payload)
{
	if (payload.len == 0 || payload.len > MUX_TARGET_MAX_BYTES)
		return false;
	for (size_t i = 0; i < payload.len; i++) {
		if (payload.ptr[i] <= ' ' || payload.ptr[i] > '~')
			return false;
	}
	return true;
}

static bool is_credit(struct span payload)
{
	uint32_t credit = get_u32(payload.ptr);

	return credit > 0 && credit <= MUX_WINDOW_BYTES;
}

static bool is_reason(struct span payload)
{
	return get_u32(payload.ptr) != MUX_REASON_NONE;
}

static int hello_at_guest(struct mux *m, uint64_t epoch)
{
	if (epoch == 0)
		return -EPROTO; /* [WIRE-13] */
	m->epoch = epoch;
	m->is_established = true;
	m->last_local_id = 0;
	m->last_remote_id = 0;
	memset(m->streams, 0, sizeof(m->streams));
	/* Frames of the old epoch still in the ring go out before the answer:
	 * the host drops them. mux_next() has seen that there is room. */
	put_hello(m);
	return 1;
}

static int hello_at_host(struct mux *m, uint64_t epoch)
{
	if (!m->is_established) {
		/* else it answers an older host, or the guest just started:
		 * our HELLO is under way to it */
		m->is_established = epoch != 0 && epoch == m->epoch;
		return m->is_established ? 1 : 0;
	}
	if (epoch != 0)
		return -EPROTO; /* [WIRE-15] */
	m->is_established = false;
	m->epoch = 0; /* no answer brings it back: ids stay unique */
	memset(m->streams, 0, sizeof(m->streams));
	return 1;
}

static int take_hello(struct mux *m, uint32_t id, struct mux_event *ret)
{
	uint64_t epoch = get_u64(m->control + 16);
	int result = m->side == MUX_GUEST ? hello_at_guest(m, epoch) :
					    hello_at_host(m, epoch);

	(void)id;
	if (result == 1)
		*ret = (struct mux_event){
			.type = MUX_EVENT_HELLO,
			.epoch = epoch,
		};
	return result;
}

static int take_open(struct mux *m, uint32_t id, struct mux_event *ret)
{
	struct mux_stream *s = slot_of(m, 0);

	if (is_local(m, id) || id <= m->last_remote_id)
		return -EPROTO;
	m->last_remote_id = id;
	if (s == NULL) {
		/* mux_next() has seen that there is room */
		put_value(m, FRAME_RESET, id, MUX_REASON_TOO_MANY);
		return 0;
	}
	start_stream(s, id, NULL);
	*ret = (struct mux_event){
		.type = MUX_EVENT_OPEN,
		.stream = id,
		.bytes = span_of(m->control, m->payload_len),
	};
	return 1;
}

static int take_window(struct mux *m, uint32_t id, struct mux_event *ret)
{
	struct mux_stream *s = live_of(m, id);
	uint32_t credit = get_u32(m->control);

	if (s == NULL)
		return 0;
	if (credit > MUX_WINDOW_BYTES - s->send_credit)
		return -EPROTO;
	s->send_credit += credit;
	if (s->is_local_closed)
		return 0;
	*ret = (struct mux_event){
		.type = MUX_EVENT_CREDIT,
		.stream = id,
	};
	return 1;
}

static int take_close(struct mux *m, uint32_t id, struct mux_event *ret)
{
	struct mux_stream *s = live_of(m, id);

	if (s == NULL)
		return 0;
	if (s->is_remote_closed)
		return -EPROTO;
	s->is_remote_closed = true;
	*ret = (struct mux_event){
		.type = MUX_EVENT_CLOSE,
		.stream = id,
	};
	if (s->is_local_closed && !s->owes_close)
		end_stream(s);
	return 1;
}

static int take_reset(struct mux *m, uint32_t id, struct mux_event *ret)
{
	struct mux_stream *s = slot_of(m, id);
	uint32_t reason = get_u32(m->control);
	bool is_told;

	if (s == NULL)
		return 0;
	/* If ours is still owed, theirs has crossed it and says enough. */
	is_told = s->owes_reset == MUX_REASON_NONE;
	end_stream(s);
	if (!is_told)
		return 0;
	*ret = (struct mux_event){
		.type = MUX_EVENT_RESET,
		.stream = id,
		.reason = reason < MUX_REASON_EPOCH ? (enum mux_reason)reason :
						      MUX_REASON_ABORTED,
	};
	return 1;
}

static const struct {
	uint32_t min_bytes;
	uint32_t max_bytes;
	bool (*is_formed)(struct span payload);
	int (*take)(struct mux *m, uint32_t id, struct mux_event *ret);
} frame_types[] = {
	[FRAME_HELLO] = { HELLO_BYTES, MUX_HELLO_MAX_BYTES, is_hello,
			  take_hello },
	[FRAME_OPEN] = { 1, MUX_TARGET_MAX_BYTES, is_target, take_open },
	/* DATA is not collected: take_data() hands on each piece. */
	[FRAME_DATA] = { 1, MUX_PAYLOAD_MAX_BYTES, NULL, NULL },
	[FRAME_WINDOW] = { VALUE_BYTES, VALUE_BYTES, is_credit, take_window },
	[FRAME_CLOSE] = { 0, 0, NULL, take_close },
	[FRAME_RESET] = { VALUE_BYTES, VALUE_BYTES, is_reason, take_reset },
};
_Static_assert(ARRAY_LEN(frame_types) == FRAME_TYPE_COUNT, "one each");

/* --- receiving --- */

static uint32_t min_u32(size_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

static struct span cut_front(struct span *in, size_t n)
{
	struct span front = span_to(*in, n);

	*in = span_from(*in, n);
	return front;
}

/* Looks at the whole payload at once; take_data() takes the credit. */
static int admit_data(const struct mux *m, uint32_t id)
{
	const struct mux_stream *s = live(m, id);

	if (s == NULL)
		return 0;
	return s->is_remote_closed || m->payload_len > s->recv_credit ?
		       -EPROTO :
		       0;
}

static bool is_head(const uint8_t *head)
{
	uint8_t type = head[0];
	uint32_t len = get_u32(head + 8);

	if (type == 0 || type >= FRAME_TYPE_COUNT)
		return false;
	if (head[1] != 0 || head[2] != 0 || head[3] != 0)
		return false;
	if ((type == FRAME_HELLO) != (get_u32(head + 4) == 0))
		return false;
	return len >= frame_types[type].min_bytes &&
	       len <= frame_types[type].max_bytes;
}

static int check_head(struct mux *m)
{
	uint8_t type = m->head[0];
	uint32_t id = get_u32(m->head + 4);

	if (!is_head(m->head))
		return -EPROTO;
	m->payload_len = get_u32(m->head + 8);
	m->payload_seen = 0;
	if (type == FRAME_HELLO || !m->is_established)
		return 0; /* what is of an older epoch will be dropped */
	if (type != FRAME_OPEN && !was_opened(m, id))
		return -EPROTO;
	return type == FRAME_DATA ? admit_data(m, id) : 0;
}

/* Returns 1 once the header is complete and sound. */
static int take_head(struct mux *m, struct span *in)
{
	uint8_t missing = (uint8_t)(MUX_HEADER_BYTES - m->head_len);
	uint8_t n = (uint8_t)min_u32(in->len, missing);

	if (missing == 0)
		return 1;
	if (n == 0)
		return 0;
	memcpy(m->head + m->head_len, cut_front(in, n).ptr, n);
	m->head_len = (uint8_t)(m->head_len + n);
	if (m->head_len < MUX_HEADER_BYTES)
		return 0;
	TRY(check_head(m));
	return 1;
}

/* Hands on what is there of the payload, if its stream still is. */
static int take_data(struct mux *m, struct span *in, struct mux_event *ret)
{
	uint32_t id = get_u32(m->head + 4);
	struct mux_stream *s = live_of(m, id);
	uint32_t n = min_u32(in->len, m->payload_len - m->payload_seen);
	struct span piece = cut_front(in, n);

	m->payload_seen += n;
	if (m->payload_seen == m->payload_len)
		m->head_len = 0;
	if (s == NULL || n == 0)
		return 0;
	s->recv_credit -= n;
	*ret = (struct mux_event){
		.type = MUX_EVENT_DATA,
		.stream = id,
		.bytes = piece,
	};
	return 1;
}

/* Collects the payload of any frame but DATA, and acts when it is whole. */
static int take_control(struct mux *m, struct span *in, struct mux_event *ret)
{
	uint8_t type = m->head[0];
	uint32_t n = min_u32(in->len, m->payload_len - m->payload_seen);

	if (n > 0)
		memcpy(m->control + m->payload_seen, cut_front(in, n).ptr, n);
	m->payload_seen += n;
	if (m->payload_seen < m->payload_len)
		return 0;
	m->head_len = 0;
	if (frame_types[type].is_formed != NULL &&
	    !frame_types[type].is_formed(span_of(m->control, m->payload_len)))
		return -EPROTO;
	if (type != FRAME_HELLO && !m->is_established)
		return 0; /* of an older epoch */
	return frame_types[type].take(m, get_u32(m->head + 4), ret);
}

/* Takes input up to the end of a frame or of @in. */
static int take_some(struct mux *m, struct span *in, struct mux_event *ret)
{
	int is_complete = take_head(m, in);

	if (is_complete <= 0)
		return is_complete;
	if (m->head[0] == FRAME_DATA)
		return take_data(m, in, ret);
	return take_control(m, in, ret);
}

/* --- the public face --- */

void mux_init(struct mux *m, enum mux_side side, uint64_t epoch)
{
	memset(m, 0, sizeof(*m));
	m->side = side;
	m->epoch = epoch;
	ring_init(&m->out, m->out_bytes, sizeof(m->out_bytes));
	put_hello(m);
}

int mux_next(struct mux *m, struct span *in, struct mux_event *ret)
{
	int result = 0;

	if (m->is_dead)
		return -EPROTO;
	while (result == 0) {
		/* A CLOSE is whole with its header: it never waits for more. */
		if (in->len == 0 || ring_room(&m->out) < ANSWER_MAX_BYTES)
			return 0;
		result = take_some(m, in, ret);
	}
	m->is_dead = result < 0;
	return result;
}

int mux_open(struct mux *m, struct span target, void *owner, uint32_t *ret)
{
	uint32_t first = m->side == MUX_HOST ? 1 : 2;
	uint32_t last = m->last_local_id;
	struct mux_stream *s = slot_of(m, 0);

	if (!is_target(target))
		return -EINVAL;
	if (!m->is_established || m->is_dead)
		return -ENOTCONN;
	if (s == NULL || last > UINT32_MAX - 2)
		return -EMFILE;
	if (!has_room(m, target.len, MUX_CONTROL_ROOM_BYTES))
		return -EAGAIN;
	m->last_local_id = last == 0 ? first : last + 2;
	start_stream(s, m->last_local_id, owner);
	put_frame(m, FRAME_OPEN, s->id, target);
	*ret = s->id;
	return 0;
}

void mux_set_owner(struct mux *m, uint32_t id, void *owner)
{
	struct mux_stream *s = live_of(m, id);

	if (s != NULL)
		s->owner = owner;
}

void *mux_owner(const struct mux *m, uint32_t id)
{
	const struct mux_stream *s = live(m, id);

	return s == NULL ? NULL : s->owner;
}

size_t mux_send_room(const struct mux *m, uint32_t id)
{
	const size_t frame = MUX_HEADER_BYTES + MUX_PAYLOAD_MAX_BYTES;
	const struct mux_stream *s = live(m, id);
	size_t room = ring_room(&m->out);
	size_t rest;

	if (s == NULL || s->is_local_closed)
		return 0;
	if (room <= MUX_CONTROL_ROOM_BYTES)
		return 0;
	room -= MUX_CONTROL_ROOM_BYTES;
	rest = room % frame;
	rest = rest > MUX_HEADER_BYTES ? rest - MUX_HEADER_BYTES : 0;
	room = room / frame * MUX_PAYLOAD_MAX_BYTES + rest;
	return room < s->send_credit ? room : s->send_credit;
}

size_t mux_send(struct mux *m, uint32_t id, struct span bytes)
{
	struct span rest = span_to(bytes, mux_send_room(m, id));
	size_t sent = rest.len;

	while (rest.len > 0)
		put_frame(m, FRAME_DATA, id,
			  cut_front(&rest, MUX_PAYLOAD_MAX_BYTES));
	if (sent > 0)
		live_of(m, id)->send_credit -= (uint32_t)sent;
	return sent;
}

void mux_consumed(struct mux *m, uint32_t id, size_t n)
{
	struct mux_stream *s = live_of(m, id);

	if (s == NULL)
		return;
	s->recv_owed +=
		min_u32(n, MUX_WINDOW_BYTES - s->recv_credit - s->recv_owed);
	send_owed(m, s);
}

void mux_close(struct mux *m, uint32_t id)
{
	struct mux_stream *s = live_of(m, id);

	if (s == NULL || s->is_local_closed)
		return;
	s->is_local_closed = true;
	s->owes_close = true;
	send_owed(m, s);
}

void mux_reset(struct mux *m, uint32_t id, enum mux_reason reason)
{
	bool is_sendable = reason > MUX_REASON_NONE &&
			   reason < MUX_REASON_EPOCH;
	struct mux_stream *s = live_of(m, id);

	if (s == NULL)
		return;
	s->owes_reset = is_sendable ? reason : MUX_REASON_ABORTED;
	s->owner = NULL;
	send_owed(m, s);
}

struct span mux_output(const struct mux *m)
{
	return ring_peek(&m->out);
}

void mux_sent(struct mux *m, size_t n)
{
	ring_drop(&m->out, n);
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++)
		send_owed(m, &m->streams[i]);
}

bool mux_is_quiet(const struct mux *m)
{
	return m->head_len == 0 && m->out.len == 0;
}
