// SPDX-License-Identifier: Apache-2.0
// A mux between a hostile peer and a user. The first byte chooses the side
// (bit 0: guest) and whether the epoch stands (bit 1: the peer is greeted for
// it). Then come operations: a byte names one, a second is its number.

#include <stdlib.h>
#include <string.h>

#include "mux_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { EPOCH = 1, ANSWER_MAX_BYTES = 36 };

/* The input to come, and what of it the peer has sent. */
struct script {
	struct span rest;
	struct span in;
	bool was_broken;
	uint8_t head[MUX_HEADER_BYTES]; /* of the frame going out */
	size_t head_len;
	size_t payload_left;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t next_byte(struct script *s)
{
	uint8_t byte = s->rest.len > 0 ? s->rest.ptr[0] : 0;

	s->rest = span_from(s->rest, 1);
	return byte;
}

static bool is_within(const void *at, size_t len, const void *whole,
		      size_t size)
{
	uintptr_t from = (uintptr_t)at;
	uintptr_t base = (uintptr_t)whole;

	return from >= base && len <= size && from - base <= size - len;
}

static void check_event(const struct mux *m, const struct mux_event *event,
			struct span was)
{
	must(event->type > MUX_EVENT_NONE && event->type < MUX_EVENT_COUNT);
	must((event->type == MUX_EVENT_HELLO) == (event->stream == 0));
	must(event->reason < MUX_REASON_EPOCH);
	if (event->type == MUX_EVENT_DATA)
		must(event->bytes.len > 0 &&
		     is_within(event->bytes.ptr, event->bytes.len, was.ptr,
			       was.len));
	else if (event->type == MUX_EVENT_OPEN)
		must(event->bytes.len > 0 &&
		     is_within(event->bytes.ptr, event->bytes.len, m->control,
			       sizeof(m->control)));
	else
		must(event->bytes.len == 0);
}

/* Takes all the events that are there. */
static void run_mux(struct script *s, struct mux *m)
{
	struct mux_event event = { 0 };
	struct span was = s->in;
	int result;

	while ((result = mux_next(m, &s->in, &event)) == 1) {
		check_event(m, &event, was);
		must(is_within(s->in.ptr, s->in.len, was.ptr, was.len));
		was = s->in;
	}
	must(result == 0 || result == -EPROTO);
	must(!s->was_broken || result == -EPROTO);
	/* invariant 5: input waits for nothing but room */
	must(result != 0 || s->in.len == 0 ||
	     ring_room(&m->out) < ANSWER_MAX_BYTES);
	s->was_broken = result == -EPROTO;
}

/* The peer writes @n bytes of the script; what waits is never overtaken. */
static void feed(struct script *s, struct mux *m, size_t n)
{
	if (s->in.len == 0) {
		s->in = span_to(s->rest, n);
		s->rest = span_from(s->rest, n);
	}
	run_mux(s, m);
}

/* All that goes out is frames. */
static void check_output(struct script *s, struct span out)
{
	while (out.len > 0) {
		struct span payload = span_to(out, s->payload_left);

		out = span_from(out, payload.len);
		s->payload_left -= payload.len;
		if (out.len == 0)
			return;
		s->head[s->head_len++] = out.ptr[0];
		out = span_from(out, 1);
		if (s->head_len < MUX_HEADER_BYTES)
			continue;
		must(mux_is_frame_head(s->head));
		s->head_len = 0;
		s->payload_left = (size_t)s->head[8] | (size_t)s->head[9] << 8;
	}
}

static void drain(struct script *s, struct mux *m, size_t n)
{
	struct span out = span_to(mux_output(m), n);

	check_output(s, out);
	mux_sent(m, out.len);
}

static void send(struct mux *m, uint32_t id, size_t n)
{
	static const uint8_t zeroes[MUX_WINDOW_BYTES];
	size_t room = mux_send_room(m, id);
	size_t sent = mux_send(m, id, span_of(zeroes, n));

	must(sent == (n < room ? n : room));
	must(sent == 0 || ring_room(&m->out) >= MUX_CONTROL_ROOM_BYTES);
}

static void act(struct script *s, struct mux *m)
{
	uint8_t op = next_byte(s);
	uint8_t number = next_byte(s);
	uint32_t id = m->streams[number % MUX_STREAMS_MAX].id;

	switch (op % 8) {
	case 0:
		must(mux_open(m, span_str("dns"), m, &id) <= 0);
		break;
	case 1:
		send(m, id, (size_t)(op / 8) * 512 + 1);
		break;
	case 2:
		mux_consumed(m, id, (size_t)(op / 8) * 4096 + 1);
		break;
	case 3:
		mux_close(m, id);
		break;
	case 4:
		mux_reset(m, id, (enum mux_reason)(op / 8));
		break;
	case 5:
		drain(s, m, (size_t)number * 256 + 1);
		break;
	default:
		feed(s, m, (size_t)number + 1);
		break;
	}
	must(mux_is_sound(m));
}

static void greet(struct script *s, struct mux *m)
{
	static const uint8_t hello[] = "\1\0\0\0\0\0\0\0\30\0\0\0CPNWIRE1"
				       "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0";

	s->in = span_of(hello, sizeof(hello));
	run_mux(s, m);
	must(m->is_established && s->in.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct mux m;
	struct script s = { .rest = span_of(bytes, len) };
	uint8_t mode = next_byte(&s);
	bool is_guest = mode % 2 == 1;

	mux_init(&m, is_guest ? MUX_GUEST : MUX_HOST, is_guest ? 0 : EPOCH);
	if (mode / 2 % 2 == 1)
		greet(&s, &m);
	while (s.rest.len > 0)
		act(&s, &m);
	/* the wire drains, and then takes all that is left */
	while (mux_output(&m).len > 0) {
		drain(&s, &m, SIZE_MAX);
		run_mux(&s, &m);
	}
	must(s.was_broken || s.in.len == 0);
	must(s.head_len == 0 && s.payload_left == 0);
	return 0;
}
